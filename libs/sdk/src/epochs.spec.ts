import { beforeEach, describe, expect, it } from '@jest/globals';
import { sign, signingPublicKey } from '@usufruct/crypto';
import {
  asAmount,
  asTimestampMs,
  toBase64,
  type Address,
  type ContributionId,
  type DaoId,
  type Digest,
  type EpochId,
} from '@usufruct/kernel';
import { EpochTree } from '@usufruct/ledger';
import {
  epochPhase,
  EpochStatementBcs,
  runnerIdOf,
  TAGS,
  toWireJson,
  type EpochLeaf,
  type EpochView,
} from '@usufruct/protocol';
import {
  aContribution,
  FakeChain,
  FakeGraphql,
  FakeStore,
  idOf,
  ManualClock,
  seededRandom,
  TEST_NOW_MS,
  testWallet,
} from '@usufruct/testing';
import { connect } from './client.js';
import { zPayoutProof, type PayoutProof } from '@usufruct/protocol';
import { checkPayoutProof } from './epochs.js';
import { memoryJournal } from './journal.js';

const DAO = idOf<DaoId>('dao');
const EPOCH = idOf<EpochId>('epoch');
const leaves: EpochLeaf[] = [0, 1, 2, 3, 4].map((index) => ({
  daoId: DAO,
  number: 3n,
  index,
  account: idOf<Address>(`account-${index}`),
  amountUnits: asAmount(BigInt(100 * index)),
  salt: idOf(`salt-${index}`),
}));
const tree = new EpochTree(leaves);
const proofOf = (index: number): PayoutProof => ({ epochId: EPOCH, leaf: leaves[index]!, proof: tree.proofOf(index) });
const anEpoch = (changes: Partial<EpochView> = {}): EpochView => ({
  id: EPOCH,
  daoId: DAO,
  number: 3n,
  attempt: 1,
  settler: idOf('settler'),
  fromReceipt: 1n,
  toReceipt: 9n,
  totalUnits: asAmount(1_000n),
  root: tree.root,
  leafCount: leaves.length,
  claimedUnits: asAmount(0n),
  state: 'open',
  objections: [],
  proposedAtMs: TEST_NOW_MS,
  challengeEndsAtMs: asTimestampMs(TEST_NOW_MS + 1_000),
  claimTermMs: 5_000,
  unclaimedTo: 'treasury',
  ...changes,
});

let chain: FakeChain;
let epoch: EpochView;
let claimed: Set<number>;
beforeEach(() => {
  chain = new FakeChain();
  epoch = anEpoch();
  claimed = new Set();
  Object.assign(chain, {
    epoch: async () => epoch,
    isClaimed: async (_id: EpochId, index: number) => claimed.has(index),
  });
  const { send } = chain;
  chain.send = async (transaction) => {
    const outcome = await send(transaction);
    for (const action of chain.executed.at(-1) ?? []) {
      if (action.kind === 'claimPayout') claimed.add(action.index);
      if (action.kind === 'sweepEpoch') epoch = anEpoch({ state: 'swept' });
      if (action.kind === 'proveEquivocation') epoch = anEpoch({ ...epoch, state: 'rejected' });
      if (action.kind === 'objectToEpoch') epoch = anEpoch({ objections: [testWallet('claimant').address] });
      if (action.kind === 'tombstoneContribution') {
        chain.put('contribution', aContribution({ tombstonedAtMs: TEST_NOW_MS }));
      }
    }
    return outcome;
  };
});
const client = () =>
  connect({
    apiUrl: new FakeGraphql().url,
    chain,
    store: new FakeStore(),
    holders: [],
    signer: testWallet('claimant'),
    journal: memoryJournal(),
    fetch: new FakeGraphql().fetch,
    clock: new ManualClock(),
    random: seededRandom('epochs'),
  });

describe('claiming a payout', () => {
  it('happens once', async () => {
    expect(await client().payouts.claim(proofOf(4))).toMatchObject({ sent: true });
    expect(await client().payouts.claim(proofOf(4))).toMatchObject({ sent: false });
    const { index, account, amountUnits, salt } = leaves[4]!;
    expect(chain.executed).toEqual([
      [{ kind: 'claimPayout', epochId: EPOCH, index, account, amountUnits, salt, proof: tree.proofOf(4) }],
    ]);
  });

  it('sends nothing for a leaf of zero units', async () => {
    expect(await client().payouts.claim(proofOf(0))).toMatchObject({ sent: false });
    expect(chain.executed).toEqual([]);
  });

  const good = proofOf(4);
  it.each<[string, PayoutProof, string[]]>([
    ['one unit more', { ...good, leaf: { ...good.leaf, amountUnits: asAmount(401n) } }, ['INCLUSION']],
    ['another account', { ...good, leaf: { ...good.leaf, account: idOf('thief') } }, ['INCLUSION']],
    ['another salt', { ...good, leaf: { ...good.leaf, salt: idOf('x') } }, ['INCLUSION']],
    ['another place', { ...good, leaf: { ...good.leaf, index: 3 } }, ['INCLUSION']],
    ['a place outside', { ...good, leaf: { ...good.leaf, index: 5 } }, ['INDEX', 'INCLUSION']],
    ['another epoch of the DAO', { ...good, leaf: { ...good.leaf, number: 4n } }, ['DAO', 'INCLUSION']],
    ['another DAO', { ...good, leaf: { ...good.leaf, daoId: idOf('dao2') } }, ['DAO', 'INCLUSION']],
    ['a hash too few', { ...good, proof: good.proof.slice(1) }, ['INCLUSION']],
    ['a hash too many', { ...good, proof: [...good.proof, idOf<Digest>('more')] }, ['INCLUSION']],
    ['another epoch’s name', { ...good, epochId: idOf('epoch2') }, ['EPOCH']],
  ])('is refused here, with nothing sent, for %s', async (_what, proof, failed) => {
    const { checks } = checkPayoutProof(epoch, proof);
    expect(checks.filter(({ status }) => status === 'failed').map(({ name }) => name)).toEqual(failed);
    await expect(client().payouts.claim(proof)).rejects.toMatchObject({
      code: 'CLAIM_INVALID',
      details: { checks: failed.join(', ') },
    });
    expect(chain.executed).toEqual([]);
  });

  it('reads a proof file as it was written, and no other', () => {
    const file = JSON.parse(toWireJson(good)) as { leaf: object; proof: string[] };
    expect(zPayoutProof.parse(file)).toEqual(good);
    const bad: unknown[] = [
      { ...file, proof: Array.from({ length: 33 }, () => file.proof[0]) },
      { ...file, leaf: { ...file.leaf, index: -1 } },
      { ...file, leaf: { ...file.leaf, index: 2 ** 32 } },
      { ...file, leaf: { ...file.leaf, amountUnits: 400 } },
      { ...file, epochId: '0x1' },
      {},
    ];
    for (const value of bad) expect(zPayoutProof.safeParse(value).success).toBe(false);
  });

  it.each<[number, Partial<EpochView>, string]>([
    [999, {}, 'challenge'],
    [1_000, {}, 'claimable'],
    [5_999, {}, 'claimable'],
    [6_000, {}, 'ended'],
    [1_000, { state: 'rejected' }, 'rejected'],
    [6_000, { state: 'swept' }, 'swept'],
  ])('after %d ms an epoch %j is %s', (afterMs, changes, phase) => {
    expect(epochPhase(anEpoch(changes), asTimestampMs(TEST_NOW_MS + afterMs))).toBe(phase);
  });
});

it('sweeping, objecting and retiring a contribution happen once', async () => {
  const contributionId = idOf<ContributionId>('contribution');
  chain.put('contribution', aContribution());
  for (let i = 0; i < 2; i++) {
    expect((await client().payouts.object(EPOCH, 1)).objections).toEqual([testWallet('claimant').address]);
    expect((await client().contributions.tombstone(contributionId)).tombstonedAtMs).toBe(TEST_NOW_MS);
  }
  for (let i = 0; i < 2; i++) expect((await client().payouts.sweep(EPOCH)).state).toBe('swept');
  expect(chain.executed.flat().map(({ kind }) => kind)).toEqual([
    'objectToEpoch',
    'tombstoneContribution',
    'sweepEpoch',
  ]);
});

it('that a settler signed twice is shown once', async () => {
  const secretKey = seededRandom('settler')(32);
  const settlerPublicKey = signingPublicKey(secretKey);
  const { totalUnits, root, leafCount, fromReceipt, toReceipt, number, attempt } = epoch;
  const statement = EpochStatementBcs.serialize({
    chainId: 'local:test',
    packageId: idOf('package'),
    registryId: idOf('registry'),
    daoId: DAO,
    number,
    attempt,
    fromReceipt,
    toReceipt,
    receiptChain: idOf('another chain'),
    totalUnits,
    root,
    leafCount,
    settlerPublicKey,
    issuedAtMs: TEST_NOW_MS,
  }).toBytes();
  const settlerSignature = await sign({ secretKey, domainTag: TAGS.epochStatement, message: statement });
  epoch = anEpoch({ settler: runnerIdOf(settlerPublicKey) });
  const other = { statement: toBase64(statement), settlerSignature: toBase64(settlerSignature) };
  for (let i = 0; i < 2; i++) expect((await client().payouts.prove(EPOCH, other)).state).toBe('rejected');
  expect(chain.executed).toEqual([[{ kind: 'proveEquivocation', epochId: EPOCH, statement, settlerSignature }]]);
});

describe('renewing leases', () => {
  it('names each blob that is due once, and nothing when none is', async () => {
    const part = { blob: idOf<Digest>('part'), sizeBytes: 1, endEpoch: 50 };
    const lasting = { blob: idOf<Digest>('lasting'), sizeBytes: 1, endEpoch: 90 };
    const before = aContribution({ parts: [part, part, lasting] });
    chain.put('contribution', before);
    await client().contributions.renew(before.id, 50);
    await client().contributions.renew(before.id, 80);
    expect(chain.executed).toEqual([
      [
        {
          kind: 'renewLease',
          contributionId: before.id,
          renewals: [
            { blob: part.blob, endEpoch: 80 },
            { blob: before.manifestBlob.blob, endEpoch: 80 },
          ],
        },
      ],
    ]);
  });
});
