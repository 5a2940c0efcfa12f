import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppraisalDesk, rootSetWithDevRoot, type TeeDevice } from '@usufruct/attestation';
import { createDevPki, loadDevPki, SoftwareTee, type DevPki } from '@usufruct/attestation-dev';
import { deriveSessionKey, keyCommitment } from '@usufruct/crypto';
import {
  fromHex,
  refuse,
  systemRandom,
  toBase64,
  toUsufructError,
  type ContributionId,
  type DatasetId,
  type GrantId,
  type HolderSetId,
  type JobId,
} from '@usufruct/kernel';
import { ShareBcs, TAGS, zAnomalies, type Anomaly } from '@usufruct/protocol';
import {
  aContribution,
  aDao,
  aDataset,
  aGrant,
  aHolderSet,
  aJob,
  dealManifest,
  FakeChain,
  idOf,
  ManualClock,
  seededRandom,
  TEST_MEASUREMENT,
  TEST_NOW_MS,
  testWallet,
  type DealtManifest,
} from '@usufruct/testing';
import { generateRunnerKeys } from '../../apps/enclave-runner/src/attest/runner-keys.js';
import type { RunnerContext } from '../../apps/enclave-runner/src/context.js';
import type { HolderPort } from '../../apps/enclave-runner/src/keys/holder-port.js';
import { httpHolder } from '../../apps/enclave-runner/src/keys/http-holder.js';
import { releaseKeys } from '../../apps/enclave-runner/src/keys/release.js';
import { SessionKeys } from '../../apps/enclave-runner/src/keys/session-key.js';
import { deriveHolderKeys } from '../../apps/key-holder/src/identity.js';
import { startKeyHolder, type RunningHolder } from '../../apps/key-holder/src/start.js';

export const JOB = idOf<JobId>('job');
export const SET = idOf<HolderSetId>('holder-set');
const DAO_ID = aDao().id;
const fetchOnce: typeof fetch = (input, init) =>
  fetch(input, { ...init, headers: { ...init?.headers, connection: 'close' } });
/** All three holders are in this process: who is slow here is not away, and who is away refuses at once. */
const ANSWER_LIMIT_MS = 60_000;
const owner = testWallet('contributor');

export interface Line {
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Three real key holders over HTTP, two of them needed, the runner's own code, and a chain that says what a test wants. */
export class ReleaseWorld {
  readonly chain = new FakeChain();
  readonly clock = new ManualClock();
  /** Of each holder: a test may set one wrong. */
  readonly holderClocks = [new ManualClock(), new ManualClock(), new ManualClock()];
  readonly holders: RunningHolder[] = [];
  readonly lines: Line[] = [];
  dealt: DealtManifest[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'release-'));

  private constructor(
    readonly pki: DevPki,
    readonly device: TeeDevice,
  ) {}

  static async of(count: number): Promise<ReleaseWorld> {
    const pki = await loadDevPki(await createDevPki(TEST_NOW_MS));
    const device = await SoftwareTee.create({ pki, measurement: TEST_MEASUREMENT });
    const world = new ReleaseWorld(pki, device);
    const keys = await Promise.all([0, 1, 2].map((n) => deriveHolderKeys(secretOf(n))));
    const members = keys.map(({ operator, signing, sealing }) => ({
      operator: operator.address,
      signingPublicKey: toBase64(signing.publicKey),
      sealingPublicKey: toBase64(sealing.publicKey),
    }));
    world.chain.put('holder-set', aHolderSet({ members })).put('dao', aDao()).put('job', aJob());
    world.chain.put('dataset', aDataset({ contributionCount: count }));
    for (const n of [0, 1, 2]) await world.startHolder(n);
    world.dealt = Array.from({ length: count }, (_, i) => world.deal(`contribution ${i}`));
    for (const made of world.dealt) await world.contribute(made);
    return world;
  }

  async close(): Promise<void> {
    await Promise.all(this.holders.map((holder) => holder.close().catch(() => undefined)));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  folderOf = (n: number): string => join(this.#folder, `holder-${n}`);

  /** Again with its data, after it was closed. */
  async startHolder(n: number): Promise<RunningHolder> {
    const log = (event: string, fields: Line['fields'] = {}) => void this.lines.push({ event, fields });
    this.holders[n] = await startKeyHolder({
      host: '127.0.0.1',
      port: 0,
      dataDir: this.folderOf(n),
      holderSecret: secretOf(n),
      allowedOrigins: [],
      anchorIntervalMs: 86_400_000,
      standIns: [],
      chain: this.chain,
      desk: new AppraisalDesk({ roots: rootSetWithDevRoot(this.pki.rootPem) }),
      clock: this.holderClocks[n]!,
      random: systemRandom,
      logger: { info: () => undefined, warn: log, error: log },
    });
    return this.holders[n];
  }

  deal(name: string, datasetId: DatasetId = aDataset().id): DealtManifest {
    const random = seededRandom(name);
    const first = dealManifest(owner.address, { salt: idOf(name), datasetId }, seededRandom(name));
    const { contributionId } = first.manifest;
    const context = fromHex(contributionId);
    const sessionKey = deriveSessionKey({ domainTag: TAGS.sessionKey, secret: first.secret, context });
    const committed = keyCommitment({ domainTag: TAGS.keyCommitment, sessionKey, context });
    return dealManifest(owner.address, { salt: idOf(name), datasetId, keyCommitment: committed }, random);
  }

  /** Registered, accepted, granted, and its shares with the holders. */
  async contribute({ manifest, digest, shares }: DealtManifest): Promise<void> {
    const { contributionId: id, datasetId } = manifest;
    this.chain.put('contribution', aContribution({ id, datasetId, owner: owner.address, manifestDigest: digest }));
    this.grant(id);
    for (const [n, { holder }] of this.holders.entries()) {
      const share = ShareBcs.serialize(shares[n]!).toBytes();
      const own = { manifestDigest: digest, contributionId: id, datasetId, owner: owner.address, holderSetId: SET };
      const row = { ...own, index: n + 1, version: 1, commitments: null, share };
      holder.shares.insert(row, TEST_NOW_MS);
    }
  }

  grant(contributionId: ContributionId, changes: Parameters<typeof aGrant>[0] = {}): void {
    const id = idOf<GrantId>(`grant of ${contributionId}`);
    this.chain.put('grant', aGrant({ id, contributionId, grantor: owner.address, ...changes }));
  }

  async runner(changes: Partial<RunnerContext> = {}): Promise<RunnerContext> {
    const context: Partial<RunnerContext> = {
      chain: this.chain,
      device: this.device,
      keys: await generateRunnerKeys(systemRandom),
      holders: this.ports(),
      clock: this.clock,
      random: systemRandom,
      logger: {
        info: () => undefined,
        warn: (event, fields = {}) => void this.lines.push({ event, fields }),
        error: () => undefined,
      },
      ...changes,
    };
    // A release needs no wallet, no store and no blobs.
    return context as RunnerContext;
  }

  ports = (): HolderPort[] =>
    this.holders.map(({ url }) => httpHolder(url, { fetch: fetchOnce, timeoutMs: ANSWER_LIMIT_MS }));

  holderPort = (n: number): HolderPort => this.ports()[n]!;

  /** What the runner has at the end: for each contribution `KEY`, or why there is none. */
  async outcomes(
    context: RunnerContext,
    asked: readonly DealtManifest[] = this.dealt,
    job = aJob(),
  ): Promise<string[]> {
    const dao = await this.chain.dao(DAO_ID);
    const manifests = asked.map(({ manifest }) => manifest);
    const released = await releaseKeys(context, job, dao, manifests);
    const keys = new SessionKeys(released, context.logger);
    return manifests.map((manifest) => {
      try {
        keys.keyOf(manifest);
        return 'KEY';
      } catch (error) {
        const { code } = toUsufructError(error);
        const refusal = released.refusals.get(manifest.contributionId);
        return refusal === undefined || code !== 'SHARES_INSUFFICIENT' ? code : `${code} ${refusal}`;
      }
    });
  }

  async anomalies(n = 0): Promise<Anomaly[]> {
    const response = await fetchOnce(`${this.holders[n]!.url}/v1/anomalies?daoId=${DAO_ID}`);
    return zAnomalies.parse(await response.json()).anomalies;
  }
}

/** The ports, of which every other waits until the first has released, and then for what happens in between. */
export function inTurn(ports: readonly HolderPort[], between: () => void): HolderPort[] {
  const first = Promise.withResolvers<void>();
  return ports.map((port, n) => ({
    ...port,
    release: async (request) => {
      if (n > 0) {
        await first.promise;
        return port.release(request);
      }
      const answer = await port.release(request);
      between();
      first.resolve();
      return answer;
    },
  }));
}
export const away = (port: HolderPort): HolderPort => {
  const fail = () => Promise.reject(refuse('UPSTREAM_UNAVAILABLE', { upstream: port.name }));
  return { ...port, identity: fail, challenge: fail, release: fail };
};

export const secretOf = (n: number): Uint8Array => fromHex(idOf(`release holder ${n}`));
