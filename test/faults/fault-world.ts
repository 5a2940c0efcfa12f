import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootSetWithDevRoot } from '@usufruct/attestation';
import { createDevPki, loadDevPki, SoftwareTee } from '@usufruct/attestation-dev';
import {
  deal,
  deriveSessionKey,
  digestOf as sha256Of,
  encryptEnvelope,
  generateSigningKey,
  keyCommitment,
  seal,
  sha256,
  streamOf,
  type Share,
  type SigningKey,
} from '@usufruct/crypto';
import type { WalletSigner } from '@usufruct/chain';
import {
  asTimestampMs,
  fromHex,
  refuse,
  systemRandom,
  toBase64,
  toBase64Url,
  toHex32,
  toUsufructError,
  utf8,
  type BlobId,
  type ContributionId,
  type GrantId,
  type Hex32,
  type JobId,
} from '@usufruct/kernel';
import {
  daoPolicyDigest,
  deriveId,
  encodeManifest,
  manifestDigest,
  ShareBcs,
  shareSealInfo,
  SignedManifestBcs,
  TAGS,
  WALLET_ACTIONS,
  walletStatementBytes,
  type ChainAction,
  type DaoPolicy,
  type TransactionOutcome,
} from '@usufruct/protocol';
import { depositShare } from '../../apps/key-holder/src/decisions/deposit.js';
import { DaoWorld, MEASUREMENT, PRICE, PURPOSE } from '../../apps/local-chain/src/testing/dao-world.js';
import { bytesOf, hexOf } from '../../apps/local-chain/src/testing/world.js';
import { ChainLine } from './chain-line.js';
import type { Dice } from './dice.js';
import { HolderProcess, type Seen, type SeenLease, type SeenOutput } from './holder-process.js';
import type { Injector } from './injector.js';
import { Model } from './model.js';
import { RunnerProcess } from './runner-process.js';
import { SkewedClock } from './skewed-clock.js';

const MINUTE_MS = 60_000;
/** Of a message to the chain; there are many more of them than to holders. */
const CHAIN_FAULTS = 0.008;
export const BUDGET_UNITS = 100_000n * PRICE;

export interface Contributed {
  readonly id: ContributionId;
  readonly shares: readonly Share[];
  /** The grant that is in force, or null. */
  grantId: GrantId | null;
  isRetired: boolean;
}
export interface Funded {
  readonly id: JobId;
  readonly clientKey: SigningKey;
  readonly maxQuestions: number;
  asked: number;
  readonly computation: 'rag' | 'stats';
}

/** A DAO on a real ledger, three holders and a runner over real files, lines between them that lose things, and a model. */
export class FaultWorld extends DaoWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'faults-'));
  readonly model = new Model();
  readonly holders: HolderProcess[] = [];
  readonly contributions: Contributed[] = [];
  readonly seen: Seen[] = [];
  runner!: RunnerProcess;
  readonly holderLines: ChainLine[] = [];
  /** Of each holder, and of the runner at last. */
  readonly clocks: SkewedClock[] = [0, 1, 2, 3].map(() => new SkewedClock(this.clock));
  readonly leases: SeenLease[] = [];
  readonly outputs: SeenOutput[] = [];
  readonly policyDigests = new Set<Hex32>();
  readonly #blobs = new Map<BlobId, Uint8Array>();
  #names = 0;

  static async start(dice: Dice, injector: Injector): Promise<FaultWorld> {
    const world = new FaultWorld();
    await world.#prepare(injector);
    injector.isQuiet = true;
    for (let i = 0; i < 4; i++) await world.contribute(dice);
    injector.isQuiet = false;
    return world;
  }

  /** As a person does: what came too late to the chain, because the clock was put on meanwhile, is signed anew. */
  override async submit(signer: WalletSigner, ...actions: ChainAction[]): Promise<TransactionOutcome> {
    for (;;) {
      try {
        return await super.submit(signer, ...actions);
      } catch (error) {
        if (toUsufructError(error).code !== 'TRANSACTION_EXPIRED') throw error;
      }
    }
  }

  async close(): Promise<void> {
    for (const holder of this.holders) holder.kill();
    this.runner.kill();
    await this.chain.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #prepare(injector: Injector): Promise<void> {
    const files = await createDevPki(this.clock.nowMs());
    const device = await SoftwareTee.create({ pki: await loadDevPki(files), measurement: MEASUREMENT });
    const line = (name: string): ChainLine =>
      new ChainLine({ name, chain: this.chain, clock: this.clock, injector, faultProbability: CHAIN_FAULTS });
    for (const member of [0, 1, 2]) {
      const own = line(`holder ${member}`);
      this.holderLines.push(own);
      const holder = new HolderProcess({
        member,
        secret: bytesOf(`fault holder ${member}`),
        folder: join(this.folder, `holder-${member}`),
        clock: this.clocks[member]!,
        line: own,
        roots: rootSetWithDevRoot(files.root),
        injector,
        onRelease: (seen) => this.seen.push(seen),
        onLease: (seen) => this.leases.push(seen),
        onOutput: (seen) => this.outputs.push(seen),
      });
      await holder.start();
      this.holders.push(holder);
    }
    const members = this.holders.map(({ keys: { operator, signing, sealing } }) => ({
      operator: operator.address,
      signingPublicKey: signing.publicKey,
      sealingPublicKey: sealing.publicKey,
    }));
    const outcome = await this.run(this.founder, this.holderSet({ members }), this.dao(), this.dataset());
    await this.run(this.requester, this.mint(this.requester, BUDGET_UNITS));
    this.#policyIs(true, seqOf(outcome));
    const { runnerWallet: wallet, holders } = this;
    const clock = this.clocks[3]!;
    const getPatch = async () => Promise.reject(refuse('BLOB_UNAVAILABLE'));
    const blobs = { get: async (id: BlobId) => this.#blob(id), getPatch };
    const folder = join(this.folder, 'runner');
    this.runner = new RunnerProcess({ folder, device, wallet, clock, holders, blobs, injector, line: line('runner') });
    await this.runner.start();
  }

  /** A document, dealt to the holders that are up (all of them), registered, accepted and granted. */
  async contribute(dice: Dice): Promise<void> {
    const name = `document ${this.#names++}`;
    const owner = dice.pick(this.contributors);
    const made = await this.#sealedDocument(owner, name);
    for (const [n, holder] of this.holders.entries()) {
      const { publicKey: sealedTo } = await holder.running.holder.subkeys.current();
      const sealedShare = await seal({
        recipientPublicKey: sealedTo,
        info: shareSealInfo(made.digest),
        aad: new Uint8Array(),
        plaintext: ShareBcs.serialize(made.shares[n]!).toBytes(),
      });
      const request = { manifest: toBase64(made.bytes), signature: made.signature, sealedTo: toBase64(sealedTo) };
      await depositShare(holder.running.holder, { ...request, sealedShare: toBase64(sealedShare) });
    }
    await this.run(owner, made.registration);
    const decided = { kind: 'decideContribution' as const, contributionId: made.id, accept: true };
    this.model.contributed(made.id, seqOf(await this.run(this.founder, decided)));
    const contributed = { id: made.id, shares: made.shares, grantId: null, isRetired: false };
    this.contributions.push(contributed);
    await this.give(contributed);
  }

  async give(to: Contributed, purpose = PURPOSE, termMs = 10_000 * MINUTE_MS): Promise<void> {
    const salt = hexOf(`grant ${this.#names++}`);
    const owner = this.#ownerOf(to);
    const expiresAtMs = asTimestampMs(this.clock.nowMs() + termMs);
    const action = this.grant(0, { purposes: [purpose], expiresAtMs });
    const from = seqOf(await this.run(owner, { ...action, salt, contributionId: to.id } as ChainAction));
    const id = deriveId<GrantId>('grant', to.id, owner.address, salt);
    this.model.granted(id, { contributionId: to.id, from, covers: purpose === PURPOSE, expiresAtMs });
    if (purpose === PURPOSE && expiresAtMs > this.clock.nowMs() + MINUTE_MS) to.grantId = id;
  }
  async revoke(of: Contributed): Promise<void> {
    if (of.grantId === null) return;
    const outcome = await this.run(this.#ownerOf(of), { kind: 'revokeGrant', grantId: of.grantId });
    this.model.revoked(of.grantId, seqOf(outcome));
    of.grantId = null;
  }
  async retire(one: Contributed): Promise<void> {
    const outcome = await this.run(this.#ownerOf(one), { kind: 'tombstoneContribution', contributionId: one.id });
    this.model.retired(one.id, seqOf(outcome));
    one.isRetired = true;
  }
  async approve(isApproved: boolean): Promise<void> {
    const { policyVersion } = this.store.read('dao', this.daoId)!;
    const policy = this.#policy(isApproved);
    const action = { kind: 'setPolicy' as const, daoId: this.daoId, expectedVersion: policyVersion, policy };
    this.#policyIs(isApproved, seqOf(await this.run(this.founder, action)));
  }
  #policy(isApproved: boolean): DaoPolicy {
    const base = this.policy();
    const measurements = [isApproved ? MEASUREMENT : 'cd'.repeat(48)];
    return { ...base, appraisal: { ...base.appraisal, measurements } };
  }
  #policyIs(isApproved: boolean, seq: number): void {
    this.policyDigests.add(daoPolicyDigest(this.#policy(isApproved)));
    if (isApproved) this.model.approved(seq);
    else this.model.withdrawn(seq);
  }

  async fund(maxQuestions: number, computation: 'rag' | 'stats' = 'rag'): Promise<Funded> {
    const clientKey = generateSigningKey(systemRandom);
    const salt = hexOf(`job ${this.#names++}`);
    const { policyVersion } = this.store.read('dao', this.daoId)!;
    const termMs = 10 * MINUTE_MS;
    const clientPublicKey = clientKey.publicKey;
    const action = this.job({ salt, maxQuestions, policyVersion, termMs, clientPublicKey, computation });
    const { events, atMs } = await this.run(this.requester, action);
    const id = deriveId<JobId>('job', this.datasetId, this.requester.address, salt);
    this.model.funded(id, { from: seqOf({ events }), expiresAtMs: atMs + termMs });
    // Nobody asks questions of a job whose output is one.
    return { id, clientKey, maxQuestions, asked: computation === 'rag' ? 0 : maxQuestions, computation };
  }
  /** Also what settlements closed: read from the events, which are the chain's order. */
  noteClosed(): void {
    for (const text of this.store.events(this.#notedSeq, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)) {
      const { seq, data } = JSON.parse(text) as { seq: number; data: { type: string; jobId: JobId } };
      this.#notedSeq = seq;
      if (data.type === 'JobClosed') this.model.closed(data.jobId, seq);
    }
  }
  #notedSeq = 0;

  #ownerOf({ id }: Contributed): WalletSigner {
    const { owner } = this.store.read('contribution', id)!;
    return this.contributors.find(({ address }) => address === owner)!;
  }
  #blob(id: BlobId): Uint8Array {
    const bytes = this.#blobs.get(id);
    if (bytes === undefined) throw refuse('BLOB_UNAVAILABLE', { blobId: id });
    return bytes;
  }
  #put(bytes: Uint8Array): Hex32 {
    const id = toHex32(sha256(bytes));
    this.#blobs.set(toBase64Url(fromHex(id)) as BlobId, bytes);
    return id;
  }

  async #sealedDocument(owner: WalletSigner, name: string) {
    const salt = hexOf(name);
    const id = deriveId<ContributionId>('contribution', this.datasetId, owner.address, salt);
    const { chainId } = this.chain.info;
    const context = fromHex(id);
    const { shares, secret, commitments } = deal({ threshold: 2, holderCount: 3, random: systemRandom });
    const sessionKey = deriveSessionKey({ domainTag: TAGS.sessionKey, secret, context });
    const source = streamOf(utf8(`The ${name} says that heather honey costs ${24 + this.#names} coins.\n`));
    const pieces: Uint8Array[] = [];
    for await (const piece of encryptEnvelope({ source, sessionKey, fileName: 'a.txt', random: systemRandom })) {
      pieces.push(piece);
    }
    const part = Buffer.concat(pieces);
    const policyDigest = this.store.read('dao', this.daoId)!.policyDigest;
    const bytes = encodeManifest({
      version: 1,
      chainId,
      datasetId: this.datasetId,
      contributionId: id,
      owner: owner.address,
      salt,
      holderSetId: this.holderSetId,
      keys: { kind: 'holders', threshold: 2, holderCount: 3, commitments },
      parts: [{ blob: this.#put(part), sha256: sha256Of(part), sizeBytes: part.length }],
      keyCommitment: keyCommitment({ domainTag: TAGS.keyCommitment, sessionKey, context }),
      policyDigest,
      createdAtMs: this.clock.nowMs(),
    });
    const digest = manifestDigest(bytes);
    const statement = walletStatementBytes({ action: WALLET_ACTIONS.manifest, chainId, digest });
    const signature = await owner.signPersonalMessage(statement);
    const signed = SignedManifestBcs.serialize({ manifest: bytes, signature }).toBytes();
    const registration = this.contribution({
      salt,
      manifestDigest: digest,
      manifestBlob: { blob: this.#put(signed), sizeBytes: signed.length, endEpoch: 9 },
      parts: [{ blob: this.#put(part), sizeBytes: part.length, endEpoch: 9 }],
      policyDigest,
    });
    return { id, shares, bytes, digest, signature, registration };
  }
}

/** Nobody sees a transaction half done, so its first event stands for it. */
const seqOf = ({ events }: Pick<TransactionOutcome, 'events'>): number => events[0]!.seq;
