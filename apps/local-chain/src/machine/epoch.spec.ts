import { describe, expect, it } from '@jest/globals';
import { asAmount, asTimestampMs, type Digest, type JobId } from '@usufruct/kernel';
import { EpochTree } from '@usufruct/ledger';
import {
  epochAccountOf,
  receiptDigest,
  receiptPoolAccountOf,
  runnerIdOf,
  type EpochStatement,
} from '@usufruct/protocol';
import { CHALLENGE_MS, CLAIM_TERM_MS, PrivateWorld, type Proposed } from '../testing/private-world.js';
import { rotate } from '../testing/rotations.js';
import { table, type Row } from '../testing/refusal-table.js';
import { digestOf, hexOf, signingKeyOf } from '../testing/world.js';

/** Epochs: one row per rule, as in `refusals.spec.ts`, and what happens when every rule is kept. */
type PrivateRow = Row<PrivateWorld>;
const MINUTE_MS = 60_000;
/** Of a price of a million: 70 %. */
const PART = 700_000n;

function later(w: PrivateWorld, ms: number) {
  return asTimestampMs(w.clock.nowMs() + ms);
}

const proposed =
  (
    changes: Partial<EpochStatement> | ((w: PrivateWorld) => Partial<EpochStatement>) = {},
    by: Parameters<PrivateWorld['epoch']>[1] = {},
  ): PrivateRow[2] =>
  async (w) => [w.stranger, (await w.epoch(typeof changes === 'function' ? changes(w) : changes, by)).action];

table('proposing an epoch', () => PrivateWorld.settled(), [
  ['by anybody', 'ok', proposed()],
  ['with all three holders', 'ok', proposed({}, { members: [2, 0, 1] })],
  ['whose clock is ahead', 'ok', (w) => proposed({ issuedAtMs: later(w, MINUTE_MS) })(w)],
  [
    'with a byte too many',
    'EPOCH_INVALID encoding',
    async (w) => {
      const { action } = await w.epoch();
      return [w.stranger, { ...action, statement: Uint8Array.of(...action.statement, 0) }];
    },
  ],
  ['with a name of 3,000 bytes', 'EPOCH_INVALID encoding', proposed({ chainId: 'x'.repeat(3_000) })],
  ['of another chain', 'EPOCH_INVALID chainId', proposed({ chainId: 'local:00000000' })],
  ['of another package', 'EPOCH_INVALID packageId', proposed({ packageId: hexOf('other') })],
  ['of another registry', 'EPOCH_INVALID registryId', proposed({ registryId: hexOf('other') })],
  ['of an unknown DAO', 'NOT_FOUND', proposed({ daoId: hexOf('nobody') })],
  ['number 0', 'EPOCH_INVALID number', proposed({ number: 0n })],
  ['number 2', 'EPOCH_INVALID number', proposed({ number: 2n })],
  ['attempt 0', 'EPOCH_INVALID attempt', proposed({ attempt: 0 })],
  ['attempt 1,000', 'ok', proposed({ attempt: 1_000 })],
  ['attempt 1,001', 'EPOCH_INVALID attempt', proposed({ attempt: 1_001 })],
  ['the last attempt that there is', 'EPOCH_INVALID attempt', proposed({ attempt: 2 ** 32 - 1 })],
  ['from a receipt before the first', 'EPOCH_INVALID fromReceipt', proposed({ fromReceipt: 0n })],
  ['that leaves a receipt out', 'EPOCH_INVALID fromReceipt', proposed({ fromReceipt: 2n })],
  ['over no receipt', 'EPOCH_INVALID toReceipt', proposed({ toReceipt: 0n })],
  ['over a receipt to come', 'EPOCH_INVALID toReceipt', proposed({ toReceipt: 3n })],
  ['over other receipts', 'EPOCH_INVALID receiptChain', proposed({ receiptChain: digestOf('other') as Digest })],
  ['over fewer, under the same total', 'EPOCH_INVALID receiptChain', proposed({ toReceipt: 1n })],
  ['one unit more', 'EPOCH_INVALID totalUnits', proposed({ totalUnits: asAmount(2n * PART + 1n) })],
  ['one unit less', 'EPOCH_INVALID totalUnits', proposed({ totalUnits: asAmount(2n * PART - 1n) })],
  ['without leaves', 'EPOCH_INVALID leafCount', proposed({ leafCount: 0 })],
  ['from the future', 'EPOCH_INVALID issuedAtMs', (w) => proposed({ issuedAtMs: later(w, MINUTE_MS + 1) })(w)],
  ['half an hour old', 'ok', (w) => proposed({ issuedAtMs: later(w, -30 * MINUTE_MS) })(w)],
  ['older', 'EPOCH_INVALID freshness', (w) => proposed({ issuedAtMs: later(w, -30 * MINUTE_MS - 1) })(w)],
  ['by a settler that is no runner', 'RUNNER_NOT_REGISTERED registered', proposed({}, { settler: signingKeyOf('x') })],
  [
    'by another than it names',
    'SIGNATURE_INVALID settler',
    (w) => proposed({ settlerPublicKey: w.runnerKey.publicKey }, { settler: signingKeyOf('x') })(w),
  ],
  ['by one holder', 'EPOCH_INVALID countersigners', proposed({}, { members: [1] })],
  ['by one holder twice', 'EPOCH_INVALID countersigners', proposed({}, { members: [1, 0, 1] })],
  [
    'by a member that is none',
    'INVALID_ARGUMENT signatures.member',
    proposed({}, { members: [0, 3], signers: [0, 1] }),
  ],
  ['by a holder in the name of another', 'SIGNATURE_INVALID', proposed({}, { signers: [0, 2] })],
  ['by two, and wrongly by a third', 'SIGNATURE_INVALID', proposed({}, { members: [0, 1, 2], signers: [0, 1, 1] })],
  [
    'in a DAO that is paused',
    'DAO_PAUSED',
    async (w) => {
      const { action } = await w.epoch();
      return [w.founder, { kind: 'pauseDao', daoId: w.daoId }, action];
    },
  ],
  [
    'by a holder that was retired',
    'TOMBSTONED',
    async (w) => {
      const { action } = await w.epoch();
      return [w.operators[0]!, { kind: 'tombstoneHolder', holderSetId: w.holderSetId, member: 0 }, action];
    },
  ],
  [
    'of a measurement that is no longer approved',
    'RUNNER_NOT_REGISTERED measurement',
    async (w) => {
      const appraisal = { ...w.policy().appraisal, measurements: ['cd'.repeat(48)] };
      const policy = w.policy({ appraisal });
      const { action } = await w.epoch();
      return [w.founder, { kind: 'setPolicy', daoId: w.daoId, expectedVersion: 1, policy }, action];
    },
  ],
  [
    'while another is challenged',
    'EPOCH_STATE challenged',
    async (w) => {
      const { action } = await w.epoch();
      const { action: again } = await w.epoch({ attempt: 2 });
      return [w.stranger, action, again];
    },
  ],
]);

/** By the founder, who sets the policy. */
const setting =
  (changes: (w: PrivateWorld) => Parameters<PrivateWorld['policy']>[0]): PrivateRow[2] =>
  (w) => [w.founder, { kind: 'setPolicy', daoId: w.daoId, expectedVersion: 1, policy: w.policy(changes(w)) }];
const verifiers = [
  ['a price', 'ok', setting(() => ({ pricePerQuestionUnits: asAmount(9n) }))],
  ['other holders', 'BY_VOTE_ONLY', setting(() => ({ holderSetId: hexOf('other') }))],
  ['fewer holders', 'BY_VOTE_ONLY', setting(() => ({ verifierThreshold: 1 }))],
] satisfies PrivateRow[];
table('a policy maker, before anything is set aside, sets', () => PrivateWorld.asked(), verifiers);
table(
  'a policy maker, of a DAO that pays directly again, sets',
  async () => {
    const w = await PrivateWorld.settled();
    const payoutRules = { ...w.store.read('dao', w.daoId)!.payoutRules, mode: 'direct' as const };
    await w.decided({ kind: 'setPayoutRules', payoutRules });
    return w;
  },
  verifiers,
);

/** A world with an epoch, as every row sees it. */
let epoch: Proposed;
async function withEpoch(): Promise<PrivateWorld> {
  const w = await PrivateWorld.settled();
  epoch = await w.epoch();
  await w.run(w.stranger, epoch.action);
  return w;
}
async function claimable(): Promise<PrivateWorld> {
  const w = await withEpoch();
  w.clock.advance(CHALLENGE_MS);
  return w;
}
const objecting =
  (operator: number, member = operator): PrivateRow[2] =>
  (w) => [w.operators[operator]!, w.objection(epoch, member)];

table('objecting to an epoch, or disproving it', withEpoch, [
  ['a member', 'ok', objecting(0)],
  ['a member for another', 'WRONG_WALLET', objecting(0, 1)],
  ['a member that is none', 'INVALID_ARGUMENT member', objecting(0, 3)],
  ['a stranger', 'WRONG_WALLET', (w) => [w.stranger, w.objection(epoch, 0)]],
  ['twice', 'EPOCH_STATE objected', (w) => [w.operators[0]!, w.objection(epoch, 0), w.objection(epoch, 0)]],
  ['to an unknown epoch', 'NOT_FOUND', (w) => [w.operators[0]!, w.objection({ id: hexOf('nobody') }, 0)]],
  [
    'a member that was retired',
    'TOMBSTONED',
    (w) => [w.operators[0]!, { kind: 'tombstoneHolder', holderSetId: w.holderSetId, member: 0 }, w.objection(epoch, 0)],
  ],
  ['another root for the attempt', 'ok', async (w) => [w.stranger, w.equivocation(epoch, await other(w))]],
  ['the same statement', 'EPOCH_INVALID equivocation', (w) => [w.stranger, w.equivocation(epoch, epoch)]],
  ['another attempt', 'EPOCH_INVALID equivocation', proving({ attempt: 2 })],
  ['another number', 'EPOCH_INVALID equivocation', proving({ number: 2n })],
  ['another DAO', 'EPOCH_INVALID equivocation', proving({ daoId: hexOf('other') })],
  ["another settler's", 'EPOCH_INVALID equivocation', proving({}, { settler: signingKeyOf('x') })],
  ['another chain', 'EPOCH_INVALID chainId', proving({ chainId: 'local:00000000' })],
  [
    'what a holder signed',
    'SIGNATURE_INVALID settler',
    async (w) => {
      const { action } = await other(w);
      const settlerSignature = action.signatures[0]!.signature;
      return [
        w.stranger,
        { kind: 'proveEquivocation', epochId: epoch.id, statement: action.statement, settlerSignature },
      ];
    },
  ],
  ['a claim within the window', 'EPOCH_STATE challenged', (w) => [w.stranger, w.claim(epoch, 0)]],
  ['a sweep within the window', 'EPOCH_STATE claimable', (w) => [w.stranger, w.sweep(epoch)]],
]);

/** Another statement about the epoch that is proposed: as if the pool had not moved on. */
function other(w: PrivateWorld, changes: Partial<EpochStatement> = {}, by: Parameters<PrivateWorld['epoch']>[1] = {}) {
  const { number, fromReceipt, toReceipt } = w.store.read('epoch', epoch.id)!;
  w.receipts.push(...(w.receipts.length > 2 ? [] : [w.receipts[0]!]));
  return w.epoch({ number, fromReceipt, toReceipt, root: digestOf('other') as Digest, ...changes }, by);
}
function proving(changes: Partial<EpochStatement>, by: Parameters<PrivateWorld['epoch']>[1] = {}): PrivateRow[2] {
  return async (w) => [w.stranger, w.equivocation(epoch, await other(w, changes, by))];
}

const claiming =
  (changes: Parameters<PrivateWorld['claim']>[2] = {}): PrivateRow[2] =>
  (w) => [w.stranger, w.claim(epoch, 1, changes)];
table('claiming from an epoch, or sweeping it', claimable, [
  ['by anybody', 'ok', claiming()],
  ['at another place', 'CLAIM_INVALID proof', claiming({ index: 0 })],
  ['after the last place', 'CLAIM_INVALID index', claiming({ index: 3 })],
  ['for another', 'CLAIM_INVALID proof', (w) => claiming({ account: w.stranger.address })(w)],
  ['a unit more', 'CLAIM_INVALID proof', (w) => claiming({ amountUnits: asAmount(amountOf(w, 1) + 1n) })(w)],
  ['under another salt', 'CLAIM_INVALID proof', claiming({ salt: hexOf('other') })],
  ['without a proof', 'CLAIM_INVALID proof', (w) => [w.stranger, { ...w.claim(epoch, 1), proof: [] }]],
  ['twice', 'ALREADY_CLAIMED', (w) => [w.stranger, w.claim(epoch, 1), w.claim(epoch, 1)]],
  ['of an unknown epoch', 'NOT_FOUND', (w) => [w.stranger, { ...w.claim(epoch, 1), epochId: hexOf('nobody') }]],
  ['an objection', 'EPOCH_STATE unchallenged', objecting(0)],
  [
    'a proof of two truths',
    'EPOCH_STATE unchallenged',
    async (w) => [w.stranger, w.equivocation(epoch, await other(w))],
  ],
  ['a sweep', 'EPOCH_STATE claimable', (w) => [w.stranger, w.sweep(epoch)]],
  ['a sweep of an unknown epoch', 'NOT_FOUND', (w) => [w.stranger, w.sweep({ id: hexOf('nobody') })]],
]);
const amountOf = (_w: PrivateWorld, index: number): bigint => epoch.built.leaves[index]!.amountUnits;

table(
  'an epoch whose time is over',
  async () => {
    const w = await claimable();
    w.clock.advance(CLAIM_TERM_MS);
    return w;
  },
  [
    ['a claim', 'EPOCH_STATE lapsed', claiming()],
    ['a sweep', 'ok', (w) => [w.stranger, w.sweep(epoch)]],
    ['two sweeps', 'EPOCH_STATE swept', (w) => [w.stranger, w.sweep(epoch), w.sweep(epoch)]],
    ['a claim after the sweep', 'EPOCH_STATE swept', (w) => [w.stranger, w.sweep(epoch), w.claim(epoch, 1)]],
  ],
);

describe('an epoch', () => {
  const held = (w: PrivateWorld, address: string) => w.balanceOf({ address });

  it('pays what direct mode would have paid', async () => {
    const w = await claimable();
    // 700,000 by 2 and 1: 466,667 and 233,333; by 1 and 3: 175,000 and 525,000.
    const owed = new Map([
      [w.contributors[0]!.address, 466_667n],
      [w.contributors[1]!.address, 233_333n + 175_000n],
      [w.contributors[2]!.address, 525_000n],
    ]);
    expect(held(w, epochAccountOf(epoch.id))).toBe(2n * PART);
    for (const index of [2, 0, 1]) await w.run(w.stranger, w.claim(epoch, index));
    for (const { address } of w.contributors) expect([address, held(w, address)]).toEqual([address, owed.get(address)]);
    expect(held(w, epochAccountOf(epoch.id))).toBe(0n);
    expect(w.store.read('epoch', epoch.id)?.claimedUnits).toBe(2n * PART);
    const earned = w.contributors.map(({ address }) => w.store.read('member', `${w.daoId}/${address}`)?.earnedUnits);
    expect(earned).toEqual(w.contributors.map(({ address }) => owed.get(address)));
  });

  it('that two of three object to is as if it had never been, but for its attempt', async () => {
    const w = await withEpoch();
    w.clock.advance(CHALLENGE_MS - 1);
    await w.run(w.operators[0]!, w.objection(epoch, 0));
    // The whole window again.
    w.clock.advance(CHALLENGE_MS - 1);
    expect(await w.refusal(w.stranger, w.claim(epoch, 0))).toBe('EPOCH_STATE challenged');
    const outcome = await w.run(w.operators[2]!, w.objection(epoch, 2));
    expect(outcome.events.map(({ data }) => data.type)).toEqual(['EpochObjected', 'EpochRejected']);
    expect([held(w, epochAccountOf(epoch.id)), held(w, receiptPoolAccountOf(w.daoId))]).toEqual([0n, 2n * PART]);
    expect(await w.refusal(w.operators[1]!, w.objection(epoch, 1))).toBe('EPOCH_STATE rejected');
    expect(await w.refusal(w.stranger, epoch.action)).toBe('EPOCH_INVALID attempt');
    const next = await w.epoch({ attempt: 2 });
    await w.run(w.stranger, next.action);
    w.clock.advance(CHALLENGE_MS);
    expect(await w.refusal(w.stranger, w.claim(epoch, 0))).toBe('EPOCH_STATE rejected');
    await w.run(w.stranger, w.claim(next, 0));
  });

  it.each([
    ['before the objection', 2],
    ['after an objection of its own', 0],
  ])('is not stood by by who is retired %s', async (_when, retired) => {
    const w = await withEpoch();
    const retire = { kind: 'tombstoneHolder', holderSetId: w.holderSetId, member: retired } as const;
    if (retired === 0) await w.run(w.operators[0]!, w.objection(epoch, 0), retire);
    else await w.run(w.operators[2]!, retire);
    expect(w.store.read('epoch', epoch.id)?.state).toBe('open');
    // Two of three must stand by it, and the next objection leaves one.
    await w.run(w.operators[1]!, w.objection(epoch, 1));
    expect(w.store.read('epoch', epoch.id)?.state).toBe('rejected');
  });

  it.each([
    ['by who objected before, in another place: no', 0, 0, 1, 'EPOCH_STATE objected'],
    ['by who has the place of an objector now: yes', 0, 2, 0, 'rejected'],
    // The second has left the set, and two who stand by it are in it.
    ['by another than who has left: yes', 1, 0, 1, 'open'],
  ])('is objected to after a rotation %s', async (_what, first, second, place, expected) => {
    const w = await withEpoch();
    await w.run(w.operators[first]!, w.objection(epoch, first));
    await w.run(w.stranger, await rotate(w));
    const refused = await w.refusal(w.operators[second]!, w.objection(epoch, place));
    expect(refused === 'ok' ? w.store.read('epoch', epoch.id)?.state : refused).toBe(expected);
  });

  it('of a settler with two truths is rejected, and the settler is nobody any more', async () => {
    const w = await withEpoch();
    const outcome = await w.run(w.stranger, w.equivocation(epoch, await other(w)));
    expect(outcome.events.map(({ data }) => data.type)).toEqual(['EpochRejected', 'RunnerWithdrawn']);
    expect(held(w, receiptPoolAccountOf(w.daoId))).toBe(2n * PART);
    const key = `${w.daoId}/${runnerIdOf<JobId>(w.runnerKey.publicKey)}`;
    expect(w.store.read('runner', key)).toBeUndefined();
    const gone = 'RUNNER_NOT_REGISTERED withdrawn';
    expect(await w.refusal(w.runnerWallet, await w.registration(w.statement()))).toBe(gone);
    expect(await w.refusal(w.stranger, await w.privately(3, [1n]))).toBe(gone);
    w.receipts.length = 2;
    expect(await w.refusal(w.stranger, (await w.epoch({ attempt: 2 })).action)).toBe(gone);
  });

  it('pays no more than it has, whatever its leaves say', async () => {
    const w = await PrivateWorld.settled({ challengeMs: 0 });
    const honest = await w.epoch();
    const greedy = honest.built.leaves.map((leaf) => ({ ...leaf, amountUnits: asAmount(2n * PART + 1n) }));
    const tree = new EpochTree(greedy);
    const { action, id } = await w.epoch({ root: tree.root });
    await w.run(w.stranger, action);
    const claim = w.claim({ id, action, built: { ...honest.built, leaves: greedy, tree } }, 0);
    expect(await w.refusal(w.stranger, claim)).toBe('INSUFFICIENT_BALANCE');
  });

  it('does nothing for a leaf of nothing, right or wrong', async () => {
    const w = await claimable();
    const seq = w.store.lastSeq;
    const wrong = { ...w.claim(epoch, 0), index: 4_294_967_295, amountUnits: asAmount(0n), proof: [] };
    await w.run(w.stranger, wrong, wrong);
    expect(w.store.lastSeq).toBe(seq);
    const early = await withEpoch();
    expect(await early.refusal(early.stranger, { ...early.claim(epoch, 0), amountUnits: asAmount(0n) })).toBe(
      'EPOCH_STATE challenged',
    );
  });

  it.each(['treasury', 'protocol'] as const)('gives what nobody claimed to the %s', async (unclaimedTo) => {
    const w = await PrivateWorld.settled({ unclaimedTo });
    epoch = await w.epoch();
    await w.run(w.stranger, epoch.action);
    w.clock.advance(CHALLENGE_MS);
    await w.run(w.stranger, w.claim(epoch, 0));
    w.clock.advance(CLAIM_TERM_MS);
    const { treasury } = w.store.read('dao', w.daoId)!;
    const account = unclaimedTo === 'treasury' ? treasury : w.chain.info.protocolAccount;
    const before = held(w, account);
    await w.run(w.stranger, w.sweep(epoch));
    expect(held(w, account) - before).toBe(2n * PART - amountOf(w, 0));
    expect(held(w, epochAccountOf(epoch.id))).toBe(0n);
  });

  it('goes on while the DAO is paused', async () => {
    const w = await claimable();
    await w.run(w.founder, { kind: 'pauseDao', daoId: w.daoId });
    expect(await w.refusal(w.stranger, await w.privately(3, [1n]))).toBe('DAO_PAUSED');
    await w.run(w.stranger, w.claim(epoch, 0));
    w.clock.advance(CLAIM_TERM_MS);
    await w.run(w.stranger, w.sweep(epoch));
  });

  it('follows the one before, from the receipt after its last', async () => {
    const w = await claimable();
    await w.settle(3, [1n, 1n, null]);
    const second = await w.epoch();
    await w.run(w.stranger, second.action);
    const views = w.store
      .texts('epoch', w.daoId)
      .map((text) => JSON.parse(text) as { number: string; fromReceipt: string });
    expect(views.map(({ number, fromReceipt }) => [number, fromReceipt])).toEqual([
      ['1', '1'],
      ['2', '3'],
    ]);
    // Both pay, each its own.
    w.clock.advance(CHALLENGE_MS);
    await w.run(w.stranger, w.claim(epoch, 0), w.claim(second, 0));
    expect(await w.refusal(w.stranger, { ...w.claim(epoch, 1), epochId: second.id })).toBe('CLAIM_INVALID proof');
  });

  it('is over receipts whose chain anybody can recompute from the events', async () => {
    const w = await PrivateWorld.settled();
    const third = await w.privately(3, []);
    const outcome = await w.run(w.stranger, third);
    const [event] = outcome.events.map(({ data }) => data);
    expect(event).toMatchObject({
      type: 'ReceiptSettledPrivately',
      priceUnits: 0n,
      pooledUnits: 0n,
      payouts: [],
      receiptNumber: 3n,
      receiptDigest: receiptDigest(third.receipt),
      questionsSettled: 3,
    });
    expect(w.store.read('receipt-pool', w.daoId)).toMatchObject({
      receiptCount: 3n,
      pooledUnits: 2n * PART,
      coveredReceipts: 0n,
      account: receiptPoolAccountOf(w.daoId),
    });
  });
});
