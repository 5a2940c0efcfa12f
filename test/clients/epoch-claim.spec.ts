import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LocalChainClient, type WalletSigner } from '@usufruct/chain';
import { asAmount, type Logger } from '@usufruct/kernel';
import { epochPhase, toWireJson } from '@usufruct/protocol';
import { connect, memoryJournal, zPayoutProof, type PayoutProof } from '@usufruct/sdk';
import { FakeGraphql, FakeStore } from '@usufruct/testing';
import { serve } from '../../apps/local-chain/src/server/server.js';
import {
  CHALLENGE_MS,
  CLAIM_TERM_MS,
  PrivateWorld,
  type Proposed,
} from '../../apps/local-chain/src/testing/private-world.js';

const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The client library against the real ledger over HTTP, from private receipts to money on an account. */
describe('payouts of an epoch, claimed by those who were used', () => {
  let world: PrivateWorld;
  let epoch: Proposed;
  let url: string;
  let close: () => Promise<void>;
  beforeEach(async () => {
    world = await PrivateWorld.settled();
    epoch = await world.epoch();
    await world.run(world.stranger, epoch.action);
    const server = await serve(world.chain, { host: '127.0.0.1', port: 0, allowedOrigins: [], logger: silent });
    url = server.url;
    close = () => server.close();
  });
  afterEach(() => close());

  const clientOf = (signer: WalletSigner) => {
    const api = new FakeGraphql();
    const { clock, random } = world;
    const chain = new LocalChainClient({ url, clock, random });
    const store = new FakeStore();
    const journal = memoryJournal();
    return connect({ apiUrl: api.url, chain, store, holders: [], signer, journal, fetch: api.fetch, clock, random });
  };
  /** What the settler gives the owner of a leaf, as it travels. */
  const proofOf = (index: number): PayoutProof => {
    const { id, built } = epoch;
    const file = toWireJson({ epochId: id, leaf: built.leaves[index], proof: built.tree.proofOf(index) });
    return zPayoutProof.parse(JSON.parse(file));
  };

  it('pays each part once, to the unit, whoever sends the claim; the rest is swept', async () => {
    const [first, ...others] = world.contributors;
    const stranger = clientOf(world.stranger);
    await expect(stranger.payouts.claim(proofOf(0))).rejects.toMatchObject({ code: 'EPOCH_STATE' });
    world.clock.advance(CHALLENGE_MS);
    const { leaves } = epoch.built;
    const { account, amountUnits } = leaves[0]!;
    const before = await stranger.chain.balanceOf(account);
    expect(await stranger.payouts.claim(proofOf(0))).toMatchObject({
      sent: true,
      epoch: { claimedUnits: amountUnits },
    });
    for (const signer of [first!, ...others]) {
      expect(await clientOf(signer).payouts.claim(proofOf(0))).toMatchObject({ sent: false });
    }
    expect((await stranger.chain.balanceOf(account)) - before).toBe(amountUnits);
    const [listed] = await stranger.payouts.epochs(world.daoId);
    expect(epochPhase(listed!, world.clock.nowMs())).toBe('claimable');

    await expect(stranger.payouts.sweep(epoch.id)).rejects.toMatchObject({ code: 'EPOCH_STATE' });
    world.clock.advance(CLAIM_TERM_MS);
    const { account: treasury, balanceUnits } = await stranger.daos.treasury(world.daoId);
    for (let i = 0; i < 2; i++) expect((await stranger.payouts.sweep(epoch.id)).state).toBe('swept');
    const unclaimed = leaves.slice(1).reduce((sum, leaf) => sum + leaf.amountUnits, 0n);
    expect((await stranger.chain.balanceOf(treasury)) - balanceUnits).toBe(unclaimed);
  });

  it('sends nothing for a leaf that is not in the tree', async () => {
    world.clock.advance(CHALLENGE_MS);
    const good = proofOf(0);
    const greedy = { ...good, leaf: { ...good.leaf, amountUnits: asAmount(good.leaf.amountUnits + 1n) } };
    const { lastSeq } = world.store;
    await expect(clientOf(world.stranger).payouts.claim(greedy)).rejects.toMatchObject({
      code: 'CLAIM_INVALID',
      details: { checks: 'INCLUSION' },
    });
    expect(world.store.lastSeq).toBe(lastSeq);
  });
});
