import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Chain, WalletSigner } from '@usufruct/chain';
import {
  asAmount,
  asTimestampMs,
  fromHex,
  refuse,
  sumUnits,
  toBase64,
  type Address,
  type Digest,
  type HolderSetId,
  type QuestionId,
} from '@usufruct/kernel';
import { epochPartsOf } from '@usufruct/ledger';
import {
  EpochStatementBcs,
  LIMITS,
  receiptDigest,
  UsageReceiptBcs,
  UsesBcs,
  type ChainAction,
  type EpochView,
  type Opening,
} from '@usufruct/protocol';
import { QuestionDesk } from '../../apps/enclave-runner/src/compute/questions/question-desk.js';
import { Sessions } from '../../apps/enclave-runner/src/compute/session/sessions.js';
import type { RunnerContext } from '../../apps/enclave-runner/src/context.js';
import type { HolderPort } from '../../apps/enclave-runner/src/keys/holder-port.js';
import type { BatchRules } from '../../apps/enclave-runner/src/payout/batch.js';
import { EpochSettler } from '../../apps/enclave-runner/src/payout/epoch-settler.js';
import { PayoutStore } from '../../apps/enclave-runner/src/payout/payout-store.js';
import { sealOpening } from '../../apps/enclave-runner/src/receipt/seal-opening.js';
import { Settler } from '../../apps/enclave-runner/src/receipt/settler.js';
import { RunnerStore, type AnswerRecord } from '../../apps/enclave-runner/src/receipt/store.js';
import { CHALLENGE_MS } from '../../apps/local-chain/src/testing/private-world.js';
import { digestOf, signingKeyOf, walletOf } from '../../apps/local-chain/src/testing/world.js';
import { PayoutWorld } from '../support/payout-world.js';

const MINUTE_MS = 60_000;
/** Whatever pays somebody is divided at once. */
const AT_ONCE: BatchRules = { leastReceipts: 1, longestWaitMs: 0, mostReceipts: LIMITS.receiptsPerEpoch };
const ALL = [0, 1, 2];
/** 2 and 1 to Ada and Ben; 1 and 3 to Ben and Cleo. */
const [FIRST, SECOND] = [
  [2n, 1n, null],
  [null, 1n, 3n],
];
let world: PayoutWorld;
const stores = new Set<{ close(): void }>();
beforeEach(async () => {
  world = await PayoutWorld.start(ALL);
});
afterEach(async () => {
  for (const store of stores) store.close();
  stores.clear();
  await world.close();
});

const storedAt = (n: number): number =>
  (world.holders[n]!.holder.database.prepare('SELECT count(*) AS n FROM openings').get() as { n: number }).n;
const pool = () => world.chainClient().receiptPool(world.daoId);
const epochs = (): Promise<EpochView[]> => world.chainClient().epochsOf(world.daoId);
/** The chain, but what sending a prepared transaction does is up to the test. */
const chainThatSends = (send: (really: Chain['send']) => Chain['send']): Chain => chainWith('send', send);
/** The chain, with one question or deed of which the test says what becomes of it. */
const chainWith = <K extends 'send' | 'prepare' | 'job' | 'events'>(
  method: K,
  change: (really: Chain[K]) => Chain[K],
): Chain => {
  const chain = world.chainClient();
  return new Proxy(chain, {
    get: (target, name) => {
      const really: unknown = Reflect.get(target, name);
      if (name === method) return change(chain[method].bind(chain) as Chain[K]);
      return typeof really === 'function' ? (really.bind(target) as unknown) : really;
    },
  });
};
const unsent: Chain['send'] = () => Promise.reject(refuse('CHAIN_UNAVAILABLE'));
/** Holders of which some say something else. */
const holdersWith = (context: RunnerContext, n: number, changes: Partial<HolderPort>): readonly HolderPort[] =>
  context.holders.map((holder, i) => (i === n ? { ...holder, ...changes } : holder));

describe('a private receipt', () => {
  let opening: Opening;
  let folder: string;
  let lives = 0;
  beforeEach(async () => {
    opening = await world.opening(1, FIRST!);
    folder = join(world.folderOf(0), `runner-${lives++}`);
  });

  /** A process of the runner over the same data. */
  function life(changes: Partial<RunnerContext> = {}): { context: RunnerContext; settler: Settler } {
    const store = RunnerStore.openIn(folder);
    stores.add(store);
    const context = world.runner({ store, ...changes });
    return { context, settler: new Settler(context) };
  }
  async function answered(context: RunnerContext): Promise<AnswerRecord> {
    const { receipt, signature } = opening;
    const { jobId, questionId, issuedAtMs } = UsageReceiptBcs.parse(receipt);
    const sealed = await sealOpening(context, world.daoId, opening);
    const settlement = { kind: 'private' as const, holders: null, ...sealed };
    return context.store.add({
      jobId,
      questionId,
      sealedQuestionSha256: digestOf('question'),
      signerPublicKey: world.runnerKey.publicKey,
      sealedAnswer: new Uint8Array([1]),
      receipt,
      signature,
      issuedAtMs: asTimestampMs(issuedAtMs),
      settlement,
      transaction: null,
      preparedAtMs: world.clock.nowMs(),
    });
  }
  const found = (context: RunnerContext, { jobId, questionId }: AnswerRecord) =>
    context.store.find(jobId, questionId as QuestionId)!;

  it('is settled when enough holders have its opening, and not before', async () => {
    const order: string[] = [];
    const { context, settler } = life({
      chain: chainThatSends((really) => async (transaction) => {
        order.push(`settled with ${ALL.filter((n) => storedAt(n) === 1).length >= 2 ? 'enough' : 'too few'}`);
        return really(transaction);
      }),
    });
    const record = await answered(context);
    expect((await settler.settle(record, true)).state).toBe('settled');
    expect(order).toEqual(['settled with enough']);
    expect((await pool()).receiptCount).toBe(1n);
  });

  it('is settled with one holder away, waits while two are, and is settled when they are back', async () => {
    await world.holders[2]!.close();
    await world.holders[1]!.close();
    const { context, settler } = life();
    const record = await answered(context);
    expect((await settler.settle(record, true)).state).toBe('settling');
    expect([(await pool()).receiptCount, storedAt(0)]).toEqual([0n, 1]);
    await world.startHolder(1);
    const later = life();
    expect((await later.settler.settle(found(later.context, record), false)).state).toBe('settled');
    expect((await pool()).receiptCount).toBe(1n);
  });

  it.each([
    ['before anybody has the opening', (context: RunnerContext) => holdersWith(context, 0, {}).map(away)],
    [
      'when one holder has it',
      (context: RunnerContext) => context.holders.map((one, i) => (i === 0 ? one : away(one))),
    ],
    ['when all have it and nothing was sent', (context: RunnerContext) => context.holders],
  ])('survives that the runner is killed %s', async (_name, holdersOf) => {
    const before = life({ chain: chainThatSends(() => unsent) });
    const record = await answered(before.context);
    const cut = { ...before.context, holders: holdersOf(before.context) };
    expect((await new Settler(cut).settle(record, true)).state).toBe('settling');
    // Another process: its keys are others, its memory is empty.
    const after = life({ keys: await world.keysOf(signingKeyOf('after the restart')) });
    await after.settler.resume();
    await after.settler.resume();
    expect(found(after.context, record).state).toBe('settled');
    expect(await pool()).toMatchObject({ receiptCount: 1n, pooledUnits: 700_000n }); // 70 % of 1,000,000
    expect(ALL.filter((n) => storedAt(n) === 1).length).toBeGreaterThanOrEqual(2);
  });
  const away = (holder: HolderPort): HolderPort => ({
    ...holder,
    identity: () => Promise.reject(refuse('UPSTREAM_UNAVAILABLE')),
  });

  it('is signed anew, from what is stored, when its first transaction can no longer happen', async () => {
    let isDown = true;
    const { context, settler } = life({
      chain: chainThatSends((really) => (transaction) => (isDown ? unsent(transaction) : really(transaction))),
    });
    const record = await settler.settle(await answered(context), true);
    isDown = false;
    world.clock.advance(LIMITS.transactionTermMs + LIMITS.clockSkewMs + 1);
    await settler.resume();
    await settler.resume();
    const after = found(context, record);
    expect(record.transaction).not.toBeNull();
    expect(after.transaction!.digest).not.toBe(record.transaction!.digest);
    // The job's term is over by then; the receipt was issued within it and is settled all the same.
    expect(after.state).toBe('settled');
  });

  it('fails, and sets nothing aside, when enough holders refuse its uses', async () => {
    await world.run(world.contributors[0]!, { kind: 'revokeGrant', grantId: world.grantIds[0]! });
    opening = await world.opening(1, FIRST!);
    const { context, settler } = life();
    const after = await settler.settle(await answered(context), true);
    expect(after).toMatchObject({ state: 'failed', error: { code: 'GRANT_REVOKED' } });
    expect((await pool()).receiptCount).toBe(0n);
    expect(asked(context, settler, after)).toMatchObject({ state: 'failed', ...withheld });
    // Whose grant it was, the asker is not to know.
    expect(after.error?.details).toEqual({});
    const told = JSON.stringify(asked(context, settler, after));
    for (const secret of [...world.grantIds, ...world.contributionIds]) expect(told).not.toContain(secret);
  });

  it('is given to nobody who could settle it, until it is settled', async () => {
    await Promise.all([1, 2].map((n) => world.holders[n]!.close()));
    const { context, settler } = life();
    const record = await settler.settle(await answered(context), true);
    expect(asked(context, settler, record)).toMatchObject({ state: 'settling', ...withheld });
    await world.startHolder(1);
    const later = life();
    await later.settler.settle(record, false);
    expect(asked(later.context, later.settler, record)).toEqual({
      questionId: record.questionId,
      state: 'settled',
      sealedAnswer: toBase64(record.sealedAnswer),
      receipt: toBase64(record.receipt),
      signature: toBase64(record.signature),
      settlement: { transaction: found(later.context, record).transaction!.digest },
      error: null,
    });
  });
  const withheld = { sealedAnswer: null, receipt: null, signature: null, settlement: null };
  /** What everybody may read of a question. */
  const asked = (context: RunnerContext, settler: Settler, { jobId, questionId }: AnswerRecord) =>
    new QuestionDesk(context, new Sessions(context), settler).read(jobId, questionId);

  it('fails when too few holders took it for as long as it can be settled', async () => {
    await Promise.all([1, 2].map((n) => world.holders[n]!.close()));
    const { context, settler } = life();
    const record = await answered(context);
    await settler.settle(record, true);
    world.clock.advance(LIMITS.receiptFreshnessMs + 1);
    expect(await settler.settle(record, false)).toMatchObject({ state: 'failed', error: { code: 'RECEIPT_INVALID' } });
  });

  /** By whoever has it, and the word of enough holders. */
  const settledByAnother = async ({ receipt, signature }: AnswerRecord) => {
    const acknowledgements = await world.acknowledgements(receipt);
    await world.run(world.stranger, { kind: 'settlePrivately', receipt, signature, acknowledgements });
  };

  it('that another has settled is not sent again, and is brought to its holders, however old it becomes', async () => {
    await Promise.all([1, 2].map((n) => world.holders[n]!.close()));
    const { context, settler } = life();
    const record = await answered(context);
    await settler.settle(record, true);
    await settledByAnother(record);
    world.clock.advance(LIMITS.receiptFreshnessMs + 1);
    const chain = chainThatSends(() => () => Promise.reject(new Error('sent again')));
    await new Settler({ ...context, chain }).resume();
    expect(found(context, record)).toMatchObject({ state: 'settled', error: null, transaction: null });
    expect(asked(context, settler, record)).toMatchObject({ state: 'settled', settlement: null });
    await world.startHolder(1);
    await life({ chain }).settler.resume();
    expect(storedAt(1)).toBe(1);
  });

  it('keeps the word of each holder over a restart', async () => {
    await Promise.all([1, 2].map((n) => world.holders[n]!.close()));
    const before = life();
    const record = await answered(before.context);
    await before.settler.settle(record, true);
    await world.holders[0]!.close();
    await world.startHolder(1);
    const after = life({ keys: await world.keysOf(signingKeyOf('after the restart')) });
    await after.settler.resume();
    // Holder 0 is away by now: what it signed before counts.
    expect(found(after.context, record).state).toBe('settled');
  });

  /** Sent once, when the members of the set are others already. */
  const changedBeforeSending = (change: () => Promise<unknown>): { chain: Chain; sent: Digest[] } => {
    const sent: Digest[] = [];
    const chain = chainThatSends((really) => async (transaction) => {
      if (sent.length === 0) await change();
      sent.push(transaction.digest);
      return really(transaction);
    });
    return { chain, sent };
  };

  it('is settled by others when a holder is retired between its word and the settlement', async () => {
    // So that the other two are those whose word is in the transaction.
    await world.holders[2]!.close();
    const { holderSetId } = world;
    const { chain, sent } = changedBeforeSending(() =>
      world.run(world.operators[0]!, { kind: 'tombstoneHolder', holderSetId, member: 0 }),
    );
    const { context, settler } = life({ chain });
    const record = await answered(context);
    expect((await settler.settle(record, true)).state).toBe('settling');
    expect((await pool()).receiptCount).toBe(0n);
    await world.startHolder(2);
    await life({ chain }).settler.resume();
    expect([found(context, record).state, new Set(sent).size]).toEqual(['settled', 2]);
    expect((await pool()).receiptCount).toBe(1n);
  });

  it('is settled when the members have changed places in between', async () => {
    const { chain, sent } = changedBeforeSending(() => world.rotate([2, 0, 1]));
    const { context, settler } = life({ chain });
    const record = await answered(context);
    expect((await settler.settle(record, true)).state).toBe('settling');
    await settler.resume();
    expect([found(context, record).state, new Set(sent).size]).toEqual(['settled', 2]);
  });

  it('fails when its holders have become others and it can no longer be settled', async () => {
    const sending: { now: Chain['send'] } = { now: unsent };
    const { context, settler } = life({ chain: chainThatSends(() => (transaction) => sending.now(transaction)) });
    const record = await answered(context);
    expect((await settler.settle(record, true)).state).toBe('settling');
    // Signed for the set as it was; in the one that is now, too few have it.
    await Promise.all(ALL.map((n) => world.holders[n]!.close()));
    await world.renewHolder(0);
    await world.holders[0]!.close();
    await world.run(world.operators[1]!, { kind: 'tombstoneHolder', holderSetId: world.holderSetId, member: 1 });
    world.clock.advance(LIMITS.receiptFreshnessMs + LIMITS.transactionTermMs + 1);
    sending.now = () => Promise.reject(new Error('sent again'));
    await settler.resume();
    expect(found(context, record)).toMatchObject({ state: 'failed', error: { code: 'RECEIPT_INVALID' } });
  });

  it('never has one transaction stored for the holders of another, wherever the process is killed', async () => {
    const { context } = life({ chain: chainThatSends(() => unsent) });
    const record = await answered(context);
    await new Settler(context).settle(record, true);
    const before = found(context, record);
    const file = new DatabaseSync(join(folder, 'runner.sqlite'));
    file.exec(
      `create trigger killed before update of transaction_digest on answers begin select raise(abort, ''); end`,
    );
    file.close();
    const transaction = { digest: digestOf('another'), bytes: new Uint8Array([1]), signature: 'another' };
    expect(() => context.store.replaceTransaction(record, transaction, world.clock.nowMs(), 'others')).toThrow();
    expect(found(context, record)).toEqual(before);
  });

  it('is not failed by a view of the chain that does not show its new holders yet', async () => {
    const { chain } = changedBeforeSending(() => world.rotate([2, 0, 1]));
    const before = await chain.holderSet(world.holderSetId);
    const fresh = chain.holderSet.bind(chain);
    let isBehind = true;
    const lagging = new Proxy(chain, {
      get: (target, name) =>
        name === 'holderSet' ? async (id: HolderSetId) => (isBehind ? before : fresh(id)) : Reflect.get(target, name),
    });
    const { context, settler } = life({ chain: lagging });
    const record = await answered(context);
    expect((await settler.settle(record, true)).state).toBe('settling');
    await settler.resume();
    expect(found(context, record).state).toBe('settling');
    isBehind = false;
    await settler.resume();
    expect(found(context, record).state).toBe('settled');
  });

  it('is settled when its holders change before it is signed, on a chain that tries it first', async () => {
    const chain = chainWith('prepare', (really) => async (...asked) => {
      if ((await world.chainClient().holderSet(world.holderSetId)).version > 1) return really(...asked);
      await world.rotate([2, 0, 1]);
      throw refuse('SIGNATURE_INVALID');
    });
    const { context, settler } = life({ chain });
    const record = await answered(context);
    expect((await settler.settle(record, true)).state).toBe('settling');
    await settler.resume();
    expect(found(context, record).state).toBe('settled');
  });

  it('is given, from a holder that has it, to one that has come into the set since', async () => {
    await Promise.all([1, 2].map((n) => world.holders[n]!.close()));
    const { context, settler } = life();
    const record = await answered(context);
    expect((await settler.settle(record, true)).state).toBe('settling');
    await world.renewHolder(1);
    // Another process, with no opening in its memory.
    const later = life();
    await later.settler.resume();
    expect(found(later.context, record).state).toBe('settled');
    expect((await pool()).receiptCount).toBe(1n);
  });

  it('fails on its own account, not for its holders', async () => {
    const { chain } = changedBeforeSending(async () => {
      await world.run(world.requester, { kind: 'closeJob', jobId: world.jobId });
    });
    const { context, settler } = life({ chain });
    expect(await settler.settle(await answered(context), true)).toMatchObject({
      state: 'failed',
      error: { code: 'JOB_STATE' },
    });
  });

  it('of a file from before acknowledgements were kept is brought again, and settled', async () => {
    await world.holders[2]!.close();
    const before = life({ chain: chainThatSends(() => unsent) });
    const record = await answered(before.context);
    await before.settler.settle(record, true);
    before.context.store.close();
    stores.delete(before.context.store);
    const file = new DatabaseSync(join(folder, 'runner.sqlite'));
    file.exec(`
      drop index deliveries_open;
      update deliveries set is_acked = 1;
      alter table deliveries drop column acknowledgement;
      alter table settlements drop column holders;
      create index deliveries_left on deliveries (job_id, question_id) where is_acked = 0;
    `);
    file.close();
    const after = life();
    await after.settler.resume();
    expect(found(after.context, record).state).toBe('settled');
  });

  it('that failed, and was settled all the same, is brought to its holders', async () => {
    await Promise.all([1, 2].map((n) => world.holders[n]!.close()));
    const { context, settler } = life();
    const record = await answered(context);
    await settler.settle(record, true);
    context.store.markFailed(record, refuse('RECEIPT_INVALID').toWire());
    await settler.resume();
    expect(found(context, record).state).toBe('failed');
    await settledByAnother(record);
    await settler.resume();
    expect(found(context, record)).toMatchObject({ state: 'settled', error: null });
    await world.startHolder(2);
    const later = life();
    await later.settler.resume();
    expect([found(later.context, record).state, storedAt(2)]).toEqual(['settled', 1]);
  });

  it('is not failed while nobody can say whether it is on the chain', async () => {
    const { context } = life();
    const record = await answered(context);
    world.clock.advance(LIMITS.receiptFreshnessMs + 1);
    const chain = world.chainClient();
    let asked = 0;
    chain.settledReceipt = async () => {
      if (asked++ > 0) throw refuse('CHAIN_UNAVAILABLE');
      return null;
    };
    await new Settler({ ...context, chain }).resume();
    expect(found(context, record).state).toBe('settling');
  });

  it('is brought, after it is settled, to the holder that was away', async () => {
    await world.holders[2]!.close();
    const { context, settler } = life();
    const record = await answered(context);
    expect((await settler.settle(record, true)).state).toBe('settled');
    await settler.resume();
    world.clock.advance(LIMITS.receiptFreshnessMs + 1);
    await world.startHolder(2);
    const later = life();
    await later.settler.resume();
    expect(storedAt(2)).toBe(1);
    expect(later.context.store.undelivered(10)).toEqual([]);
  });

  it('does not wait for holders of another set that never answer', async () => {
    const { context } = life();
    const record = await answered(context);
    const { settlement } = record;
    if (settlement?.kind !== 'private') throw new Error('not private');
    // Older than the record, for holders of which this one takes the connection and says nothing.
    const [silent] = settlement.deliveries;
    const older = {
      ...record,
      questionId: digestOf('older') as never,
      issuedAtMs: asTimestampMs(record.issuedAtMs - 1),
    };
    context.store.add({ ...older, settlement: { ...settlement, deliveries: [silent!] } });
    const identities = await Promise.all(context.holders.map((holder) => holder.identity()));
    const n = identities.findIndex(({ signingPublicKey }) => signingPublicKey === silent!.holderKey);
    let letGo = (): void => undefined;
    const never = new Promise<never>((_, reject) => {
      letGo = () => reject(refuse('UPSTREAM_UNAVAILABLE'));
    });
    const holders = holdersWith(context, n, { deliverOpening: () => never });
    const round = new Settler({ ...context, holders }).resume();
    for (let i = 0; i < 100 && found(context, record).state === 'settling'; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const state = found(context, record).state;
    letGo();
    await round;
    expect(state).toBe('settled');
  });

  it('does not count an acknowledgement that the holder did not sign', async () => {
    await world.holders[2]!.close();
    const { context } = life();
    const liar = {
      deliverOpening: async () => ({ receiptDigest: digestOf('x'), signature: toBase64(new Uint8Array(64)) }),
    };
    const settler = new Settler({ ...context, holders: holdersWith(context, 1, liar) });
    expect((await settler.settle(await answered(context), true)).state).toBe('settling');
    expect((await pool()).receiptCount).toBe(0n);
  });

  it('tells nobody by the size of what its holders are sent how many were used', async () => {
    const { context } = life();
    const sizes = [FIRST!, SECOND!, [null, null, null], [1n, 1n, 1n]].map(async (weights, i) => {
      const { deliveries } = await sealOpening(context, world.daoId, await world.opening(i + 1, weights));
      return deliveries.map(({ sealedOpening }) => sealedOpening.length);
    });
    expect(new Set((await Promise.all(sizes)).flat()).size).toBe(1);
  });

  it('leaves no uses on the runner’s disk', async () => {
    const { context, settler } = life();
    await settler.settle(await answered(context), true);
    const files = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
    expect(files.includes(Buffer.from(world.jobId))).toBe(true); // the search does find what is there
    const [use] = opening.uses;
    const secrets = [UsesBcs.serialize([use!]).toBytes().slice(1, 33), fromHex(opening.usesSalt)];
    for (const secret of secrets) expect(files.includes(Buffer.from(secret))).toBe(false);
    expect(files.includes(Buffer.from(use!.contributionId))).toBe(false);
  });
});

describe('an epoch', () => {
  function settler(
    changes: Partial<RunnerContext> = {},
    store = new PayoutStore(':memory:'),
    rules: Partial<BatchRules> = {},
  ): EpochSettler {
    stores.add(store);
    return new EpochSettler(world.runner(changes), store, { ...AT_ONCE, ...rules });
  }
  /** As `settledWith`, sent by the runner itself: it looks after the DAOs that it has settled for. */
  async function settled(question: number, weights: readonly (bigint | null)[], members = ALL): Promise<void> {
    const opening = await world.opening(question, weights);
    for (const n of members) await world.ask(n, '/v1/openings', await world.sealed(n, opening));
    await world.settle(question, weights);
  }
  beforeEach(async () => {
    const run = world.run.bind(world);
    // The world's receipts are sent by a stranger; here the runner sends them.
    world.run = (signer: WalletSigner, ...actions: ChainAction[]) =>
      run(actions.some(({ kind }) => kind === 'settlePrivately') ? world.runnerWallet : signer, ...actions);
  });
  async function claimedBy(account: Address): Promise<bigint> {
    for (const epoch of await epochs()) {
      const proven = await world.holders[0]!.holder.epochs.leafOf(world.daoId, epoch.id, account);
      if (proven === null || (await world.chainClient().isClaimed(epoch.id, proven.leaf.index))) continue;
      const { index, amountUnits, salt } = proven.leaf;
      const { proof } = proven;
      await world.run(world.stranger, {
        kind: 'claimPayout',
        epochId: epoch.id,
        index,
        account,
        amountUnits,
        salt,
        proof,
      });
    }
    return world.balanceOf({ address: account });
  }

  it('is made of what waits, and everybody can claim what direct payout would have given', async () => {
    await settled(1, FIRST!);
    await settled(2, SECOND!);
    await settler().round();
    expect(await epochs()).toMatchObject([{ number: 1n, attempt: 1, fromReceipt: 1n, toReceipt: 2n, leafCount: 3 }]);
    world.clock.advance(CHALLENGE_MS);
    const expected = epochPartsOf(world.receipts);
    expect(sumUnits(expected.map(({ amountUnits }) => amountUnits))).toBe(1_400_000n);
    for (const { account, amountUnits } of expected) expect(await claimedBy(account)).toBe(amountUnits);
  });

  it('waits for the window of the one before, a pause, and something to pay', async () => {
    const context = world.runner();
    let asked = 0;
    const counting = context.holders.map((holder): HolderPort => ({
      ...holder,
      openings: (request) => {
        asked += 1;
        return holder.openings(request);
      },
    }));
    const one = settler({ holders: counting });
    await settled(1, [null, null, null]);
    await one.round();
    expect(await epochs()).toEqual([]);
    await settled(2, FIRST!);
    await one.round();
    await settled(3, SECOND!);
    expect(asked).toBe(3); // for the one that was made, each holder once
    await one.round();
    expect((await epochs()).length).toBe(1);
    // Not only the chain refuses: nothing is asked of anybody, and no attempt is signed away.
    expect(asked).toBe(3);
    world.clock.advance(CHALLENGE_MS);
    await world.run(world.founder, { kind: 'pauseDao', daoId: world.daoId });
    await one.round();
    expect((await epochs()).map(({ toReceipt }) => toReceipt)).toEqual([2n]);
    expect(asked).toBe(3);
  });

  it('of zero is made of free receipts that are as many as an epoch covers, so that they hold up nothing', async () => {
    await settled(1, [null, null, null]);
    const one = settler({}, undefined, { leastReceipts: 2, longestWaitMs: MINUTE_MS * 30, mostReceipts: 2 });
    await one.round();
    expect(await epochs()).toEqual([]);
    await settled(2, [null, null, null]);
    await one.round();
    expect(await epochs()).toMatchObject([{ toReceipt: 2n, totalUnits: 0n, leafCount: 1 }]);
    world.clock.advance(CHALLENGE_MS);
    await settled(3, FIRST!);
    await one.round();
    expect((await epochs()).length).toBe(1);
    world.clock.advance(MINUTE_MS * 30);
    await one.round();
    expect(await epochs()).toMatchObject([{}, { number: 2n, fromReceipt: 3n, toReceipt: 3n, totalUnits: 700_000n }]);
  });

  it('waits for a batch, so that no claim tells of one question, or until the oldest has waited long', async () => {
    const rules = { leastReceipts: 2, longestWaitMs: 10 * MINUTE_MS };
    const store = new PayoutStore(':memory:');
    await settled(1, FIRST!);
    await settled(2, [null, null, null]);
    world.clock.advance(10 * MINUTE_MS - 1);
    await settler({}, store, rules).round();
    expect(await epochs()).toEqual([]);
    await settled(3, SECOND!);
    await settler({}, store, rules).round();
    expect(await epochs()).toMatchObject([{ toReceipt: 3n }]);
  });

  it('is made once by two runners that do it at once', async () => {
    await settled(1, FIRST!);
    const key = signingKeyOf('second runner');
    const [keys, wallet] = [await world.keysOf(key), walletOf('second runner')];
    const { signingPublicKey, hpkePublicKey } = keys.bound;
    const statement = world.statement({ signingPublicKey, hpkePublicKey, payTo: wallet.address });
    await world.run(world.stranger, await world.registration(statement));
    // It has settled for this DAO, too.
    await world.run(world.requester, { kind: 'transfer', to: wallet.address, amountUnits: 1n as never });
    const opening = await world.opening(2, SECOND!, { signerPublicKey: key.publicKey }, key);
    for (const holder of world.holders) {
      await world.release(holder, world.contributionIds, { runnerSigningKey: key.publicKey });
    }
    for (const n of ALL) await world.ask(n, '/v1/openings', await world.sealed(n, opening));
    const { receipt, signature } = opening;
    const acknowledgements = await world.acknowledgements(receipt);
    await world.submit(wallet, { kind: 'settlePrivately', receipt, signature, acknowledgements });
    const both = [settler(), settler({ keys, wallet })];
    await Promise.all(both.map((one) => one.round()));
    await Promise.all(both.map((one) => one.round()));
    expect((await epochs()).map(({ number, state, toReceipt }) => [number, state, toReceipt])).toEqual([
      [1n, 'open', 2n],
    ]);
    world.clock.advance(CHALLENGE_MS);
    await Promise.all(both.map((one) => one.round()));
    expect((await epochs()).length).toBe(1);
  });

  it('is countersigned by a holder that was given what it had missed', async () => {
    await settled(1, FIRST!, [0, 1]);
    await settled(2, SECOND!, [1, 2]);
    await world.holders[1]!.close();
    expect([storedAt(0), storedAt(2)]).toEqual([1, 1]);
    await settler().round();
    expect(await epochs()).toMatchObject([{ fromReceipt: 1n, toReceipt: 2n }]);
    expect([storedAt(0), storedAt(2)]).toEqual([2, 2]);
  });

  it('covers as many receipts as enough holders can vouch for, and the next one the rest', async () => {
    await world.close();
    // Holder 2 was away when the keys were released, so it cannot vouch for those uses.
    world = await PayoutWorld.start([0, 1]);
    await world.startHolder(2);
    const run = world.run.bind(world);
    world.run = (signer, ...actions) =>
      run(actions.some(({ kind }) => kind === 'settlePrivately') ? world.runnerWallet : signer, ...actions);
    await settled(1, FIRST!, [0, 1]);
    const one = settler();
    await one.round();
    expect(await epochs()).toMatchObject([{ number: 1n, toReceipt: 1n }]);
    world.clock.advance(CHALLENGE_MS);
    await settled(2, SECOND!, [0, 1]);
    await world.holders[0]!.close();
    await one.round();
    expect((await epochs()).length).toBe(1);
    await world.startHolder(0);
    await settler().round();
    expect(await epochs()).toMatchObject([{ number: 1n }, { number: 2n, fromReceipt: 2n, toReceipt: 2n }]);
  });

  it('begins after what was written off, under an attempt that nobody has signed', async () => {
    const signed: { attempt: number; fromReceipt: bigint }[] = [];
    let isDeaf = true;
    const context = world.runner();
    const holders = context.holders.map((holder): HolderPort => ({
      ...holder,
      countersign: async (request) => {
        const { attempt, fromReceipt } = EpochStatementBcs.parse(Buffer.from(request.statement, 'base64'));
        signed.push({ attempt, fromReceipt });
        return isDeaf ? Promise.reject(refuse('UPSTREAM_UNAVAILABLE')) : holder.countersign(request);
      },
    }));
    await settled(1, FIRST!);
    await settled(2, SECOND!);
    const one = settler({ holders });
    await one.round();
    expect(await epochs()).toEqual([]);
    world.clock.advance(LIMITS.writeOffAfterMs);
    await world.decided({ kind: 'writeOffReceipts', fromReceipt: 1n, toReceipt: 1n });
    const { signingPublicKey, hpkePublicKey } = world.runnerKeys.bound;
    await world.run(world.stranger, await world.registration(world.statement({ signingPublicKey, hpkePublicKey })));
    isDeaf = false;
    await one.round();
    expect(await epochs()).toMatchObject([{ number: 1n, attempt: 2, fromReceipt: 2n, toReceipt: 2n }]);
    expect(new Set(signed.map(({ attempt, fromReceipt }) => `${attempt} from ${fromReceipt}`))).toEqual(
      new Set(['1 from 1', '2 from 2']),
    );
  });

  it('that was rejected is made again, of the next attempt', async () => {
    await settled(1, FIRST!);
    const one = settler();
    await one.round();
    const [first] = await epochs();
    for (const member of [0, 1]) await world.run(world.operators[member]!, world.objection({ id: first!.id }, member));
    await one.round();
    expect((await epochs()).map(({ attempt, state }) => [attempt, state])).toEqual([
      [1, 'rejected'],
      [2, 'open'],
    ]);
  });

  it('is never signed twice for one attempt, whatever becomes of it', async () => {
    const statements: Uint8Array[] = [];
    const context = world.runner();
    const spying = context.holders.map((holder): HolderPort => ({
      ...holder,
      countersign: (request) => {
        statements.push(new Uint8Array(Buffer.from(request.statement, 'base64')));
        return Promise.reject(refuse('UPSTREAM_UNAVAILABLE'));
      },
    }));
    await settled(1, FIRST!);
    await settled(2, SECOND!);
    const one = settler({ holders: spying });
    for (let i = 0; i < 3; i++) await one.round();
    world.clock.advance(LIMITS.receiptFreshnessMs / 2);
    await one.round();
    const byAttempt = new Map<number, Set<string>>();
    for (const bytes of statements) {
      const { attempt } = EpochStatementBcs.parse(bytes);
      byAttempt.set(attempt, (byAttempt.get(attempt) ?? new Set()).add(toBase64(bytes)));
    }
    expect([...byAttempt].map(([attempt, { size }]) => [attempt, size])).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });

  it('is one that honest holders can sign, whatever another says that it has and does not sign', async () => {
    await settled(1, FIRST!);
    // Holder 1 lacks the second and is given none: it can follow the first only.
    await settled(2, SECOND!, [0, 2]);
    const context = world.runner();
    const deaf = holdersWith(context, 1, { deliverOpening: () => Promise.reject(refuse('UPSTREAM_UNAVAILABLE')) });
    const lying: Partial<HolderPort> = { countersign: () => Promise.reject(refuse('EPOCH_INVALID')) };
    const one = settler({ holders: holdersWith({ ...context, holders: deaf }, 2, lying) });
    await one.round();
    expect(await epochs()).toEqual([]);
    await one.round();
    expect(await epochs()).toMatchObject([{ number: 1n, attempt: 2, fromReceipt: 1n, toReceipt: 1n }]);
  });

  it('takes an attempt only when it is signed', async () => {
    await settled(1, FIRST!);
    const chain = world.chainClient();
    let isDown = true;
    const one = settler({
      chain: chainWith('job', (really) => (isDown ? () => Promise.reject(refuse('CHAIN_UNAVAILABLE')) : really)),
    });
    for (let i = 0; i < 3; i++) await one.round();
    isDown = false;
    await one.round();
    expect(await chain.epochsOf(world.daoId)).toMatchObject([{ attempt: 1, state: 'open' }]);
  });

  it('is signed for no attempt that the chain would not take', async () => {
    await settled(1, FIRST!);
    const attempts: number[] = [];
    const context = world.runner();
    const countersign: HolderPort['countersign'] = ({ statement }) => {
      attempts.push(EpochStatementBcs.parse(Buffer.from(statement, 'base64')).attempt);
      return Promise.reject(refuse('UPSTREAM_UNAVAILABLE'));
    };
    const holders = context.holders.map((holder): HolderPort => ({ ...holder, countersign }));
    const store = new PayoutStore(':memory:');
    stores.add(store);
    const one = new EpochSettler({ ...context, holders }, store, AT_ONCE, 2);
    for (let i = 0; i < 4; i++) {
      await one.round();
      world.clock.advance(LIMITS.receiptFreshnessMs / 2);
    }
    expect([...new Set(attempts)]).toEqual([1, 2]);
  });

  it('whose proposal was not answered is looked up, and sent again as it is', async () => {
    await settled(1, FIRST!);
    const sent: Digest[] = [];
    let mode: 'lost' | 'unsent' | 'good' = 'unsent';
    const chain = chainThatSends((really) => async (transaction) => {
      sent.push(transaction.digest);
      if (mode === 'unsent') throw refuse('SETTLEMENT_UNKNOWN');
      const outcome = await really(transaction);
      if (mode === 'lost') throw refuse('SETTLEMENT_UNKNOWN');
      return outcome;
    });
    const store = new PayoutStore(':memory:');
    await settler({ chain }, store).round();
    expect(store.proposal(world.daoId)).not.toBeNull();
    mode = 'lost';
    await settler({ chain }, store).round(); // another process
    mode = 'good';
    await settler({ chain }, store).round();
    expect(new Set(sent).size).toBe(1);
    expect(sent.length).toBe(2);
    expect([(await epochs()).length, store.proposal(world.daoId)]).toEqual([1, null]);
  });

  it('is not signed when the receipts give another sum than the chain has set aside', async () => {
    await settled(1, FIRST!);
    const more = chainWith(
      'events',
      (really) =>
        async (...question) =>
          (await really(...question)).map((event) =>
            event.data.type === 'ReceiptSettledPrivately'
              ? { ...event, data: { ...event.data, pooledUnits: asAmount(event.data.pooledUnits + 1n) } }
              : event,
          ),
    );
    await settler({ chain: more }).round();
    expect(await epochs()).toEqual([]);
    await settler().round();
    expect((await epochs()).length).toBe(1);
  });

  describe('that a holder had no part in', () => {
    /** What the holder has of each of the accounts' leaves, of the first epoch. */
    const leavesAt = async (n: number) => {
      const [epoch] = await epochs();
      const accounts = epochPartsOf(world.receipts).map(({ account }) => account);
      const { epochs: kept } = world.holders[n]!.holder;
      return Promise.all(accounts.map((account) => kept.leafOf(world.daoId, epoch!.id, account)));
    };
    const lateIn = (store: PayoutStore): [string, number][] =>
      store.late.of(world.daoId).flatMap(({ id, seeds }) => seeds.map(({ tries }): [string, number] => [id, tries]));
    /** Made with holders 0 and 1; holder 2 was away, from before the openings were delivered where it lacks them. */
    async function madeWithout(store: PayoutStore, members = ALL): Promise<EpochSettler> {
      await settled(1, FIRST!, members);
      await settled(2, SECOND!, members);
      await world.holders[2]!.close();
      const one = settler({}, store);
      await one.round();
      expect(await epochs()).toMatchObject([{ state: 'open', toReceipt: 2n }]);
      return one;
    }
    const NONE = [null, null, null];

    it.each([
      ['with the openings', ALL],
      ['without the openings, which the others have', [0, 1]],
    ])('is brought to it when it is back %s, and it can give every account its leaf', async (_name, members) => {
      const store = new PayoutStore(':memory:');
      await madeWithout(store, members);
      await world.startHolder(2);
      expect(await leavesAt(2)).toEqual(NONE);
      const back = settler({}, store); // it answers at another address
      await back.round();
      expect(await leavesAt(2)).toEqual(await leavesAt(0));
      expect(await leavesAt(2)).not.toContain(null);
      expect(lateIn(store)).toEqual([]);
      let asked = 0;
      const counting = { countersign: () => Promise.reject(new Error(`${asked++}`)) };
      await settler({ holders: holdersWith(world.runner(), 2, counting) }, store).round();
      expect(asked).toBe(0);
    });

    it('is brought to it by the runner’s next process, from what is sealed on its disk', async () => {
      const folder = join(world.folderOf(0), 'runner-payout');
      const before = PayoutStore.openIn(folder);
      const seeds: Uint8Array[] = [];
      await settled(1, FIRST!);
      await settled(2, SECOND!);
      await world.holders[2]!.close();
      const random: RunnerContext['random'] = (length) => {
        const bytes = world.runner().random(length);
        seeds.push(bytes);
        return bytes;
      };
      await settler({ random }, before).round();
      expect((await epochs()).length).toBe(1);
      before.close();
      stores.delete(before);
      const files = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
      expect(files.includes(Buffer.from(receiptDigest((await world.opening(1, FIRST!)).receipt)))).toBe(true);
      expect(seeds.length).toBeGreaterThan(0);
      for (const seed of seeds) expect(files.includes(Buffer.from(seed))).toBe(false);
      await world.startHolder(2);
      // Another process: its keys are others, and nobody has registered them.
      const keys = await world.keysOf(signingKeyOf('after the restart'));
      await settler({ keys }, PayoutStore.openIn(folder)).round();
      expect(await leavesAt(2)).toEqual(await leavesAt(0));
    });

    it('is kept for it while it is away, and asked of it less and less often while it refuses', async () => {
      const store = new PayoutStore(':memory:');
      const one = await madeWithout(store);
      const [{ id }] = (await epochs()) as [EpochView];
      for (let i = 0; i < 3; i++) await one.round();
      expect(lateIn(store)).toEqual([[id, 0]]);
      await world.startHolder(2);
      let asked = 0;
      const refusing: Partial<HolderPort> = {
        countersign: () => {
          asked += 1;
          return Promise.reject(refuse('EPOCH_INVALID', { check: 'root' }));
        },
      };
      const other = settler({ holders: holdersWith(world.runner(), 2, refusing) }, store);
      for (let minute = 0; minute <= 15; minute++) {
        await other.round();
        world.clock.advance(MINUTE_MS);
      }
      expect(asked).toBe(5); // in minutes 0, 1, 3, 7 and 15
      expect(lateIn(store)).toEqual([[id, 5]]);
      world.clock.advance(16 * MINUTE_MS);
      await settler({}, store).round();
      expect(await leavesAt(2)).toEqual(await leavesAt(0));
    });

    it('is forgotten when it was rejected', async () => {
      const store = new PayoutStore(':memory:');
      const one = await madeWithout(store);
      const [first] = (await epochs()) as [EpochView];
      for (const n of [0, 1]) await world.run(world.operators[n]!, world.objection({ id: first.id }, n));
      await one.round();
      const [, second] = await epochs();
      expect(lateIn(store)).toEqual([[second!.id, 0]]);
    });

    it('is forgotten when it was swept, and for a holder that was retired', async () => {
      const store = new PayoutStore(':memory:');
      await madeWithout(store);
      const [epoch] = (await epochs()) as [EpochView];
      const copy = store.late.of(world.daoId)[0]!;
      await world.run(world.operators[2]!, { kind: 'tombstoneHolder', holderSetId: world.holderSetId, member: 2 });
      await settler({}, store).round();
      expect(lateIn(store)).toEqual([]);
      const elsewhere = {
        ...copy,
        seeds: [{ ...copy.seeds[0]!, holderKey: toBase64(world.holderKeys[0]!.publicKey) }],
      };
      store.late.add(elsewhere);
      world.clock.advance(CHALLENGE_MS + epoch.claimTermMs);
      await world.run(world.stranger, { kind: 'sweepEpoch', epochId: epoch.id });
      await settler({}, store).round();
      expect(lateIn(store)).toEqual([]);
    });

    it('and that never came on the chain is forgotten when it cannot come there any more', async () => {
      const store = new PayoutStore(':memory:');
      await settled(1, FIRST!);
      await world.holders[2]!.close();
      let isDown = true;
      const chain = chainThatSends((really) => (transaction) => (isDown ? unsent(transaction) : really(transaction)));
      const one = settler({ chain }, store);
      await one.round();
      expect([lateIn(store).length, (await epochs()).length]).toEqual([1, 0]);
      await one.round();
      expect(lateIn(store).length).toBe(1);
      world.clock.advance(LIMITS.receiptFreshnessMs + LIMITS.transactionTermMs + LIMITS.clockSkewMs + 1);
      isDown = false;
      await one.round();
      const [made] = await epochs();
      expect(lateIn(store).map(([id]) => id)).toEqual([made!.id]);
    });

    it('waits with all others for a holder that stops answering, oldest first', async () => {
      const store = new PayoutStore(':memory:');
      await world.holders[2]!.close();
      const one = settler({}, store);
      for (const weights of [FIRST!, SECOND!]) {
        await settled(world.receipts.length + 1, weights, [0, 1]);
        await one.round();
        world.clock.advance(CHALLENGE_MS);
      }
      const ids = (await epochs()).map(({ id }) => id);
      expect(ids.length).toBe(2);
      await world.startHolder(2);
      const hanging = { countersign: () => Promise.reject(refuse('UPSTREAM_UNAVAILABLE')) };
      await settler({ holders: holdersWith(world.runner(), 2, hanging) }, store).round();
      expect(lateIn(store)).toEqual([
        [ids[0], 1],
        [ids[1], 0],
      ]);
    });

    it('is not kept where all have signed it', async () => {
      const store = new PayoutStore(':memory:');
      await settled(1, FIRST!);
      await settler({}, store).round();
      expect([lateIn(store), (await epochs()).length]).toEqual([[], 1]);
    });
  });

  it('is proposed without a countersignature that its holder did not make', async () => {
    await settled(1, FIRST!);
    const forged = { countersign: async () => ({ signature: toBase64(new Uint8Array(64)) }) };
    await settler({ holders: holdersWith(world.runner(), 1, forged) }).round();
    expect(await epochs()).toMatchObject([{ attempt: 1, state: 'open' }]);
  });

  it('is not made when the holders’ openings are not what the chain has set aside for', async () => {
    await settled(1, FIRST!);
    const context = world.runner();
    const one = settler({
      holders: context.holders.map((holder) => ({ ...holder, openings: async () => ({ sealedOpenings: '' }) })),
    });
    await one.round();
    expect(await epochs()).toEqual([]);
    world.clock.advance(MINUTE_MS);
    await settler().round();
    expect((await epochs()).length).toBe(1);
  });
});
