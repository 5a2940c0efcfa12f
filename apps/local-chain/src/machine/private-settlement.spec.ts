import { describe, expect, it } from '@jest/globals';
import { LIMITS, receiptPoolAccountOf, type ProposalEffect } from '@usufruct/protocol';
import { PrivateWorld, type ActionOf } from '../testing/private-world.js';
import { rotate } from '../testing/rotations.js';
import { table, type Row } from '../testing/refusal-table.js';
import { hexOf, signingKeyOf } from '../testing/world.js';

/** Who must have said that he can divide a private receipt, and what becomes of those that nobody divides. */
type PrivateRow = Row<PrivateWorld>;
/** Of a price of a million: 70 %. */
const PART = 700_000n;

/** The first receipt, with acknowledgements that a test makes. */
const acknowledged =
  (
    made: (w: PrivateWorld, receipt: Uint8Array) => Promise<ActionOf<'settlePrivately'>['acknowledgements']>,
  ): PrivateRow[2] =>
  async (w) => {
    const action = await w.privately(1, [1n]);
    return [w.stranger, { ...action, acknowledgements: await made(w, action.receipt) }];
  };

table('settling privately', () => PrivateWorld.asked(), [
  ['by anybody, with two holders', 'ok', acknowledged((w, receipt) => w.acknowledgements(receipt, [0, 1]))],
  ['with any of them, in any order', 'ok', acknowledged((w, receipt) => w.acknowledgements(receipt, [2, 0, 1]))],
  ['with nobody', 'FORBIDDEN', acknowledged(async () => [])],
  ['with one', 'FORBIDDEN', acknowledged((w, receipt) => w.acknowledgements(receipt, [1]))],
  ['with one twice', 'INVALID_ARGUMENT signatures', acknowledged((w, receipt) => w.acknowledgements(receipt, [1, 1]))],
  [
    'with a member that is none',
    'INVALID_ARGUMENT signatures.member',
    acknowledged((w, receipt) => w.acknowledgements(receipt, [0, 3], [w.holderKeys[0]!, signingKeyOf('nobody')])),
  ],
  [
    'with one in the name of another',
    'SIGNATURE_INVALID',
    acknowledged((w, receipt) => w.acknowledgements(receipt, [0, 1], [w.holderKeys[0]!, w.holderKeys[2]!])),
  ],
  [
    'with two, and wrongly with a third',
    'SIGNATURE_INVALID',
    acknowledged(async (w, receipt) => [
      ...(await w.acknowledgements(receipt, [0, 1])),
      ...(await w.acknowledgements(receipt, [2], [w.holderKeys[0]!])),
    ]),
  ],
  [
    'with those of another receipt',
    'SIGNATURE_INVALID',
    acknowledged(async (w) => w.acknowledgements((await w.privately(2, [1n])).receipt)),
  ],
  [
    'with those of another DAO',
    'SIGNATURE_INVALID',
    acknowledged((w, receipt) => w.acknowledgements(receipt, [0, 1], undefined, { daoId: hexOf('other') })),
  ],
  [
    'with those of another chain',
    'SIGNATURE_INVALID',
    acknowledged((w, receipt) => w.acknowledgements(receipt, [0, 1], undefined, { chainId: 'local:00000000' })),
  ],
  [
    'with a holder that was retired',
    'TOMBSTONED',
    async (w) => {
      const action = await w.privately(1, [1n]);
      return [w.operators[0]!, { kind: 'tombstoneHolder', holderSetId: w.holderSetId, member: 0 }, action];
    },
  ],
  [
    'with members of the set as it was before a rotation',
    'SIGNATURE_INVALID',
    async (w) => {
      const action = await w.privately(1, [1n]);
      await w.run(w.stranger, await rotate(w));
      return [w.stranger, action];
    },
  ],
]);

const writeOff = (fromReceipt: bigint, toReceipt: bigint): ProposalEffect => ({
  kind: 'writeOffReceipts',
  fromReceipt,
  toReceipt,
});
table('proposing to write off', () => PrivateWorld.settled(), [
  ['one', 'ok', async (w) => [w.founder, w.propose(writeOff(1n, 1n))]],
  ['receipt 0', 'INVALID_ARGUMENT receipts', async (w) => [w.founder, w.propose(writeOff(0n, 1n))]],
  ['none', 'INVALID_ARGUMENT receipts', async (w) => [w.founder, w.propose(writeOff(2n, 1n))]],
]);

/** Voted for, and what comes of its execution. */
async function executed(w: PrivateWorld, from: bigint, to: bigint): Promise<string> {
  return w.refusal(w.stranger, w.execute(await w.carried(writeOff(from, to))));
}
const aged = async (): Promise<PrivateWorld> => {
  const w = await PrivateWorld.settled();
  w.clock.advance(LIMITS.writeOffAfterMs);
  return w;
};

describe('writing off', () => {
  it.each([
    ['the next', 1n, 1n, 'ok'],
    ['all', 1n, 2n, 'ok'],
    ['another than the next', 2n, 2n, 'INVALID_ARGUMENT receipts'],
    ['one to come', 1n, 3n, 'INVALID_ARGUMENT receipts'],
  ])('%s, a month later: %s to %s', async (_what, from, to, expected) => {
    expect(await executed(await aged(), from, to)).toBe(expected);
  });

  it('what can still be divided, whatever the majority, is refused', async () => {
    expect(await executed(await PrivateWorld.settled(), 1n, 1n)).toBe('INVALID_ARGUMENT toReceipt');
  });

  it('waits to the last moment of the term', async () => {
    const w = await PrivateWorld.settled();
    const { settledAtMs } = w.store.read('pool-mark', `${w.daoId}/2`)!;
    const { votingMs, timelockMs } = w.store.read('dao', w.daoId)!.governance;
    w.clock.advance(settledAtMs + LIMITS.writeOffAfterMs - 1 - votingMs - timelockMs - w.clock.nowMs());
    const id = await w.carried(writeOff(1n, 2n));
    expect(await w.refusal(w.stranger, w.execute(id))).toBe('INVALID_ARGUMENT toReceipt');
    w.clock.advance(1);
    expect(await w.refusal(w.stranger, w.execute(id))).toBe('ok');
  });

  it('what an epoch has divided is refused', async () => {
    const w = await PrivateWorld.settled();
    await w.run(w.stranger, (await w.epoch()).action);
    w.clock.advance(LIMITS.writeOffAfterMs);
    expect(await executed(w, 1n, 1n)).toBe('INVALID_ARGUMENT receipts');
  });

  it('what follows an epoch that can be rejected is refused', async () => {
    const w = await PrivateWorld.settled();
    await w.settle(3, [1n, null, null]);
    const id = await w.carried(writeOff(3n, 3n));
    await w.run(w.stranger, await w.registration(w.statement()));
    const { action } = await w.epoch({ toReceipt: 2n, ...w.upTo(2n) });
    expect(await w.refusal(w.stranger, action, w.execute(id))).toBe('EPOCH_STATE challenged');
  });
});

describe('what is written off', () => {
  it('is the treasury’s, and the later ones are divided', async () => {
    const w = await PrivateWorld.settled();
    const held = () =>
      [receiptPoolAccountOf(w.daoId), w.store.read('dao', w.daoId)!.treasury].map((account) =>
        w.balanceOf({ address: account }),
      );
    const [, before] = held();
    w.clock.advance(LIMITS.writeOffAfterMs);
    const outcome = await w.run(w.stranger, w.execute(await w.carried(writeOff(1n, 1n))));
    expect(outcome.events.map(({ data }) => data)).toMatchObject([
      { type: 'ReceiptsWrittenOff', daoId: w.daoId, fromReceipt: 1n, toReceipt: 1n, amountUnits: PART },
      { type: 'ProposalExecuted' },
    ]);
    expect(held()).toEqual([PART, before! + PART]);
    await w.run(w.stranger, await w.registration(w.statement()));
    const { id, action } = await w.epoch();
    await w.run(w.stranger, action);
    expect(w.store.read('epoch', id)).toMatchObject({ number: 1n, fromReceipt: 2n, toReceipt: 2n, totalUnits: PART });
    expect(held()[0]).toBe(0n);
  });
});
