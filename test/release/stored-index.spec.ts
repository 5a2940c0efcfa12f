import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as disk from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  deriveSessionKey,
  digestOf,
  encryptEnvelope,
  generateSigningKey,
  type SigningKey,
  sha256,
  streamOf,
} from '@usufruct/crypto';
import {
  asAmount,
  fromBase64,
  fromHex,
  refuse,
  systemRandom,
  toBase64Url,
  toHex32,
  utf8,
  type BlobId,
  type ContributionId,
  type Hex32,
  type JobId,
  type RunnerId,
} from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  NO_EVIDENCE,
  RunnerErasureBcs,
  runnerIdOf,
  SignedManifestBcs,
  TAGS,
  type JobView,
  type RunnerView,
} from '@usufruct/protocol';
import { decodeIndex, DenseIndex, type Embedder } from '@usufruct/retrieval';
import {
  aContribution,
  aDao,
  aDataset,
  aJob,
  aPolicy,
  aRunner,
  dealManifest,
  idOf,
  seededRandom,
  signManifest,
  TEST_MEASUREMENT,
  TEST_NOW_MS,
  testWallet,
} from '@usufruct/testing';
import { eraseHere } from '../../apps/enclave-runner/src/compute/erasure/erase-here.js';
import { fetchManifest } from '../../apps/enclave-runner/src/compute/provision/manifest.js';
import { IndexStore } from '../../apps/enclave-runner/src/compute/index-store/index-store.js';
import { sealSegment } from '../../apps/enclave-runner/src/compute/index-store/segment-file.js';
import {
  IndexProcess,
  ingestDocument,
  startIndexHost,
  type Corpus,
} from '../../apps/enclave-runner/src/compute/rag/index.js';
import { StoredFiles, type FileSystem } from '../../apps/enclave-runner/src/compute/index-store/stored-files.js';
import { reviewSessions } from '../../apps/enclave-runner/src/compute/session/review.js';
import type { Session } from '../../apps/enclave-runner/src/compute/session/session.js';
import { Room } from '../../apps/enclave-runner/src/compute/session/room.js';
import { Sessions } from '../../apps/enclave-runner/src/compute/session/sessions.js';
import type { RunnerContext } from '../../apps/enclave-runner/src/context.js';
import { RunnerStore } from '../../apps/enclave-runner/src/receipt/store.js';
import { ReleaseWorld } from './release-world.js';

const TEXTS = {
  hives: 'The hives at Wremen gave forty kilograms of honey.',
  quay: 'The quay at Emden was paved with clinker in 1911.',
  mole: 'The mole of Norddeich is lit by seventeen amber lanterns.',
} as const;
type Name = keyof typeof TEXTS;
const owner = testWallet('contributor');

let world: ReleaseWorld;
let folder: string;
let blobs: Map<string, Uint8Array>;
/** What the holders were asked for, in order. */
let asked: string[];
/** Blobs that were read. */
let fetched: number;
let ids: Record<Name, ContributionId>;
let lives: Life[];

interface Life {
  readonly context: RunnerContext;
  readonly sessions: Sessions;
}

const put = (bytes: Uint8Array): Hex32 => {
  const id = toHex32(sha256(bytes));
  blobs.set(toBase64Url(fromHex(id)), bytes);
  return id;
};

async function contribute(
  name: string,
  content: string | Uint8Array,
  fileName = `${name}.txt`,
): Promise<ContributionId> {
  const first = world.deal(name);
  const { contributionId, keyCommitment } = first.manifest;
  const sessionKey = deriveSessionKey({
    domainTag: TAGS.sessionKey,
    secret: first.secret,
    context: fromHex(contributionId),
  });
  const pieces: Uint8Array[] = [];
  const source = streamOf(typeof content === 'string' ? utf8(content) : content);
  for await (const piece of encryptEnvelope({ source, sessionKey, fileName, random: systemRandom })) pieces.push(piece);
  const part = Buffer.concat(pieces);
  const parts = [{ blob: put(part), sha256: digestOf(part), sizeBytes: part.length }];
  const dealt = dealManifest(owner.address, { salt: idOf(name), keyCommitment, parts }, seededRandom(name));
  const signed = SignedManifestBcs.serialize({ manifest: dealt.bytes, signature: await signManifest(owner, dealt) });
  const bytes = signed.toBytes();
  await world.contribute(dealt);
  const dataset = await world.chain.dataset(aDataset().id);
  world.chain.put('dataset', { ...dataset, contributionCount: dataset.contributionCount + 1 });
  world.chain.put(
    'contribution',
    aContribution({
      id: contributionId,
      owner: owner.address,
      manifestDigest: dealt.digest,
      manifestBlob: { blob: put(bytes), sizeBytes: bytes.length, endEpoch: 50 },
      parts: parts.map(({ blob, sizeBytes }) => ({ blob, sizeBytes, endEpoch: 50 })),
    }),
  );
  return contributionId;
}

/** A process with other keys and the same disk. */
async function begin(changes: Partial<RunnerContext> = {}, fileSystem: FileSystem = disk): Promise<Life> {
  const ports = world.ports().map((port) => ({
    ...port,
    release: async (request: Parameters<typeof port.release>[0]) => {
      asked.push(`release ${request.contributionIds.length}`);
      return port.release(request);
    },
    lease: async (request: Parameters<typeof port.lease>[0]) => {
      asked.push('lease');
      return port.lease(request);
    },
  }));
  const context = await world.runner({
    holders: ports,
    seal: null,
    wallet: testWallet('runner'),
    store: new RunnerStore(':memory:'),
    retrieval: { maker: new IndexProcess() },
    blobs: {
      get: async (blobId: BlobId) =>
        (fetched++, blobs.get(blobId)) ?? Promise.reject(refuse('BLOB_UNAVAILABLE', { blobId })),
      getPatch: () => Promise.reject(refuse('BLOB_UNAVAILABLE')),
    },
    indexes: new IndexStore(await StoredFiles.openIn({ folder, maxBytes: 10_000_000, fileSystem })),
    ...changes,
  });
  const { policy } = await world.chain.dao(aDao().id);
  const registered = { id: context.keys.runnerId, appraisalPolicyDigest: appraisalPolicyDigest(policy.appraisal) };
  world.chain.put('runner', aRunner(registered));
  const life = { context, sessions: new Sessions(context) };
  lives.push(life);
  return life;
}

/** A session of a new job, once what it has to write is written; and what the holders were asked for it. */
async function session(life: Life, changes: Partial<JobView> = {}): Promise<Session> {
  const job = aJob({ id: idOf<JobId>(`job ${lives.length} ${asked.length} ${world.chain.reads}`), ...changes });
  world.chain.put('job', job);
  [asked, fetched] = [[], 0];
  const opened = life.sessions.open(job);
  await opened.ready;
  await settled(life);
  return opened;
}
const settled = async ({ sessions }: Life): Promise<void> => {
  for (const one of sessions.all()) await one.keep();
};
/** What a runner does every few seconds. */
async function review(life: Life): Promise<void> {
  await reviewSessions(life.context, life.sessions);
  await settled(life);
}
const once = (what: string): string[] => [what, what, what];
const found = async (of: Session, terms: string) => {
  const { corpus } = await of.use();
  return (await corpus.search(terms, 3)).map(({ score, passage }) => [score, passage.text, passage.sources.length]);
};
const revoke = (name: Name): void => world.grant(ids[name], { revokedAtMs: world.clock.nowMs() });
const files = (kind = '.index'): string[] => readdirSync(folder).filter((name) => name.endsWith(kind));
const warned = (reason: string): boolean =>
  world.lines.some(({ event, fields }) => event.startsWith('index.not') && fields['reason'] === reason);

beforeEach(async () => {
  world = await ReleaseWorld.of(0);
  world.chain.put('dataset', aDataset({ contributionCount: 0 }));
  world.chain.put('dao', aDao({ policy: aPolicy({ purposes: ['dpv:ResearchAndDevelopment', 'dpv:Marketing'] }) }));
  folder = mkdtempSync(join(tmpdir(), 'indexes-'));
  [blobs, asked, lives] = [new Map(), [], []];
  // One after the other: the chain's order, which is an index's order, is the same at every run.
  const made: [string, ContributionId][] = [];
  for (const [name, text] of Object.entries(TEXTS)) made.push([name, await contribute(name, text)]);
  ids = Object.fromEntries(made) as Record<Name, ContributionId>;
});
afterEach(async () => {
  for (const { sessions, context } of lives) {
    sessions.endAll();
    await context.indexes?.idle();
  }
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the index of a dataset, on the disk of a runner with real key holders', () => {
  it('is made once: the next process leases its key, asks for no other, and finds the same', async () => {
    const first = await session(await begin());
    expect([asked, files().length]).toEqual([once('release 3'), 1]);
    const second = await session(await begin());
    expect(asked).toEqual(once('lease'));
    expect(await found(second, 'amber lanterns honey')).toEqual(await found(first, 'amber lanterns honey'));
    expect([second.documents, second.leftOut]).toEqual([3, []]);
    const [made, opened] = [(await first.use()).corpus, (await second.use()).corpus];
    expect(opened.indexBytes).toEqual(made.indexBytes);
    const { evidenceDigest, endsAtMs } = await second.use();
    expect(evidenceDigest).toMatch(/^0x[0-9a-f]{64}$/);
    expect(evidenceDigest).not.toBe(NO_EVIDENCE);
    expect([endsAtMs, second.expiresAtMs]).toEqual([TEST_NOW_MS + 600_000, TEST_NOW_MS + 600_000]);
    expect(files()).toHaveLength(1);
    const bytes = readFileSync(join(folder, files()[0]!));
    expect([bytes.includes('amber'), bytes.includes('hives.txt')]).toEqual([false, false]);
  });

  it('is kept again when the graph of its vectors is made, which the next process finds', async () => {
    const embedder: Embedder = {
      modelHash: 'aa'.repeat(32),
      embed: async (texts) => texts.map((text) => Float32Array.from({ length: 8 }, (_, i) => text.length % (i + 3))),
    };
    const retrieval = { maker: new IndexProcess(), embedder };
    const isMany = jest.spyOn(DenseIndex.prototype, 'wantsGraph', 'get').mockReturnValue(true);
    await session(await begin({ retrieval }));
    isMany.mockRestore();
    const second = await session(await begin({ retrieval }));
    expect(asked).toEqual(once('lease'));
    expect(decodeIndex((await second.use()).corpus.indexBytes)!.dense!.graph!.count).toBe(3);
  });

  it('is no longer leased than the first grant in it lasts, and then the session is over', async () => {
    const soon = TEST_NOW_MS + 120_000;
    world.grant(ids.mole, { terms: { ...(await grantTerms()), expiresAtMs: soon as never } });
    const life = await begin();
    await session(life);
    const second = await session(life);
    expect([asked, second.expiresAtMs]).toEqual([once('lease'), soon]);
  });

  it('grows: what was contributed while a session ran is all that the next one asks the key of', async () => {
    const life = await begin();
    await session(life);
    await contribute('pier', 'The pier at Sahlenburg was built of larch in 1907.');
    await review(life);
    expect(files()).toHaveLength(1);
    const second = await session(await begin());
    expect(asked.toSorted()).toEqual([...once('lease'), ...once('release 1')]);
    expect(await found(second, 'larch')).toHaveLength(1);
    await session(await begin());
    expect([asked, files().length]).toEqual([once('lease'), 1]);
  });

  it('is made anew from what was cut before, where nobody was there to see what was contributed', async () => {
    const first = await session(await begin());
    // A manifest and a part of each.
    expect([fetched, files('.segment').length]).toEqual([6, 3]);
    const duplicates = [...(await first.use()).corpus.nearDuplicates];
    for (const { sessions } of lives) sessions.endAll();
    await contribute('pier', 'The pier at Sahlenburg was built of larch in 1907.');
    const second = await session(await begin());
    expect([asked, fetched, files().length, files('.segment').length]).toEqual([once('release 4'), 5, 1, 4]);
    expect(second.documents).toBe(4);
    expect(await found(second, 'amber lanterns')).toHaveLength(1);
    expect([...(await second.use()).corpus.nearDuplicates].slice(0, 3)).toEqual(duplicates);
    for (const name of files('.segment')) {
      const bytes = readFileSync(join(folder, name));
      expect([bytes.includes('amber'), bytes.includes('mole.txt')]).toEqual([false, false]);
    }
  });

  it('is made again where its process was ended, and the session waits meanwhile', async () => {
    await contribute(
      'parts',
      Array.from({ length: 70 }, (_, i) => `# Part ${i}\n\nKiln number ${i}.`).join('\n\n'),
      'a.md',
    );
    let started = 0;
    const maker = new IndexProcess(() => {
      const host = startIndexHost();
      if (++started === 1) host.kill('SIGKILL');
      return host;
    });
    const opened = await session(await begin({ retrieval: { maker } }));
    expect([started, opened.chunks]).toEqual([2, 73]);
    const waited = world.lines.filter(({ event }) => event === 'session.waits').map(({ fields }) => fields['code']);
    expect(waited).toEqual(['RUNNER_UNAVAILABLE']);
  });

  it('waits where the sessions of this runner have no room for another, until one ends', async () => {
    const { context } = await begin();
    // A session takes 5,392 bytes: each document 1,500 and two for a letter, and twenty for each of 9, 10 and 10 words.
    const life = { context, sessions: new Sessions(context, new Room(9_000)) };
    lives.push(life);
    const first = await session(life);
    const job = aJob({ id: idOf<JobId>('another job') });
    world.chain.put('job', job);
    const second = life.sessions.open(job);
    while (second.error === null) await sleep(10);
    expect(second.error).toMatchObject({ code: 'RUNNER_UNAVAILABLE', details: { until: 'another session ends' } });
    expect(first.isOver).toBe(false);
    life.sessions.end(first.job.id);
    await second.ready;
    expect(second.documents).toBe(3);
    // With less than a sixteenth of it left nothing is begun.
    const small = { context, sessions: new Sessions(context, new Room(5_500)) };
    lives.push(small);
    await session(small);
    expect(() => small.sessions.open(aJob({ id: idOf<JobId>('one more') }))).toThrow(
      expect.objectContaining({ code: 'RUNNER_UNAVAILABLE' }),
    );
  });

  it('leaves out, and tells, what has no room in it, in the next session, too, and answers from the rest', async () => {
    const { context } = await begin();
    // Room for two of three that one contributor brought (1,780, 1,798 and 1,814 bytes): the largest stays outside.
    const life = { context, sessions: new Sessions(context, new Room(1_000_000, 4_000)) };
    lives.push(life);
    for (const opened of [await session(life), await session(life)]) {
      expect(opened.leftOut).toEqual([{ contributionId: ids.mole, code: 'FILE_TOO_LARGE' }]);
      expect([opened.documents, await found(opened, 'amber lanterns')]).toEqual([2, []]);
      expect(await found(opened, 'clinker')).toHaveLength(1);
    }
    expect(asked.toSorted()).toEqual([...once('lease'), ...once('release 1')]);
  });

  it('has nothing in it of what was taken back before it was asked for, whatever else is being taken out', async () => {
    const opened = await session(await begin());
    const [all, noMole] = [new Set(Object.values(ids)), new Set([ids.hives, ids.quay])];
    const asking = [opened.restrictTo(all), opened.restrictTo(noMole)];
    const dropping = opened.drop([ids.quay]);
    asking.push(opened.restrictTo(noMole), opened.restrictTo(all));
    const idsOf = ({ contributionIds }: Corpus) => [...contributionIds];
    const without = [ids.hives];
    expect((await Promise.all(asking)).map(idsOf)).toEqual([
      Object.values(ids),
      [ids.hives, ids.quay],
      without,
      without,
    ]);
    await dropping;
    const { corpus, documents, leftOut } = await opened.use();
    expect([idsOf(corpus), documents.length]).toEqual([without, 1]);
    expect(leftOut).toEqual([{ contributionId: ids.quay, code: 'TOMBSTONED' }]);
    expect([await found(opened, 'amber'), corpus.index.passagesWith('clinker')]).toEqual([[], 0]);
  });

  describe('a document that was cut before', () => {
    const name = (of: Name) => `${ids[of].slice(2)}.segment`;
    const read = (of: Name): Buffer => readFileSync(join(folder, name(of)));
    /** As the contributor can, who has the key: another text for what was signed. */
    async function forged(signing: SigningKey): Promise<Uint8Array> {
      const { manifest, secret } = world.deal('mole');
      const context = fromHex(manifest.contributionId);
      const sessionKey = deriveSessionKey({ domainTag: TAGS.sessionKey, secret, context });
      const { manifestDigest } = await world.chain.contribution(ids.mole);
      const about = { contributionId: ids.mole, manifestDigest, measurement: TEST_MEASUREMENT };
      const document = await ingestDocument(
        { fileName: 'mole.txt', bytes: utf8('The mole of Norddeich is lit by no lanterns at all.') },
        { sketchKey: new Uint8Array(8) },
      );
      const own = { contributionId: ids.mole, fileName: 'mole.txt', document };
      return sealSegment(own, about, { sessionKey, signing, random: systemRandom });
    }
    const registered = (signing: SigningKey, changes: Partial<RunnerView>): void =>
      void world.chain.put('runner', aRunner({ id: runnerIdOf<RunnerId>(signing.publicKey), ...changes }));

    it.each<[string, number, () => Uint8Array | Promise<Uint8Array>]>([
      ['is taken', 0, () => read('mole')],
      ["is not, as another contribution's", 1, () => read('quay')],
      ['is not, of a key that no runner had', 1, () => forged(generateSigningKey(systemRandom))],
      [
        'is not, of a runner with other code',
        1,
        () => {
          const signing = generateSigningKey(systemRandom);
          registered(signing, { measurement: 'ef'.repeat(48) });
          return forged(signing);
        },
      ],
    ])('%s', async (_what, parts, change) => {
      await session(await begin());
      writeFileSync(join(folder, name('mole')), await change());
      for (const index of files()) rmSync(join(folder, index));
      const next = await session(await begin());
      expect([next.documents, fetched, asked]).toEqual([3, 3 + parts, once('release 3')]);
      expect(JSON.stringify(await found(next, 'amber lanterns'))).toContain(TEXTS.mole);
    });

    it('could be forged by a runner alone', async () => {
      await session(await begin());
      writeFileSync(join(folder, name('mole')), await forged(lives[0]!.context.keys.signing));
      for (const index of files()) rmSync(join(folder, index));
      expect(JSON.stringify(await found(await session(await begin()), 'lanterns'))).toContain('no lanterns at all');
    });

    it('is deleted when the next session sees that it was retired', async () => {
      await session(await begin());
      const contribution = await world.chain.contribution(ids.mole);
      world.chain.put('contribution', { ...contribution, tombstonedAtMs: world.clock.nowMs() });
      await session(await begin());
      expect(files('.segment').toSorted()).toEqual([name('hives'), name('quay')].toSorted());
    });
  });

  it('is made anew without what was revoked by the session that runs, and that is what the next one opens', async () => {
    const life = await begin();
    const running = await session(life);
    const [before] = files();
    revoke('mole');
    await review(life);
    expect([running.contributionIds.has(ids.mole), files().length, files()[0] === before]).toEqual([false, 1, false]);
    const next = await session(await begin());
    expect([asked, next.documents]).toEqual([once('lease'), 2]);
    expect(await found(next, 'amber lanterns')).toEqual([]);
    expect((await next.use()).corpus.index.passagesWith('lantern')).toBe(0);
  });

  it('from before a revocation is opened by nobody, whatever the host puts back and whatever chain the runner is shown', async () => {
    await session(await begin());
    const [name] = files() as [string];
    const old = readFileSync(join(folder, name));
    for (const { sessions } of lives) sessions.endAll();
    const shown = world.chain.grantsOfEach.bind(world.chain);
    const before: typeof shown = async (of) =>
      (await shown(of)).map((list) => list.map((grant) => ({ ...grant, revokedAtMs: null })));
    revoke('mole');
    const chain = new Proxy(world.chain, {
      get: (target, field, receiver) =>
        field === 'grantsOfEach' ? before : (Reflect.get(target, field, receiver) as unknown),
    });
    const lagging = await session(await begin({ chain }));
    expect(asked).toEqual([...once('lease'), ...once('release 3')]);
    // The holders gave the keys of what is granted, and the share of the index's key is gone.
    expect([lagging.documents, lagging.leftOut]).toEqual([2, [{ contributionId: ids.mole, code: 'GRANT_REVOKED' }]]);
    expect(world.holders.map(({ holder }) => holder.leasedKeys.living().length)).toEqual([0, 0, 0]);
    expect(warned('KEY_SUPERSEDED')).toBe(true);

    for (const { sessions } of lives) sessions.endAll();
    const good = await session(await begin());
    expect([asked, good.documents]).toEqual([once('release 3').map(() => 'release 2'), 2]);
    const [current] = files() as [string];
    expect(current).not.toBe(name);
    // Under its own name nobody looks for it, and under the new one it is not what it says.
    for (const as of [name, current]) {
      writeFileSync(join(folder, as), old);
      const next = await session(await begin());
      expect([next.documents, await found(next, 'amber lanterns')]).toEqual([2, []]);
    }
  });

  it('serves one use: for another purpose there is another, and at a price under the floor there is none', async () => {
    const terms = await grantTerms();
    for (const name of ['hives', 'quay'] as const) {
      world.grant(ids[name], { terms: { ...terms, purposes: ['dpv:ResearchAndDevelopment', 'dpv:Marketing'] } });
    }
    const life = await begin();
    await session(life);
    const other = await session(life, { purpose: 'dpv:Marketing' });
    expect([asked, other.documents, files().length]).toEqual([once('release 2'), 2, 2]);
    const again = await session(life, { purpose: 'dpv:Marketing' });
    expect([asked, again.documents, await found(again, 'amber')]).toEqual([once('lease'), 2, []]);
    const dearer = await session(life, { pricePerQuestionUnits: asAmount(2_000_000n) });
    expect([asked, dearer.documents, files().length]).toEqual([once('lease'), 3, 2]);
  });

  it('remembers what no session will ever read, and asks for no key of it', async () => {
    const broken = await contribute('broken', Uint8Array.of(0, 1, 2, 3), 'broken.pdf');
    await contribute('away', 'Nobody can read this now.');
    const lost = [...blobs.keys()].at(-2)!;
    const kept = blobs.get(lost)!;
    blobs.delete(lost);
    const first = await session(await begin());
    expect(first.leftOut.map(({ code }) => code).toSorted()).toEqual(['BLOB_UNAVAILABLE', 'FORMAT_BROKEN']);
    blobs.set(lost, kept);
    const second = await session(await begin());
    // What may come back is asked for again.
    expect(asked.toSorted()).toEqual([...once('lease'), ...once('release 1')]);
    expect(second.leftOut).toEqual([{ contributionId: broken, code: 'FORMAT_BROKEN' }]);
    await session(await begin());
    expect(asked).toEqual(once('lease'));
  });

  it('knows in the next session what the last one could not read, which had no time for all of it', async () => {
    const broken = await contribute('broken', Uint8Array.of(0, 1, 2, 3), 'broken.pdf');
    const [seen, open] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const partOf = async (id: ContributionId) =>
      toBase64Url(fromHex((await world.chain.contribution(id)).parts[0]!.blob));
    const [first, last] = [await partOf(ids.hives), await partOf(broken)];
    let asks = 0;
    const life = await begin({
      blobs: {
        get: async (blobId: BlobId) => {
          if (blobId === last) seen.resolve();
          if (blobId === first && asks++ === 0) await open.promise;
          return blobs.get(blobId)!;
        },
        getPatch: () => Promise.reject(refuse('BLOB_UNAVAILABLE')),
      },
    });
    const job = aJob({ id: idOf<JobId>('too short') });
    world.chain.put('job', job);
    const { ready } = life.sessions.open(job);
    await seen.promise;
    life.sessions.end(job.id);
    open.resolve();
    await ready.catch(() => undefined);
    const second = await session(life);
    expect(asked).toEqual(once('release 3'));
    expect(second.leftOut).toEqual([{ contributionId: broken, code: 'FORMAT_BROKEN' }]);
  });

  const whole = (): Buffer => readFileSync(join(folder, files()[0]!));
  it.each<[string, () => Uint8Array | Promise<Uint8Array>]>([
    ['a changed byte', () => whole().map((byte, i, { length }) => (i === length - 40 ? byte ^ 1 : byte))],
    ["another index's bytes", () => otherIndex()],
  ])('is made anew, and fails no session, with %s', async (_what, change) => {
    await session(await begin());
    const [name] = files() as [string];
    const changed = await change();
    writeFileSync(join(folder, name), changed);
    const next = await session(await begin());
    expect([next.documents, asked.filter((what) => what !== 'lease'), next.leftOut]).toEqual([
      3,
      once('release 3'),
      [],
    ]);
    await session(await begin());
    expect(asked).toEqual(once('lease'));
  });
  /** Of the same dataset, for another use. */
  async function otherIndex(): Promise<Uint8Array> {
    const [own] = files();
    const terms = await grantTerms();
    world.grant(ids.hives, { terms: { ...terms, purposes: ['dpv:ResearchAndDevelopment', 'dpv:Marketing'] } });
    await session(await begin(), { purpose: 'dpv:Marketing' });
    return readFileSync(
      join(
        folder,
        files().find((name) => name !== own)!,
      ),
    );
  }

  it.each([1, 3])('fails no session where the disk is full from operation %i on', async (from) => {
    let operations = 0;
    const full = { ...disk };
    const failing = () => Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'write' });
    const count = <T extends (...given: never[]) => Promise<unknown>>(run: T) =>
      (async (...given: Parameters<T>) => {
        if (++operations >= from) throw failing();
        return run(...given);
      }) as unknown as T;
    const life = await begin({}, disk);
    const broken: FileSystem = { ...full, open: count(disk.open), rename: count(disk.rename), rm: count(disk.rm) };
    const indexes = new IndexStore(await StoredFiles.openIn({ folder, maxBytes: 10_000_000, fileSystem: broken }));
    const context = { ...life.context, indexes };
    const bad = { context, sessions: new Sessions(context) };
    lives.push(bad);
    const opened = await session(bad);
    expect([opened.documents, opened.state]).toEqual([3, 'running']);
    expect(await found(opened, 'clinker')).toHaveLength(1);
    expect(warned('ENOSPC')).toBe(true);
  });

  it('is not made where fewer holders than the threshold take its key, and not opened where they are away', async () => {
    const life = await begin();
    const deaf = life.context.holders.map((port, n) =>
      n === 0 ? port : { ...port, depositLeasedKey: () => Promise.reject(refuse('UPSTREAM_UNAVAILABLE')) },
    );
    const first = await session(await begin({ holders: deaf }));
    expect([first.documents, files()]).toEqual([3, []]);
    await session(life);
    const gone = life.context.holders.map((port, n) =>
      n === 0 ? port : { ...port, lease: () => Promise.reject(refuse('UPSTREAM_UNAVAILABLE')) },
    );
    const second = await session(await begin({ holders: gone }));
    expect([second.documents, asked]).toContainEqual(3);
    // It is as good as it was, when they are back.
    await session(life);
    expect(asked).toEqual(once('lease'));
  });

  it('is deleted for an erasure, and signed for; the session that runs makes one without', async () => {
    const life = await begin();
    const running = await session(life);
    const old = readFileSync(join(folder, files()[0]!));
    world.chain.put('contribution', {
      ...(await world.chain.contribution(ids.mole)),
      tombstonedAtMs: world.clock.nowMs(),
    });
    const answer = await eraseHere(life.context, life.sessions, { contributionId: ids.mole });
    const statement = RunnerErasureBcs.parse(fromBase64(answer.statement));
    expect(statement).toMatchObject({ sessions: 1, storedIndexes: 1, hadStoredDocument: true });
    expect([files(), files('.segment').length]).toEqual([[], 2]);
    expect(running.contributionIds.has(ids.mole)).toBe(false);
    await review(life);
    expect(files()).toHaveLength(1);
    writeFileSync(join(folder, files()[0]!), old);
    const next = await session(await begin());
    expect([next.documents, await found(next, 'amber lanterns')]).toEqual([2, []]);
  });

  it('is brought back after an erasure by no session that ended while it was being opened', async () => {
    const mole = await world.chain.contribution(ids.mole);
    const part = toBase64Url(fromHex(mole.parts[0]!.blob));
    const [reached, open] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const life = await begin({
      blobs: {
        get: async (blobId: BlobId) => {
          if (blobId !== part) return blobs.get(blobId)!;
          reached.resolve();
          await open.promise;
          return blobs.get(blobId)!;
        },
        getPatch: () => Promise.reject(refuse('BLOB_UNAVAILABLE')),
      },
    });
    const job = aJob({ id: idOf<JobId>('ended') });
    world.chain.put('job', job);
    const { ready } = life.sessions.open(job);
    await reached.promise;
    life.sessions.end(job.id);
    world.chain.put('contribution', { ...mole, tombstonedAtMs: world.clock.nowMs() });
    const erasing = eraseHere(life.context, life.sessions, { contributionId: ids.mole });
    await Promise.race([erasing, sleep(200)]);
    open.resolve();
    await erasing;
    expect(await ready.catch(({ code }: { code: string }) => code)).toBe('ATTESTATION_STALE');
    await sleep(100);
    expect(files('.segment').filter((name) => name.startsWith(ids.mole.slice(2)))).toEqual([]);
    expect(life.sessions.holding()).toEqual([]);
  });

  it('has no document that was cut before, where that is written only when it was erased', async () => {
    const life = await begin();
    const { documents } = await (await session(life)).use();
    const { context } = life;
    const mole = await world.chain.contribution(ids.mole);
    const { chainId } = await world.chain.info();
    const manifest = await fetchManifest(context.blobs, mole, await world.chain.holderSet(mole.holderSetId), chainId);
    world.chain.put('contribution', { ...mole, tombstonedAtMs: world.clock.nowMs() });
    await eraseHere(context, life.sessions, { contributionId: ids.mole });
    const document = documents.find(({ contributionId }) => contributionId === ids.mole)!;
    await context.indexes!.segmentsOf(context, aDao()).keep(document, manifest, new Uint8Array(32));
    expect(files('.segment')).toHaveLength(2);
  });

  async function grantTerms() {
    const [grants] = await world.chain.grantsOfEach([ids.hives]);
    return grants![0]!.terms;
  }
});
