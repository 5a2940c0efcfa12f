import { rootSetWithDevRoot, type RootSet, type TeeDevice } from '@usufruct/attestation';
import { createDevPki, loadDevPki, SoftwareTee } from '@usufruct/attestation-dev';
import { LocalChainClient, type Chain, type WalletSigner } from '@usufruct/chain';
import {
  deal,
  deriveSessionKey,
  digestOf,
  encryptEnvelope,
  generateKeyPair,
  generateSigningKey,
  keyCommitment,
  sha256,
  streamOf,
  type SigningKey,
} from '@usufruct/crypto';
import {
  asAmount,
  asTimestampMs,
  fromHex,
  systemRandom,
  toBase64Url,
  toHex32,
  utf8,
  type Address,
  type BlobId,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type GrantId,
  type Hex32,
  type HolderSetId,
  type JobId,
} from '@usufruct/kernel';
import {
  daoPolicyDigest,
  DEFAULT_DATA_RULES,
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  deriveId,
  encodeManifest,
  manifestDigest,
  NO_ANSWER_RULES,
  SignedManifestBcs,
  TAGS,
  WALLET_ACTIONS,
  walletStatementBytes,
  type ChainAction,
  type DaoPolicy,
  type JobView,
  type ManifestKeys,
} from '@usufruct/protocol';
import { TestHolder } from './test-holder.js';
import { MEASUREMENT, MINUTE_MS, PRICE, PURPOSE, salt, wallet } from './values.js';

export interface Contributed {
  readonly id: ContributionId;
  readonly owner: WalletSigner;
  readonly grantId: GrantId;
  readonly blobs: readonly BlobId[];
}

/** A real local chain, software TEE and store of blobs, three holders of which two are needed, and a client. */
export class World {
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
