import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fromBase64Url, toBase64, toHex32, type DatasetId, type Hex32 } from '@usufruct/kernel';
import {
  actingChain,
  aDao,
  aDataset,
  aHolderSet,
  aPolicy,
  FakeCustody,
  FakeHolder,
  FakeStore,
  fetchOf,
  idOf,
  ManualClock,
  testWallet,
  type FakeChain,
} from '@usufruct/testing';
import type { PutOptions, StoredBlob } from '@usufruct/walrus';
import { connect } from '../client.js';
import type { StorageTerms } from '../context.js';
import { memoryJournal, type Journal } from '../journal.js';
import type { ContributeParams } from './contribute.js';
import type { Contributed } from './records.js';

const CONTENT = new TextEncoder().encode('What a dataset keeps.\n');
const WALLET = testWallet('contributor');
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code?: string }) => error.code ?? String(error),
  );

/** A publisher that gives each object to whom it is told, where that is the wallet. */
class OwningStore extends FakeStore {
  override readonly abilities = { ...new FakeStore().abilities, ownable: true };
  owners: (string | undefined)[] = [];
  constructor(custody: FakeCustody) {
    super();
    const { put } = this;
    const give = ({ blobId, sizeBytes, endEpoch }: StoredBlob, { owner, deletable = false }: PutOptions): void => {
      if (owner !== WALLET.address) return;
      custody.own(toHex32<Hex32>(fromBase64Url(blobId, 'blobId')), { sizeBytes, endEpoch, deletable });
    };
    this.put = async (bytes, { owner, ...options } = {}) => {
      const stored = await put(bytes, options);
      this.owners.push(owner);
      give(stored, { owner, ...options });
      return stored;
    };
  }
}

describe('custody', () => {
  let holders: FakeHolder[];
  let chain: FakeChain;
  let custody: FakeCustody;
  let store: OwningStore;
  let journal: Journal;
  beforeAll(async () => {
    holders = await Promise.all(['a', 'b', 'c'].map((name) => FakeHolder.create(name, 'local:test')));
  });
  beforeEach(() => {
    for (const holder of holders) holder.shares.clear();
    const members = holders.map(({ member }) => ({
      operator: member.operator,
      signingPublicKey: toBase64(member.signingPublicKey),
      sealingPublicKey: toBase64(member.sealingPublicKey),
    }));
    chain = actingChain();
    chain.put('dao', aDao({ policy: aPolicy({ blobs: 'deletable' }) })).put('dataset', aDataset());
    chain.put('holder-set', aHolderSet({ members }));
    custody = new FakeCustody();
    store = new OwningStore(custody);
    journal = memoryJournal();
  });
  interface Setting {
    readonly wallet?: typeof WALLET;
    readonly hasCustody?: boolean;
    readonly storage?: StorageTerms;
  }
  const client = ({ wallet = WALLET, hasCustody = true, storage = {} }: Setting = {}) =>
    connect({
      apiUrl: 'http://api.test',
      chain,
      store,
      holders: holders.map(({ url }) => ({ url })),
      signer: wallet,
      journal,
      storage,
      fetch: fetchOf(holders),
      clock: new ManualClock(),
      ...(hasCustody && { custody: async () => custody }),
    }).contributions;
  const file = (name: string, change: Partial<ContributeParams> = {}): ContributeParams => ({
    key: name,
    datasetId: idOf<DatasetId>('dataset'),
    fileName: `${name}.txt`,
    sizeBytes: CONTENT.length,
    source: async function* () {
      yield CONTENT;
    },
    custody: true,
    ...change,
  });
  const where = async ({ contributionId }: Pick<Contributed, 'contributionId'>) =>
    (await client().custody(contributionId)).map((one) => `${one.role} ${one.where}`);

  it('takes part and manifest of what is contributed so, which the wallet owns', async () => {
    const contributed = await client().contribute(file('kept'));
    expect(await where(contributed)).toEqual(['part custody', 'manifest custody']);
    expect(store.owners).toEqual([WALLET.address, WALLET.address]);
    expect(await client().contribute(file('kept'))).toEqual(contributed);
    expect(custody.steps).toEqual(['put', 'put']);
    expect(await journal.keys('custody/')).toEqual([]);
  });

  it('is never of quilts: many files are stored singly', async () => {
    const files = [file('one'), file('two')];
    const { puts } = store;
    await client().contributeMany(files);
    expect([puts.length, custody.steps]).toEqual([4, ['put', 'put', 'put', 'put']]);
  });

  // Of each of the two puts: before it is remembered, when it has happened, and where only the answer was lost.
  it.each(['before', 'after'] as const)('is taken up where it was killed %s a step', async (moment) => {
    for (let n = 0; n < 2; n++) {
      let left = n;
      custody[moment] = () => {
        if (left-- === 0) throw new Error('killed');
      };
      expect(await codeOf(client().contribute(file(`killed ${n}`)))).toMatch('killed');
      const contributed = await client().contribute(file(`killed ${n}`));
      expect(await where(contributed)).toEqual(['part custody', 'manifest custody']);
    }
    custody[moment] = () => undefined;
    custody.loseNext = true;
    expect(await codeOf(client().contribute(file('lost')))).toBe('SETTLEMENT_UNKNOWN');
    await client().contribute(file('lost'));
    expect(custody.steps).toEqual(Array.from({ length: 6 }, () => 'put'));
    expect(await journal.keys('custody/')).toEqual([]);
  });

  it.each<[string, Setting, string]>([
    ['where there is none', { hasCustody: false }, 'STORE_UNSUPPORTED'],
    ['of what shall not be the wallet’s', { storage: { own: false } }, 'INVALID_ARGUMENT'],
  ])('is refused before anything costs %s', async (_, setting, code) => {
    expect(await codeOf(client(setting).contribute(file('never')))).toBe(code);
    expect([store.puts, await journal.keys('')]).toEqual([[], []]);
  });
  it('is refused before anything costs where the store keeps what it pays', async () => {
    Object.assign(store.abilities, { ownable: false });
    expect(await codeOf(client().contribute(file('never')))).toBe('STORE_UNSUPPORTED');
    expect(store.puts).toEqual([]);
  });

  it('can be had later, of what the wallet owns', async () => {
    const plain = { custody: false };
    const own = { storage: { own: true } };
    const contributed = await client(own).contribute(file('later', plain));
    expect(await where(contributed)).toEqual(['part wallet', 'manifest wallet']);
    const longer = { ...(await custody.owned())[0]!, endEpoch: 99 };
    const other = custody.own(longer.blob, { sizeBytes: longer.sizeBytes, endEpoch: 99 });
    const put = await client().putInCustody(contributed.contributionId);
    expect(put.map((one) => one.where)).toEqual(['custody', 'custody']);
    // Of two objects, the one that lasts longer.
    expect(put.find(({ blob }) => blob === longer.blob)?.object?.objectId).toBe(other);
    const publishers = await client().contribute(file('a publisher’s', plain));
    expect(await where(publishers)).toEqual(['part elsewhere', 'manifest elsewhere']);
    expect(await codeOf(client().putInCustody(publishers.contributionId))).toBe('NOT_FOUND');
    const wallet = testWallet('somebody');
    expect(await codeOf(client({ wallet }).putInCustody(contributed.contributionId))).toBe('WRONG_WALLET');
    expect(await codeOf(client({ wallet }).withdrawFromCustody(contributed.contributionId))).toBe('WRONG_WALLET');
  });

  it('is not for what lies in a quilt, and puts in nothing of it', async () => {
    const own = { storage: { own: true } };
    const files = ['small', 'tiny'].map((name) => file(name, { custody: false }));
    const [contributed] = await client(own).contributeMany(files);
    expect(await where(contributed!)).toEqual(['part wallet', 'manifest wallet']);
    await expect(client().putInCustody(contributed!.contributionId)).rejects.toMatchObject({
      code: 'STORE_UNSUPPORTED',
      details: { ability: 'custody', reason: 'it lies in a quilt' },
    });
    expect(custody.steps).toEqual([]);
  });

  it('ends when the contribution is over, and begins no more', async () => {
    const { contributionId } = await client().contribute(file('over'));
    const view = await chain.contribution(contributionId);
    chain.put('contribution', { ...view, tombstonedAtMs: new ManualClock().nowMs() });
    custody.loseNext = true;
    expect(await codeOf(client().withdrawFromCustody(contributionId))).toBe('SETTLEMENT_UNKNOWN');
    await client().withdrawFromCustody(contributionId);
    expect(await where({ contributionId })).toEqual(['part wallet', 'manifest wallet']);
    expect(await codeOf(client().putInCustody(contributionId))).toBe('TOMBSTONED');
    await client().contribute(file('over'));
    expect(custody.steps).toEqual(['put', 'put', 'withdraw', 'withdraw']);
    expect(await journal.keys('custody/')).toEqual([]);
  });
});
