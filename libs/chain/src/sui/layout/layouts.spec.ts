import { beforeAll, describe, expect, it } from '@jest/globals';
import { buildPackage, readCompiled, type CompiledPackage } from '@usufruct/testing';
import * as common from './common.js';
import { EVENT_LAYOUTS } from './events.js';
import type { MoveStruct } from './move-types.js';
import * as objects from './objects.js';

let compiled: CompiledPackage;
beforeAll(async () => {
  compiled = readCompiled((await buildPackage()).modules);
}, 120_000);

type Named = Pick<MoveStruct<object>, 'move' | 'fields'>;
const isStruct = (value: unknown): value is Named =>
  typeof value === 'object' &&
  value !== null &&
  'fields' in value &&
  'move' in value &&
  !String(value.move).includes('0x');
const all: unknown[] = [...Object.values(objects), ...Object.values(common)];
const layouts: Named[] = [...all.filter(isStruct), ...Object.values(EVENT_LAYOUTS)];

describe('layouts', () => {
  it.each(layouts.map((layout) => [layout.move, layout.fields] as const))('%s is as compiled', (name, fields) => {
    expect(fields).toEqual(compiled.structs.get(name));
  });
  it('cover every event of the package', () => {
    const events = [...compiled.structs.keys()].filter((name) => /^\w*events::/.test(name));
    expect(
      Object.values(EVENT_LAYOUTS)
        .map(({ move }) => move)
        .sort(),
    ).toEqual(events.sort());
  });
});
