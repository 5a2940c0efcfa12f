import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WalletSigner } from '@usufruct/chain';
import { asAmount, systemRandom } from '@usufruct/kernel';
import { toWireJson, zPayoutAnswer, type PayoutAnswer } from '@usufruct/protocol';
import { connect, memoryJournal, type UsufructClient } from '@usufruct/sdk';
import { FakeGraphql, FakeStore } from '@usufruct/testing';
import { EpochSettler } from '../../apps/enclave-runner/src/payout/epoch-settler.js';
import { PayoutStore } from '../../apps/enclave-runner/src/payout/payout-store.js';
import { CHALLENGE_MS } from '../../apps/local-chain/src/testing/private-world.js';
import { PayoutWorld } from '../support/payout-world.js';

/** What a holder may answer instead. */
type Lie = (answer: PayoutAnswer) => PayoutAnswer;

/** The client library with real holders and a real ledger, from an epoch that the runner has made to money. */
describe('the payouts of a contributor', () => {
  let world: PayoutWorld;
  const lies = new Map<number, Lie>();
  beforeEach(async () => {
    lies.clear();
    world = await PayoutWorld.start([0, 1, 2]);
    const run = world.run.bind(world);
    world.run = (signer, ...actions) =>
      run(actions.some(({ kind }) => kind === 'settlePrivately') ? world.runnerWallet : signer, ...actions);
    await world.settledWith(1, [2n, 1n, null], [0, 1, 2]);
    await world.settledWith(2, [null, 1n, 3n], [0, 1, 2]);
    const store = new PayoutStore(':memory:');
    await new EpochSettler(world.runner(), store, { leastReceipts: 1, longestWaitMs: 0, mostReceipts: 9 }).round();
    store.close();
  });
  afterEach(() => world.close());

  function clientOf(signer: WalletSigner): UsufructClient {
    const api = new FakeGraphql();
    const fetchWith: typeof fetch = async (input, init) => {
      const url = String(input);
      const n = world.holders.findIndex((holder) => url.startsWith(holder.url));
      if (n < 0) return api.fetch(url, init);
      const response = await fetch(input, { ...init, headers: { ...init?.headers, connection: 'close' } });
      const lie = lies.get(n);
      if (lie === undefined || !url.endsWith('/payouts/query')) return response;
      return new Response(toWireJson(lie(zPayoutAnswer.parse(await response.json()))));
    };
    return connect({
      apiUrl: api.url,
      chain: world.chainClient(),
      store: new FakeStore(),
      holders: world.holders.map(({ url }) => ({ url })),
      signer,
      journal: memoryJournal(),
      fetch: fetchWith,
      clock: world.clock,
      random: systemRandom,
    });
  }
  const [ADA, BEN] = [0, 1];
  const contributor = (n: number): UsufructClient => clientOf(world.contributors[n]!);

  it('are its own, wait for the window, and are claimed once with any one holder', async () => {
    const ada = contributor(ADA);
    // Two thirds of 700,000: 466,666.67, which gets the unit that the floors leave.
    const { payouts, unanswered, errors } = await ada.payouts.fetch(world.daoId);
    expect([unanswered, errors]).toEqual([[], []]);
    expect(payouts).toMatchObject([
      { phase: 'challenge', isClaimed: false, proof: { leaf: { account: ada.address, amountUnits: 466_667n } } },
    ]);
    expect(await ada.payouts.claimAll(world.daoId)).toEqual([]);
    world.clock.advance(CHALLENGE_MS);
    await Promise.all([1, 2].map((n) => world.holders[n]!.close()));
    expect(await ada.payouts.claimAll(world.daoId)).toMatchObject([{ sent: true }]);
    expect(await ada.chain.balanceOf(ada.address)).toBe(asAmount(466_667n));
    expect(await ada.payouts.claimAll(world.daoId)).toEqual([]);
    const after = await ada.payouts.fetch(world.daoId);
    expect(after.payouts).toMatchObject([{ phase: 'claimable', isClaimed: true }]);
    expect(after.errors.map(({ member }) => member)).toEqual([1, 2]);
  });

  it('are none for whom was not used, and unknown while nobody answers', async () => {
    const stranger = clientOf(world.stranger);
    expect(await stranger.payouts.fetch(world.daoId)).toEqual({ payouts: [], unanswered: [], errors: [] });
    await Promise.all(world.holders.map((holder) => holder.close()));
    const [epoch] = await stranger.payouts.epochs(world.daoId);
    expect(await stranger.payouts.fetch(world.daoId)).toMatchObject({ payouts: [], unanswered: [epoch!.id] });
  });

  it('are not taken to be none because one holder says so', async () => {
    lies.set(0, nothing).set(1, (answer) => ({ ...answer, known: [], payouts: [] }));
    await world.holders[2]!.close();
    const ben = contributor(BEN);
    const [epoch] = await ben.payouts.epochs(world.daoId);
    const { payouts, unanswered, errors } = await ben.payouts.fetch(world.daoId);
    expect([payouts, unanswered]).toEqual([[], [epoch!.id]]);
    expect(errors).toMatchObject([
      { member: 2, error: { code: 'UPSTREAM_UNAVAILABLE' } },
      { member: 1, error: { code: 'NOT_FOUND', details: { epochId: epoch!.id } } },
    ]);
  });

  const more: Lie = (answer) => ({
    ...answer,
    payouts: answer.payouts.map((one) => ({ ...one, leaf: { ...one.leaf, amountUnits: asAmount(700_000n) } })),
  });
  const nothing: Lie = (answer) => ({ ...answer, payouts: [] });
  it.each<[string, Lie]>([
    ['another amount', more],
    ['nothing', nothing],
    [
      'another salt',
      (a) => ({ ...a, payouts: a.payouts.map((p) => ({ ...p, leaf: { ...p.leaf, salt: p.epochId } })) }),
    ],
    ['no proof', (a) => ({ ...a, payouts: a.payouts.map((p) => ({ ...p, proof: [] })) })],
  ])('do not depend on two holders that say %s', async (_name, lie) => {
    lies.set(0, lie).set(2, lie);
    const { payouts } = await contributor(BEN).payouts.fetch(world.daoId);
    // One third of the first 700,000 and one quarter of the second: 233,333 and 175,000.
    expect(payouts.map(({ proof }) => proof.leaf.amountUnits)).toEqual([408_333n]);
    lies.set(1, lie);
    expect((await contributor(BEN).payouts.fetch(world.daoId)).payouts).toEqual([]);
  });

  it('cannot be told as somebody else’s', async () => {
    const theirs = (await contributor(ADA).payouts.fetch(world.daoId)).payouts.map(({ proof }) => proof);
    for (const n of [0, 1, 2]) lies.set(n, (answer) => ({ ...answer, payouts: theirs }));
    expect((await contributor(BEN).payouts.fetch(world.daoId)).payouts).toEqual([]);
  });
});
