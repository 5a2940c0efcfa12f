import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { createDevPki, loadDevPki, SoftwareTee } from '@usufruct/attestation-dev';
import { keypairSigner, openChain, type Chain, type WalletSigner } from '@usufruct/chain';
import { deal, deriveSessionKey, keyCommitment } from '@usufruct/crypto';
import {
  asAmount,
  asTimestampMs,
  fromHex,
  refuse,
  systemClock,
  systemRandom,
  toHex,
  toHex32,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type HolderSetId,
  type JobId,
  type Logger,
} from '@usufruct/kernel';
import {
  NO_ANSWER_RULES,
  DEFAULT_DATA_RULES,
  daoPolicyDigest,
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  deriveId,
  encodeManifest,
  LIMITS,
  manifestDigest,
  TAGS,
  type ChainAction,
  type DaoPolicy,
  type Manifest,
} from '@usufruct/protocol';
import { deriveHolderKeys, type HolderKeys } from '#holder/identity.js';
import { generateRunnerKeys } from '#runner/attest/runner-keys.js';
import type { RunnerContext } from '#runner/context.js';
import { httpHolder } from '#runner/keys/http-holder.js';
import { progress } from '../report.ts';
import { startProcess, type Process } from '../processes.ts';
import { giveShares, type Dealt } from './give-shares.ts';

const HOLDERS = 3;
const THRESHOLD = 2;
const MEASUREMENT = 'cd'.repeat(48);
const PURPOSE = 'DUO:0000042';
const PRICE = 1_000_000n;
/** Registration, grant and acceptance of one contribution are three actions. */
const CONTRIBUTIONS_PER_TRANSACTION = Math.floor(LIMITS.actionsPerTransaction / 3);
/** Nothing here is waited for so long; what is measured must not end early. */
const PATIENCE_MS = 600_000;

/** A dataset with its contributions' manifests, and a funded job on it. */
export interface Dataset {
  readonly id: DatasetId;
  readonly jobId: JobId;
  readonly manifests: readonly Manifest[];
}
/**
 * A local chain and three key holders, each a process of its own with a durable store, and the runner's own code in this
 * one. The holders' shares are written into their databases before they start, sealed as a deposit would: depositing is
 * not what is measured.
 */
export class ReleaseWorld {
  readonly folder: string;
  readonly chainProcess: Process;
  readonly chain: Chain;
  readonly device: SoftwareTee;
  readonly rootFile: string;
  readonly holders: Process[] = [];
  readonly datasets: Dataset[] = [];
  #processes: Process[] = [];
  readonly #founder = walletOf();
  readonly #requester = walletOf();
  readonly #secrets = Array.from({ length: HOLDERS }, () => new Uint8Array(randomBytes(32)));
  #holderSetId!: HolderSetId;
  #daoId!: DaoId;
  #policy!: DaoPolicy;

  private constructor(parts: Pick<ReleaseWorld, 'folder' | 'chainProcess' | 'chain' | 'device' | 'rootFile'>) {
    this.folder = parts.folder;
    this.chainProcess = parts.chainProcess;
    this.chain = parts.chain;
    this.device = parts.device;
    this.rootFile = parts.rootFile;
    this.#processes.push(parts.chainProcess);
  }

  static async start(sizes: readonly number[]): Promise<ReleaseWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'usufruct-release-'));
    const files = await createDevPki(Date.now());
    const device = await SoftwareTee.create({ pki: await loadDevPki(files), measurement: MEASUREMENT });
    const rootFile = join(folder, 'root.pem');
    writeFileSync(rootFile, files.root);
    const chainProcess = await startProcess('apps/local-chain/dist/main.js', join(folder, 'chain'), {});
    const chain = openChain({ suiNetwork: 'local', chainUrl: chainProcess.url });
    const world = new ReleaseWorld({ folder, chainProcess, chain, device, rootFile });
    try {
      await world.#fill(sizes);
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  async stop(): Promise<void> {
    for (const process of this.#processes.toReversed()) await process.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A runner with fresh keys, as after a start. */
  async runner(holders: readonly Process[] = this.holders): Promise<RunnerContext> {
    const away = () => Promise.reject(refuse('INTERNAL'));
    return {
      chain: this.chain,
      device: this.device,
      keys: await generateRunnerKeys(systemRandom),
      seal: null,
      holders: holders.map(({ url }) => httpHolder(url, { fetch, timeoutMs: PATIENCE_MS })),
      blobs: { get: away, getPatch: away },
      wallet: this.#founder,
      // Nothing of a release is stored.
      get store(): never {
        throw new Error('a release stores nothing');
      },
      clock: systemClock,
      random: systemRandom,
      logger: loud,
    };
  }

  async #fill(sizes: readonly number[]): Promise<void> {
    const keys = await Promise.all(this.#secrets.map((secret) => deriveHolderKeys(secret)));
    await this.#found(keys);
    const dealt: Dealt[] = [];
    for (const [i, size] of sizes.entries()) {
      progress(`release: a dataset of ${size}`);
      const datasetId = await this.#dataset(i);
      const contributions = await this.#contribute(datasetId, size);
      const jobId = await this.#job(datasetId);
      this.datasets.push({ id: datasetId, jobId, manifests: contributions.map(({ manifest }) => manifest) });
      dealt.push(...contributions);
    }
    for (const [n, key] of keys.entries()) {
      const dataDir = join(this.folder, `holder-${n}`);
      await giveShares(dataDir, key, n, dealt);
      const holder = await startProcess('apps/key-holder/dist/main.js', dataDir, {
        CHAIN_URL: this.chainProcess.url,
        HOLDER_SECRET: toHex(this.#secrets[n]!),
        TEE_DEV_ROOT_FILE: this.rootFile,
      });
      this.holders.push(holder);
      this.#processes.push(holder);
    }
  }

  #run = (signer: WalletSigner, ...actions: ChainAction[]) => this.chain.execute(actions, signer);

  async #found(keys: readonly HolderKeys[]): Promise<void> {
    const { address } = this.#founder;
    const [setSalt, daoSalt] = [randomId(), randomId()];
    this.#holderSetId = deriveId('holder-set', null, address, setSalt);
    this.#daoId = deriveId('dao', null, address, daoSalt);
    const members = keys.map(({ operator, signing, sealing }) => ({
      operator: operator.address,
      signingPublicKey: signing.publicKey,
      sealingPublicKey: sealing.publicKey,
    }));
    this.#policy = {
      pricePerQuestionUnits: asAmount(PRICE),
      purposes: [PURPOSE],
      kinds: ['rag'],
      protections: ['tee'],
      split: { contributorsBps: 7_000, treasuryBps: 2_000, runnerBps: 800, protocolBps: 200 },
      holderSetId: this.#holderSetId,
      appraisal: {
        version: 1,
        profiles: ['software-dev'],
        measurements: [MEASUREMENT],
        resultTermMs: LIMITS.jobTermMs,
      },
      verifierThreshold: THRESHOLD,
      maxJobTermMs: LIMITS.jobTermMs,
      ...DEFAULT_DATA_RULES,
    };
    await this.#run(
      this.#founder,
      { kind: 'createHolderSet', salt: setSalt, members, threshold: THRESHOLD },
      {
        kind: 'createDao',
        salt: daoSalt,
        policy: this.#policy,
        metadataHash: randomId(),
        governance: DEFAULT_GOVERNANCE,
        payoutRules: DEFAULT_PAYOUT_RULES,
      },
    );
    const amountUnits = asAmount(100n * PRICE);
    await this.#run(this.#requester, { kind: 'mint', to: this.#requester.address, amountUnits });
  }

  async #dataset(n: number): Promise<DatasetId> {
    const salt = toHex32(new Uint8Array(32).fill(n + 1));
    const daoId = this.#daoId;
    await this.#run(this.#founder, {
      kind: 'createDataset',
      salt,
      daoId,
      metadataHash: randomId(),
      answerRules: NO_ANSWER_RULES,
    });
    return deriveId('dataset', daoId, this.#founder.address, salt);
  }

  async #job(datasetId: DatasetId): Promise<JobId> {
    const salt = randomId();
    await this.#run(this.#requester, {
      kind: 'fundJob',
      salt,
      datasetId,
      purpose: PURPOSE,
      computation: 'rag',
      protection: 'tee',
      policyVersion: 1,
      pricePerQuestionUnits: asAmount(PRICE),
      maxQuestions: 3,
      termMs: LIMITS.jobTermMs,
      clientPublicKey: systemRandom(32),
    });
    return deriveId('job', datasetId, this.#requester.address, salt);
  }

  /** The founder contributes all of it: one wallet, so that one transaction registers, grants and accepts many. */
  async #contribute(datasetId: DatasetId, count: number): Promise<Dealt[]> {
    const { chainId } = await this.chain.info();
    const dealt: Dealt[] = [];
    for (let from = 0; from < count; from += CONTRIBUTIONS_PER_TRANSACTION) {
      const size = Math.min(CONTRIBUTIONS_PER_TRANSACTION, count - from);
      const batch = Array.from({ length: size }, () => this.#deal(chainId, datasetId));
      await this.#run(this.#founder, ...batch.flatMap((one) => this.#registered(one)));
      dealt.push(...batch);
    }
    return dealt;
  }

  #deal(chainId: string, datasetId: DatasetId): Dealt {
    const salt = randomId();
    const owner = this.#founder.address;
    const contributionId: ContributionId = deriveId('contribution', datasetId, owner, salt);
    const context = fromHex(contributionId);
    const { secret, shares, commitments } = deal({
      threshold: THRESHOLD,
      holderCount: HOLDERS,
      random: systemRandom,
    });
    const sessionKey = deriveSessionKey({ domainTag: TAGS.sessionKey, secret, context });
    const manifest: Manifest = {
      version: 1,
      chainId,
      datasetId,
      contributionId,
      owner,
      salt,
      holderSetId: this.#holderSetId,
      keys: { kind: 'holders', threshold: THRESHOLD, holderCount: HOLDERS, commitments },
      parts: [{ blob: randomId(), sha256: randomId(), sizeBytes: 4_096 }],
      keyCommitment: keyCommitment({ domainTag: TAGS.keyCommitment, sessionKey, context }),
      policyDigest: daoPolicyDigest(this.#policy),
      createdAtMs: systemClock.nowMs(),
    };
    return { manifest, digest: manifestDigest(encodeManifest(manifest)), shares };
  }

  #registered({ manifest, digest }: Dealt): ChainAction[] {
    const { salt, datasetId, holderSetId, policyDigest, contributionId } = manifest;
    const blob = { blob: randomId(), sizeBytes: 1_000, endEpoch: 100 };
    return [
      {
        kind: 'registerContribution',
        salt,
        datasetId,
        manifestDigest: digest,
        manifestBlob: blob,
        parts: [{ blob: manifest.parts[0]!.blob, sizeBytes: 4_096, endEpoch: 100 }],
        holderSetId,
        policyDigest,
      },
      {
        kind: 'giveGrant',
        salt: randomId(),
        contributionId,
        terms: {
          purposes: [PURPOSE],
          kinds: ['rag'],
          protections: ['tee'],
          priceFloorUnits: asAmount(1n),
          budgetMicroEpsilon: 0n,
          expiresAtMs: asTimestampMs(systemClock.nowMs() + 86_400_000),
        },
      },
      { kind: 'decideContribution', contributionId, accept: true },
    ];
  }
}

const walletOf = (): WalletSigner => keypairSigner(new Ed25519Keypair());
const randomId = () => toHex32<Digest>(systemRandom(32));
/** A holder that is passed over would make a figure of something else. */
const loud: Logger = {
  info: () => undefined,
  warn: (event, fields) => progress(`${event} ${JSON.stringify(fields)}`),
  error: (event, fields) => progress(`${event} ${JSON.stringify(fields)}`),
};
