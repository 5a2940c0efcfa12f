import * as disk from 'node:fs/promises';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { streamOf } from '@usufruct/crypto';
import { utf8 } from '@usufruct/kernel';
import { StoredFiles, type FileSystem } from './stored-files.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stored-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const NAME = 'aa-bb.index';
const open = (maxBytes = 1_000, fileSystem: FileSystem = disk) => StoredFiles.openIn({ folder, maxBytes, fileSystem });
const put = (files: StoredFiles, name: string, text: string) =>
  files.write(name, streamOf(utf8(text.slice(0, 3)), utf8(text.slice(3))));
const text = async (files: StoredFiles, name: string) => {
  const bytes = await files.read(name);
  return bytes === null ? null : Buffer.from(bytes).toString();
};

/** After so many calls nothing answers any more, as when the process is killed between two of them. */
function dying(callsLeft: number): { fileSystem: FileSystem; calls: () => number } {
  let calls = 0;
  const mortal = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (of, name) => {
        const member: unknown = Reflect.get(of, name);
        if (typeof member !== 'function') return member;
        return async (...given: unknown[]): Promise<unknown> => {
          if (++calls > callsLeft) throw new Error('killed');
          const result: unknown = await Reflect.apply(member, of, given);
          return name === 'open' ? mortal(result as object) : result;
        };
      },
    });
  return { fileSystem: mortal({ ...disk }), calls: () => calls };
}

describe('files on the disk', () => {
  it('are there again in the next process, and nothing else is', async () => {
    await put(await open(), NAME, 'first');
    writeFileSync(join(folder, 'abcd.part'), 'half of it');
    writeFileSync(join(folder, 'somebody.txt'), 'not ours');
    const next = await open();
    expect([next.names(), await text(next, NAME), await text(next, 'cc-dd.index')]).toEqual([[NAME], 'first', null]);
    expect(readdirSync(folder).sort()).toEqual([NAME, 'somebody.txt']);
  });

  it('are whole, the old one or the new one, wherever the process is killed', async () => {
    const whole = dying(Infinity);
    const files = await open(1_000, whole.fileSystem);
    await put(files, NAME, 'the old one');
    const before = whole.calls();
    await put(files, NAME, 'another one');
    const steps = whole.calls() - before;
    expect(steps).toBeGreaterThan(5);
    const seen = new Set<string | null>();
    for (let step = 0; step <= steps; step++) {
      rmSync(folder, { recursive: true });
      await put(await open(), NAME, 'the old one');
      const { fileSystem, calls } = dying(Infinity);
      await StoredFiles.openIn({ folder, maxBytes: 1_000, fileSystem });
      const life = await open(1_000, dying(calls() + step).fileSystem);
      await put(life, NAME, 'the new one').catch(() => undefined);
      const next = await open();
      const found = await text(next, NAME);
      seen.add(found);
      expect(['the old one', 'the new one']).toContain(found);
      expect(readdirSync(folder)).toEqual([NAME]);
    }
    expect(seen.size).toBe(2);
  });

  it('leave what was there when the disk is full or the source fails', async () => {
    const files = await open();
    await put(files, NAME, 'the old one');
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield utf8('half');
      throw new Error('ENOSPC');
    };
    await expect(files.write(NAME, failing())).rejects.toThrow('ENOSPC');
    expect([await text(files, NAME), readdirSync(folder)]).toEqual(['the old one', [NAME]]);
    // And the next one is written all the same.
    await put(files, NAME, 'the new one');
    expect(await text(files, NAME)).toBe('the new one');
  });

  it('take no more than they may: what was used longest ago makes room', async () => {
    const files = await open(20);
    for (const name of ['a-1.index', 'b-2.index', 'c-3.index']) await put(files, name, '123456');
    await files.read('a-1.index');
    await put(files, 'd-4.index', '123456');
    expect([files.names().sort(), files.totalBytes]).toEqual([['a-1.index', 'c-3.index', 'd-4.index'], 18]);
    await expect(put(files, 'e-5.index', '123456789012345678901')).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    expect(files.names()).toHaveLength(3);
    // The one that is replaced is not counted twice.
    await put(files, 'a-1.index', '12345678');
    expect([files.names().sort(), files.totalBytes]).toEqual([['a-1.index', 'c-3.index', 'd-4.index'], 20]);
    expect(readdirSync(folder).sort()).toEqual(files.names().sort());
  });

  it('remember over a restart what was used', async () => {
    const files = await open();
    for (const name of ['a-1.index', 'b-2.index']) await put(files, name, '123456');
    utimesSync(join(folder, 'b-2.index'), 1, 1);
    const less = await open(8);
    expect([less.names(), readdirSync(folder)]).toEqual([['a-1.index'], ['a-1.index']]);
  });

  it('are none where somebody else has deleted them', async () => {
    const files = await open();
    await put(files, NAME, 'x');
    rmSync(join(folder, NAME));
    expect([await files.read(NAME), files.totalBytes, await files.remove([NAME])]).toEqual([null, 0, 0]);
  });

  it.each(['../a.index', 'a/b.index', 'A.index', 'a.txt', `${'a'.repeat(201)}.index`])(
    'have no name like %s',
    async (name) => {
      const files = await open();
      expect(() => files.write(name, streamOf(utf8('x')))).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    },
  );

  it('are written one after another', async () => {
    const files = await open();
    await Promise.all(Array.from({ length: 8 }, (_, i) => put(files, NAME, `number ${i}`)));
    expect([await text(files, NAME), readFileSync(join(folder, NAME), 'utf8')]).toEqual(['number 7', 'number 7']);
  });
});
