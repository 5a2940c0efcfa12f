import { describe, expect, it } from '@jest/globals';
import { generateSigningKey, sign } from '@usufruct/crypto';
import { asTimestampMs, toBase64, type Address, type RunnerId } from '@usufruct/kernel';
import { runnerIdOf, TAGS, WalkNoticeBcs, type SignedWalkNotice, type WalkNotice } from '@usufruct/protocol';
import { aDao, aRunner, FakeChain, idOf, seededRandom, TEST_NOW_MS, testChainInfo } from '@usufruct/testing';
import type { ClientContext } from './context.js';
import { walkersOf } from './walkers.js';

const runner = generateSigningKey(seededRandom('runner'));
const stranger = generateSigningKey(seededRandom('stranger'));
const DAO = aDao();
const REGISTERED_UNTIL_MS = asTimestampMs(TEST_NOW_MS + 60_000);
const NOW_MS = asTimestampMs(TEST_NOW_MS + 3_600_000);

async function signed(changes: Partial<WalkNotice> = {}, by = runner): Promise<SignedWalkNotice> {
  const message = WalkNoticeBcs.serialize({
    chainId: testChainInfo().chainId,
    daoId: DAO.id,
    datasetId: idOf('dataset'),
    asker: idOf<Address>('asker'),
    jobId: idOf('job'),
    answers: 24,
    covered: 30,
    passages: 100,
    runnerSigningKey: runner.publicKey,
    noticedAtMs: TEST_NOW_MS,
    ...changes,
  }).toBytes();
  const signature = await sign({ secretKey: by.secretKey, domainTag: TAGS.walkNotice, message });
  return { notice: toBase64(message), signature: toBase64(signature) };
}
function contextOf(notices: readonly SignedWalkNotice[]): ClientContext {
  const view = aRunner({ id: runnerIdOf<RunnerId>(runner.publicKey), daoId: DAO.id, expiresAtMs: REGISTERED_UNTIL_MS });
  const chain = new FakeChain().put('dao', DAO).put('runner', view);
  const request = async () => ({ walkNotices: { complete: true, notices } });
  return { chain, clock: { nowMs: () => NOW_MS }, api: { request } } as never;
}

describe('askers who seem to walk', () => {
  it('are read with what the runner counted, the newest first', async () => {
    const newer = await signed({
      noticedAtMs: asTimestampMs(TEST_NOW_MS + 1),
      covered: 31,
      asker: idOf<Address>('other'),
    });
    const { notices, ...rest } = await walkersOf(contextOf([await signed(), newer]), DAO.id);
    expect(rest).toEqual({ unproven: 0, complete: true });
    expect(notices.map(({ covered }) => covered)).toEqual([31, 30]);
    expect(notices[1]).toMatchObject({ asker: idOf('asker'), answers: 24, passages: 100 });
  });

  it.each<[string, () => Promise<SignedWalkNotice>]>([
    ['another key signed', () => signed({}, stranger)],
    ['signed by a runner that is none', () => signed({ runnerSigningKey: stranger.publicKey }, stranger)],
    ['of another DAO', () => signed({ daoId: idOf('another') })],
    ['of another chain', () => signed({ chainId: 'sui:mainnet' })],
    [
      'signed when its runner was registered no more',
      () => signed({ noticedAtMs: asTimestampMs(REGISTERED_UNTIL_MS + 1) }),
    ],
    ['that is none', async () => ({ ...(await signed()), notice: toBase64(Uint8Array.of(1)) })],
  ])('are not those of a notice that %s', async (_what, made) => {
    const { notices, unproven } = await walkersOf(contextOf([await made(), await signed()]), DAO.id);
    expect([notices.length, unproven]).toEqual([1, 1]);
  });

  it('are named once by a runner for each dataset, by its newest notice, however often the API shows it', async () => {
    const old = await signed();
    const newer = await signed({ noticedAtMs: asTimestampMs(TEST_NOW_MS + 1), covered: 31 });
    const elsewhere = await signed({ datasetId: idOf('another') });
    const { notices, unproven } = await walkersOf(contextOf([old, newer, elsewhere, newer, old]), DAO.id);
    expect(notices.map(({ covered, datasetId }) => [covered, datasetId])).toEqual([
      [31, idOf('dataset')],
      [30, idOf('another')],
    ]);
    expect(unproven).toBe(0);
  });

  it('are none of tomorrow', async () => {
    const context = contextOf([await signed()]);
    const early = { ...context, clock: { nowMs: () => asTimestampMs(TEST_NOW_MS - 61_000) } };
    expect(await walkersOf(early, DAO.id)).toMatchObject({ notices: [], unproven: 1 });
  });
});
