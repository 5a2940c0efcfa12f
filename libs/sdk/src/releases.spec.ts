import { beforeEach, describe, expect, it } from '@jest/globals';
import { generateSigningKey, inclusionProof, leafHash, rootOf, sign, verifyWalletSignature } from '@usufruct/crypto';
import {
  toBase64,
  toHex32,
  type Address,
  type ContributionId,
  type DatasetId,
  type Digest,
  type GrantId,
  type HolderSetId,
  type JobId,
  UsufructError,
} from '@usufruct/kernel';
import {
  LogQueryBcs,
  ReleaseLeafBcs,
  taggedDigest,
  TAGS,
  toWireJson,
  TreeHeadBcs,
  WALLET_ACTIONS,
  walletStatementBytes,
  zLogQuery,
  type ReleaseLeaf,
} from '@usufruct/protocol';
import {
  aContribution,
  aHolderSet,
  FakeChain,
  FakeStore,
  idOf,
  ManualClock,
  seededRandom,
  TEST_NOW_MS,
  testWallet,
} from '@usufruct/testing';
import { connect } from './client.js';
import { memoryJournal } from './journal.js';

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

/** A holder's log: entries of others and of mine, and the answer that an honest holder gives. */
class Log {
  readonly key;
  readonly leaves: ReleaseLeaf[];
  isDown = false;
  constructor(readonly member: number) {
    this.key = generateSigningKey(seededRandom(`log-${member}`));
    const others = idOf<ContributionId>('of somebody else');
    this.leaves = [leaf(member, others), leaf(member), leaf(member, others), leaf(member, MINE, 'GRANT_REVOKED')];
  }
  async answer(): Promise<{ entries: { leaf: string; leafIndex: number; inclusionProof: string[] }[]; head: object }> {
    const bytes = this.leaves.map((each) => ReleaseLeafBcs.serialize(each).toBytes());
    const hashes = bytes.map((each) => leafHash(each));
    const entries = [1, 3].map((leafIndex) => ({
      leaf: toBase64(bytes[leafIndex]!),
      leafIndex,
      inclusionProof: inclusionProof(hashes, leafIndex).map((hash) => toBase64(hash)),
    }));
    return { entries, head: await this.head(toHex32<Digest>(rootOf(hashes))) };
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

let logs: Log[];
let chain: FakeChain;
let change: (member: number, answer: Awaited<ReturnType<Log['answer']>>) => unknown;
beforeEach(() => {
  logs = [0, 1, 2].map((member) => new Log(member));
  chain = new FakeChain();
  change = (_member, answer) => answer;
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
  const { signature, ...query } = zLogQuery.parse(JSON.parse(String(init?.body)));
  const digest = taggedDigest(TAGS.logQuery, LogQueryBcs.serialize(query).toBytes());
  const message = walletStatementBytes({ action: WALLET_ACTIONS.logQuery, chainId: 'local:test', digest });
  await verifyWalletSignature({ address: WALLET.address, message, signature });
  return new Response(toWireJson(change(member, await log.answer())));
}

const client = (wallet = WALLET) =>
  connect({
    apiUrl: 'http://api.test',
    chain,
    store: new FakeStore(),
    holders: [0, 1, 2].map((member) => ({ url: `http://holder${member}.test` })),
    signer: wallet,
    journal: memoryJournal(),
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
        const hashes = log.leaves.map((each) => leafHash(ReleaseLeafBcs.serialize(each).toBytes()));
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
        const bytes = log.leaves.map((each) => ReleaseLeafBcs.serialize(each).toBytes());
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

  it('takes bytes that are no tree head as that holder’s fault, not as everybody’s', async () => {
    change = (member, given) => (member === 0 ? { ...given, head: { treeHead: 'AAAA', signature: 'AAAA' } } : given);
    const [first, second] = await client().contributions.releases(MINE);
    expect(first?.error?.code).toBe('UPSTREAM_INVALID');
    expect(second?.verdict.ok).toBe(true);
  });
});

const signatureOf = (head: object): object => ('signature' in head ? { signature: head.signature } : {});
