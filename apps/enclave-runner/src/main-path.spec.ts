import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { appraiseEvidence, rootSetWithDevRoot, type RootSet, type TeeDevice } from '@usufruct/attestation';
import { createDevPki, loadDevPki, SoftwareTee } from '@usufruct/attestation-dev';
import { keypairSigner, LocalChainClient, type Chain, type WalletSigner } from '@usufruct/chain';
import { decide } from '@usufruct/consent';
import {
  deal,
  deriveSessionKey,
  digestOf,
  encryptEnvelope,
  generateKeyPair,
  generateSigningKey,
  keyCommitment,
  leafHash,
  MerkleLog,
  open,
  rootOf,
  seal,
  sha256,
  verify,
  sign,
  streamOf,
  type HpkeKeyPair,
  type Share,
  type SigningKey,
} from '@usufruct/crypto';
import {
  asAmount,
  asTimestampMs,
  fromBase64,
  fromHex,
  fromUtf8,
  jsonLogger,
  refuse,
  refused,
  systemRandom,
  toBase64,
  toBase64Url,
  toHex32,
  UsufructError,
  utf8,
  type Address,
  type BlobId,
  type Clock,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type GrantId,
  type Hex32,
  type HolderSetId,
  type JobId,
  type QuestionId,
} from '@usufruct/kernel';
import {
  type GrantView,
  NO_ANSWER_RULES,
  DEFAULT_DATA_RULES,
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  answerInfo,
  answerResultBytes,
  daoPolicyDigest,
  decodeRefusal,
  contributionListDigest,
  deriveId,
  encodeManifest,
  evidenceDigest,
  LIMITS,
  manifestDigest,
  NO_EVIDENCE,
  QuestionAuthorizationBcs,
  questionInfo,
  ReleaseLeafBcs,
  RunnerErasureBcs,
  resultCommitment,
  RunnerStatementBcs,
  appraisalPolicyDigest,
  ShareBcs,
  shareReleaseInfo,
  sealedSharesAad,
  SignedManifestBcs,
  TAGS,
  toWireJson,
  TreeHeadBcs,
  UsageReceiptBcs,
  usesCommitment,
  WALLET_ACTIONS,
  walletStatementBytes,
  zAnswer,
  type Answer,
  type AnswerRules,
  type AskAnswer,
  type AskRequest,
  type ChainAction,
  type ChallengeRequest,
  type DaoPolicy,
  type HolderIdentity,
  type JobView,
  type ManifestKeys,
  type RegistrationRequest,
  type ReleaseAnswer,
  type ReleaseEntry,
  type ReleaseLeaf,
  type ReleaseRequest,
  type StreamLine,
  type Use,
} from '@usufruct/protocol';
import type { Embedder } from '@usufruct/retrieval';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalChain, type RunningChain } from '../../local-chain/src/start.js';
import { ensureRegistered } from './attest/registration.js';
import { generateRunnerKeys } from './attest/runner-keys.js';
import { eraseHere } from './compute/erasure/erase-here.js';
import { QuestionDesk } from './compute/questions/question-desk.js';
import { Refusals } from './compute/questions/refusals.js';
import {
  Corpus,
  EXTRACTIVE,
  IndexProcess,
  modelGenerator,
  type IndexMaker,
  type ModelWriter,
} from './compute/rag/index.js';
import { reviewSessions } from './compute/session/review.js';
import { Sessions } from './compute/session/sessions.js';
import type { RunnerContext } from './context.js';
import type { HolderPort } from './keys/holder-port.js';
import { Settler } from './receipt/settler.js';
import { RunnerStore } from './receipt/store.js';

const PURPOSE = 'DUO:0000042';
const PRICE = 1_000_000n;
const MEASUREMENT = 'cd'.repeat(48);
const MINUTE_MS = 60_000;

const wallet = (): WalletSigner => keypairSigner(new Ed25519Keypair());
const salt = (): Hex32 => toHex32(systemRandom(32));
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
  );

class TestClock implements Clock {
  offsetMs = 0;
  nowMs = () => asTimestampMs(Date.now() + this.offsetMs);
}

/** A key holder with its rules and its log, in memory. What it can do wrong is switched on by name. */
class TestHolder implements HolderPort {
  readonly name: string;
  readonly shares = new Map<ContributionId, Share>();
  readonly releases: ReleaseRequest[] = [];
  misbehaviour:
    | 'away'
    | 'unlogged'
    | 'wrong-share'
    | 'swaps-shares'
    | 'other-list'
    | 'slow'
    | 'slow-release'
    | 'forged-head'
    | 'other-leaf'
    | 'without-share'
    | 'refuses-attestation'
    | null = null;
  /** A registration that ends later is refused. */
  endorsedUntilMs = Infinity;
  readonly #leaves: Uint8Array[] = [];
  #logged: Promise<unknown> = Promise.resolve();
  readonly #challenges = new Set<string>();

  constructor(
    readonly member: number,
    readonly world: World,
    readonly signing: SigningKey,
    readonly sealing: HpkeKeyPair,
  ) {
    this.name = `holder ${member}`;
  }

  async identity(): Promise<HolderIdentity> {
    await this.#requireHere();
    return {
      signingPublicKey: toBase64(this.signing.publicKey),
      sealingPublicKey: toBase64(this.sealing.publicKey),
      operator: this.world.founder.address,
      chainId: (await this.world.chain.info()).chainId,
      standIns: ['test'],
    };
  }

  async challenge(_request: ChallengeRequest): Promise<Uint8Array> {
    await this.#requireHere();
    const challenge = systemRandom(32);
    this.#challenges.add(toBase64(challenge));
    return challenge;
  }

  sealingKey = (): Promise<never> => Promise.reject(new Error('no index is stored here'));
  depositLeasedKey = (): Promise<never> => Promise.reject(new Error('no index is stored here'));
  lease = (): Promise<never> => Promise.reject(new Error('no index is stored here'));
  grantEgress = (): Promise<never> => Promise.reject(new Error('nothing is trained here'));

  async register({ daoId, challenge, issuedAtMs, expiresAtMs, payTo, bundle }: RegistrationRequest) {
    await this.#requireHere();
    const { claims, policy } = await this.#appraise(challenge, bundle, daoId, daoId);
    const latestMs = this.endorsedUntilMs;
    if (expiresAtMs > latestMs) throw refuse('INVALID_ARGUMENT', { latestMs: String(latestMs) });
    const statement = RunnerStatementBcs.serialize({
      chainId: (await this.world.chain.info()).chainId,
      daoId,
      profile: claims.profile,
      measurement: claims.measurement,
      signingPublicKey: claims.signingPublicKey,
      hpkePublicKey: claims.hpkePublicKey,
      appraisalPolicyDigest: appraisalPolicyDigest(policy.appraisal),
      payTo,
      issuedAtMs,
      expiresAtMs,
    }).toBytes();
    const { secretKey } = this.signing;
    const signature = await sign({ secretKey, domainTag: TAGS.runnerStatement, message: statement });
    return { statement: toBase64(statement), signature: toBase64(signature) };
  }

  async release(request: ReleaseRequest): Promise<ReleaseAnswer> {
    await this.#requireHere('release');
    this.releases.push(request);
    // One at a time, as a holder's log is written: entries of two sessions would lie between each other.
    const released = this.#logged.then(() => this.#release(request));
    this.#logged = released.catch(() => undefined);
    return released;
  }

  async #release(request: ReleaseRequest): Promise<ReleaseAnswer> {
    const { chain, holderSetId } = this.world;
    const job = await chain.job(request.jobId);
    const { claims } = await this.#appraise(request.challenge, request.bundle, job.id, job.daoId);
    const dao = await chain.dao(job.daoId);
    const atMs = asTimestampMs(Date.now());
    const entries: ReleaseEntry[] = [];
    const released: ContributionId[] = [];
    const firstIndex = this.#leaves.length;
    for (const contributionId of request.contributionIds) {
      const contribution = await chain.contribution(contributionId);
      const grants = await chain.grantsOf(contributionId);
      const dataset = await chain.dataset(job.datasetId);
      const isBare = this.misbehaviour === 'without-share';
      const decision = isBare
        ? refused('NOT_FOUND', { contributionId })
        : decide({ contribution, dataset, grants, dao, use: job, job, nowMs: Date.now() });
      const entry: ReleaseEntry = {
        holderSetId,
        shareIndex: isBare ? 0 : this.member + 1,
        grantId: decision.ok ? decision.value.grant.id : toHex32(new Uint8Array(32)),
        decision: decision.ok ? 'RELEASED' : decision.refusal.code,
      };
      const leaf: ReleaseLeaf = {
        ...entry,
        jobId: this.misbehaviour === 'other-leaf' ? toHex32(systemRandom(32)) : job.id,
        datasetId: job.datasetId,
        contributionId,
        purpose: job.purpose,
        kind: job.kind,
        protection: job.protection,
        measurement: claims.measurement,
        runnerSigningKey: claims.signingPublicKey,
        evidenceDigest: evidenceDigest(request.bundle),
        atMs,
      };
      const isLogged = this.misbehaviour !== 'unlogged';
      this.#leaves.push(leafHash(isLogged ? ReleaseLeafBcs.serialize(leaf).toBytes() : utf8('something else')));
      entries.push(entry);
      if (decision.ok) released.push(contributionId);
    }
    const log = new MerkleLog(this.#leaves);
    const sealedShares = await this.#seal(request, job, dao.policyDigest, released, claims.hpkePublicKey);
    return {
      entries,
      decidedAtMs: atMs,
      firstIndex,
      inclusionProof: log.rangeProof(firstIndex, entries.length).map((hash) => toBase64(hash)),
      head: await this.#head(),
      ...(released.length > 0 && { sealedShares }),
    };
  }

  /** Direct payout needs none of these; private payout is tested with the real holders, in test/payout. */
  deliverOpening = () => Promise.reject(refuse('INTERNAL'));
  openings = () => Promise.reject(refuse('INTERNAL'));
  countersign = () => Promise.reject(refuse('INTERNAL'));

  async #seal(
    request: ReleaseRequest,
    job: JobView,
    policyDigest: Digest,
    released: readonly ContributionId[],
    key: Uint8Array,
  ) {
    const { chainId, packageId } = await this.world.chain.info();
    const isWrong = this.misbehaviour === 'wrong-share';
    const shares = released.map((contributionId) => {
      const { index, value } = this.shares.get(contributionId)!;
      const given = isWrong ? value.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) : value;
      return ShareBcs.serialize({ index, value: given }).toBytes();
    });
    if (this.misbehaviour === 'swaps-shares') shares.push(shares.shift()!);
    const challenge = fromBase64(request.challenge);
    const asked = contributionListDigest(request.contributionIds);
    const sealed = await seal({
      recipientPublicKey: key,
      info: shareReleaseInfo({ chainId, packageId, policyDigest, challenge, jobId: job.id, asked }),
      aad: sealedSharesAad(this.misbehaviour === 'other-list' ? released.toReversed() : released),
      plaintext: Buffer.concat(shares),
    });
    return toBase64(sealed);
  }

  async #head() {
    const message = TreeHeadBcs.serialize({
      holderSetId: this.world.holderSetId,
      member: this.member,
      treeSize: this.#leaves.length,
      rootHash: toHex32<Digest>(rootOf(this.#leaves)),
      atMs: asTimestampMs(Date.now()),
    }).toBytes();
    const { secretKey } = this.misbehaviour === 'forged-head' ? generateSigningKey(systemRandom) : this.signing;
    const signature = await sign({ secretKey, domainTag: TAGS.treeHead, message });
    return { treeHead: toBase64(message), signature: toBase64(signature) };
  }

  async #appraise(challenge: string, bundle: ReleaseRequest['bundle'], jobId: Hex32, daoId: DaoId) {
    if (this.misbehaviour === 'refuses-attestation') throw refuse('ATTESTATION_REFUSED', { checks: 'MEASUREMENT' });
    if (!this.#challenges.delete(challenge)) throw refuse('CHALLENGE_UNKNOWN');
    const { policy } = await this.world.chain.dao(daoId);
    const ownChallenge = fromBase64(challenge);
    const context = { ownChallenge, jobId, nowMs: Date.now(), policy: policy.appraisal, roots: this.world.roots };
    const { claims, checks } = await appraiseEvidence(bundle, context);
    if (claims === undefined) throw refuse('ATTESTATION_REFUSED', { checks: JSON.stringify(checks) });
    return { claims, policy };
  }

  async #requireHere(asked = ''): Promise<void> {
    const { misbehaviour } = this;
    if (misbehaviour === 'slow' || misbehaviour === `slow-${asked}`) await new Promise(() => undefined);
    if (this.misbehaviour === 'away') throw refuse('UPSTREAM_UNAVAILABLE', { upstream: this.name });
  }
}

interface Contributed {
  readonly id: ContributionId;
  readonly owner: WalletSigner;
  readonly grantId: GrantId;
  readonly blobs: readonly BlobId[];
}

/** A real local chain, software TEE and store of blobs, three holders of which two are needed, and a client. */
class World {
  readonly founder = wallet();
  readonly requester = wallet();
  readonly blobs = new Map<BlobId, Uint8Array>();
  readonly holderSetId = deriveId<HolderSetId>('holder-set', null, this.founder.address, `0x${'01'.repeat(32)}`);
  readonly daoId = deriveId<DaoId>('dao', null, this.founder.address, `0x${'02'.repeat(32)}`);
  readonly datasetId = deriveId<DatasetId>('dataset', this.daoId, this.founder.address, `0x${'03'.repeat(32)}`);
  readonly holders: TestHolder[] = [];
  policy!: DaoPolicy;

  private constructor(
    readonly chain: Chain,
    readonly device: TeeDevice,
    readonly roots: RootSet,
  ) {}

  static async create(url: string): Promise<World> {
    const files = await createDevPki(Date.now());
    const device = await SoftwareTee.create({ pki: await loadDevPki(files), measurement: MEASUREMENT });
    const chain = new LocalChainClient({ url, lookUpAfterMs: [5] });
    const world = new World(chain, device, rootSetWithDevRoot(files.root));
    for (const member of [0, 1, 2]) {
      const [signing, sealing] = [generateSigningKey(systemRandom), await generateKeyPair(systemRandom)];
      world.holders.push(new TestHolder(member, world, signing, sealing));
    }
    await world.#found();
    return world;
  }

  async #found(): Promise<void> {
    this.policy = {
      pricePerQuestionUnits: asAmount(PRICE),
      purposes: [PURPOSE],
      kinds: ['rag'],
      protections: ['tee'],
      split: { contributorsBps: 7000, treasuryBps: 2000, runnerBps: 800, protocolBps: 200 },
      holderSetId: this.holderSetId,
      appraisal: { version: 1, profiles: ['software-dev'], measurements: [MEASUREMENT], resultTermMs: 60 * MINUTE_MS },
      verifierThreshold: 2,
      maxJobTermMs: 60 * MINUTE_MS,
      ...DEFAULT_DATA_RULES,
      onRevocation: 'finish',
    };
    const members = this.holders.map(({ signing, sealing }) => ({
      operator: this.founder.address,
      signingPublicKey: signing.publicKey,
      sealingPublicKey: sealing.publicKey,
    }));
    const metadataHash = toHex32<Digest>(systemRandom(32));
    await this.run(this.founder, { kind: 'createHolderSet', salt: `0x${'01'.repeat(32)}`, members, threshold: 2 });
    await this.run(this.founder, {
      kind: 'createDao',
      salt: `0x${'02'.repeat(32)}`,
      policy: this.policy,
      metadataHash,
      governance: DEFAULT_GOVERNANCE,
      payoutRules: DEFAULT_PAYOUT_RULES,
    });
    await this.run(this.founder, {
      kind: 'createDataset',
      salt: `0x${'03'.repeat(32)}`,
      daoId: this.daoId,
      metadataHash,
      answerRules: NO_ANSWER_RULES,
    });
    const amountUnits = asAmount(100_000n * PRICE);
    await this.run(this.requester, { kind: 'mint', to: this.requester.address, amountUnits });
  }

  run = (signer: WalletSigner, ...actions: ChainAction[]) => this.chain.execute(actions, signer);

  async contribute(
    fileName: string,
    content: string,
    keys?: ManifestKeys,
    purposes: readonly string[] = [PURPOSE],
  ): Promise<Contributed> {
    const [owner, mine] = [wallet(), salt()];
    const id = deriveId<ContributionId>('contribution', this.datasetId, owner.address, mine);
    const { chainId } = await this.chain.info();
    const context = fromHex(id);
    const dealt = deal({ threshold: 2, holderCount: 3, random: systemRandom });
    this.holders.forEach((holder, i) => holder.shares.set(id, dealt.shares[i]!));
    const sessionKey = deriveSessionKey({ domainTag: TAGS.sessionKey, secret: dealt.secret, context });
    const ciphertext: Uint8Array[] = [];
    const plaintext = streamOf(utf8(content));
    for await (const piece of encryptEnvelope({ source: plaintext, sessionKey, fileName, random: systemRandom })) {
      ciphertext.push(piece);
    }
    const part = Buffer.concat(ciphertext);
    const policyDigest = daoPolicyDigest(this.policy);
    const manifest = encodeManifest({
      version: 1,
      chainId,
      datasetId: this.datasetId,
      contributionId: id,
      owner: owner.address,
      salt: mine,
      holderSetId: this.holderSetId,
      keys: keys ?? { kind: 'holders', threshold: 2, holderCount: 3, commitments: dealt.commitments },
      parts: [{ blob: this.put(part), sha256: digestOf(part), sizeBytes: part.length }],
      keyCommitment: keyCommitment({ domainTag: TAGS.keyCommitment, sessionKey, context }),
      policyDigest,
      createdAtMs: asTimestampMs(Date.now()),
    });
    const digest = manifestDigest(manifest);
    const statement = walletStatementBytes({ action: WALLET_ACTIONS.manifest, chainId, digest });
    const signed = { manifest, signature: await owner.signPersonalMessage(statement) };
    const manifestBytes = SignedManifestBcs.serialize(signed).toBytes();
    const [partId, manifestId] = [this.put(part), this.put(manifestBytes)];
    const terms = {
      purposes: [...purposes],
      kinds: ['rag' as const],
      protections: ['tee' as const],
      priceFloorUnits: asAmount(PRICE),
      budgetMicroEpsilon: 0n,
      expiresAtMs: asTimestampMs(Date.now() + 1_000 * MINUTE_MS),
    };
    await this.run(
      owner,
      {
        kind: 'registerContribution',
        salt: mine,
        datasetId: this.datasetId,
        manifestDigest: digest,
        manifestBlob: { blob: manifestId, sizeBytes: manifestBytes.length, endEpoch: 9 },
        parts: [{ blob: partId, sizeBytes: part.length, endEpoch: 9 }],
        holderSetId: this.holderSetId,
        policyDigest,
      },
      { kind: 'giveGrant', salt: mine, contributionId: id, terms },
    );
    await this.run(this.founder, { kind: 'decideContribution', contributionId: id, accept: true });
    const blobs = [partId, manifestId].map((blob) => toBase64Url(fromHex(blob)) as BlobId);
    return { id, owner, grantId: deriveId<GrantId>('grant', id, owner.address, mine), blobs };
  }

  put(bytes: Uint8Array): Hex32 {
    const id = toHex32(sha256(bytes));
    this.blobs.set(toBase64Url(fromHex(id)) as BlobId, bytes);
    return id;
  }

  async fundJob(
    maxQuestions = 20,
    requester: WalletSigner = this.requester,
  ): Promise<{ job: JobView; clientKey: SigningKey }> {
    const clientKey = generateSigningKey(systemRandom);
    const jobSalt = salt();
    await this.run(requester, {
      kind: 'fundJob',
      salt: jobSalt,
      datasetId: this.datasetId,
      purpose: PURPOSE,
      computation: 'rag',
      protection: 'tee',
      policyVersion: 1,
      pricePerQuestionUnits: asAmount(PRICE),
      maxQuestions,
      termMs: 30 * MINUTE_MS,
      clientPublicKey: clientKey.publicKey,
    });
    return {
      job: await this.chain.job(deriveId<JobId>('job', this.datasetId, requester.address, jobSalt)),
      clientKey,
    };
  }

  balance = (account: Address) => this.chain.balanceOf(account);
}

/** The chain, but what sending a prepared transaction does is up to the test. `execute` (registration) works as ever. */
const chainThatSends = (chain: Chain, send: Chain['send']): Chain =>
  new Proxy(chain, {
    get: (target, name) => {
      const member: unknown = name === 'send' ? send : Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });

/** One life of the runner's process. */
class Life {
  readonly sessions: Sessions;
  readonly settler: Settler;
  readonly desk: QuestionDesk;

  private constructor(
    readonly context: RunnerContext,
    readonly lines: readonly string[],
  ) {
    this.sessions = new Sessions(context);
    this.settler = new Settler(context);
    this.desk = new QuestionDesk(context, this.sessions, this.settler);
  }

  static async begin(world: World, directory: string, changes: Partial<RunnerContext> = {}): Promise<Life> {
    const lines: string[] = [];
    const clock = changes.clock ?? new TestClock();
    const context: RunnerContext = {
      chain: world.chain,
      device: world.device,
      keys: await generateRunnerKeys(systemRandom),
      holders: world.holders,
      seal: null,
      blobs: {
        get: async (blobId) => {
          const bytes = world.blobs.get(blobId);
          if (bytes === undefined) throw refuse('BLOB_UNAVAILABLE', { blobId });
          return bytes;
        },
        getPatch: async () => Promise.reject(refuse('BLOB_UNAVAILABLE')),
      },
      wallet: wallet(),
      store: RunnerStore.openIn(directory),
      clock,
      random: systemRandom,
      logger: jsonLogger('runner', clock, (line) => lines.push(line)),
      ...changes,
    };
    return new Life(context, lines);
  }

  end(): void {
    this.sessions.endAll();
    this.context.store.close();
  }
}

interface Asked {
  readonly request: AskRequest;
  readonly response: HpkeKeyPair;
  readonly info: Parameters<typeof questionInfo>[0];
}

/** `written` is what the asker's client makes of the question. */
async function sealed(
  life: Life,
  job: JobView,
  clientKey: SigningKey,
  text: string,
  id?: QuestionId,
  written: (question: object) => string = JSON.stringify,
): Promise<Asked> {
  const { chainId, packageId } = await life.context.chain.info();
  const questionId = id ?? toHex32<QuestionId>(systemRandom(32));
  const response = await generateKeyPair(systemRandom);
  const info = {
    chainId,
    packageId,
    jobId: job.id,
    questionId,
    runnerSigningKey: life.context.keys.bound.signingPublicKey,
  };
  const question = { text, responsePublicKey: toBase64(response.publicKey), topK: 8 };
  const sealedQuestion = await seal({
    recipientPublicKey: life.context.keys.bound.hpkePublicKey,
    info: questionInfo(info),
    aad: new Uint8Array(),
    plaintext: utf8(written(question)),
  });
  const message = QuestionAuthorizationBcs.serialize({
    jobId: job.id,
    questionId,
    sealedQuestionSha256: digestOf(sealedQuestion),
  }).toBytes();
  const authorization = await sign({
    secretKey: clientKey.secretKey,
    domainTag: TAGS.questionAuthorization,
    message,
  });
  const request = { questionId, sealedQuestion: toBase64(sealedQuestion), authorization: toBase64(authorization) };
  return { request, response, info };
}

/** Where payout is direct, the asker is told who was used. */
type DirectAnswer = Answer & { readonly uses: Use[]; readonly usesSalt: Hex32 };

async function opened(answer: AskAnswer, { response, info }: Asked): Promise<DirectAnswer> {
  const plaintext = await open({
    privateKey: response.privateKey,
    info: answerInfo(info),
    aad: new Uint8Array(),
    sealed: fromBase64(answer.sealedAnswer!),
  });
  const parsed = zAnswer.parse(JSON.parse(fromUtf8(plaintext)));
  const { uses, usesSalt } = parsed;
  if (uses === null || usesSalt === null) throw new Error('the uses were kept back');
  return { ...parsed, uses, usesSalt };
}

async function ask(
  life: Life,
  job: JobView,
  clientKey: SigningKey,
  text: string,
): Promise<{ state: AskAnswer; answer: DirectAnswer }> {
  const asked = await sealed(life, job, clientKey, text);
  const state = await life.desk.ask(job.id, asked.request);
  return { state, answer: await opened(state, asked) };
}

const questionWith = (more: object) => (question: object) => JSON.stringify({ ...question, ...more });
const streaming = questionWith({ stream: true });
const by = (generator: 'extractive' | 'model') => questionWith({ generator });

async function untilKnown(life: Life, job: JobView, { request }: Asked): Promise<void> {
  const read = () => codeOf(Promise.resolve().then(() => life.desk.read(job.id, request.questionId)));
  await until(async () => (await read()) !== 'QUESTION_UNKNOWN');
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const PHRASE = 'seventeen amber lanterns';
const TEXTS = {
  hives: ['hives.md', `# Winter\nColonies need 20 kg of stores to survive the winter. Near the hive hang ${PHRASE}.\n`],
  prices: ['prices.csv', 'Product,Price\nHeather honey,24.50\nBeeswax,18.00\n'],
  pottery: ['pottery.txt', 'Stoneware clay matures at 1280 degrees in the kiln.\n'],
} as const;
const TWO_PLACES = 'How much stores do colonies need in winter, and what is the price of heather honey?';

describe('the runner on a real local chain', () => {
  let directory: string;
  let chainProcess: RunningChain;
  let world: World;
  let hives: Contributed;
  let prices: Contributed;
  let pottery: Contributed;
  let life: Life;
  let dataDir: string;
  let lives = 0;
  /** Asked by questions that are refused: they cost it nothing. */
  let malformed: { job: JobView; clientKey: SigningKey };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'runner-'));
    const logger = jsonLogger('chain', new TestClock(), () => undefined);
    chainProcess = await startLocalChain({
      host: '127.0.0.1',
      port: 0,
      allowedOrigins: [],
      logger,
      dataDir: join(directory, 'chain'),
      clock: new TestClock(),
      random: systemRandom,
    });
    world = await World.create(chainProcess.url);
    hives = await world.contribute(...TEXTS.hives);
    prices = await world.contribute(...TEXTS.prices);
    pottery = await world.contribute(...TEXTS.pottery);
    malformed = await world.fundJob();
  });
  afterAll(async () => {
    await chainProcess.close();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(async () => {
    dataDir = join(directory, `life-${lives++}`);
    life = await Life.begin(world, dataDir);
  });
  afterEach(() => {
    life.end();
    for (const holder of world.holders) holder.misbehaviour = null;
  });

  it('answers from two contributors, pays both by weight and the third nothing', async () => {
    const { job, clientKey } = await world.fundJob();
    const before = await Promise.all([hives, prices, pottery].map(({ owner }) => world.balance(owner.address)));
    const { state, answer } = await ask(life, job, clientKey, TWO_PLACES);
    expect(state.state).toBe('settled');
    expect(answer.generator).toBe('extractive');
    expect(answer.text).toMatch(/20 kg/);
    expect(answer.text).toMatch(/24\.50/);
    expect(new Set(answer.citations.map(({ contributionId }) => contributionId))).toEqual(
      new Set([hives.id, prices.id]),
    );
    const after = await Promise.all([hives, prices, pottery].map(({ owner }) => world.balance(owner.address)));
    const [first, second, third] = after.map((units, i) => units - before[i]!);
    expect(first! + second!).toBe(700_000n); // 70 % of 1,000,000
    const total = answer.uses.reduce((sum, { weight }) => sum + weight, 0n);
    const weightOfHives = answer.uses.find(({ contributionId }) => contributionId === hives.id)!.weight;
    expect(Number(first!)).toBeCloseTo((700_000 * Number(weightOfHives)) / Number(total), -1);
    expect(third).toBe(0n);
    expect(await world.balance(life.context.wallet.address)).toBe(80_000n); // 8 %
    const receipt = UsageReceiptBcs.parse(fromBase64(state.receipt!));
    expect(receipt.usesCommitment).toBe(usesCommitment(answer.usesSalt, answer.uses));
    expect(receipt.resultCommitment).toBe(resultCommitment(answer.resultSalt, answerResultBytes(answer)));
    expect(await world.chain.settledReceipt(job.id, receipt.questionId)).not.toBeNull();
  });

  it('weighs by the method that was asked for, and names it in the receipt', async () => {
    const { job, clientKey } = await world.fundJob();
    const asked = await sealed(life, job, clientKey, TWO_PLACES, undefined, (question) =>
      JSON.stringify({ ...question, attribution: 'max-shapley' }),
    );
    const state = await life.desk.ask(job.id, asked.request);
    const { uses, usesSalt } = await opened(state, asked);
    expect(uses.map(({ contributionId }) => contributionId).sort()).toEqual([hives.id, prices.id].sort());
    expect(UsageReceiptBcs.parse(fromBase64(state.receipt!))).toMatchObject({
      attributionMethod: 'max-shapley/v1',
      usesCommitment: usesCommitment(usesSalt, uses),
      priceUnits: PRICE,
    });
  });

  it('says that it does not know, and then nobody is paid and nothing is charged', async () => {
    const { job, clientKey } = await world.fundJob();
    const { state, answer } = await ask(life, job, clientKey, 'What is the capital of France?');
    expect(state.state).toBe('settled');
    expect(answer.uses).toEqual([]);
    expect((await world.chain.job(job.id)).escrowUnits).toBe(20n * PRICE);
  });

  it('uses one bundle with a challenge from every holder, and one release for many questions', async () => {
    const { job, clientKey } = await world.fundJob();
    world.holders.forEach((holder) => (holder.releases.length = 0));
    await ask(life, job, clientKey, 'What is the price of beeswax?');
    await ask(life, job, clientKey, 'What is the price of heather honey?');
    expect(world.holders.map((holder) => holder.releases.length)).toEqual([1, 1, 1]);
    const bundles = world.holders.map((holder) => toWireJson(holder.releases[0]!.bundle));
    expect(new Set(bundles).size).toBe(1);
    expect(new Set(world.holders.map((holder) => holder.releases[0]!.challenge)).size).toBe(3);
    expect(world.holders[0]!.releases[0]!.bundle.challenges).toHaveLength(3);
  });

  it('keeps no plaintext and no key on disk or in its log', async () => {
    const { job, clientKey } = await world.fundJob();
    const question = 'What hangs near the hive?';
    const { answer } = await ask(life, job, clientKey, question);
    expect(answer.text).toContain(PHRASE);
    const files = readdirSync(dataDir).map((name) => readFileSync(join(dataDir, name)));
    expect(files.some((bytes) => bytes.includes(job.id))).toBe(true);
    const { keys } = life.context;
    const secrets = [PHRASE, 'lanterns', 'hives.md', question, keys.hpke.privateKey, keys.signing.secretKey];
    for (const secret of secrets) {
      const needle = typeof secret === 'string' ? Buffer.from(secret) : Buffer.from(secret);
      expect(files.some((bytes) => bytes.includes(needle))).toBe(false);
    }
    expect(life.lines.join('\n')).not.toMatch(/lantern|hives\.md|near the hive/i);
  });

  it('leaves a revoked contribution out from the next question on', async () => {
    const extra = await world.contribute('lock.txt', 'The canal lock at Minden opens at dawn every weekday.');
    const { job, clientKey } = await world.fundJob();
    const question = 'When does the canal lock at Minden open?';
    expect((await ask(life, job, clientKey, question)).answer.uses.map((use) => use.contributionId)).toEqual([
      extra.id,
    ]);
    await world.run(extra.owner, { kind: 'revokeGrant', grantId: extra.grantId });
    const after = await ask(life, job, clientKey, question);
    expect(after.answer.citations).toEqual([]);
    expect(after.answer.text).not.toMatch(/dawn/);
    expect(life.sessions.view(job).documents).toBe(3);
  });

  it('gives nothing out that was revoked while a model searched', async () => {
    const extra = await world.contribute('sluice.txt', 'The sluice at Elsfleth is opened by nine men.');
    life.end();
    const embedder: Embedder = {
      modelHash: 'aa'.repeat(32),
      embed: async (texts, role) => {
        if (role === 'question') await world.run(extra.owner, { kind: 'revokeGrant', grantId: extra.grantId });
        return texts.map(() => Float32Array.of(1));
      },
    };
    life = await Life.begin(world, dataDir, { retrieval: { maker: new IndexProcess(), embedder } });
    const { job, clientKey } = await world.fundJob();
    const asked = await sealed(life, job, clientKey, 'How many men open the sluice at Elsfleth?');
    const door = new Refusals(life.context, life.sessions, life.desk);
    const refused = await door.ask(job.id, asked.request);
    expect(refused).toMatchObject({ state: 'failed', error: { code: 'GRANT_REVOKED' } });
    // Whoever relays it would read whose document answers this question; where uses are private, nobody may.
    expect(JSON.stringify([refused, await door.read(job.id, asked.request.questionId)])).not.toContain(extra.id);
    expect((await world.chain.job(job.id)).questionsSettled).toBe(0);
  });

  it('gives nothing out either that was revoked meanwhile, is cited and weighs nothing', async () => {
    const text = 'The brewery of Jever was founded in 1848.';
    const extra = await world.contribute('brewery.txt', text);
    await world.contribute('copy.txt', text);
    const { address } = extra.owner;
    await world.run(extra.owner, { kind: 'mint', to: address, amountUnits: asAmount(20n * PRICE) });
    life.end();
    const embedder: Embedder = {
      modelHash: 'cc'.repeat(32),
      embed: async (texts, role) => {
        if (role === 'question') await world.run(extra.owner, { kind: 'revokeGrant', grantId: extra.grantId });
        return texts.map(() => Float32Array.of(1));
      },
    };
    life = await Life.begin(world, dataDir, { retrieval: { maker: new IndexProcess(), embedder } });
    // Who asks about what is his own pays nobody for it.
    const { job, clientKey } = await world.fundJob(3, extra.owner);
    const asked = await sealed(life, job, clientKey, 'When was the brewery of Jever founded?');
    expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('GRANT_REVOKED');
  });

  it('is over where its session ends while what was revoked leaves the index, and nothing is worked on then', async () => {
    const text = 'The tannery at Barssel smokes on Sundays.';
    const first = await world.contribute('tannery.txt', text);
    await world.contribute('again.txt', text);
    life.end();
    const signals: AbortSignal[] = [];
    const reading = Promise.withResolvers<void>();
    const own = new IndexProcess();
    const maker: IndexMaker = {
      make: (texts, signal) => own.make(texts, signal),
      fit: (matrix, signal) => own.fit(matrix, signal),
      link: (dense, signal) => own.link(dense, signal),
      // What is indexed of both came from the first.
      read: (_texts, signal) => {
        signals.push(signal);
        reading.resolve();
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
      },
    };
    life = await Life.begin(world, dataDir, { retrieval: { maker } });
    const { job, clientKey } = await world.fundJob();
    const question = 'On which days smokes the tannery at Barssel?';
    expect((await ask(life, job, clientKey, question)).answer.text).toMatch(/Sundays/);
    await world.run(first.owner, { kind: 'revokeGrant', grantId: first.grantId });
    const asked = await sealed(life, job, clientKey, question);
    const refused = codeOf(life.desk.ask(job.id, asked.request));
    await reading.promise;
    life.sessions.end(job.id);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(await refused).toBe('ATTESTATION_STALE');
  });

  it('leaves a retired contribution out from the next question on', async () => {
    const extra = await world.contribute('weir.txt', 'The weir at Hoya is closed for repairs until October.');
    const { job, clientKey } = await world.fundJob();
    const question = 'Until when is the weir at Hoya closed?';
    expect((await ask(life, job, clientKey, question)).answer.text).toMatch(/October/);
    await world.run(extra.owner, { kind: 'tombstoneContribution', contributionId: extra.id });
    const after = await ask(life, job, clientKey, question);
    expect(after.answer.citations).toEqual([]);
    expect(after.answer.text).not.toMatch(/October/);
  });

  it('drops a retired contribution from open sessions before anybody asks, and signs that it did', async () => {
    const extra = await world.contribute('mole.txt', 'The mole of Norddeich is lit by forty lanterns.');
    const { job, clientKey } = await world.fundJob();
    expect((await ask(life, job, clientKey, 'How many lanterns light the mole?')).answer.text).toMatch(/forty/);
    const erase = () => eraseHere(life.context, life.sessions, { contributionId: extra.id });
    expect(await codeOf(erase())).toBe('FORBIDDEN');
    await reviewSessions(life.context, life.sessions);
    const [session] = life.sessions.all().filter((one) => one.job.id === job.id);
    expect(session!.contributionIds.has(extra.id)).toBe(true);

    await world.run(extra.owner, { kind: 'tombstoneContribution', contributionId: extra.id });
    const { statement, signature } = await erase();
    expect(session!.contributionIds.has(extra.id)).toBe(false);
    expect(life.sessions.view(job).leftOut).toContainEqual({ contributionId: extra.id, code: 'TOMBSTONED' });
    const { publicKey } = life.context.keys.signing;
    const message = fromBase64(statement);
    const signed = { publicKey, domainTag: TAGS.runnerErasure, message, signature: fromBase64(signature) };
    expect(await verify(signed)).toBe(true);
    expect(RunnerErasureBcs.parse(message)).toMatchObject({
      contributionId: extra.id,
      runnerSigningKey: publicKey,
      sessions: 1,
      storedIndexes: 0,
      hadStoredDocument: false,
    });
    expect(RunnerErasureBcs.parse(fromBase64((await erase()).statement)).sessions).toBe(0);
  });

  it('drops it from sessions that nobody asks anything', async () => {
    const extra = await world.contribute('pier.txt', 'The pier at Sahlenburg was built of larch in 1907.');
    const { job, clientKey } = await world.fundJob();
    expect((await ask(life, job, clientKey, 'Of what was the pier built?')).answer.text).toMatch(/larch/);
    await world.run(extra.owner, { kind: 'tombstoneContribution', contributionId: extra.id });
    await reviewSessions(life.context, life.sessions);
    const open = life.sessions.all().filter((one) => one.contributionIds.has(extra.id));
    expect(open).toEqual([]);
    expect((await ask(life, job, clientKey, 'Of what was the pier built?')).answer.text).not.toMatch(/larch/);
  });

  it.each([
    'away',
    'unlogged',
    'wrong-share',
    'swaps-shares',
    'other-list',
    'forged-head',
    'other-leaf',
    'without-share',
  ] as const)(
    'works with two holders while the third is %s, and not with one; goes on when they are back',
    async (misbehaviour) => {
      const { job, clientKey } = await world.fundJob();
      world.holders[1]!.misbehaviour = misbehaviour;
      expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
      life.sessions.endAll();
      world.holders[2]!.misbehaviour = misbehaviour;
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      if (misbehaviour === 'wrong-share' || misbehaviour === 'swaps-shares' || misbehaviour === 'without-share') {
        const code = misbehaviour === 'without-share' ? 'NOT_FOUND' : 'SHARE_INVALID';
        expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe(code);
      } else {
        const impatient = new QuestionDesk(life.context, life.sessions, life.settler, 1);
        expect((await impatient.ask(job.id, asked.request)).state).toBe('computing');
        while (life.sessions.view(job).error === null) await new Promise((resolve) => setTimeout(resolve, 5));
        expect(life.sessions.view(job)).toMatchObject({ state: 'attesting', error: { code: 'SHARES_INSUFFICIENT' } });
      }
      expect(life.context.store.find(job.id, asked.request.questionId)).toBeNull();
      for (const holder of world.holders) holder.misbehaviour = null;
      expect((await life.desk.ask(job.id, asked.request)).state).toBe('settled');
    },
  );

  it('is paid once where two runners have answered: the one whose receipt the chain took gives the answer', async () => {
    const { job, clientKey } = await world.fundJob();
    // The first one has signed and stored, and is gone before anything is sent.
    const cut = async () => Promise.reject(refuse('CHAIN_UNAVAILABLE'));
    const chain = new Proxy(world.chain, {
      get: (target, name) => {
        const member: unknown = name === 'send' || name === 'transaction' ? cut : Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    const directory = mkdtempSync(join(tmpdir(), 'second-runner-'));
    const gone = await Life.begin(world, mkdtempSync(join(tmpdir(), 'first-runner-')), { chain });
    const second = await Life.begin(world, directory);
    try {
      const asked = await sealed(gone, job, clientKey, 'What is the price of beeswax?');
      expect((await gone.desk.ask(job.id, asked.request)).state).toBe('settling');
      const { questionId } = asked.request;
      const again = await sealed(second, job, clientKey, 'What is the price of beeswax?', questionId);
      // What was sealed to the one opens for the other never.
      expect(await codeOf(second.desk.ask(job.id, { ...asked.request }))).toBe('ATTESTATION_STALE');
      const answer = await second.desk.ask(job.id, again.request);
      expect([answer.state, (await opened(answer, again)).text.length > 0]).toEqual(['settled', true]);
      // Back, and able to send.
      const back = new Settler({ ...gone.context, chain: world.chain });
      await back.resume();
      const late = gone.desk.read(job.id, questionId);
      expect([late.state, late.error?.code, late.sealedAnswer]).toEqual(['failed', 'RECEIPT_CONSUMED', null]);
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
    } finally {
      gone.end();
      second.end();
    }
  });

  it('does not wait for a holder that never answers, whatever it was asked', async () => {
    const { job, clientKey } = await world.fundJob();
    world.holders[1]!.misbehaviour = 'slow';
    const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
    expect((await life.desk.ask(job.id, asked.request)).state).toBe('settled');
    world.holders[1]!.misbehaviour = 'slow-release';
    life.sessions.endAll();
    expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
    world.holders[1]!.misbehaviour = null;
  });

  it('names a holder that gives wrong shares, and asks it last from then on', async () => {
    const { job, clientKey } = await world.fundJob();
    world.holders[0]!.misbehaviour = 'wrong-share';
    expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
    world.holders[0]!.misbehaviour = null;
    const named = life.lines.filter((line) => line.includes('release.bad_share'));
    expect(named.map((line) => (JSON.parse(line) as { indexes: number[] }).indexes)).toEqual([[1]]);
  });

  it('is registered for no longer than enough holders can vouch for', async () => {
    const other = await Life.begin(world, mkdtempSync(join(tmpdir(), 'registration-')), { clock: new TestClock() });
    const inMinutes = (minutes: number) => Date.now() + minutes * MINUTE_MS;
    const [first, second, third] = world.holders as [TestHolder, TestHolder, TestHolder];
    [second.endorsedUntilMs, third.endorsedUntilMs] = [inMinutes(20), inMinutes(12)];
    const dao = await world.chain.dao(world.daoId);
    await ensureRegistered(other.context, dao);
    const { expiresAtMs } = await world.chain.runner(dao.id, other.context.keys.runnerId);
    expect(expiresAtMs).toBeLessThanOrEqual(second.endorsedUntilMs);
    expect(expiresAtMs).toBeGreaterThan(inMinutes(19));
    [first.endorsedUntilMs, second.endorsedUntilMs] = [Date.now(), Date.now()];
    other.end();
    const late = await Life.begin(world, mkdtempSync(join(tmpdir(), 'registration-')), { clock: new TestClock() });
    expect(await codeOf(ensureRegistered(late.context, dao))).toBe('INVALID_ARGUMENT');
    for (const holder of world.holders) holder.endorsedUntilMs = Infinity;
    late.end();
  });

  it('is not registered, and answers nothing, when the holders refuse its evidence', async () => {
    const { job, clientKey } = await world.fundJob();
    for (const holder of world.holders.slice(1)) holder.misbehaviour = 'refuses-attestation';
    const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
    expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('ATTESTATION_REFUSED');
    expect(life.sessions.view(job)).toMatchObject({ state: 'failed', error: { code: 'ATTESTATION_REFUSED' } });
    for (const holder of world.holders) holder.misbehaviour = null;
    expect((await life.desk.ask(job.id, asked.request)).state).toBe('settled');
  });

  it('ends a session whose every document stays damaged, instead of waiting out its term', async () => {
    const whole = new Map(world.blobs);
    // A contribution puts its part and then its manifest.
    for (const [id, bytes] of [...whole].filter((_, i) => i % 2 === 0)) {
      world.blobs.set(
        id,
        bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
      );
    }
    const { job, clientKey } = await world.fundJob();
    const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
    expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('BLOB_MISMATCH');
    expect(life.sessions.view(job)).toMatchObject({ state: 'failed', error: { code: 'BLOB_MISMATCH' } });
    for (const [id, bytes] of whole) world.blobs.set(id, bytes);
  });

  it('says that nothing can be read when the store has let every lease end, waits no longer than the session, and costs nothing', async () => {
    const clock = new TestClock();
    const late = await Life.begin(world, mkdtempSync(join(tmpdir(), 'ended-leases-')), { clock });
    const before = await world.balance(world.requester.address);
    const { job, clientKey } = await world.fundJob();
    const whole = new Map(world.blobs);
    world.blobs.clear();
    const asked = await sealed(late, job, clientKey, 'What is the price of beeswax?');
    const refused = codeOf(late.desk.ask(job.id, asked.request));
    // The store may only be away, so it is tried again; meanwhile whoever looks sees what it waits for.
    const waits = () => late.sessions.view(job).error?.code === 'BLOB_UNAVAILABLE';
    while (!waits()) await new Promise((done) => setTimeout(done, 20));
    expect(late.sessions.view(job)).toMatchObject({ state: 'attesting', documents: 0 });
    clock.offsetMs = LIMITS.sessionTermMs;
    expect(await refused).toBe('BLOB_UNAVAILABLE');
    expect(late.sessions.view(job)).toMatchObject({ state: 'failed', error: { code: 'BLOB_UNAVAILABLE' } });
    await world.run(world.requester, { kind: 'closeJob', jobId: job.id });
    expect(await world.chain.job(job.id)).toMatchObject({ questionsSettled: 0, escrowUnits: 0n });
    expect(await world.balance(world.requester.address)).toBe(before);
    for (const [id, bytes] of whole) world.blobs.set(id, bytes);
    late.end();
  });

  it('goes on with what it has opened when the leases end in the middle of a job', async () => {
    const { job, clientKey } = await world.fundJob();
    expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
    const whole = new Map(world.blobs);
    world.blobs.clear();
    expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
    for (const [id, bytes] of whole) world.blobs.set(id, bytes);
  });

  it('leaves out what cannot be opened, with its reason, and answers from the rest', async () => {
    const broken = await world.contribute('broken.pdf', 'this is no PDF');
    const tampered = await world.contribute('tampered.txt', 'The zeppelin hangar is blue.');
    const missing = await world.contribute('missing.txt', 'The zeppelin hangar is green.');
    const part = world.blobs.get(tampered.blobs[0]!)!;
    world.blobs.set(
      tampered.blobs[0]!,
      part.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
    );
    world.blobs.delete(missing.blobs[1]!);
    const { job, clientKey } = await world.fundJob();
    expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
    expect(life.sessions.view(job).leftOut).toEqual(
      expect.arrayContaining([
        { contributionId: broken.id, code: 'FORMAT_BROKEN' },
        { contributionId: tampered.id, code: 'BLOB_MISMATCH' },
        { contributionId: missing.id, code: 'BLOB_UNAVAILABLE' },
      ]),
    );
  });

  it('waits where nothing opens and something of it may pass, and asks no second time for what stays unreadable', async () => {
    const broken = await world.contribute('broken too.pdf', 'this is no PDF either');
    const whole = new Map(world.blobs);
    world.blobs.clear();
    for (const id of broken.blobs) world.blobs.set(id, whole.get(id)!);
    const { job, clientKey } = await world.fundJob();
    const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
    const answered = life.desk.ask(job.id, asked.request);
    while (life.sessions.view(job).error === null) await new Promise((done) => setTimeout(done, 5));
    const { state, error } = life.sessions.view(job);
    expect([state, error!.code, error!.details['reasons']]).toEqual([
      'attesting',
      'BLOB_UNAVAILABLE',
      'BLOB_UNAVAILABLE, FORMAT_BROKEN',
    ]);
    for (const [id, bytes] of whole) world.blobs.set(id, bytes);
    expect((await answered).state).toBe('settled');
    expect(life.sessions.view(job).leftOut).toContainEqual({ contributionId: broken.id, code: 'FORMAT_BROKEN' });
    const releases = world.holders[0]!.releases.filter(({ jobId }) => jobId === job.id);
    expect(releases.length).toBeGreaterThan(1);
    expect(releases.filter(({ contributionIds }) => contributionIds.includes(broken.id))).toHaveLength(1);
  });

  it('asks no holder for a key that key servers give out, and leaves it out where it has none of them', async () => {
    const keyServers = [toHex32<Hex32>(systemRandom(32)), toHex32<Hex32>(systemRandom(32))];
    const sealed = { kind: 'seal' as const, threshold: 2, keyServers, encryptedSecret: new Uint8Array(300) };
    const { id } = await world.contribute('sealed.txt', 'The zeppelin hangar is red.', sealed);
    const { job, clientKey } = await world.fundJob();
    expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
    expect(life.sessions.view(job).leftOut).toContainEqual({ contributionId: id, code: 'KEY_MODE_UNAVAILABLE' });
    const asked = world.holders.flatMap(({ releases }) => releases.flatMap(({ contributionIds }) => contributionIds));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked).not.toContain(id);
  });

  describe('questions that are not what they must be', () => {
    it('refuses a signature of somebody else, another id, and a question sealed to another key', async () => {
      const { job, clientKey } = await world.fundJob();
      const stranger = await sealed(life, job, generateSigningKey(systemRandom), 'What is the price of beeswax?');
      expect(await codeOf(life.desk.ask(job.id, stranger.request))).toBe('SIGNATURE_INVALID');
      const good = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      const moved = { ...good.request, questionId: toHex32<QuestionId>(systemRandom(32)) };
      expect(await codeOf(life.desk.ask(job.id, moved))).toBe('SIGNATURE_INVALID');
      const other = await Life.begin(world, join(directory, 'other'));
      const stale = await sealed(other, job, clientKey, 'What is the price of beeswax?');
      other.end();
      expect(await codeOf(life.desk.ask(job.id, stale.request))).toBe('ATTESTATION_STALE');
      expect(await codeOf(life.desk.ask(toHex32(systemRandom(32)), good.request))).toBe('NOT_FOUND');
      expect(await codeOf(Promise.resolve().then(() => life.desk.read(job.id, moved.questionId)))).toBe(
        'QUESTION_UNKNOWN',
      );
    });

    it('refuses the same id with another question, and more questions than are paid for', async () => {
      const { job, clientKey } = await world.fundJob(1);
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      const other = await sealed(life, job, clientKey, 'What is the price of heather honey?', asked.request.questionId);
      const first = life.desk.ask(job.id, asked.request);
      const late = await sealed(life, job, clientKey, 'What is the price of heather honey?');
      await first;
      expect(await codeOf(life.desk.ask(job.id, other.request))).toBe('IDEMPOTENCY_KEY_REUSED');
      expect(await codeOf(life.desk.ask(job.id, late.request))).toBe('QUESTION_LIMIT');
    });

    it('answers every question that is paid for, also while the others are being settled', async () => {
      const { job, clientKey } = await world.fundJob(3);
      life.end();
      const heard = Promise.withResolvers<void>();
      const chain = chainThatSends(world.chain, async (transaction) => {
        const sent = await world.chain.send(transaction);
        await heard.promise;
        return sent;
      });
      life = await Life.begin(world, dataDir, { chain });
      const answers: Promise<string>[] = [];
      for (let settled = 1; settled <= 3; settled++) {
        const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
        const answer = life.desk.ask(job.id, asked.request);
        answers.push(answer.then(({ state }) => state));
        // The chain has them all; the runner has not heard so of any.
        await until(async () => (await world.chain.job(job.id)).questionsSettled === settled);
      }
      const late = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      expect(await codeOf(life.desk.ask(job.id, late.request))).toBe('QUESTION_LIMIT');
      heard.resolve();
      expect(await Promise.all(answers)).toEqual(['settled', 'settled', 'settled']);
    });

    it('refuses a job of another kind or protection than it can serve', async () => {
      const { job } = await world.fundJob();
      for (const other of [{ kind: 'train' }, { protection: 'mpc' }] as const) {
        expect(await codeOf(Promise.resolve().then(() => life.sessions.open({ ...job, ...other })))).toBe(
          'SCOPE_MISMATCH',
        );
      }
    });

    it('refuses a job that was closed', async () => {
      const { job, clientKey } = await world.fundJob();
      await world.run(world.requester, { kind: 'closeJob', jobId: job.id });
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('JOB_STATE');
      expect(life.sessions.view(await world.chain.job(job.id)).state).toBe('cancelled');
    });

    /** As asked over HTTP: what is refused for good comes signed. */
    const overHttp = (of: Life, job: JobView, { request }: Asked): Promise<AskAnswer> =>
      new Refusals(of.context, of.sessions, of.desk).ask(job.id, request);
    const refusalIn = ({ receipt }: AskAnswer) => decodeRefusal(fromBase64(receipt ?? ''));

    it.each<[string, object | string, string]>([
      ['empty', { text: '' }, 'INVALID_ARGUMENT'],
      ['of white space', { text: ' \n\t ' }, 'INVALID_ARGUMENT'],
      ['huge', { text: 'x'.repeat(4_001) }, 'INVALID_ARGUMENT'],
      ['no text', { text: 7 }, 'INVALID_ARGUMENT'],
      ['greedy', { topK: 33 }, 'INVALID_ARGUMENT'],
      ['without a key to answer to', { responsePublicKey: '' }, 'INVALID_ARGUMENT'],
      ['filtered by what is not known', { filter: { sql: '1=1' } }, 'INVALID_ARGUMENT'],
      ['filtered by formats that are none', { filter: { formats: ['exe'] } }, 'INVALID_ARGUMENT'],
      ['weighed by a method that is none', { attribution: 'mine' }, 'INVALID_ARGUMENT'],
      ['no JSON', '{"text": "What', 'MALFORMED_REQUEST'],
      ['no object', '[]', 'INVALID_ARGUMENT'],
    ])('refuses a question that is %s, signed, and charges nothing', async (_what, change, code) => {
      const { job, clientKey } = malformed;
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?', undefined, (question) =>
        typeof change === 'string' ? change : JSON.stringify({ ...question, ...change }),
      );
      const state = await overHttp(life, job, asked);
      expect(state).toMatchObject({ state: 'failed', sealedAnswer: null, settlement: null, error: { code } });
      const { keys } = life.context;
      expect(refusalIn(state)).toMatchObject({
        jobId: job.id,
        questionId: asked.request.questionId,
        sealedQuestionSha256: digestOf(fromBase64(asked.request.sealedQuestion)),
        code,
        priceUnits: 0n,
        signerPublicKey: keys.signing.publicKey,
      });
      const [message, signature] = [fromBase64(state.receipt!), fromBase64(state.signature!)];
      const { publicKey } = keys.signing;
      expect(await verify({ publicKey, domainTag: TAGS.refusalReceipt, message, signature })).toBe(true);
      expect(JSON.stringify(state)).not.toMatch(/beeswax|1=1/);
      expect((await world.chain.job(job.id)).escrowUnits).toBe(job.escrowUnits);
    });

    it('signs a refusal once, with the evidence that keys were released for, and tells it again', async () => {
      const { job, clientKey } = await world.fundJob(1);
      await ask(life, job, clientKey, 'What is the price of beeswax?');
      const late = await sealed(life, job, clientKey, 'What is the price of heather honey?');
      const door = new Refusals(life.context, life.sessions, life.desk);
      const first = await door.ask(job.id, late.request);
      expect(refusalIn(first)?.code).toBe('QUESTION_LIMIT');
      expect(refusalIn(first)?.evidenceDigest).toBe(
        evidenceDigest(world.holders[0]!.releases.findLast(({ jobId }) => jobId === job.id)!.bundle),
      );
      expect(await door.ask(job.id, late.request)).toEqual(first);
    });

    it('signs nothing for strangers, for what may pass, and for what is to be sealed anew', async () => {
      const { job, clientKey } = await world.fundJob();
      const door = new Refusals(life.context, life.sessions, life.desk);
      const stranger = await sealed(life, job, generateSigningKey(systemRandom), '');
      expect(await codeOf(door.ask(job.id, stranger.request))).toBe('SIGNATURE_INVALID');
      const another = await world.fundJob();
      const moved = await sealed(life, another.job, clientKey, 'What is the price of beeswax?');
      const { sealedQuestion, questionId } = moved.request;
      const ids = { jobId: job.id, questionId, sealedQuestionSha256: digestOf(fromBase64(sealedQuestion)) };
      const message = QuestionAuthorizationBcs.serialize(ids).toBytes();
      const domainTag = TAGS.questionAuthorization;
      const authorization = toBase64(await sign({ secretKey: clientKey.secretKey, domainTag, message }));
      // Ciphertext of another session, with a good signature for this one.
      expect(await codeOf(door.ask(job.id, { questionId, sealedQuestion, authorization }))).toBe('ATTESTATION_STALE');
      expect(await codeOf(door.read(job.id, toHex32(systemRandom(32))))).toBe('QUESTION_UNKNOWN');
    });

    it('never scores what is granted for another purpose, and says by a signed refusal when there is nothing else', async () => {
      const phrase = 'The ferry at Brake leaves at noon.';
      const { id } = await world.contribute('ferry.txt', phrase, undefined, ['DUO:0000006']);
      const searched: Corpus[] = [];
      const search = jest.spyOn(Corpus.prototype, 'search').mockImplementation(function (this: Corpus, ...call) {
        searched.push(this);
        search.mockRestore();
        return this.search(...call);
      });
      const { job, clientKey } = await world.fundJob();
      const { answer } = await ask(life, job, clientKey, 'When does the ferry at Brake leave?');
      expect(answer.text).not.toContain('noon');
      expect(searched).toHaveLength(1);
      expect(searched[0]!.contributionIds.has(hives.id)).toBe(true);
      expect(searched[0]!.contributionIds.has(id)).toBe(false);
      expect(searched[0]!.passages.some(({ text }) => text.includes('ferry'))).toBe(false);

      const bare = new Proxy(world.chain, {
        get: (target, name) => {
          if (name === 'grantsOfEach') return async (ids: readonly unknown[]) => ids.map(() => []);
          const member: unknown = Reflect.get(target, name);
          return typeof member === 'function' ? (member.bind(target) as unknown) : member;
        },
      });
      const ungranted = await Life.begin(world, join(directory, 'ungranted'), { chain: bare });
      const other = await world.fundJob();
      const asked = await sealed(ungranted, other.job, other.clientKey, 'When does the ferry at Brake leave?');
      const state = await overHttp(ungranted, other.job, asked);
      ungranted.end();
      expect(refusalIn(state)).toMatchObject({ code: 'NO_USABLE_DATA', evidenceDigest: NO_EVIDENCE });
    });
  });

  describe('the rules of a dataset', () => {
    const setRules = (rules: Partial<AnswerRules>) =>
      world.run(world.founder, {
        kind: 'setAnswerRules',
        datasetId: world.datasetId,
        answerRules: { ...NO_ANSWER_RULES, ...rules },
      });
    afterEach(() => setRules({}));
    /** Of what askers were shown, by the file of this runner. */
    const shownRows = (): number => {
      const file = new DatabaseSync(join(dataDir, 'runner.sqlite'), { readOnly: true });
      const sql = 'select (select count(*) from shown_passages) + (select count(*) from shown_spans) as n';
      const rows = Number(file.prepare(sql).get()!['n']);
      file.close();
      return rows;
    };

    it('withhold what too few people say, and nobody is paid for it', async () => {
      await setRules({ minContributors: 2 });
      const { job, clientKey } = await world.fundJob();
      const { answer } = await ask(life, job, clientKey, 'What is the price of beeswax?');
      expect(answer.text).toBe('Withheld: 1 that rest on fewer contributors than this dataset asks for.');
      expect(answer).toMatchObject({ sentences: [], citations: [], uses: [] });
      expect((await world.chain.job(job.id)).escrowUnits).toBe(job.escrowUnits);
    });

    it.each(['author', 'title'])(
      'tell nothing of the %s where they ask for several people, by a filter neither',
      async (name) => {
        await setRules({ minContributors: 2 });
        const { job, clientKey } = await world.fundJob();
        const filtered = (question: object) => JSON.stringify({ ...question, filter: { [name]: 'a' } });
        const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?', undefined, filtered);
        await expect(life.desk.ask(job.id, asked.request)).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
          details: { field: `filter.${name}` },
        });
      },
    );

    it('quote no more than they allow, over jobs and lives of the runner', async () => {
      await setRules({ maxQuoteChars: 30 });
      const question = 'How much stores do colonies need to survive the winter?';
      const first = await world.fundJob();
      const { answer } = await ask(life, first.job, first.clientKey, question);
      expect(answer.text).toBe('Colonies need 20 kg of stores… [1]');
      expect(answer.citations[0]!.quote).toBe('Colonies need 20 kg of stores…');
      const next = await Life.begin(world, dataDir, { wallet: life.context.wallet });
      const second = await world.fundJob();
      const { answer: again } = await ask(next, second.job, second.clientKey, 'What hangs near the hive?');
      next.end();
      expect(again.text).toMatch(/^Withheld: 1 that would quote more|^Near the hive hang/);
      expect(again.text).not.toContain(PHRASE);
    });

    it('hold for an answer that a model still searches for when they are set', async () => {
      let isSet = false;
      life.end();
      const embedder: Embedder = {
        modelHash: 'dd'.repeat(32),
        embed: async (texts, role) => {
          if (role === 'question' && !isSet) await setRules({ minContributors: 2 });
          isSet ||= role === 'question';
          return texts.map(() => Float32Array.of(1));
        },
      };
      life = await Life.begin(world, dataDir, { retrieval: { maker: new IndexProcess(), embedder } });
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('POLICY_OUTDATED');
      const { answer } = await ask(life, job, clientKey, 'What is the price of beeswax?');
      expect(answer.text).toMatch(/^Withheld: 1 that rest on fewer contributors/);
    });

    it('keep nothing of what was erased while an answer was made from it', async () => {
      await setRules({ maxQuoteChars: 1_000 });
      const extra = await world.contribute('buoy.txt', 'The buoy off Tossens rings every ninety seconds.');
      life.end();
      const embedder: Embedder = {
        modelHash: 'bb'.repeat(32),
        embed: async (texts, role) => {
          if (role === 'question') {
            await world.run(extra.owner, { kind: 'tombstoneContribution', contributionId: extra.id });
            await eraseHere(life.context, life.sessions, { contributionId: extra.id });
          }
          return texts.map(() => Float32Array.of(1));
        },
      };
      life = await Life.begin(world, dataDir, { retrieval: { maker: new IndexProcess(), embedder } });
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, 'How often does the buoy off Tossens ring?');
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('TOMBSTONED');
      expect(shownRows()).toBe(0);
    });

    it('keep nothing of what was retired before a question, once its session was looked at', async () => {
      await setRules({ maxQuoteChars: 1_000 });
      const extra = await world.contribute('beacon.txt', 'The beacon of Eckwarden is fed with tallow.');
      const { job, clientKey } = await world.fundJob();
      const question = 'With what is the beacon of Eckwarden fed?';
      expect((await ask(life, job, clientKey, question)).answer.text).toMatch(/tallow/);
      expect(shownRows()).toBeGreaterThan(0);
      await world.run(extra.owner, { kind: 'tombstoneContribution', contributionId: extra.id });
      await ask(life, job, clientKey, question);
      await reviewSessions(life.context, life.sessions);
      expect(shownRows()).toBe(0);
    });

    it('keep nothing of what was retired when no session was there to see it, once another one begins', async () => {
      await setRules({ maxQuoteChars: 1_000 });
      const extra = await world.contribute('winch.txt', 'The winch of Fedderwarden was forged in Essen.');
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, 'Where was the winch of Fedderwarden forged?');
      expect(shownRows()).toBeGreaterThan(0);
      life.sessions.end(job.id);
      await world.run(extra.owner, { kind: 'tombstoneContribution', contributionId: extra.id });
      const next = await world.fundJob();
      expect((await ask(life, next.job, next.clientKey, 'Who flies to the moon?')).answer.citations).toEqual([]);
      expect(shownRows()).toBe(0);
    });

    it('end the reach of an asker by a signed refusal', async () => {
      await setRules({ maxReachBps: 1 });
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      const state = await new Refusals(life.context, life.sessions, life.desk).ask(job.id, asked.request);
      expect(decodeRefusal(fromBase64(state.receipt!))).toMatchObject({ code: 'REACH_LIMIT', priceUnits: 0n });
      expect((await world.chain.job(job.id)).escrowUnits).toBe(job.escrowUnits);
    });

    it('have nothing to do with what an asker owns himself: that is free, and others are paid for the rest', async () => {
      const { job } = await world.fundJob();
      const clientKey = generateSigningKey(systemRandom);
      const amountUnits = asAmount(100n * PRICE);
      await world.run(hives.owner, { kind: 'mint', to: hives.owner.address, amountUnits });
      const jobSalt = salt();
      const { datasetId, chain } = world;
      await world.run(hives.owner, {
        kind: 'fundJob',
        salt: jobSalt,
        datasetId,
        purpose: PURPOSE,
        computation: 'rag',
        protection: 'tee',
        policyVersion: job.policyVersion,
        pricePerQuestionUnits: asAmount(PRICE),
        maxQuestions: 3,
        termMs: 30 * MINUTE_MS,
        clientPublicKey: clientKey.publicKey,
      });
      const own = await chain.job(deriveId<JobId>('job', datasetId, hives.owner.address, jobSalt));
      const alone = await ask(life, own, clientKey, 'How much stores do colonies need to survive the winter?');
      expect(alone.answer.citations.map(({ contributionId }) => contributionId)).toEqual([hives.id]);
      expect(alone.answer.uses).toEqual([]);
      const before = await world.balance(prices.owner.address);
      const both = await ask(life, own, clientKey, TWO_PLACES);
      expect(both.answer.uses.map(({ contributionId }) => contributionId)).toEqual([prices.id]);
      expect((await world.balance(prices.owner.address)) - before).toBe(700_000n);
      expect((await chain.job(own.id)).escrowUnits).toBe(2n * PRICE);
    });
  });

  describe('once, whatever happens in between', () => {
    it('gives the same answer to a question that is sent three times, and is paid once', async () => {
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      const [first, second] = await Promise.all([1, 2].map(() => life.desk.ask(job.id, asked.request)));
      const third = await life.desk.ask(job.id, asked.request);
      expect(second).toEqual(first);
      expect(third).toEqual(first);
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
    });

    it('goes on after a kill between storing and sending: settled once, the same answer, by a process with other keys', async () => {
      const { job, clientKey } = await world.fundJob();
      life.end();
      const chain = chainThatSends(world.chain, () => Promise.reject(refuse('CHAIN_UNAVAILABLE')));
      life = await Life.begin(world, dataDir, { chain });
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      const pending = await life.desk.ask(job.id, asked.request);
      expect(pending).toMatchObject({ state: 'settling', sealedAnswer: null });
      life.end();

      life = await Life.begin(world, dataDir);
      expect(life.desk.read(job.id, asked.request.questionId).state).toBe('settling');
      await life.settler.resume();
      const settled = life.desk.read(job.id, asked.request.questionId);
      expect(settled.state).toBe('settled');
      expect(settled.receipt).toBe(pending.receipt);
      expect((await opened(settled, asked)).text).toMatch(/18\.00/);
      await life.settler.resume();
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
      const again = await sealed(life, job, clientKey, 'What is the price of beeswax?', asked.request.questionId);
      expect((await life.desk.ask(job.id, again.request)).receipt).toBe(pending.receipt);
    });

    it('looks up a settlement whose answer was lost, and does not send another', async () => {
      const { job, clientKey } = await world.fundJob();
      const sent: Digest[] = [];
      const chain = chainThatSends(world.chain, async (transaction) => {
        sent.push(transaction.digest);
        await world.chain.send(transaction);
        throw refuse('SETTLEMENT_UNKNOWN', { digest: transaction.digest });
      });
      life.end();
      life = await Life.begin(world, dataDir, { chain });
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      expect((await life.desk.ask(job.id, asked.request)).state).toBe('settling');
      const settled = await life.desk.ask(job.id, asked.request);
      expect(settled.state).toBe('settled');
      expect(sent).toEqual([settled.settlement!.transaction]);
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
    });

    it('signs the settlement anew when the first can no longer happen, for the same receipt', async () => {
      const { job, clientKey } = await world.fundJob();
      let isDown = true;
      const chain = chainThatSends(world.chain, (transaction) =>
        isDown ? Promise.reject(refuse('SETTLEMENT_UNKNOWN')) : world.chain.send(transaction),
      );
      const clock = new TestClock();
      life.end();
      life = await Life.begin(world, dataDir, { chain, clock });
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      const pending = await life.desk.ask(job.id, asked.request);
      expect(pending.state).toBe('settling');
      isDown = false;
      clock.offsetMs = LIMITS.transactionTermMs + LIMITS.clockSkewMs + 1_000;
      await life.settler.resume();
      clock.offsetMs = 0;
      await life.settler.resume();
      const settled = life.desk.read(job.id, asked.request.questionId);
      expect(settled.state).toBe('settled');
      expect(settled.receipt).toBe(pending.receipt);
      expect(settled.settlement!.transaction).not.toBe(pending.settlement!.transaction);
    });

    it('fails, and gives no answer out, when the job was closed before its receipt came', async () => {
      const { job, clientKey } = await world.fundJob();
      let isDown = true;
      const chain = chainThatSends(world.chain, (transaction) =>
        isDown ? Promise.reject(refuse('SETTLEMENT_UNKNOWN')) : world.chain.send(transaction),
      );
      life.end();
      life = await Life.begin(world, dataDir, { chain });
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      await life.desk.ask(job.id, asked.request);
      isDown = false;
      await world.run(world.requester, { kind: 'closeJob', jobId: job.id });
      await life.settler.resume();
      expect(life.desk.read(job.id, asked.request.questionId)).toMatchObject({
        state: 'failed',
        sealedAnswer: null,
        error: { code: 'JOB_STATE' },
      });
    });
  });

  describe('an answer in pieces', () => {
    const QUESTION = 'What is the price of beeswax?';
    /** Those that come; after one that says what is being done, those that come within a moment. */
    const lines = async (of: Life, job: JobView, { request }: Asked, after = 0): Promise<StreamLine[]> => {
      const found: StreamLine[] = [];
      const left = new AbortController();
      for await (const line of of.desk.lines(job.id, request.questionId, after, left.signal)) {
        found.push(line);
        if (line.kind === 'progress') setTimeout(() => left.abort(), 700);
      }
      return found;
    };
    const kinds = (of: readonly StreamLine[]) => of.map((line) => (line.kind === 'progress' ? line.phase : line.kind));
    const streamed = (job: JobView, clientKey: SigningKey) =>
      sealed(life, job, clientKey, QUESTION, undefined, streaming);
    const withChainThatIsDown = async () => {
      const down = { isDown: true };
      const chain = chainThatSends(world.chain, (transaction) =>
        down.isDown ? Promise.reject(refuse('CHAIN_UNAVAILABLE')) : world.chain.send(transaction),
      );
      life.end();
      life = await Life.begin(world, dataDir, { chain });
      return down;
    };

    it('comes when it is paid, and from where its reader left off', async () => {
      const { job, clientKey } = await world.fundJob();
      const asked = await streamed(job, clientKey);
      await expect(life.desk.lines(job.id, asked.request.questionId, 0, AbortSignal.timeout(9)).next()).rejects.toThrow(
        expect.objectContaining({ code: 'QUESTION_UNKNOWN' }),
      );
      const answering = life.desk.ask(job.id, asked.request);
      const isPaid = async () => (await world.chain.settledReceipt(job.id, asked.request.questionId)) !== null;
      await untilKnown(life, job, asked);
      const seen: [string, boolean][] = [];
      const signal = AbortSignal.timeout(20_000);
      for await (const line of life.desk.lines(job.id, asked.request.questionId, 0, signal))
        seen.push([line.kind, await isPaid()]);
      const answer = await opened(await answering, asked);
      expect(seen.filter(([kind]) => kind === 'record')).toHaveLength(answer.sentences.length + 1);
      expect(seen.filter(([kind]) => kind === 'record').every(([, paid]) => paid)).toBe(true);
      const rest = await lines(life, job, asked, 1);
      expect(rest.map((line) => (line.kind === 'record' ? line.seq : line.kind))).toEqual(
        answer.sentences.map((_, i) => i + 1),
      );
    });

    it('does not come before the chain has settled it, however long that takes', async () => {
      const down = await withChainThatIsDown();
      const { job, clientKey } = await world.fundJob();
      const asked = await streamed(job, clientKey);
      expect((await life.desk.ask(job.id, asked.request)).state).toBe('settling');
      expect(kinds(await lines(life, job, asked))).toEqual(['settling']);
      down.isDown = false;
      await life.settler.resume();
      expect(new Set(kinds(await lines(life, job, asked)))).toEqual(new Set(['record']));
    });

    it('never comes when its requester closes the job first', async () => {
      const down = await withChainThatIsDown();
      const { job, clientKey } = await world.fundJob();
      const asked = await streamed(job, clientKey);
      await life.desk.ask(job.id, asked.request);
      down.isDown = false;
      await world.run(world.requester, { kind: 'closeJob', jobId: job.id });
      await life.settler.resume();
      expect(await lines(life, job, asked)).toEqual([
        { kind: 'failed', error: expect.objectContaining({ code: 'JOB_STATE' }) },
      ]);
    });

    it('is whole after a restart: the same answer, asked again under the same id and paid once', async () => {
      const { job, clientKey } = await world.fundJob();
      const asked = await streamed(job, clientKey);
      const before = await life.desk.ask(job.id, asked.request);
      life.end();
      life = await Life.begin(world, dataDir);
      expect(await lines(life, job, asked)).toEqual([{ kind: 'whole' }]);
      const again = await sealed(life, job, clientKey, QUESTION, asked.request.questionId, streaming);
      expect((await life.desk.ask(job.id, again.request)).receipt).toBe(before.receipt);
      expect(await lines(life, job, asked)).toEqual([{ kind: 'whole' }]);
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
    });

    it('starts anew when the runner dies before it has stored an answer: paid once', async () => {
      const { job, clientKey } = await world.fundJob();
      life.end();
      const write = () => new Promise<never>(() => undefined);
      const generators = [
        modelGenerator({ model: { name: 'x', sha256: toHex32(new Uint8Array(32)) }, write }, systemRandom),
      ];
      life = await Life.begin(world, dataDir, { generators });
      const asked = await streamed(job, clientKey);
      life.desk.ask(job.id, asked.request).catch(() => undefined);
      await untilKnown(life, job, asked);
      expect(kinds(await lines(life, job, asked))).toEqual(['computing']);
      life.end();
      life = await Life.begin(world, dataDir);
      await expect(life.desk.lines(job.id, asked.request.questionId, 0, AbortSignal.timeout(9)).next()).rejects.toThrow(
        expect.objectContaining({ code: 'QUESTION_UNKNOWN' }),
      );
      const again = await sealed(life, job, clientKey, QUESTION, asked.request.questionId, streaming);
      expect((await life.desk.ask(job.id, again.request)).state).toBe('settled');
      expect(kinds(await lines(life, job, again))[0]).toBe('record');
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
    });

    it('is whole for who wanted no pieces', async () => {
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, QUESTION);
      await life.desk.ask(job.id, asked.request);
      expect(await lines(life, job, asked)).toEqual([{ kind: 'whole' }]);
    });
  });

  describe('a language model that answers', () => {
    const QUESTION = 'What is the price of beeswax?';
    const MODEL = { name: 'small-7b', sha256: toHex32<Digest>(new Uint8Array(32).fill(7)) };
    const writing = async (write: ModelWriter['write']): Promise<void> => {
      life.end();
      const generators = [modelGenerator({ model: MODEL, write }, systemRandom), EXTRACTIVE];
      life = await Life.begin(world, dataDir, { generators });
    };

    it('is named by its hash in the receipt, and whom it cites is paid', async () => {
      await writing(async ({ user }) => `Beeswax costs 18.00 [${/document (\d+) [^[]*Beeswax/.exec(user)?.[1]}].`);
      const { job, clientKey } = await world.fundJob();
      const before = await world.balance(prices.owner.address);
      const { state, answer } = await ask(life, job, clientKey, QUESTION);
      expect(answer).toMatchObject({ generator: 'model', model: MODEL, text: 'Beeswax costs 18.00. [1]' });
      expect(UsageReceiptBcs.parse(fromBase64(state.receipt!)).modelHash).toBe(MODEL.sha256);
      expect((await world.balance(prices.owner.address)) - before).toBe(700_000n); // 70 % of 1,000,000
    });

    it('is not replaced where it is away: nothing is charged, and who asks for sentences of documents gets them', async () => {
      await writing(() => Promise.reject(refuse('GENERATOR_UNAVAILABLE', { model: MODEL.name })));
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, QUESTION);
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('GENERATOR_UNAVAILABLE');
      expect(life.desk.read(job.id, asked.request.questionId)).toMatchObject({
        state: 'failed',
        error: { code: 'GENERATOR_UNAVAILABLE' },
      });
      const other = await sealed(life, job, clientKey, QUESTION, undefined, by('extractive'));
      const state = await life.desk.ask(job.id, other.request);
      expect(await opened(state, other)).toMatchObject({ generator: 'extractive' });
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
      expect(UsageReceiptBcs.parse(fromBase64(state.receipt!)).modelHash).toBe(`0x${'0'.repeat(64)}`);
    });

    it('is not there where none is configured', async () => {
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, QUESTION, undefined, by('model'));
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('INVALID_ARGUMENT');
    });

    it('gives nothing out that was revoked while it wrote', async () => {
      const lamp = await world.contribute('lamp.txt', 'The lighthouse lamp burns 12 litres of oil each night.\n');
      await writing(async ({ user }) => {
        await world.run(lamp.owner, { kind: 'revokeGrant', grantId: lamp.grantId });
        return `The lighthouse lamp burns 12 litres of oil [${/document (\d+) [^[]*lighthouse/.exec(user)?.[1]}].`;
      });
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, 'How much oil does the lighthouse lamp burn?');
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('GRANT_REVOKED');
      expect((await world.chain.job(job.id)).questionsSettled).toBe(0);
    });

    it('is left alone when its session ends', async () => {
      const { job, clientKey } = await world.fundJob();
      await writing(async (_prompt, signal) => {
        life.sessions.end(job.id);
        if (!signal.aborted) throw new Error('the session goes on');
        throw refuse('GENERATOR_UNAVAILABLE');
      });
      const asked = await sealed(life, job, clientKey, QUESTION);
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('GENERATOR_UNAVAILABLE');
    });
  });

  describe('a session that stands on nothing any more', () => {
    const QUESTION = 'What is the price of beeswax?';
    let clock: TestClock;
    /** What the chain shows instead of what it has. */
    let shown: Partial<Chain>;
    beforeEach(async () => {
      clock = new TestClock();
      shown = {};
      const chain = new Proxy(world.chain, {
        get: (target, name) => {
          // What is shown comes without its events: such a chain has no position, and is read anew for each question.
          if (name === 'position') return undefined;
          const member: unknown = Reflect.get(shown, name) ?? Reflect.get(target, name);
          return typeof member === 'function' ? (member.bind(target) as unknown) : member;
        },
      });
      life.end();
      life = await Life.begin(world, dataDir, { clock, chain });
    });
    afterEach(() => {
      for (const holder of world.holders) holder.endorsedUntilMs = Infinity;
    });
    const asAnother = (policy: Partial<DaoPolicy['appraisal']>): void => {
      shown.dao = async (id) => {
        const dao = await world.chain.dao(id);
        return { ...dao, policy: { ...dao.policy, appraisal: { ...dao.policy.appraisal, ...policy } as never } };
      };
    };
    const rows: [string, string, (job: JobView) => unknown][] = [
      ['its job was closed', 'JOB_STATE', ({ id }) => world.run(world.requester, { kind: 'closeJob', jobId: id })],
      ['its measurement was withdrawn', 'ATTESTATION_REFUSED', () => asAnother({ measurements: ['ef'.repeat(48)] })],
      ['evidence is appraised otherwise', 'ATTESTATION_STALE', () => asAnother({ version: 99 })],
      [
        'this runner was withdrawn',
        'RUNNER_NOT_REGISTERED',
        () => (shown.runner = async () => Promise.reject(refuse('NOT_FOUND'))),
      ],
      [
        'its dataset was retired',
        'TOMBSTONED',
        () =>
          (shown.dataset = async (id) => ({
            ...(await world.chain.dataset(id)),
            tombstonedAtMs: asTimestampMs(Date.now()),
          })),
      ],
      [
        'its DAO was paused',
        'DAO_PAUSED',
        () => (shown.dao = async (id) => ({ ...(await world.chain.dao(id)), paused: true })),
      ],
    ];
    it.each(rows)('ends with the next question: %s', async (_what, code, change) => {
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, QUESTION);
      const [session] = life.sessions.all();
      const next = await sealed(life, job, clientKey, QUESTION);
      await change(job);
      expect(await codeOf(life.desk.ask(job.id, next.request))).toBe(code);
      expect([session!.isOver, session!.contributionIds.size, session!.error?.code]).toEqual([true, 0, code]);
    });

    it.each(rows)('ends where nobody asks anything: %s', async (_what, code, change) => {
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, QUESTION);
      const [session] = life.sessions.all();
      await reviewSessions(life.context, life.sessions);
      expect(life.sessions.all()).toEqual([session]);
      await change(job);
      await reviewSessions(life.context, life.sessions);
      expect([life.sessions.all(), session!.isOver, session!.contributionIds.size]).toEqual([[], true, 0]);
      expect(life.lines.some((line) => line.includes('session.ended') && line.includes(code))).toBe(true);
    });

    describe('by what the DAO decided of data that is withdrawn', () => {
      let locks = 0;
      const decide = (onRevocation: DaoPolicy['onRevocation']): void => {
        shown.dao = async (id) => {
          const dao = await world.chain.dao(id);
          return { ...dao, policy: { ...dao.policy, onRevocation } };
        };
      };
      const WAYS: [string, string, (extra: Contributed) => unknown][] = [
        ['revoked', 'GRANT_REVOKED', ({ owner, grantId }) => world.run(owner, { kind: 'revokeGrant', grantId })],
        [
          'retired',
          'TOMBSTONED',
          ({ owner, id }) => world.run(owner, { kind: 'tombstoneContribution', contributionId: id }),
        ],
        [
          'expired',
          'GRANT_EXPIRED',
          ({ grantId }) =>
            (shown.grantsOfEach = async (ids) => {
              const all = await world.chain.grantsOfEach(ids);
              const ended = (grant: GrantView): GrantView => ({
                ...grant,
                terms: { ...grant.terms, expiresAtMs: asTimestampMs(Date.now() - MINUTE_MS) },
              });
              return all.map((grants) => grants.map((one) => (one.id === grantId ? ended(one) : one)));
            }),
        ],
      ];
      /** A session that has used one more contribution than the others of these tests. */
      const using = async (way = '') => {
        // No event tells that a grant has expired, and this one only seems to: so nothing that was read is kept.
        if (way === 'expired') shown.position = async () => null as never;
        locks += 1;
        const question = `Who keeps sluice Wietzenbruch${locks}?`;
        const extra = await world.contribute('lock.txt', `Sluice Wietzenbruch${locks} is kept by the miller.`);
        const funded = await world.fundJob(5);
        const { answer } = await ask(life, funded.job, funded.clientKey, question);
        expect(answer.uses.map(({ contributionId }) => contributionId)).toContain(extra.id);
        const [session] = life.sessions.all().filter(({ job }) => job.id === funded.job.id);
        return { extra, question, session: session!, ...funded };
      };
      const codeOfAsking = async (job: JobView, clientKey: SigningKey): Promise<string> => {
        const { request } = await sealed(life, job, clientKey, QUESTION);
        return codeOf(life.desk.ask(job.id, request));
      };

      it.each(WAYS)('ends the job for good, and what is not spent comes back: %s', async (way, reason, withdraw) => {
        decide('cancel');
        const { extra, session, job, clientKey } = await using(way);
        await withdraw(extra);
        expect(await codeOfAsking(job, clientKey)).toBe('DATA_WITHDRAWN');
        expect(session.error?.details).toEqual({ jobId: job.id, contributionId: extra.id, reason });
        expect([session.isOver, session.contributionIds.size]).toEqual([true, 0]);
        expect(life.sessions.view(job)).toMatchObject({ state: 'failed', error: { code: 'DATA_WITHDRAWN' } });
        // It is not opened again without that data, not by the next process either.
        expect(await codeOfAsking(job, clientKey)).toBe('DATA_WITHDRAWN');
        life.end();
        life = await Life.begin(world, dataDir, { clock, chain: life.context.chain });
        expect(await codeOfAsking(job, clientKey)).toBe('DATA_WITHDRAWN');
        const before = await world.balance(world.requester.address);
        await world.run(world.requester, { kind: 'closeJob', jobId: job.id });
        // Of five questions one was answered.
        expect(await world.balance(world.requester.address)).toBe(before + 4n * PRICE);
      });

      it.each(WAYS)('goes on without it: %s', async (way, _reason, withdraw) => {
        decide('finish');
        const { extra, question, session, job, clientKey } = await using(way);
        await withdraw(extra);
        expect((await ask(life, job, clientKey, QUESTION)).state.state).toBe('settled');
        const { answer } = await ask(life, job, clientKey, question);
        expect(answer.uses.map(({ contributionId }) => contributionId)).not.toContain(extra.id);
        expect([session.isOver, session.contributionIds.has(extra.id)]).toEqual([false, false]);
      });

      it.each(WAYS)('ends where nobody asks, also what was dropped before: %s', async (way, _reason, withdraw) => {
        decide('cancel');
        const { extra, session, job, clientKey } = await using(way);
        await reviewSessions(life.context, life.sessions);
        expect(session.isOver).toBe(false);
        await withdraw(extra);
        if (way === 'retired') await eraseHere(life.context, life.sessions, { contributionId: extra.id });
        await reviewSessions(life.context, life.sessions);
        expect([session.isOver, session.error?.code]).toEqual([true, 'DATA_WITHDRAWN']);
        expect(await codeOfAsking(job, clientKey)).toBe('DATA_WITHDRAWN');
      });

      it('goes on where data was withdrawn that it never had', async () => {
        decide('cancel');
        const { session, job, clientKey } = await using();
        const later = await world.contribute('late.txt', 'The ferry to Juist leaves with the tide.');
        await world.run(later.owner, { kind: 'revokeGrant', grantId: later.grantId });
        expect((await ask(life, job, clientKey, QUESTION)).state.state).toBe('settled');
        expect(session.isOver).toBe(false);
      });
    });

    it('ends with this runner’s registration, and the next one begins with another', async () => {
      for (const holder of world.holders) holder.endorsedUntilMs = Date.now() + MINUTE_MS / 2;
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, QUESTION);
      const [session] = life.sessions.all();
      const { runnerId } = life.context.keys;
      const { expiresAtMs } = await world.chain.runner(world.daoId, runnerId);
      expect(session!.expiresAtMs).toBe(expiresAtMs);
      expect(expiresAtMs).toBeLessThanOrEqual(Date.now() + MINUTE_MS / 2);
      clock.offsetMs = expiresAtMs - Date.now() + 1;
      for (const holder of world.holders) holder.endorsedUntilMs = Infinity;
      expect(await codeOf(session!.use())).toBe('ATTESTATION_STALE');
      const releases = world.holders[0]!.releases.length;
      const asked = await sealed(life, job, clientKey, QUESTION);
      await life.desk.ask(job.id, asked.request).catch(() => undefined);
      expect(life.sessions.all()).not.toContain(session);
      expect(world.holders[0]!.releases.length).toBe(releases + 1);
      expect((await world.chain.runner(world.daoId, runnerId)).expiresAtMs).toBeGreaterThan(expiresAtMs);
    });

    it('forgets what was revoked where nobody asks anything, and keeps the rest', async () => {
      const extra = await world.contribute('quay.txt', 'The quay at Emden was paved with clinker in 1911.');
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, QUESTION);
      const [session] = life.sessions.all();
      expect(session!.contributionIds.has(extra.id)).toBe(true);
      await world.run(extra.owner, { kind: 'revokeGrant', grantId: extra.grantId });
      await reviewSessions(life.context, life.sessions);
      expect([session!.contributionIds.has(extra.id), session!.isOver]).toEqual([false, false]);
      expect(session!.contributionIds.has(hives.id)).toBe(true);
    });

    it('gives no answer that was begun before it ended', async () => {
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, QUESTION);
      const [session] = life.sessions.all();
      const next = await sealed(life, job, clientKey, QUESTION);
      shown.grantsOfEach = async (ids) => {
        const grants = await world.chain.grantsOfEach(ids);
        // Only now: the session was open when the question came.
        clock.offsetMs = session!.expiresAtMs - Date.now() + 1;
        return grants;
      };
      expect(await codeOf(life.desk.ask(job.id, next.request))).toBe('ATTESTATION_STALE');
      expect(life.context.store.find(job.id, next.request.questionId)).toBeNull();
    });

    it('is left as it is while the chain cannot be read, and answers nothing', async () => {
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, QUESTION);
      const [session] = life.sessions.all();
      const next = await sealed(life, job, clientKey, QUESTION);
      shown.runner = async () => Promise.reject(refuse('CHAIN_UNAVAILABLE'));
      await reviewSessions(life.context, life.sessions);
      expect(session!.isOver).toBe(false);
      expect(await codeOf(life.desk.ask(job.id, next.request))).toBe('CHAIN_UNAVAILABLE');
    });
  });

  it('forgets a session after ten minutes, and opens another with a new release', async () => {
    const clock = new TestClock();
    life.end();
    life = await Life.begin(world, dataDir, { clock });
    const { job, clientKey } = await world.fundJob();
    await ask(life, job, clientKey, 'What is the price of beeswax?');
    const releases = world.holders[0]!.releases.length;
    clock.offsetMs = LIMITS.sessionTermMs + 1;
    const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
    await life.desk.ask(job.id, asked.request).catch(() => undefined);
    expect(world.holders[0]!.releases.length).toBe(releases + 1);
  });
});
