import { afterAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashModel } from '../compute/model-server/hash-model.js';
import { readGeneratorConfig } from './generator-config.js';
import { openGenerator } from './open-generator.js';

const directory = mkdtempSync(join(tmpdir(), 'model-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = join(directory, 'model.gguf');
writeFileSync(file, 'abc');
/** FIPS 180-2, B.1. */
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const GOOD = {
  GENERATOR: 'model-server',
  GENERATOR_URL: 'unix:/run/model.sock',
  GENERATOR_MODEL: 'small-7b',
  GENERATOR_MODEL_PATH: file,
};

describe('the settings of a generator', () => {
  it('is none by default', () => expect(readGeneratorConfig({})).toBeNull());

  it('reads them', () => {
    expect(readGeneratorConfig(GOOD)).toEqual({
      address: { kind: 'unix', socketPath: '/run/model.sock', path: '/v1' },
      name: 'small-7b',
      modelPath: file,
      timeoutMs: 60_000,
      maxTokens: 512,
    });
  });

  it.each<[string, Record<string, string | undefined>, string]>([
    ['no address', { GENERATOR_URL: undefined }, 'GENERATOR_URL'],
    ['an address elsewhere', { GENERATOR_URL: 'https://api.openai.com/v1' }, 'GENERATOR_URL'],
    ['a name for this machine', { GENERATOR_URL: 'http://localhost:8080' }, 'GENERATOR_URL'],
    ['another machine', { GENERATOR_URL: 'http://10.1.2.3:8080' }, 'GENERATOR_URL'],
    ['no model', { GENERATOR_MODEL: undefined }, 'GENERATOR_MODEL'],
    ['no file', { GENERATOR_MODEL_PATH: undefined }, 'GENERATOR_MODEL_PATH'],
    ['a file that is no path', { GENERATOR_MODEL_PATH: 'model.gguf' }, 'GENERATOR_MODEL_PATH'],
    ['no time', { GENERATOR_TIMEOUT_MS: '0' }, 'GENERATOR_TIMEOUT_MS'],
    ['too many tokens', { GENERATOR_MAX_TOKENS: '100000' }, 'GENERATOR_MAX_TOKENS'],
    ['another kind', { GENERATOR: 'openai' }, 'GENERATOR'],
    ['an address without a server', { GENERATOR: 'extractive' }, 'GENERATOR_URL'],
  ])('refuses %s', (_what, changes, setting) => {
    expect(() => readGeneratorConfig({ ...GOOD, ...changes })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', details: expect.objectContaining({ setting }) }),
    );
  });
});

describe('what a model is known by', () => {
  const hex = async (path: string) => Buffer.from(await hashModel('X', path)).toString('hex');

  it('is the hash of its file', async () => {
    expect(await hex(file)).toBe(ABC);
    const { generator, measured } = await openGenerator(readGeneratorConfig(GOOD)!);
    expect(generator).toMatchObject({ kind: 'model', model: { name: 'small-7b', sha256: `0x${ABC}` } });
    expect(measured.role).toBe('generator');
  });

  it('is the hash of the list of its files, as sha256sum prints it', async () => {
    const folder = join(directory, 'folder');
    mkdirSync(join(folder, 'sub'), { recursive: true });
    writeFileSync(join(folder, 'sub', 'b.bin'), 'abc');
    writeFileSync(join(folder, 'a.bin'), 'abc');
    const list = `${ABC}  a.bin\n${ABC}  sub/b.bin\n`;
    expect(await hex(folder)).toBe(createHash('sha256').update(list).digest('hex'));
  });

  it.each<[string, () => string]>([
    ['what is not there', () => join(directory, 'none')],
    ['a link', () => linkTo('link.gguf')],
    ['an empty folder', () => made(join(directory, 'empty'))],
    ['a folder with a link', () => made(join(directory, 'linked'), 'l')],
  ])('refuses %s', async (_what, make) => {
    await expect(hashModel('X', make())).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { setting: 'X' } });
  });

  const linkTo = (name: string): string => {
    symlinkSync(file, join(directory, name));
    return join(directory, name);
  };
  const made = (folder: string, link?: string): string => {
    mkdirSync(folder, { recursive: true });
    if (link !== undefined) symlinkSync(file, join(folder, link));
    return folder;
  };
});
