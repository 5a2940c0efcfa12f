import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asTimestampMs, type Address } from '@usufruct/kernel';
import type { GrantView } from '@usufruct/protocol';
import { aContribution, aDao, aDataset, aGrant, idOf, testChainInfo, TEST_NOW_MS } from '@usufruct/testing';
import { CliWorld } from './testing/cli-world.js';
import { openWalletFile } from './wallet-file.js';

const LATER = asTimestampMs(Date.UTC(2100, 0, 1));
let world: CliWorld;
let grant: GrantView;
let file: string;

/** The chain has a grant of the owner, who is the user or, on purpose, somebody else. */
async function openWorld(isUser = true): Promise<void> {
  world = await CliWorld.open({ '/v1/info': testChainInfo() });
  const { address } = openWalletFile(join(world.home, '.usufruct', 'wallet.json'), 'local');
  const owner = isUser ? address : idOf<Address>('somebody');
  const contribution = aContribution({ owner });
  grant = aGrant({ grantor: owner, givenAtMs: TEST_NOW_MS, terms: { ...aGrant().terms, expiresAtMs: LATER } });
  const about = { transaction: idOf('tx'), sender: owner, atMs: TEST_NOW_MS };
  const views = {
    [`/v1/daos/${aDao().id}`]: aDao(),
    [`/v1/datasets/${aDataset().id}`]: aDataset(),
    [`/v1/datasets/${aDataset().id}/contributions`]: [contribution],
    [`/v1/contributions/${contribution.id}`]: contribution,
    [`/v1/grants/${grant.id}`]: grant,
    '/v1/events': [
      { seq: 1, ...about, data: { type: 'DatasetCreated', dataset: aDataset() } },
      { seq: 2, ...about, data: { type: 'GrantGiven', grant } },
    ],
  };
  for (const [path, view] of Object.entries(views)) world.chain.views.set(path, view);
  file = join(world.home, 'receipt.json');
}
beforeEach(() => openWorld());
afterEach(() => world.close());

const run = (...args: readonly string[]) => world.run(args);
const revoke = () =>
  world.chain.views.set(`/v1/grants/${grant.id}`, { ...grant, revokedAtMs: asTimestampMs(TEST_NOW_MS + 1) });

describe('a consent receipt', () => {
  it('is signed by the grantor, written as one text, and judged without a network', async () => {
    const made = await run(
      'consent',
      'receipt',
      grant.id,
      '--out',
      file,
      '--state',
      'jurisdiction=IE',
      'controllerName=A=B',
    );
    expect(made).toMatchObject({ code: 0, out: `signed receipt in ${file}\n` });
    await world.chain.stop();
    const judged = await run('consent', 'receipt', 'verify', file);
    expect(judged.code).toBe(0);
    for (const line of ['ok   DOCUMENT', `ok   SIGNATURE: by ${grant.grantor}`, 'skip ON_CHAIN']) {
      expect(judged.out).toContain(line);
    }
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('"dpv:hasName":"A=B"');
    writeFileSync(file, text.replaceAll('"IE"', '"US"'));
    const changed = await run('consent', 'receipt', 'verify', file);
    expect(changed.code).toBe(3);
    expect(changed.err).toContain('FAIL SIGNATURE');
    writeFileSync(file, JSON.stringify(JSON.parse(text), null, 2));
    expect((await run('consent', 'receipt', 'verify', file)).code).toBe(2);
    expect((await run('consent', 'receipt', 'verify', join(world.home, 'none'))).code).toBe(3);
  });

  it('shows with --online that the consent was withdrawn since', async () => {
    await run('consent', 'receipt', grant.id, '--out', file);
    expect((await run('consent', 'receipt', 'verify', file, '--online')).out).toContain('ok   ON_CHAIN');
    revoke();
    const judged = await run('consent', 'receipt', 'verify', file, '--online');
    expect(judged).toMatchObject({ code: 3 });
    expect(judged.err).toContain('FAIL ON_CHAIN: the consent was withdrawn after the receipt was issued');
  });

  it("of somebody else's grant is a view that nobody signed, and passes only as one", async () => {
    await world.close();
    await openWorld(false);
    expect((await run('consent', 'receipt', grant.id, '--out', file)).out).toBe(`unsigned view in ${file}\n`);
    expect((await run('consent', 'receipt', 'verify', file)).err).toContain('FAIL SIGNATURE: nobody signed it');
    expect((await run('consent', 'receipt', 'verify', file, '--allow-unsigned', '--online')).code).toBe(0);
  });

  it.each([
    ['--state', 'jurisdiction'],
    ['--state', '=IE'],
    ['--state', 'colour=red'],
    ['--state', 'jurisdiction='],
  ])('refuses %s %s', async (...state) => {
    expect((await run('consent', 'receipt', grant.id, ...state)).code).toBe(2);
  });
});

describe('documents for catalogues', () => {
  it('the dataset as Croissant, with the words left out or by the API', async () => {
    const args = ['dataset', 'croissant', aDataset().id, '--no-words', '--url', 'https://d.example/1'];
    const made = JSON.parse((await run('--json', ...args)).out);
    expect(made).toMatchObject({
      ok: true,
      croissant: { conformsTo: 'http://mlcommons.org/croissant/1.1', url: 'https://d.example/1', name: aDataset().id },
    });
    // 32 bytes as base64url have 43 characters
    expect(made.croissant.distribution[0].contentUrl).toMatch(new RegExp(`^${world.chain.url}/v1/blobs/[\\w-]{43}$`));
    expect((await run('dataset', 'croissant', aDataset().id)).code).toBe(4); // no API here
  });

  it('offers in ODRL, of the dataset and of a grant that stands', async () => {
    expect((await run('dataset', 'offer', aDataset().id, '--out', file)).out).toBe(`offer in ${file}\n`);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ '@type': 'Offer' });
    expect(JSON.parse((await run('consent', 'offer', grant.id)).out)).toMatchObject({ '@type': 'Offer' });
    revoke();
    expect((await run('consent', 'offer', grant.id)).code).toBe(3);
  });
});

describe('consent grant', () => {
  const granting = (...codes: string[]) => run('consent', 'grant', aContribution().id, '--purpose', ...codes);
  it('signs what the chain will judge, and nothing that it cannot', async () => {
    expect((await granting('DUO:0000042', 'DUO:0000046', 'DUO:0000025')).code).toBe(3); // the chain refuses here
    expect(world.chain.sent).toMatchObject([{ kind: 'giveGrant', terms: { purposes: ['dpv:NonCommercialResearch'] } }]);
    const refused = await granting('DUO:0000042', 'DUO:0000021');
    expect(refused).toMatchObject({ code: 3, err: expect.stringContaining('PURPOSE_DENIED') });
    expect((await granting('research')).code).toBe(2);
    expect(world.chain.sent).toHaveLength(1);
  });
});
