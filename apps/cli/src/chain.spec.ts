import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Publication } from '@usufruct/chain';
import type { Address, Digest, Hex32 } from '@usufruct/kernel';
import { buildPackage, idOf, testChainInfo } from '@usufruct/testing';
import { main } from './main.js';
import { CliWorld } from './testing/cli-world.js';
import { pinnedPackage } from './move-package.js';
import { keepPublication, publicationPath, readPublication } from './publication-file.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'usufruct-publish-'));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

const SECRET = 'suiprivkey1qqysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjczyw2s';
async function run(args: readonly string[], environment: Record<string, string> = {}) {
  let out = '';
  const streams = { out: (text: string) => void (out += text), err: () => {}, bars: null, ask: null };
  const argv = ['node', 'usufruct', '--json', 'chain', 'publish', ...args];
  const code = await main(argv, { environment, homeDirectory: home, streams });
  const { error } = JSON.parse(out) as { error?: { code: string; details: Record<string, string> } };
  return { code, error: error?.code, details: error?.details };
}

describe('usufruct chain publish', () => {
  it.each<[string, string[], Record<string, string>, string]>([
    ['to the local chain', ['--network', 'local'], {}, 'INVALID_ARGUMENT'],
    ['with a wallet that is a stand-in', ['--network', 'testnet'], {}, 'STAND_IN_FORBIDDEN'],
    ['with a secret that is none', ['--network', 'testnet'], { USUFRUCT_WALLET_SECRET: 'hunter2' }, 'INVALID_ARGUMENT'],
    ['to a network that there is not', ['--network', 'nowhere'], { USUFRUCT_WALLET_SECRET: SECRET }, 'CONFIG_INVALID'],
  ])('is refused %s', async (_name, args, environment, error) => {
    const said = await run(args, environment);
    expect([said.error, JSON.stringify(said)]).toEqual([error, expect.not.stringContaining('hunter2')]);
  });

  it('is refused for a package that is not the pinned one', async () => {
    const { modules, dependencies } = await buildPackage();
    const file = join(home, 'package.json');
    writeFileSync(file, JSON.stringify({ modules: modules.slice(1), dependencies }));
    const said = await run(['--network', 'testnet', '--package', file], { USUFRUCT_WALLET_SECRET: SECRET });
    expect([said.error, said.details?.['setting']]).toEqual(['CONFIG_INVALID', 'package']);
  }, 120_000);

  it.each(['6', '366', 'soon'])(
    'is refused with a delay of %s days',
    async (days) => {
      const file = join(home, 'package.json');
      writeFileSync(file, JSON.stringify(await buildPackage()));
      const args = ['--network', 'testnet', '--package', file, '--delay-days', days];
      const said = await run(args, { USUFRUCT_WALLET_SECRET: SECRET });
      expect([said.error, said.details?.['field']]).toEqual(['INVALID_ARGUMENT', 'delay-days']);
    },
    120_000,
  );
});

describe('the package to publish', () => {
  it('is compiled from the sources of the project, to the pinned digest', async () => {
    const { modules, digest } = await pinnedPackage(undefined);
    expect([modules, digest]).toEqual([(await buildPackage()).modules, (await buildPackage()).digest]);
  }, 120_000);
});

describe('the file of a publication', () => {
  it.each([
    ['testnet', 'sui.testnet.json'],
    ['https://fullnode.example:443/', 'sui.fullnode.example.json'],
    ['http://[::1]:9000', 'sui.---1--9000.json'],
  ])('of %s is %s', (network, name) => {
    expect(publicationPath(network)).toBe(name);
  });
  it('gives back what was kept, and nothing where nothing was', () => {
    const path = join(home, 'sui.testnet.json');
    const publication: Publication = {
      chainId: 'sui:x',
      publisher: idOf<Address>('publisher'),
      packageDigest: 'ab',
      upgrades: { delayMs: 1 },
      protocolAccount: idOf<Address>('protocol'),
      publishing: { digest: idOf<Digest>('digest'), bytes: Uint8Array.of(1, 2, 3), signature: 'sig' },
      packageId: idOf<Hex32>('package'),
      upgradeCap: null,
    };
    expect(readPublication(path)).toBeNull();
    keepPublication(path, publication);
    expect(readPublication(path)).toEqual(publication);
    writeFileSync(path, '{"chainId":1}');
    expect(() => readPublication(path)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('the right to upgrade', () => {
  const change = async (args: readonly string[], environment: Record<string, string> = {}) => {
    let out = '';
    const streams = { out: (text: string) => void (out += text), err: () => {}, bars: null, ask: null };
    await main(['node', 'usufruct', '--json', 'chain', ...args], { environment, homeDirectory: home, streams });
    const { error } = JSON.parse(out) as { error?: { code: string; details: Record<string, string> } };
    return [error?.code, error?.details['field'] ?? error?.details['object']];
  };
  const secret = { USUFRUCT_WALLET_SECRET: SECRET };
  const nowhere = () => join(home, 'none.json');

  it.each(['announce', 'cancel', 'upgrade', 'burn'])('%s is refused on the local ledger', async (command) => {
    expect(await change([command, '--network', 'local'], secret)).toEqual(['INVALID_ARGUMENT', 'network']);
  });
  it('is not used with a wallet that is a stand-in', async () => {
    expect((await change(['cancel', '--network', 'testnet']))[0]).toBe('STAND_IN_FORBIDDEN');
  });
  it('is not used where nothing was published', async () => {
    const args = ['cancel', '--network', 'testnet', '--file', nowhere()];
    expect(await change(args, secret)).toEqual(['NOT_FOUND', 'publication file']);
  });
  it.each(['ab', 'g'.repeat(64)])('does not announce %s', async (digest) => {
    const file = join(home, 'sui.json');
    keepPublication(file, {
      chainId: 'sui:x',
      publisher: idOf<Address>('publisher'),
      packageDigest: 'ab',
      upgrades: { delayMs: 1 },
      protocolAccount: idOf<Address>('protocol'),
    });
    const args = ['announce', '--network', 'testnet', '--file', file, '--digest', digest];
    expect(await change(args, secret)).toEqual(['INVALID_ARGUMENT', 'digest']);
  });
  it('is not read on the local ledger, which has no contracts', async () => {
    const world = await CliWorld.open({ '/v1/info': testChainInfo() });
    try {
      const { out } = await world.run(['--json', 'chain', 'upgrades']);
      expect(JSON.parse(out)).toMatchObject({ error: { code: 'INVALID_ARGUMENT', details: { field: 'network' } } });
    } finally {
      await world.close();
    }
  });
});
