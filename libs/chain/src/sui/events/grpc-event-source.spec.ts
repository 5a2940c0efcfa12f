import { describe, expect, it } from '@jest/globals';
import { GrpcTypes } from '@mysten/sui/grpc';
import { toBase58, toBase64 } from '@mysten/sui/utils';
import { fromHex, toUsufructError, type Hex32 } from '@usufruct/kernel';
import { GrpcEventSource, type LedgerService } from './grpc-event-source.js';

const id = (n: number): Hex32 => `0x${n.toString(16).padStart(64, '0')}`;
const [PACKAGE, UPGRADED, OTHER] = [id(0xa), id(0xb), id(0xc)];
const cursorOf = (n: number) => Uint8Array.of(n);

const event = (eventType: string, bytes = Uint8Array.of(1)): GrpcTypes.Event =>
  GrpcTypes.Event.create({
    packageId: OTHER,
    module: 'wrapper',
    sender: id(7),
    eventType,
    contents: { value: bytes },
  });
const executed = (n: number, events: GrpcTypes.Event[]): GrpcTypes.ExecutedTransaction =>
  GrpcTypes.ExecutedTransaction.create({
    digest: toBase58(fromHex(id(0x1000 + n))),
    effects: { status: { success: true } },
    events: { events },
    checkpoint: BigInt(n),
    transactionIndex: 3n,
    timestamp: { seconds: 1_780_000_000n, nanos: 5_000_000 },
  });
type Frame = GrpcTypes.ListTransactionsResponse;
const frame = (value: Parameters<typeof GrpcTypes.ListTransactionsResponse.create>[0]): Frame =>
  GrpcTypes.ListTransactionsResponse.create(value);

/** A ledger service that answers each request with the next list of frames. */
function ledgerOf(...answers: Frame[][]) {
  const asked: GrpcTypes.ListTransactionsRequest[] = [];
  const ledger = {
    listTransactions: (request: GrpcTypes.ListTransactionsRequest) => {
      asked.push(request);
      const frames = answers[asked.length - 1] ?? [];
      return {
        responses: (async function* () {
          yield* frames;
        })(),
      };
    },
  };
  return { asked, ledger: ledger as object as LedgerService };
}
const sourceOf = (ledger: LedgerService) =>
  new GrpcEventSource({ ledger, packageIds: [PACKAGE, UPGRADED], timeoutMs: 1_000 });
const { ITEM_LIMIT, SCAN_LIMIT, LEDGER_TIP } = GrpcTypes.QueryEndReason;

describe('events over gRPC', () => {
  it('come by transaction, whoever called us, with those of our packages only', async () => {
    const events = [
      event(`${PACKAGE}::events::DaoPaused`),
      event(`${OTHER}::events::DaoPaused`),
      event(`${UPGRADED}::governance_events::DaoUnpaused`, Uint8Array.of(2)),
    ];
    const { ledger, asked } = ledgerOf([
      frame({ transaction: executed(4, events), watermark: { cursor: cursorOf(4) } }),
      frame({ watermark: { cursor: cursorOf(9) }, end: { reason: LEDGER_TIP } }),
    ]);
    expect(await sourceOf(ledger).page(null)).toEqual({
      transactions: [
        {
          checkpoint: 4n,
          indexInCheckpoint: 3n,
          digest: id(0x1004),
          atMs: 1_780_000_000_005,
          events: [
            { sender: id(7), name: 'events::DaoPaused', bytes: Uint8Array.of(1) },
            { sender: id(7), name: 'governance_events::DaoUnpaused', bytes: Uint8Array.of(2) },
          ],
        },
      ],
      cursor: toBase64(cursorOf(9)),
      more: false,
    });
    const predicates = asked[0]!.filter!.terms.map(({ literals }) => literals[0]!.predicate);
    expect(predicates).toEqual(
      [PACKAGE, UPGRADED].map((eventType) => ({ oneofKind: 'eventType', eventType: { eventType } })),
    );
    expect(asked[0]!.options).toMatchObject({ ordering: GrpcTypes.Ordering.ASCENDING });
  });

  it.each([
    ['the page is full', ITEM_LIMIT],
    ['the node stopped looking', SCAN_LIMIT],
  ])('go on from the cursor where %s', async (_name, reason) => {
    const { ledger, asked } = ledgerOf(
      [frame({ watermark: { cursor: cursorOf(5) }, end: { reason } })],
      [frame({ watermark: { cursor: cursorOf(5) }, end: { reason: LEDGER_TIP } })],
    );
    const source = sourceOf(ledger);
    const first = await source.page(null);
    expect([first.more, first.cursor]).toEqual([true, toBase64(cursorOf(5))]);
    expect((await source.page(first.cursor)).more).toBe(false);
    expect(asked[1]!.options!.after).toEqual(cursorOf(5));
  });

  it('begin at a checkpoint, on every page, and tell how far they are complete', async () => {
    const { ledger, asked } = ledgerOf(
      [
        frame({ watermark: { cursor: cursorOf(4), checkpoint: 4n } }),
        frame({ watermark: { cursor: cursorOf(5) }, end: { reason: SCAN_LIMIT } }),
      ],
      [frame({ watermark: { cursor: cursorOf(9), checkpoint: 9n }, end: { reason: LEDGER_TIP } })],
    );
    const source = sourceOf(ledger);
    const first = await source.page(null, 3n);
    expect(first.coveredCheckpoint).toBe(4n);
    expect((await source.page(first.cursor, 3n)).coveredCheckpoint).toBe(9n);
    expect(asked.map(({ startCheckpoint, options }) => [startCheckpoint, options!.after])).toEqual([
      [3n, undefined],
      [3n, cursorOf(5)],
    ]);
  });

  it.each<[string, Frame[], string]>([
    ['a list that broke off', [frame({ watermark: { cursor: cursorOf(1) } })], 'CHAIN_UNAVAILABLE'],
    [
      'a transaction without its place',
      [frame({ transaction: { ...executed(1, []), checkpoint: undefined }, end: { reason: LEDGER_TIP } })],
      'UPSTREAM_INVALID',
    ],
  ])('are not taken from %s', async (_name, frames, code) => {
    const { ledger } = ledgerOf(frames);
    const refusal = await sourceOf(ledger)
      .page(null)
      .then(
        () => 'ok',
        (error: unknown) => toUsufructError(error).code,
      );
    expect(refusal).toBe(code);
  });
});
