import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MEASURED_LIBRARIES } from './software-tee.js';

const ROOT = join(import.meta.dirname, '../../../..');

function ourDependencies(folder: string): string[] {
  const text = readFileSync(join(ROOT, folder, 'package.json'), 'utf8');
  const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
  return Object.keys(dependencies).flatMap((name) => (name.startsWith('@usufruct/') ? [name.slice(10)] : []));
}

describe('the measurement of the software TEE', () => {
  it('covers every library of ours that the runner can load, and no other', () => {
    const reached = new Set<string>();
    const open = ourDependencies('apps/enclave-runner');
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (!reached.has(name)) open.push(...ourDependencies(`libs/${name}`));
      reached.add(name);
    }
    expect([...MEASURED_LIBRARIES].sort()).toEqual([...reached].sort());
  });
});
