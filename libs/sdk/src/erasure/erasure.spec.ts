import { beforeEach, describe, expect, it } from '@jest/globals';
import { generateSigningKey, sign, type SigningKey } from '@usufruct/crypto';
import {
  asTimestampMs,
  fromBase64Url,
  refuse,
  toBase64,
  toHex32,
  utf8,
  type Address,
  type BlobId,
  type ContributionId,
  type DatasetId,
  type Digest,
  type Hex32,
  type HolderSetId,
} from '@usufruct/kernel';
import {
  erasureReceiptDigest,
  erasureRemains,
  ErasureStatementBcs,
  WALLET_ACTIONS,
  walletStatementBytes,
  TAGS,
  toWireJson,
  zErasureReceipt,
  zErasureRequest,
  type ErasureReceipt,
  type ErasureStatement,
} from '@usufruct/protocol';
import {
  aContribution,
  aHolderSet,
  FakeChain,
  FakeCustody,
  FakeStore,
  idOf,
  ManualClock,
  seededRandom,
  TEST_NOW_MS,
  testChainInfo,
  testWallet,
} from '@usufruct/testing';
import { connect } from '../client.js';
import { blobIdOf } from '../contribute/manifest-blob.js';
import { memoryJournal, type Journal } from '../journal.js';
import { backupsUntil } from './backups.js';
import { ERASURE_CHECKS, judgeErasure } from './judge.js';
import { erasureRemainsWords } from './words.js';

const WALLET = testWallet('contributor');
const MINE = idOf<ContributionId>('contribution');
const SET = idOf<HolderSetId>('holder-set');
const RETIRED_AT = asTimestampMs(TEST_NOW_MS - 1_000);
const keys: SigningKey[] = [0, 1, 2, 3].map((n) => generateSigningKey(seededRandom(`erasing holder ${n}`)));

let chain: FakeChain;
let store: FakeStore;
let journal: Journal;
let asked: number[];
let away: Set<number>;
/** What a holder writes into its statement instead of the truth, and with which key it signs. */
let lie: Partial<ErasureStatement>;
let signWith: (member: number) => SigningKey;
let tagged: string;

beforeEach(() => {
  chain = new FakeChain();
  store = new FakeStore();
  journal = memoryJournal();
  asked = [];
  away = new Set();
  lie = {};
  signWith = (member) => keys[member]!;
  tagged = TAGS.erasureStatement;
  const members = aHolderSet().members.map((member, i) => ({
    ...member,
    signingPublicKey: toBase64(keys[i]!.publicKey),
  }));
  chain.put('holder-set', aHolderSet({ members }));
  chain.put('contribution', aContribution({ owner: WALLET.address, tombstonedAtMs: RETIRED_AT }));
});

const truth = (member: number): ErasureStatement => ({
  chainId: 'local:test',
  packageId: testChainInfo().packageId,
  contributionId: MINE,
  datasetId: idOf<DatasetId>('dataset'),
  holderSetId: SET,
  holderSigningKey: keys[member]!.publicKey,
  tombstonedAtMs: RETIRED_AT,
  manifestDigests: [idOf<Digest>('manifest')],
  destroyedAtMs: TEST_NOW_MS,
  backupsUntilMs: asTimestampMs(0),
});

async function answer(input: string, init?: RequestInit): Promise<Response> {
  const { hostname, pathname } = new URL(input);
  const member = Number(hostname.replace(/\D/g, ''));
  if (away.has(member) || hostname.startsWith('api')) throw new TypeError('fetch failed');
  if (pathname === '/v1/identity') {
    const key = toBase64(keys[member]!.publicKey);
    const identity = { signingPublicKey: key, sealingPublicKey: key, operator: idOf('operator') };
    return Response.json({ ...identity, chainId: 'local:test', standIns: [] });
  }
  expect(zErasureRequest.parse(JSON.parse(String(init?.body)))).toEqual({ contributionId: MINE });
  asked.push(member);
  const { tombstonedAtMs } = await chain.contribution(MINE);
  if (tombstonedAtMs === null) return new Response(toWireJson(refuse('FORBIDDEN').toWire()), { status: 403 });
  const message = ErasureStatementBcs.serialize({ ...truth(member), ...lie }).toBytes();
  const signature = await sign({ secretKey: signWith(member).secretKey, domainTag: tagged, message });
  return Response.json({ statement: toBase64(message), signature: toBase64(signature) });
}

const client = (wallet = WALLET, holders = [0, 1, 2], custody?: FakeCustody) =>
  connect({
    apiUrl: 'http://api.test',
    chain,
    store,
    holders: holders.map((n) => ({ url: `http://holder${n}.test` })),
    signer: wallet,
    journal,
    fetch: answer,
    clock: new ManualClock(),
    ...(custody !== undefined && { custody: async () => custody }),
  });
const erase = () => client().contributions.erase(MINE);
const statesOf = ({ holders }: ErasureReceipt) => holders.map(({ state, error }) => error ?? state);
const failedOf = ({ checks }: { checks: readonly { name: string; status: string }[] }): string[] =>
  checks.filter(({ status }) => status === 'failed').map(({ name }) => name);

describe('erasing', () => {
  it("ends in a receipt that every holder signed, good by the chain's word and without it", async () => {
    const { receipt, verdict } = await erase();
    expect(statesOf(receipt)).toEqual(['done', 'done', 'done']);
    expect(failedOf(verdict)).toEqual([]);
    const file = zErasureReceipt.parse(JSON.parse(toWireJson(receipt)));
    expect((await judgeErasure(file, null)).checks.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'SIGNED_PARTS passed',
      'WHOLE passed',
      'REMAINS passed',
      'DISTINCT passed',
      'UNREADABLE passed',
      'SHARES passed',
      'COMPLETE passed',
      'RETIRED skipped',
      'HOLDERS skipped',
    ]);
    expect(verdict.checks.map(({ name }) => name)).toEqual([...ERASURE_CHECKS]);
    expect((await client(testWallet('auditor')).contributions.verifyErasure(file)).ok).toBe(true);
  });

  it('retires it first: no holder is asked before the chain says so, and a repetition sends nothing', async () => {
    chain.put('contribution', aContribution({ owner: WALLET.address }));
    const plan = await client().contributions.planErasure(MINE);
    expect([plan.isRetired, plan.inReach, plan.holderSet.threshold]).toEqual([false, [true, true, true], 2]);
    expect(chain.executed).toEqual([]);
    // The fake chain holds no rules: what is executed changes nothing there, so it stops before any holder.
    await expect(erase()).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
    expect(chain.executed).toEqual([[{ kind: 'tombstoneContribution', contributionId: MINE }]]);
    expect(asked).toEqual([]);
    chain.put('contribution', aContribution({ owner: WALLET.address, tombstonedAtMs: RETIRED_AT }));
    await erase();
    await erase();
    expect(chain.executed).toHaveLength(1);
  });

  it('goes on later where a holder was away, and asks nobody twice who has signed', async () => {
    away.add(1);
    const first = await erase();
    expect(statesOf(first.receipt)).toEqual(['done', 'UPSTREAM_UNAVAILABLE', 'done']);
    expect(failedOf(first.verdict)).toEqual(['COMPLETE']); // one share of two that are needed opens nothing
    away = new Set([0, 2]);
    const second = await erase();
    expect(statesOf(second.receipt)).toEqual(['done', 'done', 'done']);
    expect(second.verdict.ok).toBe(true);
    expect(asked).toEqual([0, 2, 1]);
  });

  it('tells until when backups can be opened, by the word of each that has signed', async () => {
    away.add(1);
    lie = { backupsUntilMs: asTimestampMs(TEST_NOW_MS + 5) };
    const { receipt } = await erase();
    expect(receipt.holders.map(backupsUntil)).toEqual([TEST_NOW_MS + 5, null, TEST_NOW_MS + 5]);
    const garbled = { ...receipt.holders[0]!, signed: { statement: 'AAAA', signature: 'AAAA' } };
    expect(backupsUntil(garbled)).toBeNull();
  });

  it('says when those who are away could still open it', async () => {
    away = new Set([1, 2]);
    expect(failedOf((await erase()).verdict)).toEqual(['UNREADABLE', 'COMPLETE']);
  });

  it('asks other holders that it knows too, whose word completes nothing', async () => {
    away.add(2);
    const { receipt, verdict } = await client(WALLET, [0, 1, 2, 3]).contributions.erase(MINE);
    expect(receipt.otherHolders.map(({ state }) => state)).toEqual(['done']);
    expect(failedOf(verdict)).toEqual(['COMPLETE']);
  });

  it('is for the owner', async () => {
    chain.put('contribution', aContribution({ owner: idOf<Address>('other'), tombstonedAtMs: RETIRED_AT }));
    await expect(erase()).rejects.toMatchObject({ code: 'WRONG_WALLET' });
    await expect(client().contributions.planErasure(MINE)).rejects.toMatchObject({ code: 'WRONG_WALLET' });
    expect([asked, chain.executed]).toEqual([[], []]);
  });

  const lies: readonly [string, () => void][] = [
    ['of another chain', () => (lie = { chainId: 'local:other' })],
    ['of another package', () => (lie = { packageId: idOf('other package') })],
    ['about another contribution', () => (lie = { contributionId: idOf('another') })],
    ['of another dataset', () => (lie = { datasetId: idOf('another') })],
    ['of another holder set', () => (lie = { holderSetId: idOf('another') })],
    ['in the name of another holder', () => (lie = { holderSigningKey: keys[3]!.publicKey })],
    ['of another retirement', () => (lie = { tombstonedAtMs: asTimestampMs(RETIRED_AT - 1) })],
    ['from long before it was retired', () => (lie = { destroyedAtMs: asTimestampMs(RETIRED_AT - 60_001) })],
    ['with the signature of another key', () => (signWith = () => keys[3]!)],
    ['signed as something else', () => (tagged = TAGS.treeHead)],
  ];
  it.each(lies)('takes no statement %s', async (_what, arrange) => {
    arrange();
    expect(statesOf((await erase()).receipt)).toEqual(Array.from({ length: 3 }, () => 'UPSTREAM_INVALID'));
  });
});

/** What somebody could make of it. */
async function signedBy(wallet: typeof WALLET, receipt: ErasureReceipt): Promise<ErasureReceipt> {
  const { chainId } = receipt;
  const statement = { action: WALLET_ACTIONS.erasureReceipt, chainId, digest: erasureReceiptDigest(receipt) };
  return { ...receipt, signature: await wallet.signPersonalMessage(walletStatementBytes(statement)) };
}

describe('an erasure receipt', () => {
  const onChain = async () => ({
    chainId: 'local:test',
    contribution: await chain.contribution(MINE),
    holderSet: await chain.holderSet(SET),
  });
  const rows: readonly [string, string[], (receipt: ErasureReceipt) => ErasureReceipt][] = [
    [
      'a part without a signature',
      ['SIGNED_PARTS'],
      (r) => ({ ...r, holders: r.holders.map((one, i) => (i === 0 ? { ...one, signed: null } : one)) }),
    ],
    [
      'a part that another holder signed',
      ['SIGNED_PARTS'],
      (r) => ({ ...r, holders: r.holders.map((one) => ({ ...one, signed: r.holders[0]!.signed })) }),
    ],
    [
      'one holder in every place',
      ['DISTINCT', 'HOLDERS'],
      (r) => ({ ...r, holders: r.holders.map(() => r.holders[0]!) }),
    ],
    ['a holder less', ['HOLDERS'], (r) => ({ ...r, holders: r.holders.slice(0, 2) })],
    ['a lower threshold', ['HOLDERS'], (r) => ({ ...r, threshold: 1 })],
    ['another contribution', ['SIGNED_PARTS', 'RETIRED'], (r) => ({ ...r, contributionId: idOf('another') })],
    ['another chain', ['SIGNED_PARTS', 'RETIRED'], (r) => ({ ...r, chainId: 'local:other' })],
    ['another owner', ['RETIRED'], (r) => ({ ...r, owner: idOf('another') })],
    [
      'another time',
      ['SIGNED_PARTS', 'RETIRED'],
      (r) => ({ ...r, tombstonedAtMs: asTimestampMs(r.tombstonedAtMs + 1) }),
    ],
    [
      'a missing part that has a statement',
      ['SIGNED_PARTS', 'COMPLETE'],
      (r) => ({
        ...r,
        holders: r.holders.map((one, i) => (i === 0 ? { ...one, state: 'missing' as const, signed: GARBAGE } : one)),
      }),
    ],
    [
      'bytes that are no statement',
      ['SIGNED_PARTS'],
      (r) => ({ ...r, holders: r.holders.map((one, i) => (i === 2 ? { ...one, signed: GARBAGE } : one)) }),
    ],
  ];
  const GARBAGE = { statement: 'AAAA', signature: toBase64(new Uint8Array(64)) };
  it.each(rows)('with %s is not good', async (_what, expected, change) => {
    const { receipt } = await erase();
    // Also where its collector signs it so.
    const changed = change(receipt);
    const signed = await signedBy(WALLET, { ...changed, remains: erasureRemains(changed) });
    expect(failedOf(await judgeErasure(signed, await onChain()))).toEqual(expected);
    expect(failedOf(await judgeErasure(changed, await onChain()))).toContain('WHOLE');
  });

  const parts: readonly [string, (receipt: ErasureReceipt) => ErasureReceipt][] = [
    ['without one of the others', (r) => ({ ...r, otherHolders: [] })],
    ['with what was not done left out', (r) => ({ ...r, notErased: r.notErased.slice(1) })],
    ['with another end of a lease', (r) => ({ ...r, blobs: r.blobs.map((one) => ({ ...one, endEpoch: 1 })) })],
    ['with a blob in another state', (r) => ({ ...r, blobs: r.blobs.map((b) => ({ ...b, state: 'unknown' })) })],
    ['of another moment', (r) => ({ ...r, issuedAtMs: asTimestampMs(r.issuedAtMs + 1) })],
    ['with parts in another order', (r) => ({ ...r, holders: r.holders.toReversed() })],
    ['with runners that are said to be complete', (r) => ({ ...r, runnersComplete: true })],
    ['collected by somebody else', (r) => ({ ...r, collectedBy: testWallet('auditor').address })],
    ['with the signature under an earlier one', (r) => ({ ...r, signature: earlier.signature })],
  ];
  let earlier: ErasureReceipt;
  it.each(parts)('%s is not the one that was signed', async (_what, change) => {
    away.add(1);
    earlier = (await client(WALLET, [0, 1, 2, 3]).contributions.erase(MINE)).receipt;
    away.clear();
    const { receipt } = await client(WALLET, [0, 1, 2, 3]).contributions.erase(MINE);
    expect(failedOf(await judgeErasure(receipt, null))).toEqual([]);
    expect(failedOf(await judgeErasure(change(receipt), null))).toContain('WHOLE');
  });

  it('says what remains to be done, which is what its parts say', async () => {
    away.add(1);
    const { receipt } = await erase();
    const key = toBase64(keys[1]!.publicKey);
    expect(receipt.remains.slice(0, 2)).toEqual([
      { what: 'holder_share', signingPublicKey: key, endEpoch: null },
      { what: 'runner_sessions', signingPublicKey: null, endEpoch: null }, // no API is there to ask them
    ]);
    expect(erasureRemainsWords(receipt)[0]).toMatch(/^key holder 2 has not said/);
    const less = await signedBy(WALLET, { ...receipt, remains: [] });
    expect(failedOf(await judgeErasure(less, null))).toEqual(['REMAINS', 'COMPLETE']);
  });

  it('may be collected by anybody, and says by whom', async () => {
    const { receipt } = await erase();
    const auditor = testWallet('auditor');
    const verdict = await judgeErasure(await signedBy(auditor, { ...receipt, collectedBy: auditor.address }), null);
    expect(verdict.checks.find(({ name }) => name === 'WHOLE')).toMatchObject({
      status: 'passed',
      detail: `signed by ${auditor.address}, who is not the owner`,
    });
  });

  it('of holders that never had a share shows that its key is elsewhere', async () => {
    lie = { manifestDigests: [] };
    expect(failedOf((await erase()).verdict)).toEqual(['SHARES']);
  });

  it('of what is not retired by the chain is not good', async () => {
    const { receipt } = await erase();
    chain.put('contribution', aContribution({ owner: WALLET.address }));
    expect(failedOf(await client().contributions.verifyErasure(receipt))).toEqual(['RETIRED']);
  });
});

describe('the blobs of an erased contribution', () => {
  /** Two parts and a manifest, as they lie in the store, and the contribution that names them. */
  async function stored(deletable: boolean): Promise<BlobId[]> {
    const put = await Promise.all(
      ['first', 'second', 'manifest'].map((text) => store.put(utf8(text), { epochs: 5, deletable })),
    );
    const [first, second, manifestBlob] = put.map(({ blobId, sizeBytes, endEpoch }) => ({
      blob: toHex32<Hex32>(fromBase64Url(blobId, 'blobId')),
      sizeBytes,
      endEpoch,
    }));
    const parts = [first!, second!];
    const blobs = { parts, manifestBlob: manifestBlob! };
    chain.put('contribution', aContribution({ owner: WALLET.address, tombstonedAtMs: RETIRED_AT, ...blobs }));
    return put.map(({ blobId }) => blobId);
  }
  const states = ({ blobs }: ErasureReceipt) => blobs.map(({ role, state }) => `${role} ${state}`);
  const available = async (ids: readonly BlobId[]): Promise<boolean[]> =>
    Promise.all(ids.map(async (id) => (await store.status(id)).available));

  it('are deleted where they were stored so that they can be, the manifest among them', async () => {
    const ids = await stored(true);
    const { receipt, verdict } = await erase();
    expect(states(receipt)).toEqual(['part gone', 'part gone', 'manifest gone']);
    expect([await available(ids), failedOf(verdict)]).toEqual([[false, false, false], []]);
    const again = await erase();
    expect([states(again.receipt), again.receipt.notErased]).toEqual([states(receipt), receipt.notErased]);
  });

  it('are deleted with every lease that the owner has: an upload that was killed may have left another', async () => {
    const [first] = await stored(true);
    const end = store.delete;
    let leases = 2;
    store.delete = async (lease) => (lease.blobId === first && --leases > 0 ? undefined : end(lease));
    const { receipt } = await erase();
    expect([states(receipt), leases]).toEqual([['part gone', 'part gone', 'manifest gone'], 0]);
  });

  it('are asked for no more than a few times where others keep them', async () => {
    await stored(true);
    let asked = 0;
    store.delete = async () => void asked++;
    expect(states((await erase()).receipt)).toEqual(['part expires', 'part expires', 'manifest expires']);
    expect(asked).toBe(12);
  });

  it('lie there, unreadable, to the end of their leases where they were stored for good', async () => {
    const ids = await stored(false);
    const { receipt } = await erase();
    expect(states(receipt)).toEqual(['part expires', 'part expires', 'manifest expires']);
    expect(await available(ids)).toEqual([true, true, true]);
  });

  it('come out of custody first, deleted where they can be', async () => {
    const custody = new FakeCustody();
    custody.onDelete = async ({ blob }) => store.delete({ blobId: blobIdOf(blob) });
    const eraseKept = () => client(WALLET, [0, 1, 2], custody).contributions.erase(MINE);
    const keep = (ids: readonly BlobId[], deletable: boolean): void => {
      for (const id of ids) {
        const objectId = custody.own(toHex32<Hex32>(fromBase64Url(id, 'blobId')), { deletable });
        custody.objects.set(objectId, { ...custody.objects.get(objectId)!, keptFor: MINE });
      }
    };
    keep(await stored(true), true);
    // Only who owns the object can end the lease.
    Object.assign(store.abilities, { deletable: false });
    custody.before = () => Promise.reject(refuse('INSUFFICIENT_BALANCE'));
    expect(states((await eraseKept()).receipt)).toEqual(['part expires', 'part expires', 'manifest expires']);
    custody.before = () => undefined;
    expect(states((await eraseKept()).receipt)).toEqual(['part gone', 'part gone', 'manifest gone']);
    expect(custody.steps).toEqual(['delete', 'delete', 'delete']);
    keep(await stored(false), false);
    expect(states((await eraseKept()).receipt)).toEqual(['part expires', 'part expires', 'manifest expires']);
    expect(custody.steps.slice(3)).toEqual(['withdraw', 'withdraw', 'withdraw']);
  });

  it('are not said to be gone by a store that refuses to delete, or does not answer', async () => {
    const ids = await stored(true);
    store.delete = () => Promise.reject(refuse('UPSTREAM_UNAVAILABLE', { upstream: 'store' }));
    expect(states((await erase()).receipt)).toEqual(['part expires', 'part expires', 'manifest expires']);
    store.status = () => Promise.reject(refuse('BLOB_UNAVAILABLE', { blobId: ids[0]! }));
    expect(states((await erase()).receipt)).toEqual(['part unknown', 'part unknown', 'manifest unknown']);
  });
});
