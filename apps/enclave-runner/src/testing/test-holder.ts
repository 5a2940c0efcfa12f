import { appraiseEvidence } from '@usufruct/attestation';
import { decide } from '@usufruct/consent';
import {
  generateSigningKey,
  leafHash,
  MerkleLog,
  rootOf,
  seal,
  sign,
  type HpkeKeyPair,
  type Share,
  type SigningKey,
} from '@usufruct/crypto';
import {
  asTimestampMs,
  fromBase64,
  refuse,
  refused,
  systemRandom,
  toBase64,
  toHex32,
  utf8,
  type ContributionId,
  type DaoId,
  type Digest,
  type Hex32,
} from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  contributionListDigest,
  evidenceDigest,
  ReleaseLeafBcs,
  RunnerStatementBcs,
  sealedSharesAad,
  ShareBcs,
  shareReleaseInfo,
  TAGS,
  TreeHeadBcs,
  type ChallengeRequest,
  type HolderIdentity,
  type JobView,
  type RegistrationRequest,
  type ReleaseAnswer,
  type ReleaseEntry,
  type ReleaseLeaf,
  type ReleaseRequest,
} from '@usufruct/protocol';
import type { HolderPort } from '../keys/holder-port.js';
import type { World } from './world.js';

/** A key holder with its rules and its log, in memory. What it can do wrong is switched on by name. */
export class TestHolder implements HolderPort {
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
