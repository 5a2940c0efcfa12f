import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { createDevPki } from '@usufruct/attestation-dev';
import { keypairSigner, openChain, type Chain, type WalletSigner } from '@usufruct/chain';
import { deal, sign } from '@usufruct/crypto';
import {
  asAmount,
  asBlobId,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  fromHex,
  type HolderSetId,
  refuse,
  systemClock,
  systemRandom,
  toBase64Url,
  toHex,
  toHex32,
} from '@usufruct/kernel';
import {
  NO_ANSWER_RULES,
  DEFAULT_DATA_RULES,
  daoPolicyDigest,
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  deriveId,
  encodeManifest,
  HolderRotationBcs,
  LIMITS,
  manifestDigest,
  SignedManifestBcs,
  TAGS,
  type ChainAction,
  type DaoPolicy,
  type HolderMember,
  type Manifest,
} from '@usufruct/protocol';
import type { ReshareContext } from '@usufruct/sdk';
import { deriveHolderKeys, type HolderKeys } from '#holder/identity.js';
import { giveShares, type Dealt as Given } from '../release/give-shares.ts';
import { startProcess, type Process } from '../processes.ts';

const FROM = { holders: 3, threshold: 2 };
const TO = { holders: 5, threshold: 3 };
const PURPOSE = 'DUO:0000042';

interface Dealt extends Given {
  readonly bytes: Uint8Array;
}

/**
 * A local chain and five key holders, each a process of its own with a durable store; three of them hold the shares of so
 * many contributions, two of three, and the chain has just made all five of them the next version of the set, three of
 * five. The old shares are written into the databases before the holders start: depositing is not what is measured.
 */
export class ReshareWorld {
  readonly holders: Process[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'usufruct-reshare-'));
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #founder: WalletSigner = keypairSigner(new Ed25519Keypair());
  readonly #secrets = Array.from({ length: TO.holders }, () => systemRandom(32));
  readonly #processes: Process[] = [];
  #chain!: Chain;
  #holderSetId!: HolderSetId;

  static async of(contributions: number): Promise<ReshareWorld> {
    const world = new ReshareWorld();
    try {
      await world.#fill(contributions);
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  async stop(): Promise<void> {
    for (const process of this.#processes.toReversed()) await process.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get holderSetId(): HolderSetId {
    return this.#holderSetId;
  }

  /** What a carrier works with; the manifests come from memory. */
  context(fetch: ReshareContext['fetch']): ReshareContext {
    return {
      chain: this.#chain,
      clock: systemClock,
      fetch,
      store: {
        get: async (id) => this.#blobs.get(id) ?? new Uint8Array(),
        getPatch: async () => Promise.reject(refuse('BLOB_UNAVAILABLE')),
      },
      holders: this.holders.map(({ url }) => ({ url })),
    };
  }

  async #fill(contributions: number): Promise<void> {
    const chainProcess = await startProcess('apps/local-chain/dist/main.js', join(this.#folder, 'chain'), {});
    this.#processes.push(chainProcess);
    this.#chain = openChain({ suiNetwork: 'local', chainUrl: chainProcess.url });
    const keys = await Promise.all(this.#secrets.map((secret) => deriveHolderKeys(secret)));
    const { datasetId, policy } = await this.#found(keys.slice(0, FROM.holders));
    const dealt = await this.#contribute(datasetId, policy, contributions);
    await this.#rotate(keys);
    const rootFile = join(this.#folder, 'root.pem');
    writeFileSync(rootFile, (await createDevPki(Date.now())).root);
    for (const [n, key] of keys.entries()) {
      const dataDir = join(this.#folder, `holder-${n}`);
      await giveShares(dataDir, key, n, n < FROM.holders ? dealt : []);
      const holder = await startProcess('apps/key-holder/dist/main.js', dataDir, {
        CHAIN_URL: chainProcess.url,
        HOLDER_SECRET: toHex(this.#secrets[n]!),
        TEE_DEV_ROOT_FILE: rootFile,
      });
      this.holders.push(holder);
      this.#processes.push(holder);
    }
  }

  #run = (...actions: ChainAction[]) => this.#chain.execute(actions, this.#founder);

  async #found(keys: readonly HolderKeys[]): Promise<{ readonly datasetId: DatasetId; readonly policy: DaoPolicy }> {
    const { address } = this.#founder;
    const [setSalt, daoSalt, salt] = [randomId(), randomId(), randomId()];
    this.#holderSetId = deriveId('holder-set', null, address, setSalt);
    const daoId: DaoId = deriveId('dao', null, address, daoSalt);
    const policy: DaoPolicy = {
      pricePerQuestionUnits: asAmount(1n),
      purposes: [PURPOSE],
      kinds: ['rag'],
      protections: ['tee'],
      split: { contributorsBps: 7_000, treasuryBps: 2_000, runnerBps: 800, protocolBps: 200 },
      holderSetId: this.#holderSetId,
      appraisal: {
        version: 1,
        profiles: ['software-dev'],
        measurements: ['cd'.repeat(48)],
        resultTermMs: LIMITS.jobTermMs,
      },
      verifierThreshold: FROM.threshold,
      maxJobTermMs: LIMITS.jobTermMs,
      ...DEFAULT_DATA_RULES,
    };
    await this.#run(
      { kind: 'createHolderSet', salt: setSalt, members: keys.map(memberOf), threshold: FROM.threshold },
      {
        kind: 'createDao',
        salt: daoSalt,
        policy,
        metadataHash: randomId(),
        governance: DEFAULT_GOVERNANCE,
        payoutRules: DEFAULT_PAYOUT_RULES,
      },
      { kind: 'createDataset', salt, daoId, metadataHash: randomId(), answerRules: NO_ANSWER_RULES },
    );
    return { datasetId: deriveId('dataset', daoId, address, salt), policy };
  }

  async #contribute(datasetId: DatasetId, policy: DaoPolicy, count: number): Promise<Dealt[]> {
    const { chainId } = await this.#chain.info();
    const dealt: Dealt[] = [];
    for (let from = 0; from < count; from += LIMITS.actionsPerTransaction) {
      const size = Math.min(LIMITS.actionsPerTransaction, count - from);
      const batch = Array.from({ length: size }, () => this.#deal(chainId, datasetId, policy));
      await this.#run(...batch.map((one) => this.#registered(one)));
      dealt.push(...batch);
    }
    return dealt;
  }

  #deal(chainId: string, datasetId: DatasetId, policy: DaoPolicy): Dealt {
    const salt = randomId();
    const owner = this.#founder.address;
    const contributionId: ContributionId = deriveId('contribution', datasetId, owner, salt);
    const { threshold, holders: holderCount } = FROM;
    const { shares, commitments } = deal({ threshold, holderCount, random: systemRandom });
    const manifest: Manifest = {
      version: 1,
      chainId,
      datasetId,
      contributionId,
      owner,
      salt,
      holderSetId: this.#holderSetId,
      keys: { kind: 'holders', threshold, holderCount, commitments },
      parts: [{ blob: randomId(), sha256: randomId(), sizeBytes: 4_096 }],
      keyCommitment: randomId(),
      policyDigest: daoPolicyDigest(policy),
      createdAtMs: systemClock.nowMs(),
    };
    const bytes = encodeManifest(manifest);
    return { manifest, bytes, digest: manifestDigest(bytes), shares };
  }

  #registered({ manifest, bytes, digest }: Dealt): ChainAction {
    const { salt, datasetId, holderSetId, policyDigest, parts } = manifest;
    const blob = randomId();
    const signed = SignedManifestBcs.serialize({ manifest: bytes, signature: 'unread' }).toBytes();
    this.#blobs.set(asBlobId(toBase64Url(fromHex(blob))), signed);
    return {
      kind: 'registerContribution',
      salt,
      datasetId,
      manifestDigest: digest,
      manifestBlob: { blob, sizeBytes: 1_000, endEpoch: 100 },
      parts: [{ blob: parts[0]!.blob, sizeBytes: 4_096, endEpoch: 100 }],
      holderSetId,
      policyDigest,
    };
  }

  async #rotate(keys: readonly HolderKeys[]): Promise<void> {
    const { chainId } = await this.#chain.info();
    const rotation = HolderRotationBcs.serialize({
      chainId,
      holderSetId: this.#holderSetId,
      version: 2,
      members: keys.map(memberOf),
      threshold: TO.threshold,
    }).toBytes();
    const signatures = await Promise.all(
      keys.slice(0, FROM.threshold).map(async ({ signing: { secretKey } }, member) => ({
        member,
        signature: await sign({ secretKey, domainTag: TAGS.holderRotation, message: rotation }),
      })),
    );
    await this.#run({ kind: 'rotateHolderSet', rotation, signatures });
  }
}

const memberOf = ({ operator, signing, sealing }: HolderKeys): HolderMember => ({
  operator: operator.address,
  signingPublicKey: signing.publicKey,
  sealingPublicKey: sealing.publicKey,
});
const randomId = () => toHex32<Digest>(systemRandom(32));
