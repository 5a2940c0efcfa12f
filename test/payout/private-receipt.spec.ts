import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Chain } from '@usufruct/chain';
import {
  asTimestampMs,
  fromHex,
  refuse,
  toBase64,
  type Digest,
  type HolderSetId,
  type QuestionId,
} from '@usufruct/kernel';
import { LIMITS, UsageReceiptBcs, UsesBcs, type Opening } from '@usufruct/protocol';
import { QuestionDesk } from '../../apps/enclave-runner/src/compute/questions/question-desk.js';
import { Sessions } from '../../apps/enclave-runner/src/compute/session/sessions.js';
import type { RunnerContext } from '../../apps/enclave-runner/src/context.js';
import type { HolderPort } from '../../apps/enclave-runner/src/keys/holder-port.js';
import { sealOpening } from '../../apps/enclave-runner/src/receipt/seal-opening.js';
import { Settler } from '../../apps/enclave-runner/src/receipt/settler.js';
import { RunnerStore, type AnswerRecord } from '../../apps/enclave-runner/src/receipt/store.js';
import { digestOf, signingKeyOf } from '../../apps/local-chain/src/testing/world.js';
import {
  ALL,
  FIRST,
  SECOND,
  world,
  stores,
  storedOpenings,
  chainThatSends,
  chainWith,
  unsent,
  holdersWith,
  useWorld,
} from './in-world.js';

const pool = () => world.chainClient().receiptPool(world.daoId);

useWorld(ALL);

describe('a private receipt', () => {
  let opening: Opening;
  let folder: string;
  let lives = 0;
  beforeEach(async () => {
    opening = await world.opening(1, FIRST);
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
        order.push(`settled with ${ALL.filter((n) => storedOpenings(n) === 1).length >= 2 ? 'enough' : 'too few'}`);
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
    expect([(await pool()).receiptCount, storedOpenings(0)]).toEqual([0n, 1]);
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
    expect(ALL.filter((n) => storedOpenings(n) === 1).length).toBeGreaterThanOrEqual(2);
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
    opening = await world.opening(1, FIRST);
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
    expect(storedOpenings(1)).toBe(1);
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
    expect([found(later.context, record).state, storedOpenings(2)]).toEqual(['settled', 1]);
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
    expect(storedOpenings(2)).toBe(1);
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
    // However slow the machine is: the silent one says nothing before.
    for (const endMs = Date.now() + 40_000; found(context, record).state === 'settling' && Date.now() < endMs;) {
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
    const sizes = [FIRST, SECOND, [null, null, null], [1n, 1n, 1n]].map(async (weights, i) => {
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
