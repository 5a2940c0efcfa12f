import { describe, expect, it } from '@jest/globals';
import { asAmount, asTimestampMs, type JobId, type QuestionId } from '@usufruct/kernel';
import { signerIdOf, type ChainAction, type ProposalEffect, type UsageReceipt } from '@usufruct/protocol';
import { PRICE, PURPOSE } from '../testing/dao-world.js';
import { PrivateWorld } from '../testing/private-world.js';
import { table, type Row } from '../testing/refusal-table.js';
import { hexOf, signingKeyOf } from '../testing/world.js';
import { signerKey } from './collections.js';

/** Receipts that are settled privately, and who signs them: one row per rule, as in `refusals.spec.ts`. */
type PrivateRow = Row<PrivateWorld>;
const MINUTE_MS = 60_000;

const settling =
  (changes: Partial<UsageReceipt> = {}, weights: (bigint | null)[] = [1n, null, null]): PrivateRow[2] =>
  async (w) => [w.stranger, await w.privately(1, weights, changes)];

table('private settlement', () => PrivateWorld.asked(), [
  ['by anybody', 'ok', settling()],
  ['of nothing used', 'ok', settling({}, [])],
  [
    'with a byte too many',
    'RECEIPT_INVALID encoding',
    async (w) => {
      const action = await w.privately(1, [1n]);
      return [w.stranger, { ...action, receipt: Uint8Array.of(...action.receipt, 0) }];
    },
  ],
  ['of another chain', 'RECEIPT_INVALID chainId', settling({ chainId: 'local:00000000' })],
  ['of an unknown job', 'NOT_FOUND', settling({ jobId: hexOf<JobId>('nobody') })],
  ['for one unit less', 'RECEIPT_INVALID price', settling({ priceUnits: asAmount(PRICE - 1n) })],
  ['from the future', 'RECEIPT_INVALID issuedAtMs', (w) => settling({ issuedAtMs: later(w, MINUTE_MS + 1) })(w)],
  ['directly', 'RECEIPT_INVALID payoutMode', async (w) => [w.stranger, await w.settlement(w.uses(1n))]],
  ['twice', 'RECEIPT_CONSUMED', async (w) => [w.stranger, await w.privately(1, [1n]), await w.privately(1, [2n])]],
  [
    'with two signatures for one',
    'RECEIPT_INVALID signature',
    async (w) => [w.stranger, await w.privately(1, [1n], {}, [w.runnerKey, w.runnerKey])],
  ],
  [
    'by a set for a job of a TEE',
    'RECEIPT_INVALID signerKind',
    async (w) => [w.stranger, await w.privately(1, [1n], bySet(w), w.parties)],
  ],
]);

function later(w: PrivateWorld, ms: number) {
  return asTimestampMs(w.clock.nowMs() + ms);
}
const setOf = (w: PrivateWorld): ProposalEffect & { kind: 'registerSigner' } => ({
  kind: 'registerSigner',
  signerKind: 'mpc-set',
  publicKeys: w.parties.map(({ publicKey }) => publicKey),
  payTo: w.runnerWallet.address,
});
const hostOf = (w: PrivateWorld): ProposalEffect & { kind: 'registerSigner' } => ({
  ...setOf(w),
  signerKind: 'fhe-host',
  publicKeys: [w.host.publicKey],
});
const idOf = ({ signerKind, publicKeys }: ProposalEffect & { kind: 'registerSigner' }) =>
  signerIdOf(signerKind, publicKeys);
function bySet(w: PrivateWorld): Partial<UsageReceipt> {
  return { signerKind: 'mpc-set', signerPublicKey: bytesOfId(idOf(setOf(w))), jobId: jobOf(w, 'mpc') };
}
const byHost = (w: PrivateWorld): Partial<UsageReceipt> => ({
  signerKind: 'fhe-host',
  signerPublicKey: w.host.publicKey,
  jobId: jobOf(w, 'fhe'),
});
const bytesOfId = (id: string): Uint8Array => Uint8Array.from(Buffer.from(id.slice(2), 'hex'));
function jobOf(w: PrivateWorld, protection: 'mpc' | 'fhe'): JobId {
  const salt = w.store.read('job', w.derive<JobId>('job', w.datasetId, w.requester, protection));
  return salt?.id ?? w.jobId;
}

/** A set and a host were registered by vote, and a job under each of their protections is funded. */
async function withSigners(): Promise<PrivateWorld> {
  const w = new PrivateWorld();
  await (await w.found()).fill();
  await w.decided(setOf(w), 'set');
  await w.decided(hostOf(w), 'host');
  await w.run(w.runnerWallet, await w.registration(w.statement()));
  await w.run(w.requester, w.mint(w.requester, 20n * PRICE));
  for (const protection of ['mpc', 'fhe'] as const) {
    await w.run(w.requester, w.job({ salt: hexOf(protection), protection }));
  }
  return w;
}
const signed =
  (
    changes: (w: PrivateWorld) => Partial<UsageReceipt>,
    keys: (w: PrivateWorld) => PrivateWorld['parties'],
  ): PrivateRow[2] =>
  async (w) => [w.stranger, await w.privately(1, [1n], changes(w), keys(w))];

table('signers that are no runner', withSigners, [
  ['all three parties', 'ok', signed(bySet, (w) => w.parties)],
  ['two of three', 'RECEIPT_INVALID signature', signed(bySet, (w) => w.parties.slice(0, 2))],
  ['in another order', 'RECEIPT_INVALID signature', signed(bySet, (w) => w.parties.toReversed())],
  ['one for another', 'RECEIPT_INVALID signature', signed(bySet, (w) => [...w.parties.slice(0, 2), w.host])],
  [
    'a set that is not registered',
    'RUNNER_NOT_REGISTERED registered',
    signed(
      (w) => ({ ...bySet(w), signerPublicKey: bytesOfId(hexOf('x')) }),
      (w) => w.parties,
    ),
  ],
  [
    'a host for a set',
    'RUNNER_NOT_REGISTERED registered',
    signed(
      (w) => ({ ...bySet(w), signerPublicKey: bytesOfId(idOf(hostOf(w))) }),
      (w) => [w.host],
    ),
  ],
  [
    'an id of 31 bytes',
    'RUNNER_NOT_REGISTERED registered',
    signed(
      (w) => ({ ...bySet(w), signerPublicKey: new Uint8Array(31) }),
      (w) => w.parties,
    ),
  ],
  [
    'a runner for a set',
    'RECEIPT_INVALID signerKind',
    signed(
      (w) => ({ jobId: jobOf(w, 'mpc') }),
      (w) => [w.runnerKey],
    ),
  ],
  ['a host', 'ok', signed(byHost, (w) => [w.host])],
  ['another for a host', 'RECEIPT_INVALID signature', signed(byHost, (w) => [w.runnerKey])],
  [
    'a host that is not registered',
    'RUNNER_NOT_REGISTERED registered',
    signed(
      (w) => ({ ...byHost(w), signerPublicKey: signingKeyOf('x').publicKey }),
      () => [signingKeyOf('x')],
    ),
  ],
]);

/** What proposing this effect, or executing what was voted for, is refused for. */
const proposing =
  (effect: (w: PrivateWorld) => ProposalEffect): PrivateRow[2] =>
  (w) => [w.founder, w.propose(effect(w), 'x')];
const executing =
  (effect: (w: PrivateWorld) => ProposalEffect): PrivateRow[2] =>
  async (w) => [w.stranger, w.execute(await w.carried(effect(w), `x ${w.clock.nowMs()}`))];
const keys = (w: PrivateWorld, publicKeys: Uint8Array[]): ProposalEffect => ({ ...setOf(w), publicKeys });

table('registering signers', withSigners, [
  ['a set of two', 'INVALID_ARGUMENT publicKeys', proposing((w) => keys(w, setOf(w).publicKeys.slice(0, 2)))],
  ['a host of three', 'INVALID_ARGUMENT publicKeys', proposing((w) => ({ ...setOf(w), signerKind: 'fhe-host' }))],
  ['a runner', 'INVALID_ARGUMENT signerKind', proposing((w) => ({ ...hostOf(w), signerKind: 'tee' as 'fhe-host' }))],
  [
    'one party twice',
    'INVALID_ARGUMENT publicKeys',
    proposing((w) =>
      keys(
        w,
        [w.parties[0]!, w.parties[1]!, w.parties[0]!].map((key) => key.publicKey),
      ),
    ),
  ],
  [
    'a zero key',
    'INVALID_ARGUMENT publicKeys',
    proposing((w) => keys(w, [...setOf(w).publicKeys.slice(0, 2), new Uint8Array(32)])),
  ],
]);

describe('signers by vote', () => {
  const refused = async (w: PrivateWorld, effect: ProposalEffect) => {
    const [signer, ...actions] = await executing(() => effect)(w);
    return w.refusal(signer, ...actions);
  };
  it('come once, go at once, and do not come back', async () => {
    const w = await withSigners();
    const signerId = idOf(setOf(w));
    expect(w.store.read('signer', signerKey(w.daoId, signerId))).toMatchObject({
      signerKind: 'mpc-set',
      withdrawnAtMs: null,
    });
    expect(await refused(w, setOf(w))).toBe('ALREADY_EXISTS');
    expect(await refused(w, { kind: 'withdrawSigner', signerId: hexOf('nobody') })).toBe('NOT_FOUND');
    await w.run(w.requester, w.job({ salt: hexOf('late'), protection: 'mpc' }));
    const receipt = await w.privately(
      9,
      [1n],
      { ...bySet(w), jobId: w.derive('job', w.datasetId, w.requester, 'late') },
      w.parties,
    );
    await w.run(w.founder, w.propose({ kind: 'withdrawSigner', signerId }, 'go'));
    const proposal = w.proposalIdOf(w.founder, 'go');
    for (const who of [w.founder, ...w.contributors]) await w.run(who, w.vote(proposal));
    const { votingMs, timelockMs } = w.store.read('dao', w.daoId)!.governance;
    w.clock.advance(votingMs + timelockMs);
    await w.run(w.stranger, w.execute(proposal));
    // Whenever it was signed: but here time has passed too, so the job is looked at first.
    expect(await w.refusal(w.stranger, receipt)).toBe('RECEIPT_INVALID freshness');
    await w.run(w.requester, w.job({ salt: hexOf('after'), protection: 'mpc' }));
    const after = { ...bySet(w), jobId: w.derive<JobId>('job', w.datasetId, w.requester, 'after') };
    expect(await w.refusal(w.stranger, await w.privately(1, [1n], after, w.parties))).toBe(
      'RUNNER_NOT_REGISTERED withdrawn',
    );
    expect(await refused(w, { kind: 'withdrawSigner', signerId })).toBe('TOMBSTONED');
    expect(await refused(w, setOf(w))).toBe('ALREADY_EXISTS');
  });
});

describe('the mode of payout', () => {
  it('is that of the funding', async () => {
    const w = await PrivateWorld.asked();
    const rules = { mode: 'direct', challengeMs: 0, claimTermMs: 1_000, unclaimedTo: 'treasury' } as const;
    await w.decided({ kind: 'setPayoutRules', payoutRules: rules });
    await w.run(w.runnerWallet, await w.registration(w.statement()));
    const job: ChainAction = w.job({ salt: hexOf('direct'), purpose: PURPOSE });
    await w.run(w.requester, job);
    const jobId = w.derive<JobId>('job', w.datasetId, w.requester, 'direct');
    const questionId = hexOf<QuestionId>('question 1');
    expect(await w.refusal(w.stranger, await w.privately(1, [1n], { jobId }))).toBe('RECEIPT_INVALID payoutMode');
    expect(w.store.read('job', w.jobId)?.payoutMode).toBe('epoch');
    expect(await w.refusal(w.stranger, await w.settlement([], { jobId, questionId }))).toBe('ok');
  });
});
