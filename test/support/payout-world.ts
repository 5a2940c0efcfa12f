import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppraisalDesk, productionRoots, type TeeDevice } from '@usufruct/attestation';
import { LocalChainClient, type Chain } from '@usufruct/chain';
import { generateKeyPair, seal, sign, type SigningKey } from '@usufruct/crypto';
import {
  fromBase64,
  fromWire,
  refuse,
  systemRandom,
  toBase64,
  type ContributionId,
  type Digest,
  type Logger,
  type RunnerId,
} from '@usufruct/kernel';
import {
  encodePaddedOpening,
  HolderRotationBcs,
  openingSealInfo,
  receiptDigest,
  ReleaseLeafBcs,
  runnerIdOf,
  TAGS,
  toWireJson,
  type ChainAction,
  type ChainActionPayloads,
  type DeliverOpening,
  type HolderSetView,
  type Opening,
  type PayoutRules,
  type ReleaseLeaf,
  type RunnerStatement,
  type UsageReceipt,
} from '@usufruct/protocol';
import { serve } from '../../apps/local-chain/src/server/server.js';
import { MEASUREMENT, PURPOSE } from '../../apps/local-chain/src/testing/dao-world.js';
import { PrivateWorld } from '../../apps/local-chain/src/testing/private-world.js';
import { bytesOf, digestOf, hexOf } from '../../apps/local-chain/src/testing/world.js';
import { deriveHolderKeys, type HolderKeys } from '../../apps/key-holder/src/identity.js';
import { startKeyHolder, type RunningHolder } from '../../apps/key-holder/src/start.js';
import type { RunnerKeys } from '../../apps/enclave-runner/src/attest/runner-keys.js';
import type { RunnerContext } from '../../apps/enclave-runner/src/context.js';
import { httpHolder } from '../../apps/enclave-runner/src/keys/http-holder.js';
import { RunnerStore } from '../../apps/enclave-runner/src/receipt/store.js';

/** Connections that are kept open would keep a server from closing. */
const fetchOnce: typeof fetch = (input, init) =>
  fetch(input, { ...init, headers: { ...init?.headers, connection: 'close' } });
const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** All holders are in this process: who is slow here is not away, and who is away refuses at once. */
const ANSWER_LIMIT_MS = 60_000;
const secretOf = (n: number): Uint8Array => bytesOf(`holder secret ${n}`);

/** Real key holders and a real ledger over HTTP, with a DAO that pays in epochs and clocks that stand still. */
export class PayoutWorld extends PrivateWorld {
  readonly holders: RunningHolder[] = [];
  chainUrl = '';
  readonly #sealing: Uint8Array[] = [];
  readonly #folders: string[] = [0, 1, 2].map((n) => `holder-${n}`);
  readonly #secrets: Uint8Array[] = [0, 1, 2].map(secretOf);
  readonly #folder = mkdtempSync(join(tmpdir(), 'payout-'));
  #closeChain: () => Promise<void> = async () => undefined;
  runnerKeys!: RunnerKeys;
  #stores = 0;

  /**
   * Contributions granted and released by these holders, a registered runner, and a funded job of three questions. The
   * other holders are members of the set and are away until they are started.
   */
  static async start(members: readonly number[] = [0], rules: Partial<PayoutRules> = {}): Promise<PayoutWorld> {
    const world = new PayoutWorld();
    const keys = await Promise.all([0, 1, 2].map((n) => deriveHolderKeys(secretOf(n))));
    world.#take(keys);
    world.runnerKeys = await world.keysOf(world.runnerKey);
    const server = await serve(world.chain, { host: '127.0.0.1', port: 0, allowedOrigins: [], logger: silent });
    world.chainUrl = server.url;
    world.#closeChain = () => server.close();
    await world.run(world.founder, world.holderSet(), world.dao({}, 'dao', { payoutRules: rules }), world.dataset());
    await (await world.fill()).open();
    await world.startAndRelease(members);
    return world;
  }

  async startAndRelease(members: readonly number[]): Promise<void> {
    for (const n of members) await this.release(await this.startHolder(n));
  }

  async close(): Promise<void> {
    await Promise.all(this.holders.map((holder) => holder.close().catch(() => undefined)));
    await this.#closeChain();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The same holder again, with its data, after it was closed; at another address. */
  async startHolder(n: number): Promise<RunningHolder> {
    const running = await startKeyHolder({
      host: '127.0.0.1',
      port: 0,
      dataDir: this.folderOf(n),
      holderSecret: this.#secrets[n]!,
      allowedOrigins: [],
      anchorIntervalMs: 86_400_000,
      standIns: [],
      chain: this.chainClient(),
      desk: new AppraisalDesk({ roots: productionRoots() }),
      clock: this.clock,
      random: systemRandom,
      logger: silent,
    });
    this.holders[n] = running;
    return running;
  }
  /** The members in another order; each keeps its keys. */
  async rotate(order: readonly number[]): Promise<void> {
    const { members, threshold, version } = await this.chainClient().holderSet(this.holderSetId);
    const rotated = order.map((i) => members[i]!);
    await this.#rotateTo(rotated, threshold, version + 1);
  }
  /** Another holder in its place, with keys of its own, that has released the same keys; the set names it. */
  async renewHolder(n: number): Promise<void> {
    const { members, threshold, version } = await this.chainClient().holderSet(this.holderSetId);
    const keys = await deriveHolderKeys(bytesOf(`renewed secret ${n}`));
    const member = {
      operator: members[n]!.operator,
      signingPublicKey: toBase64(keys.signing.publicKey),
      sealingPublicKey: toBase64(keys.sealing.publicKey),
    };
    await this.#rotateTo(members.with(n, member), threshold, version + 1);
    this.#secrets[n] = bytesOf(`renewed secret ${n}`);
    this.#folders[n] = `renewed-${n}`;
    await this.startAndRelease([n]);
  }
  async #rotateTo(members: HolderSetView['members'], threshold: number, version: number): Promise<void> {
    const rotation = HolderRotationBcs.serialize({
      chainId: this.chain.info.chainId,
      holderSetId: this.holderSetId,
      version,
      members: members.map(({ operator, signingPublicKey, sealingPublicKey }) => ({
        operator,
        signingPublicKey: fromBase64(signingPublicKey),
        sealingPublicKey: fromBase64(sealingPublicKey),
      })),
      threshold,
    }).toBytes();
    const signatures = await Promise.all(
      this.holderKeys.slice(0, 3).map(async ({ secretKey }, member) => ({
        member,
        signature: await sign({ secretKey, domainTag: TAGS.holderRotation, message: rotation }),
      })),
    );
    await this.run(this.stranger, { kind: 'rotateHolderSet', rotation, signatures });
  }
  folderOf = (n: number): string => join(this.#folder, this.#folders[n]!);

  chainClient = (): Chain =>
    new LocalChainClient({ url: this.chainUrl, clock: this.clock, random: systemRandom, lookUpAfterMs: [1] });

  #take(keys: readonly HolderKeys[]): void {
    this.holderKeys.splice(0, 3, ...keys.map(({ signing }) => signing));
    this.#sealing.push(...keys.map(({ sealing }) => sealing.publicKey));
  }
  override holderSet(changes: Partial<ChainActionPayloads['createHolderSet']> = {}): ChainAction {
    const members = this.holderKeys.map(({ publicKey }, i) => ({
      operator: this.operators[i]!.address,
      signingPublicKey: publicKey,
      sealingPublicKey: this.#sealing[i]!,
    }));
    return super.holderSet({ members, ...changes });
  }
  override statement(changes: Partial<RunnerStatement> = {}): Uint8Array {
    return super.statement({ hpkePublicKey: this.runnerKeys.hpke.publicKey, ...changes });
  }

  /** That the holder has given the runner its shares, as its log would have it. */
  async release(
    { holder }: RunningHolder,
    contributionIds: readonly ContributionId[] = this.contributionIds,
    changes: Partial<ReleaseLeaf> = {},
  ): Promise<void> {
    const member = this.holders.findIndex((one) => one.holder === holder);
    const { holderSetId, jobId, datasetId } = this;
    const entries = contributionIds.map((contributionId) => ({
      subject: contributionId,
      leaf: ReleaseLeafBcs.serialize({
        holderSetId,
        shareIndex: member + 1,
        jobId,
        datasetId,
        contributionId,
        grantId: hexOf('some grant'),
        purpose: PURPOSE,
        kind: 'rag',
        protection: 'tee',
        measurement: MEASUREMENT,
        runnerSigningKey: this.runnerKey.publicKey,
        evidenceDigest: digestOf('evidence'),
        decision: 'RELEASED',
        atMs: this.clock.nowMs(),
        ...changes,
      }).toBytes(),
    }));
    await holder.log.append(entries, { holderSetId, member });
  }

  /** The opening of a private receipt over these weights, signed by the runner or by somebody else. */
  async opening(
    question: number,
    weights: readonly (bigint | null)[],
    changes: Partial<UsageReceipt> = {},
    key: SigningKey = this.runnerKey,
  ): Promise<Opening> {
    const { receipt, signature } = await this.privately(question, weights, changes, [key]);
    return { receipt, signature, usesSalt: hexOf('uses salt'), uses: this.uses(...weights) };
  }
  /** Sealed to a holder, as a runner sends it. */
  async sealed(n: number, opening: Opening, digest = receiptDigest(opening.receipt)): Promise<DeliverOpening> {
    const sealedOpening = await seal({
      recipientPublicKey: this.#sealing[n]!,
      info: openingSealInfo(digest),
      aad: new Uint8Array(),
      plaintext: encodePaddedOpening(opening),
    });
    return { receiptDigest: digest, sealedOpening: toBase64(sealedOpening) };
  }
  /** Given to these holders, and settled. */
  async settledWith(
    question: number,
    weights: readonly (bigint | null)[],
    members: readonly number[] = [0],
    changes: Partial<UsageReceipt> = {},
  ): Promise<Digest> {
    const opening = await this.opening(question, weights, changes);
    for (const n of members) await this.ask(n, '/v1/openings', await this.sealed(n, opening));
    await this.settle(question, weights, changes);
    return receiptDigest(opening.receipt);
  }

  /** What the holder answers; throws what it refuses. */
  async ask(n: number, path: string, body: unknown): Promise<Record<string, unknown>> {
    const init = { method: 'POST', body: toWireJson(body), headers: { connection: 'close' } };
    const response = await fetch(`${this.holders[n]!.url}${path}`, init);
    const answer: unknown = await response.json();
    if (!response.ok) throw fromWire(answer, 'key holder');
    return answer as Record<string, unknown>;
  }

  async keysOf(signing: SigningKey): Promise<RunnerKeys> {
    const hpke = await generateKeyPair(() => bytesOf(`hpke of ${toBase64(signing.publicKey)}`));
    const bound = { hpkePublicKey: hpke.publicKey, signingPublicKey: signing.publicKey };
    return { runnerId: runnerIdOf<RunnerId>(signing.publicKey), signing, hpke, bound };
  }
  /** A runner's process, of the registered runner unless it has other keys. What needs a TEE it cannot do. */
  runner(changes: Partial<RunnerContext> = {}): RunnerContext {
    const away = () => Promise.reject(refuse('INTERNAL'));
    const device: TeeDevice = {
      profile: 'software-dev',
      standIn: true,
      measurement: async () => MEASUREMENT,
      quote: away,
      eventLog: [],
    };
    return {
      chain: this.chainClient(),
      device,
      keys: this.runnerKeys,
      holders: this.holders.map(({ url }) => httpHolder(url, { fetch: fetchOnce, timeoutMs: ANSWER_LIMIT_MS })),
      seal: null,
      blobs: { get: away, getPatch: away },
      wallet: this.runnerWallet,
      store: RunnerStore.openIn(join(this.#folder, `runner-${this.#stores++}`)),
      clock: this.clock,
      random: systemRandom,
      logger: silent,
      ...changes,
    };
  }
}
