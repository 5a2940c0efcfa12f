import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  consistencyProof,
  generateSigningKey,
  inclusionProof,
  leafHash,
  rootOf,
  sign,
  verify,
  verifyWalletSignature,
} from '@usufruct/crypto';
import {
  asAmount,
  asTimestampMs,
  asWeight,
  fromBase64,
  fromBase64Url,
  toBase64,
  toHex32,
  utf8,
  type Address,
  type ContributionId,
  type DatasetId,
  type Digest,
  type GrantId,
  type Hex32,
  type HolderSetId,
  type JobId,
  type QuestionId,
  UsufructError,
} from '@usufruct/kernel';
import {
  encodeManifest,
  logQueryDigest,
  manifestDigest,
  ReaderRequestBcs,
  LogLeafBcs,
  ReleaseLeafBcs,
  SignedManifestBcs,
  TAGS,
  toWireJson,
  TreeHeadBcs,
  WALLET_ACTIONS,
  walletStatementBytes,
  zLogQuery,
  type LogLeaf,
  type ReleaseLeaf,
} from '@usufruct/protocol';
import {
  aContribution,
  aDataset,
  aGrant,
  aHolderSet,
  dealManifest,
  FakeChain,
  FakeStore,
  idOf,
  ManualClock,
  seededRandom,
  TEST_NOW_MS,
  testWallet,
} from '@usufruct/testing';
import { connect } from './client.js';
import { explainKeyMode } from './contribute/key-modes.js';
import { memoryJournal, type Journal } from './journal.js';

const WALLET = testWallet('contributor');
const MINE = idOf<ContributionId>('contribution');
const SET = idOf<HolderSetId>('holder-set');

const leaf = (member: number, contributionId = MINE, decision = 'RELEASED'): ReleaseLeaf => ({
  holderSetId: SET,
  shareIndex: member + 1,
  jobId: idOf<JobId>('job'),
  datasetId: idOf<DatasetId>('dataset'),
  contributionId,
  grantId: idOf<GrantId>('grant'),
  purpose: 'dpv:ResearchAndDevelopment',
  kind: 'rag',
  protection: 'tee',
  measurement: 'ab'.repeat(48),
  runnerSigningKey: new Uint8Array(32).fill(7),
  evidenceDigest: idOf<Digest>('evidence'),
  decision,
  atMs: TEST_NOW_MS,
});

const bytesOf = (each: ReleaseLeaf | LogLeaf): Uint8Array =>
  'type' in each ? LogLeafBcs.serialize(each).toBytes() : ReleaseLeafBcs.serialize(each).toBytes();
const leaseOf = (datasetId: DatasetId): LogLeaf => {
  const { contributionId: _contribution, grantId: _grant, ...asked } = leaf(0);
  const key = { keyId: idOf<Digest>('key'), keyKind: 'index', grantSetVersion: idOf<Digest>('version') } as const;
  return { type: 'lease', leaf: { ...asked, ...key, datasetId, decision: 'LEASED', leasedUntilMs: TEST_NOW_MS } };
};

/** A holder's log: entries of others and of mine, and the answer that an honest holder gives. */
class Log {
  readonly key;
  readonly leaves: (ReleaseLeaf | LogLeaf)[];
  isDown = false;
  constructor(readonly member: number) {
    this.key = generateSigningKey(seededRandom(`log-${member}`));
    const others = idOf<ContributionId>('of somebody else');
    this.leaves = [leaf(member, others), leaf(member), leaf(member, others), leaf(member, MINE, 'GRANT_REVOKED')];
  }
  answer = answerOf(this, [1, 3]);
  async answerWith(
    mine: readonly number[],
  ): Promise<{ entries: { leaf: string; leafIndex: number; inclusionProof: string[] }[]; head: object }> {
    const bytes = this.leaves.map(bytesOf);
    const hashes = bytes.map((each) => leafHash(each));
    const entries = mine.map((leafIndex) => ({
      leaf: toBase64(bytes[leafIndex]!),
      leafIndex,
      inclusionProof: inclusionProof(hashes, leafIndex).map((hash) => toBase64(hash)),
    }));
    return { entries, head: await this.head(toHex32<Digest>(rootOf(hashes))) };
  }
  /** Of the log as it was with so many entries. */
  rootAt(treeSize: number): Digest {
    return toHex32<Digest>(rootOf(this.hashes().slice(0, treeSize)));
  }
  hashes(): Uint8Array[] {
    return this.leaves.map((each) => leafHash(bytesOf(each)));
  }
  async head(rootHash: Digest, member = this.member): Promise<object> {
    const message = TreeHeadBcs.serialize({
      holderSetId: SET,
      member,
      treeSize: this.leaves.length,
      rootHash,
      atMs: TEST_NOW_MS,
    }).toBytes();
    const { secretKey } = this.key;
    const signature = await sign({ secretKey, domainTag: TAGS.treeHead, message });
    return { treeHead: toBase64(message), signature: toBase64(signature) };
  }
}

function answerOf(log: Log, mine: readonly number[]) {
  return () => log.answerWith(mine);
}

let logs: Log[];
let chain: FakeChain;
let journal: Journal;
/** What a holder says when it is asked to prove that its log only grew. */
let prove: (member: number, first: number) => string[];
let change: (member: number, answer: Awaited<ReturnType<Log['answer']>>) => unknown;
beforeEach(() => {
  logs = [0, 1, 2].map((member) => new Log(member));
  chain = new FakeChain();
  change = (_member, answer) => answer;
  prove = (member, first) => consistencyProof(logs[member]!.hashes(), first).map((hash) => toBase64(hash));
  journal = memoryJournal();
  chain.put('contribution', aContribution({ owner: WALLET.address }));
  const members = aHolderSet().members.map((member, i) => ({
    ...member,
    signingPublicKey: toBase64(logs[i]!.key.publicKey),
  }));
  chain.put('holder-set', aHolderSet({ members }));
});

async function answer(input: string, init?: RequestInit): Promise<Response> {
  const url = new URL(input);
  const member = Number(url.hostname.replace(/\D/g, ''));
  const log = logs[member]!;
  if (log.isDown) throw new TypeError('fetch failed');
  if (url.pathname === '/v1/identity') {
    const keys = { signingPublicKey: toBase64(log.key.publicKey), sealingPublicKey: toBase64(log.key.publicKey) };
    return Response.json({ ...keys, operator: idOf('operator'), chainId: 'local:test', standIns: [] });
  }
  if (url.pathname === '/v1/log/consistency') {
    expect(url.searchParams.get('second')).toBe(String(log.leaves.length));
    return Response.json({ proof: prove(member, Number(url.searchParams.get('first'))) });
  }
  const { signature, reader, ...query } = zLogQuery.parse(JSON.parse(String(init?.body)));
  const readerPublicKey = fromBase64(reader.publicKey);
  const digest = logQueryDigest({ ...query, readerPublicKey });
  const isForThis = await verify({
    publicKey: readerPublicKey,
    domainTag: TAGS.readerRequest,
    message: ReaderRequestBcs.serialize({ queryDigest: digest, holderSigningKey: log.key.publicKey }).toBytes(),
    signature: fromBase64(reader.signature),
  });
  expect(isForThis).toBe(true);
  const message = walletStatementBytes({ action: WALLET_ACTIONS.logQuery, chainId: 'local:test', digest });
  await verifyWalletSignature({ address: WALLET.address, message, signature });
  return new Response(toWireJson(change(member, await log.answer())));
}

let store: FakeStore;
beforeEach(() => void (store = new FakeStore()));
const client = (wallet = WALLET) =>
  connect({
    apiUrl: 'http://api.test',
    chain,
    store,
    holders: [0, 1, 2].map((member) => ({ url: `http://holder${member}.test` })),
    signer: wallet,
    journal,
    fetch: answer,
    clock: new ManualClock(),
  });

describe('releases', () => {
  it("gives every holder's verified entries about the contribution, refusals included", async () => {
    const holders = await client().contributions.releases(MINE);
    for (const [member, { verdict, entries, error }] of holders.entries()) {
      expect(error).toBeNull();
      expect(verdict.ok).toBe(true);
      expect(entries).toEqual([leaf(member), leaf(member, MINE, 'GRANT_REVOKED')]);
    }
    expect(holders).toHaveLength(3);
  });

  it('shows the others when one is away', async () => {
    logs[1]!.isDown = true;
    const holders = await client().contributions.releases(MINE);
    expect(holders.map(({ error }) => error?.code ?? null)).toEqual([null, 'UPSTREAM_UNAVAILABLE', null]);
    expect(holders.map(({ verdict }) => verdict.ok)).toEqual([true, false, true]);
  });

  it("asks nobody about somebody else's contribution", async () => {
    chain.put('contribution', aContribution({ owner: idOf<Address>('other') }));
    const refused = await client()
      .contributions.releases(MINE)
      .catch((error: unknown) => error);
    expect(refused instanceof UsufructError && refused.code).toBe('WRONG_WALLET');
  });

  const rows: readonly [string, string[], (log: Log) => Promise<typeof change>][] = [
    [
      'a head signed by another key',
      ['HEAD_SIGNATURE'],
      async (log) => {
        const head = await logs[2]!.head(toHex32<Digest>(rootOf([])), log.member);
        return (member, given) =>
          member === log.member ? { ...given, head: { ...given.head, ...signatureOf(head) } } : given;
      },
    ],
    [
      "another member's head",
      ['HEAD_MEMBER'],
      async (log) => {
        const hashes = log.leaves.map((each) => leafHash(bytesOf(each)));
        const head = await log.head(toHex32<Digest>(rootOf(hashes)), 2);
        return (member, given) => (member === log.member ? { ...given, head } : given);
      },
    ],
    [
      'a signed head of another tree',
      ['INCLUSION'],
      async (log) => {
        const head = await log.head(idOf<Digest>('another root'));
        return (member, given) => (member === log.member ? { ...given, head } : given);
      },
    ],
    [
      'an entry changed after the fact',
      ['INCLUSION'],
      async (log) => (member, given) => {
        const forged = toBase64(ReleaseLeafBcs.serialize(leaf(log.member, MINE, 'GRANT_EXPIRED')).toBytes());
        const entries = given.entries.map((entry, i) => (i === 0 ? { ...entry, leaf: forged } : entry));
        return member === log.member ? { ...given, entries } : given;
      },
    ],
    [
      "somebody else's entry",
      ['ENTRIES'],
      async (log) => {
        const bytes = log.leaves.map(bytesOf);
        const proof = inclusionProof(
          bytes.map((each) => leafHash(each)),
          0,
        ).map((hash) => toBase64(hash));
        const foreign = { leaf: toBase64(bytes[0]!), leafIndex: 0, inclusionProof: proof };
        return (member, given) => (member === log.member ? { ...given, entries: [foreign] } : given);
      },
    ],
  ];
  it.each(rows)('fails %s, by name', async (_name, expected, interfere) => {
    change = await interfere(logs[0]!);
    const [first, second] = await client().contributions.releases(MINE);
    expect(first?.verdict.checks.filter(({ status }) => status === 'failed').map(({ name }) => name)).toEqual(expected);
    expect(second?.verdict.ok).toBe(true);
  });

  it('tells what concerns the whole dataset apart, and only of this dataset', async () => {
    const [own, other] = [idOf<DatasetId>('dataset'), idOf<DatasetId>('another')].map(leaseOf) as [LogLeaf, LogLeaf];
    logs[0]!.leaves.push(own);
    logs[1]!.leaves.push(other);
    for (const log of logs.slice(0, 2)) log.answer = answerOf(log, [1, 3, 4]);
    const [first, second] = await client().contributions.releases(MINE);
    expect(first).toMatchObject({
      verdict: { ok: true },
      datasetEntries: [{ type: 'lease', leaf: { decision: 'LEASED' } }],
    });
    expect(first!.entries.map(({ decision }) => decision)).toEqual(['RELEASED', 'GRANT_REVOKED']);
    const failed = second!.verdict.checks.filter(({ status }) => status === 'failed');
    expect(failed.map(({ name }) => name)).toEqual(['ENTRIES']);
  });

  it('takes bytes that are no tree head as that holder’s fault, not as everybody’s', async () => {
    change = (member, given) => (member === 0 ? { ...given, head: { treeHead: 'AAAA', signature: 'AAAA' } } : given);
    const [first, second] = await client().contributions.releases(MINE);
    expect(first?.error?.code).toBe('UPSTREAM_INVALID');
    expect(second?.verdict.ok).toBe(true);
  });
});

describe('a log compared with what its holder put on the chain', () => {
  const operatorOf = (member: number): Address => aHolderSet().members[member]!.operator;
  const anchor = (member: number, treeSize: number, rootHash = logs[member]!.rootAt(treeSize), by = member) =>
    chain.putEvent({ type: 'TreeHeadAnchored', holderSetId: SET, member, treeSize, rootHash }, operatorOf(by));
  const failedOf = async (member = 0) => {
    const holders = await client().contributions.releases(MINE);
    const { checks } = holders[member]!.verdict;
    return checks.filter(({ status }) => status === 'failed').map(({ name, detail }) => `${name}: ${detail}`);
  };
  const shorten = (log: Log, size: number): void => void log.leaves.splice(size);

  it('agrees with every head of its own, and says so where there is none', async () => {
    for (const size of [0, 1, 2, 3, 4]) anchor(0, size);
    anchor(1, 4, idOf<Digest>('what another operator anchored'), 2);
    const [first, second] = await client().contributions.releases(MINE);
    expect(first!.verdict.ok).toBe(true);
    expect(first!.verdict.checks).toContainEqual({
      name: 'ANCHORED',
      status: 'passed',
      detail: '5 heads on the chain',
    });
    expect(second!.verdict.checks.find(({ name }) => name === 'ANCHORED')?.status).toBe('skipped');
  });

  it('that was cut is shorter than what is on the chain', async () => {
    anchor(0, 4);
    shorten(logs[0]!, 2);
    logs[0]!.answer = answerOf(logs[0]!, [1]);
    expect(await failedOf()).toEqual(['ANCHORED: the log was cut: it has 2 entries, and had 4 on the chain']);
  });

  it('that was forked is another one of the same size, or does not go on from it', async () => {
    anchor(0, 4);
    logs[0]!.leaves[2] = leaf(0, MINE, 'GRANT_EXPIRED');
    expect(await failedOf()).toEqual(['ANCHORED: the log was forked: another one of that size was on the chain']);
    logs[0]!.leaves.push(leaf(0));
    expect(await failedOf()).toEqual([
      'ANCHORED: the log was forked: it does not go on from the 4 entries on the chain',
    ]);
  });

  it('that was forked between two heads disagrees with the older one', async () => {
    anchor(0, 3, idOf<Digest>('the entries that others were shown'));
    anchor(0, 4);
    expect(await failedOf()).toEqual([
      'ANCHORED: the log was forked: it does not go on from the 3 entries on the chain',
    ]);
  });

  it.each([
    ['no proof', () => []],
    ['the proof of another size', () => consistencyProof(logs[0]!.hashes(), 1).map((hash) => toBase64(hash))],
    ['hashes of its own making', () => [toBase64(new Uint8Array(32).fill(9)), toBase64(new Uint8Array(32).fill(8))]],
  ])('whose holder gives %s has not proven that it only grew', async (_what, made) => {
    anchor(0, 3);
    prove = made;
    expect(await failedOf()).toEqual([
      'ANCHORED: the log was forked: it does not go on from the 3 entries on the chain',
    ]);
  });

  it('whose holder does not answer about it is not believed', async () => {
    anchor(0, 3);
    prove = () => {
      throw new TypeError('fetch failed');
    };
    expect(await failedOf()).toEqual([
      'ANCHORED: the holder did not prove that its log goes on from that on the chain: UPSTREAM_UNAVAILABLE',
    ]);
  });

  it('is remembered, so that a fork shows to whoever read it before it was anchored', async () => {
    expect(await failedOf()).toEqual([]);
    logs[0]!.leaves.push(leaf(0));
    expect(await failedOf()).toEqual([]);
    logs[0]!.leaves[2] = leaf(0, MINE, 'GRANT_EXPIRED');
    logs[0]!.leaves.push(leaf(0));
    const forked = ['REMEMBERED: the log was forked: it does not go on from the 5 entries seen the last time'];
    expect(await failedOf()).toEqual(forked);
    // What failed is not what the next one is compared with.
    expect(await failedOf()).toEqual(forked);
    shorten(logs[0]!, 4);
    expect(await failedOf()).toEqual(['REMEMBERED: the log was cut: it has 4 entries, and had 5 seen the last time']);
  });

  it('shows an entry that is given twice, and takes a refusal of a holder without a share', async () => {
    change = (member, given) => (member === 0 ? { ...given, entries: [given.entries[0]!, given.entries[0]!] } : given);
    expect(await failedOf()).toEqual(['INCLUSION: an entry is not in the signed tree']);
    change = (_member, given) => given;
    logs[0]!.leaves[1] = { ...leaf(0, MINE, 'TOMBSTONED'), shareIndex: 0 };
    journal = memoryJournal();
    expect(await failedOf()).toEqual([]);
    logs[0]!.leaves[1] = { ...leaf(0), shareIndex: 0 };
    journal = memoryJournal();
    expect(await failedOf()).toEqual(['ENTRIES: an entry is about something else']);
  });
});

describe('the activity of a contribution', () => {
  const JOB = idOf<JobId>('job');
  const settle = (jobId = JOB, contributionId = MINE, units = 7n) => {
    const account = WALLET.address;
    const paid = { account, role: 'contributor' as const, contributionId, amountUnits: asAmount(units) };
    const other = { ...paid, contributionId: idOf<ContributionId>('of somebody else'), amountUnits: asAmount(100n) };
    chain.putEvent(
      {
        type: 'ReceiptSettled',
        jobId,
        questionId: idOf<QuestionId>(`question ${units}`),
        receiptDigest: idOf<Digest>('receipt'),
        priceUnits: asAmount(1_000n),
        uses: [{ contributionId, grantId: idOf<GrantId>('grant'), weight: asWeight(5n) }],
        payouts: [paid, other, { ...paid, role: 'treasury', contributionId: null }],
        questionsSettled: 1,
        escrowLeftUnits: asAmount(0n),
      },
      idOf<Address>('runner'),
    );
  };
  const activity = () => client().contributions.activity(MINE);
  beforeEach(() => void chain.put('dataset', aDataset()));

  it('is what holders released and refused, what was used, and what was paid', async () => {
    settle();
    settle(JOB, MINE, 11n);
    settle(JOB, idOf<ContributionId>('of somebody else'), 13n);
    const { requests, uses, paidUnits, unanswered, untrusted } = await activity();
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({ jobId: JOB, opened: 'yes', purpose: 'dpv:ResearchAndDevelopment' });
    expect(requests[0]!.decisions.map(({ decision }) => decision).sort()).toEqual([
      ...Array.from({ length: 3 }, () => 'GRANT_REVOKED'),
      ...Array.from({ length: 3 }, () => 'RELEASED'),
    ]);
    expect(uses.map((use) => [use.paidUnits, use.weight, use.isExplained])).toEqual([
      [7n, 5n, true],
      [11n, 5n, true],
    ]);
    expect([paidUnits, unanswered, untrusted]).toEqual([18n, [], []]);
  });

  it('shows a use that too few holders say to have released: somebody left an entry out', async () => {
    settle();
    for (const log of logs.slice(0, 2)) log.answer = answerOf(log, [3]);
    const { requests, uses } = await activity();
    expect([requests[0]!.opened, uses[0]!.isExplained]).toEqual(['no', false]);
  });

  it('misses no release where enough holders leased an index of the dataset to the job', async () => {
    const job = idOf<JobId>('a job with an index');
    settle(job);
    const lease = leaseOf(idOf<DatasetId>('dataset'));
    if (lease.type !== 'lease') throw new Error('not a lease');
    const given = aGrant({ contributionId: MINE, grantor: WALLET.address });
    chain.put('grant', given);
    const others = [{ decision: 'KEY_SUPERSEDED' }, { keyKind: 'checkpoint' }, { jobId: JOB }] as const;
    for (const change of others) logs[0]!.leaves.push({ ...lease, leaf: { ...lease.leaf, jobId: job, ...change } });
    logs[0]!.answer = answerOf(logs[0]!, [1, 3, 4, 5, 6]);
    const leased: LogLeaf = { ...lease, leaf: { ...lease.leaf, jobId: job } };
    logs[1]!.leaves.push(leased);
    logs[1]!.answer = answerOf(logs[1]!, [1, 3, 4]);
    const before = await activity();
    expect(before.uses[0]!.isExplained).toBe(false); // one of two that it takes
    expect(before.requests.find(({ jobId }) => jobId === job)).toMatchObject({ opened: 'no' });
    logs[2]!.leaves.push(leased);
    logs[2]!.answer = answerOf(logs[2]!, [1, 3, 4]);
    const { uses, requests } = await activity();
    expect(uses[0]!.isExplained).toBe(true);
    // And says so itself: who opened it, for which job.
    const asked = requests.find(({ jobId }) => jobId === job)!;
    expect([asked.opened, asked.purpose]).toEqual(['yes', lease.leaf.purpose]);
    expect(asked.decisions.map(({ member, of, decision }) => [member, of, decision])).toEqual([
      [0, 'index', 'KEY_SUPERSEDED'],
      [1, 'index', 'LEASED'],
      [2, 'index', 'LEASED'],
    ]);
    // It was in no index that was leased after it was withdrawn.
    chain.put('grant', { ...given, revokedAtMs: asTimestampMs(lease.leaf.atMs + 1) });
    expect((await activity()).requests).toHaveLength(2);
    chain.put('grant', { ...given, revokedAtMs: lease.leaf.atMs });
    expect((await activity()).requests.map(({ jobId }) => jobId)).toEqual([JOB]);
    chain.put('grant', { ...given, terms: { ...given.terms, purposes: ['dpv:Marketing'] } });
    expect((await activity()).requests.map(({ jobId }) => jobId)).toEqual([JOB]);
  });

  it('blames nobody while holders are away that may have released it, and names them', async () => {
    settle();
    logs[0]!.answer = answerOf(logs[0]!, []);
    logs[1]!.isDown = true;
    const { requests, uses, unanswered } = await activity();
    expect([requests[0]!.opened, uses[0]!.isExplained, unanswered]).toEqual(['unknown', true, [1]]);
  });

  it('takes nothing from a log that does not check out, and names its holder', async () => {
    settle(idOf<JobId>('another job'));
    chain.putEvent(
      { type: 'TreeHeadAnchored', holderSetId: SET, member: 0, treeSize: 9, rootHash: idOf<Digest>('root') },
      aHolderSet().members[0]!.operator,
    );
    const { requests, uses, untrusted } = await activity();
    expect(untrusted).toEqual([0]);
    expect(new Set(requests[0]!.decisions.map(({ member }) => member))).toEqual(new Set([1, 2]));
    expect(uses[0]!.isExplained).toBe(false);
  });

  it("misses no release where Seal's key servers give out the key, for nobody logs those", async () => {
    settle(idOf<JobId>('another job'));
    expect(await activity()).toMatchObject({ keyMode: null, uses: [{ isExplained: false }] });
    const { manifest } = dealManifest(WALLET.address);
    const keys = { kind: 'seal' as const, threshold: 1, keyServers: [idOf<Hex32>('a')], encryptedSecret: utf8('x') };
    const bytes = encodeManifest({ ...manifest, keys });
    const stored = await store.put(SignedManifestBcs.serialize({ manifest: bytes, signature: '' }).toBytes());
    const manifestBlob = { ...aContribution().manifestBlob, blob: toHex32<Hex32>(fromBase64Url(stored.blobId)) };
    const registered = { owner: WALLET.address, manifestBlob, manifestDigest: manifestDigest(bytes) };
    chain.put('contribution', aContribution(registered));
    expect(await activity()).toMatchObject({ keyMode: 'seal', uses: [{ isExplained: true }] });
    expect(explainKeyMode('seal')).toMatch(/weaker.* no release log/);
    expect(explainKeyMode(null)).toContain('not known');
    // Whose store shows another manifest than the registered one learns nothing of it.
    chain.put('contribution', aContribution({ ...registered, manifestDigest: idOf<Digest>('another') }));
    expect(await activity()).toMatchObject({ keyMode: null, uses: [{ isExplained: false }] });
  });

  it('is for the owner', async () => {
    chain.put('contribution', aContribution({ owner: idOf<Address>('other') }));
    await expect(activity()).rejects.toMatchObject({ code: 'WRONG_WALLET' });
  });
});

const signatureOf = (head: object): object => ('signature' in head ? { signature: head.signature } : {});
