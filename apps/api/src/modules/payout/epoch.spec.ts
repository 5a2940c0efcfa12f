import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LIMITS, type ReceiptPoolView } from '@usufruct/protocol';
import { ApiWorld } from '../../../../../test/support/api-world.js';
import { PRICE } from '../../../../local-chain/src/testing/dao-world.js';
import {
  CHALLENGE_MS,
  CLAIM_TERM_MS,
  PrivateWorld,
  type Proposed,
} from '../../../../local-chain/src/testing/private-world.js';
import { hexOf } from '../../../../local-chain/src/testing/world.js';
import { ProjectionService } from '../projection/index.js';
import { PayoutService } from './payout.service.js';

const EPOCH = `epochId number attempt settler fromReceipt toReceipt totalUnits root leafCount claimedUnits phase
  objections challengeEndsAtMs claimableUntilMs unclaimedTo sweptUnits`;

describe('private payout, as the API tells it', () => {
  let world: ApiWorld;
  let dao: PrivateWorld;
  beforeAll(async () => {
    ({ world, dao } = await ApiWorld.on((options) => new PrivateWorld(options)));
    await dao.run(dao.founder, dao.holderSet(), dao.dao(), dao.dataset());
    await dao.fill();
    await dao.open();
    await dao.settle(1, [2n, 1n, null]);
    await dao.settle(2, [null, 1n, 3n]);
    await world.settled();
  });
  afterAll(() => world.close());

  const ofDao = async (selection: string, token?: string) =>
    world.field(`{ dao(daoId: "${dao.daoId}") { ${selection} } }`, {}, token);
  const epochOf = ({ id }: Proposed) => world.field(`{ epoch(epochId: "${id}") { ${EPOCH} } }`);
  /** What the API says is what the chain says: pool, epochs, members, and every balance. */
  const agree = async (epochs: readonly Proposed[]): Promise<void> => {
    await world.settled();
    const fields: (keyof ReceiptPoolView)[] = [
      'account',
      'receiptCount',
      'pooledUnits',
      'receiptChain',
      'coveredReceipts',
      'epochCount',
    ];
    const { receiptPool } = await ofDao(`receiptPool { ${fields.join(' ')} balanceUnits }`);
    const pool = await world.chain.receiptPool(dao.daoId);
    expect(receiptPool).toMatchObject(Object.fromEntries(fields.map((field) => [field, String(pool[field])])));
    expect(receiptPool.balanceUnits).toBe((await world.chain.balanceOf(pool.account)).toString());
    for (const epoch of epochs) {
      const [told, view] = [await epochOf(epoch), await world.chain.epoch(epoch.id)];
      for (const field of ['number', 'fromReceipt', 'toReceipt', 'totalUnits', 'claimedUnits'] as const) {
        expect([field, told[field]]).toEqual([field, view[field].toString()]);
      }
      const { attempt, settler, root, leafCount, objections, challengeEndsAtMs, unclaimedTo } = view;
      expect(told).toMatchObject({ attempt, settler, root, leafCount, objections, challengeEndsAtMs, unclaimedTo });
    }
    const token = await world.signIn(dao.requester);
    const { members } = await ofDao('members { edges { node { address earnedUnits } } }', token);
    for (const { node } of members.edges) {
      const member = await world.chain.member(dao.daoId, node.address);
      expect(node.earnedUnits).toBe(member?.earnedUnits.toString());
    }
    const books = await world.app.get(PayoutService, { strict: false }).reconcileAll();
    expect(books).toMatchObject({ agrees: true, mismatches: [] });
  };

  let first: Proposed;
  let second: Proposed;

  it('counts what is set aside, and that the rest is paid', async () => {
    await agree([]);
    const { receiptPool, treasuryUnits, payoutRules } = await ofDao(
      'receiptPool { receiptCount pooledUnits balanceUnits } treasuryUnits payoutRules { mode }',
    );
    // two questions of 1,000,000: 70 % set aside, 20 % to the treasury
    expect(receiptPool).toEqual({ receiptCount: '2', pooledUnits: '1400000', balanceUnits: '1400000' });
    expect([treasuryUnits, payoutRules.mode]).toEqual(['400000', 'epoch']);
    const job = `{ job(jobId: "${dao.jobId}") { payoutMode questionsSettled escrowUnits receipts { edges { node { number pooledUnits uses { weight } } } } } }`;
    const { receipts, ...rest } = await world.field(job, {}, await world.signIn(dao.requester));
    expect(rest).toEqual({ payoutMode: 'epoch', questionsSettled: 2, escrowUnits: PRICE.toString() });
    expect(receipts.edges.map((edge: { node: object }) => edge.node)).toEqual([
      { number: '2', pooledUnits: '700000', uses: [] },
      { number: '1', pooledUnits: '700000', uses: [] },
    ]);
  });

  it('gives an epoch’s money back to the pool when enough holders object', async () => {
    first = await dao.epoch();
    await dao.run(dao.stranger, first.action);
    await agree([first]);
    expect(await epochOf(first)).toMatchObject({ phase: 'challenge', totalUnits: '1400000', leafCount: 3 });
    dao.clock.advance(CHALLENGE_MS / 2);
    // two of three must agree, so one objection is not enough
    await dao.run(dao.operators[2]!, dao.objection(first, 2));
    await agree([first]);
    expect(await epochOf(first)).toMatchObject({ phase: 'challenge', objections: [dao.operators[2]!.address] });
    await dao.run(dao.operators[0]!, dao.objection(first, 0));
    await agree([first]);
    expect(await epochOf(first)).toMatchObject({
      phase: 'rejected',
      objections: [2, 0].map((i) => dao.operators[i]!.address),
    });
    const { receiptPool } = await ofDao('receiptPool { coveredReceipts epochCount balanceUnits }');
    expect(receiptPool).toEqual({ coveredReceipts: '0', epochCount: '0', balanceUnits: '1400000' });
  });

  it('follows claims, which count as earned, until the rest is swept', async () => {
    second = await dao.epoch({ attempt: 2 });
    await dao.run(dao.stranger, second.action);
    dao.clock.advance(CHALLENGE_MS);
    await agree([first, second]);
    expect(await epochOf(second)).toMatchObject({ phase: 'claimable', number: '1', attempt: 2 });
    for (const index of [0, 1]) await dao.run(dao.stranger, dao.claim(second, index));
    await agree([first, second]);
    const query = `{ epoch(epochId: "${second.id}") { claimedUnits claims(first: 1) {
      edges { node { index account amountUnits } } pageInfo { hasNextPage } } } }`;
    const { claims, claimedUnits } = await world.field(query, {}, await world.signIn(dao.requester));
    const leaf = second.built.leaves[1]!;
    expect(claims.edges).toEqual([
      { node: { index: 1, account: leaf.account, amountUnits: leaf.amountUnits.toString() } },
    ]);
    expect(claims.pageInfo.hasNextPage).toBe(true);
    const left = second.built.leaves[2]!.amountUnits;
    expect(claimedUnits).toBe((1_400_000n - left).toString());

    dao.clock.advance(CLAIM_TERM_MS);
    expect(await epochOf(second)).toMatchObject({ phase: 'lapsed', sweptUnits: null });
    await dao.run(dao.stranger, dao.sweep(second));
    await agree([first, second]);
    expect(await epochOf(second)).toMatchObject({ phase: 'swept', sweptUnits: left.toString() });
    expect(await ofDao('treasuryUnits')).toEqual({ treasuryUnits: (400_000n + left).toString() });
    const movements = await ofDao(
      'treasuryMovements(first: 1) { edges { node { reason epochId amountUnits direction } } }',
      await world.signIn(dao.requester),
    );
    expect(movements.treasuryMovements.edges).toEqual([
      { node: { reason: 'EpochSwept', epochId: second.id, amountUnits: left.toString(), direction: 'credit' } },
    ]);
  });

  it('shows a settler that signed two statements as withdrawn', async () => {
    await dao.run(dao.requester, dao.job({ salt: hexOf('another job') }));
    await dao.settle(3, [1n, null, null], { jobId: dao.derive('job', dao.datasetId, dao.requester, 'another job') });
    const third = await dao.epoch();
    const other = await dao.epoch({ root: hexOf('other root') });
    await dao.run(dao.stranger, third.action);
    await world.settled();
    expect((await ofDao('runners { current withdrawnAtMs }')).runners).toEqual([
      { current: true, withdrawnAtMs: null },
    ]);
    await dao.run(dao.stranger, dao.equivocation(third, other));
    await agree([first, second, third]);
    expect(await epochOf(third)).toMatchObject({ number: '2', phase: 'rejected' });
    const { runners } = await ofDao('runners { current withdrawnAtMs }');
    expect(runners).toEqual([{ current: false, withdrawnAtMs: expect.any(Number) }]);
  });

  it('follows a vote that writes off what nobody has divided', async () => {
    const { treasuryUnits } = await ofDao('treasuryUnits');
    dao.clock.advance(LIMITS.writeOffAfterMs);
    await dao.decided({ kind: 'writeOffReceipts', fromReceipt: 3n, toReceipt: 3n });
    await agree([first, second]);
    const { receiptPool, ...treasury } = await ofDao(
      'receiptPool { coveredReceipts epochCount balanceUnits } treasuryUnits',
    );
    expect(receiptPool).toEqual({ coveredReceipts: '3', epochCount: '1', balanceUnits: '0' });
    // the contributors' part of one question
    expect(treasury).toEqual({ treasuryUnits: (BigInt(treasuryUnits) + 700_000n).toString() });
    const token = await world.signIn(dao.requester);
    const { treasuryMovements, events } = await ofDao(
      `treasuryMovements(first: 1) { edges { node { reason amountUnits direction } } }
       events(first: 2) { edges { node { type } } }`,
      token,
    );
    expect(treasuryMovements.edges).toEqual([
      { node: { reason: 'ReceiptsWrittenOff', amountUnits: '700000', direction: 'credit' } },
    ]);
    expect(events.edges.map(({ node }: { node: { type: string } }) => node.type)).toContain('ReceiptsWrittenOff');
  });

  it('pages through epochs, and finds one by its global id', async () => {
    const { epochs } = await ofDao(
      'epochs(first: 2) { edges { node { id attempt } } pageInfo { hasNextPage endCursor } }',
    );
    expect(epochs.edges.map(({ node }: { node: { attempt: number } }) => node.attempt)).toEqual([1, 2]);
    expect(epochs.pageInfo.hasNextPage).toBe(true);
    const rest = await ofDao(`epochs(after: "${epochs.pageInfo.endCursor}") { edges { node { epochId } } }`);
    expect(rest.epochs.edges).toEqual([{ node: { epochId: first.id } }]);
    const node = await world.field(
      `{ node(id: "${epochs.edges[1].node.id}") { ... on Epoch { epochId dao { daoId } } } }`,
    );
    expect(node).toEqual({ epochId: second.id, dao: { daoId: dao.daoId } });
  });

  it('comes out byte for byte when it is made again', async () => {
    const projection = world.app.get(ProjectionService, { strict: false });
    const [digest, rows] = [await projection.digest(), await world.projected()];
    await projection.reset();
    await projection.catchUp();
    expect(await projection.digest()).toBe(digest);
    expect(await world.projected()).toBe(rows);
  });
});
