import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asTimestampMs } from '@usufruct/kernel';
import { zErasureReceipt, type ContributionView } from '@usufruct/protocol';
import { aContribution, aDao, aDataset, aGrant, aHolderSet, idOf, testChainInfo, TEST_NOW_MS } from '@usufruct/testing';
import { CliWorld } from './testing/cli-world.js';
import { openWalletFile } from './wallet-file.js';

const LATER = asTimestampMs(Date.UTC(2100, 0, 1));
const [MARKETING, RESEARCH] = ['dpv:Marketing', 'dpv:ResearchAndDevelopment'];
let world: CliWorld;
let contribution: ContributionView;
const put = (change: Partial<ContributionView>): void => {
  contribution = { ...contribution, ...change };
  world.chain.views.set(`/v1/contributions/${contribution.id}`, contribution);
};

/** A contribution of the user's with one grant; the key holders are away. */
beforeEach(async () => {
  world = await CliWorld.open({ '/v1/info': testChainInfo() });
  const owner = openWalletFile(join(world.home, '.usufruct', 'wallet.json'), 'local').address;
  contribution = aContribution({ owner });
  const terms = { ...aGrant().terms, purposes: [RESEARCH, MARKETING], expiresAtMs: LATER };
  const grant = aGrant({ grantor: owner, terms });
  const set = aHolderSet();
  const views = {
    [`/v1/daos/${aDao().id}`]: aDao(),
    [`/v1/daos/${aDao().id}/epochs`]: [],
    [`/v1/datasets/${aDataset().id}`]: aDataset(),
    [`/v1/datasets/${aDataset().id}/contributions`]: [contribution],
    [`/v1/holder-sets/${set.id}`]: set,
    [`/v1/grants/${grant.id}`]: grant,
    [`/v1/contributions/${contribution.id}/grants`]: [grant],
    '/v1/events': [
      { seq: 1, transaction: idOf('tx'), sender: owner, atMs: TEST_NOW_MS, data: { type: 'GrantGiven', grant } },
    ],
  };
  for (const [path, view] of Object.entries(views)) world.chain.views.set(path, view);
  put({});
});
afterEach(() => world.close());
const run = (...args: readonly string[]) => world.run(args);

describe('usufruct erase', () => {
  it('says what it would do and what cannot be undone, and does nothing', async () => {
    const { code, out } = await run('erase', contribution.id, '--plan');
    expect(code).toBe(0);
    for (const words of [
      'on the chain, for good',
      '3 key holders destroy',
      '3 of them are away',
      'answers that were given',
    ]) {
      expect(out).toContain(words);
    }
    expect(world.chain.sent).toEqual([]);
  });

  it('asks first, and takes no for an answer', async () => {
    expect(await world.run(['erase', contribution.id], async () => 'n')).toMatchObject({
      out: 'nothing was changed\n',
    });
    expect((await run('--json', 'erase', contribution.id)).code).toBe(2);
    expect(world.chain.sent).toEqual([]);
  });

  it('is missing parts while key holders are away: exit code 4, a receipt that says so and does not verify', async () => {
    put({ tombstonedAtMs: TEST_NOW_MS });
    const file = join(world.home, 'erasure.json');
    const { code, out } = await run('--json', 'erase', contribution.id, '--yes', '--out', file);
    expect(code).toBe(4);
    expect(JSON.parse(out)).toMatchObject({ ok: false, erased: false, error: { code: 'UPSTREAM_UNAVAILABLE' } });
    const receipt = zErasureReceipt.parse(JSON.parse(readFileSync(file, 'utf8')));
    expect(receipt.holders.map(({ state, error }) => [state, error])).toEqual(
      Array.from({ length: 3 }, () => ['missing', 'UPSTREAM_UNAVAILABLE']),
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await world.chain.stop();
    const judged = await run('erase', 'verify', file);
    expect([judged.code, judged.err]).toEqual([3, expect.stringContaining('FAIL COMPLETE')]);
    expect(judged.err).toContain('skip HOLDERS');
    expect(judged.err).toContain('ok   WHOLE');
    expect(judged.err).toContain('key holder 2 has not said that it destroyed its share');
    // Who leaves out that one was missing, or anything else, is found out.
    writeFileSync(file, JSON.stringify({ ...receipt, remains: [], holders: receipt.holders.slice(0, 2) }));
    expect((await run('erase', 'verify', file)).err).toContain('FAIL WHOLE');
  });

  it.each([
    [['erase'], 2],
    [['erase', '0x1'], 2],
    [['erase', idOf('nowhere'), '--yes'], 3],
    [['erase', 'verify', '/nowhere.json'], 3],
  ])('%j is refused with %i', async (args, code) => {
    expect((await run(...args)).code).toBe(code);
    expect(world.chain.sent).toEqual([]);
  });
});

describe('usufruct consent revoke', () => {
  it('shows the plan of one purpose: what ends, and what takes its place', async () => {
    const { code, out } = await run('consent', 'revoke', '--all', '--purpose', MARKETING!, '--plan');
    expect([code, out]).toEqual([
      0,
      `revoke grant ${aGrant().id} of ${contribution.id}: Research and development (${RESEARCH}), Marketing (${MARKETING})\n` +
        `  and give in the same transaction: Research and development (${RESEARCH})\n1 transaction to sign\n`,
    ]);
    expect(world.chain.sent).toEqual([]);
  });

  it('signs it as one transaction', async () => {
    // This chain refuses everything: what was to be signed is what counts.
    expect(
      (await run('consent', 'revoke', '--contribution', contribution.id, '--purpose', MARKETING!, '--yes')).code,
    ).toBe(3);
    expect(world.chain.sent.map(({ kind }) => kind)).toEqual(['revokeGrant', 'giveGrant']);
  });

  it('has nothing to sign where nothing is allowed', async () => {
    const { out } = await run('consent', 'revoke', '--all', '--purpose', 'dpv:PublicBenefit');
    expect([out, world.chain.sent]).toEqual(['nothing of this is allowed\n', []]);
  });

  it.each([
    [[]],
    [['--purpose', MARKETING!]],
    [['--all', '--contribution', idOf('c')]],
    [[idOf('grant'), '--all']],
    [[idOf('grant'), '--plan']],
    [['--all', '--purpose', 'marketing']],
  ])('does not guess what %j means', async (args) => {
    expect((await run('consent', 'revoke', ...args, '--yes')).code).toBe(2);
    expect(world.chain.sent).toEqual([]);
  });
});

describe('usufruct contribution activity', () => {
  it('says which key holders did not answer', async () => {
    const { code, out } = await run('contribution', 'activity', contribution.id);
    expect(code).toBe(0);
    expect(out).toContain('0 uses on the chain');
    // The store does not have its manifest: what is not seen is not called the stronger mode.
    expect(out).toContain('who gives out its key is not known now');
    expect(out).toContain('key holder 3 did not answer: UPSTREAM_UNAVAILABLE');
    expect((await run('releases', 'list', contribution.id)).out).toContain('who gives out its key is not known now');
    expect(await world.json(['releases', 'list', contribution.id])).toMatchObject({ keyMode: null });
    expect(await world.json(['contribution', 'activity', contribution.id])).toMatchObject({
      activity: { unanswered: [0, 1, 2] },
    });
  });
});
