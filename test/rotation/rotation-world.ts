import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppraisalDesk, productionRoots } from '@usufruct/attestation';
import { combine, seal, type Share } from '@usufruct/crypto';
import {
  asBlobId,
  type DatasetId,
  type Digest,
  equalBytes,
  fromHex,
  type Hex32,
  type HolderSetId,
  type Logger,
  refuse,
  toBase64,
  toBase64Url,
} from '@usufruct/kernel';
import {
  ShareBcs,
  shareSealInfo,
  SignedManifestBcs,
  splitPoints,
  type HolderSetView,
  type SignedSealingKey,
} from '@usufruct/protocol';
import type { ReshareContext } from '@usufruct/sdk';
import {
  aContribution,
  aDao,
  aDataset,
  aHolderSet,
  dealManifest,
  FakeChain,
  idOf,
  ManualClock,
  seededRandom,
  signManifest,
  TEST_NOW_MS,
  testWallet,
  type DealtManifest,
} from '@usufruct/testing';
import { startKeyHolder, type RunningHolder } from '../../apps/key-holder/src/start.js';
import { currentSealingKey } from '../../apps/key-holder/src/sealing/sealed.js';
import { deriveHolderKeys } from '../../apps/key-holder/src/identity.js';
import { polynomialOf } from '../../apps/key-holder/src/store/shares.js';

export const SET = idOf<HolderSetId>('holder-set');
export const DATASET = idOf<DatasetId>('dataset');
const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const wallet = testWallet('contributor');
const secretOf = (n: number): Uint8Array => fromHex(idOf(`holder-${n}`));
const memberOf = async (n: number): Promise<HolderSetView['members'][number]> => {
  const keys = await deriveHolderKeys(secretOf(n));
  return {
    operator: keys.operator.address,
    signingPublicKey: toBase64(keys.signing.publicKey),
    sealingPublicKey: toBase64(keys.sealing.publicKey),
  };
};

/** Key holders in this process, each with its own database and port, on a chain that the test writes. */
export class RotationWorld {
  readonly chain = new FakeChain();
  readonly clock = new ManualClock(TEST_NOW_MS);
  readonly dealt: DealtManifest[] = [];
  readonly running = new Map<number, RunningHolder>();
  private readonly blobs = new Map<string, Uint8Array>();
  private readonly folder = mkdtempSync(join(tmpdir(), 'usufruct-rotation-'));
  private version = 0;

  static async of(holders: readonly number[], threshold: number): Promise<RotationWorld> {
    const world = new RotationWorld();
    for (const n of holders) await world.start(n);
    world.chain.put('dao', aDao()).put('dataset', aDataset());
    await world.rotate(holders, threshold);
    return world;
  }

  /** The chain's next version of the set: these holders, in this order. */
  async rotate(holders: readonly number[], threshold: number): Promise<HolderSetView> {
    this.version += 1;
    const members = await Promise.all(holders.map(memberOf));
    const set = aHolderSet({ members, threshold, version: this.version });
    this.chain.put('holder-set', set);
    return set;
  }

  /** So many contributions, dealt to the members that are. */
  async contribute(count: number): Promise<void> {
    const set = await this.chain.holderSet(SET);
    for (let i = 0; i < count; i++) {
      const salt = idOf<Hex32>(`salt-${this.dealt.length}`);
      const { threshold } = set;
      const counts = { threshold, holderCount: set.members.length };
      const made = dealManifest(wallet.address, { salt, ...counts }, seededRandom(`manifest-${this.dealt.length}`));
      const signature = await signManifest(wallet, made);
      for (const [position, member] of set.members.entries()) {
        const holder = this.holderOf(member);
        const { publicKey: sealedTo } = await holder.holder.subkeys.current();
        const sealedShare = await seal({
          recipientPublicKey: sealedTo,
          info: shareSealInfo(made.digest),
          aad: new Uint8Array(),
          plaintext: ShareBcs.serialize(made.shares[position]!).toBytes(),
        });
        const sent = { sealedTo: toBase64(sealedTo), sealedShare: toBase64(sealedShare) };
        const { status } = await this.post(holder, '/v1/shares', {
          manifest: toBase64(made.bytes),
          signature,
          ...sent,
        });
        if (status !== 200) throw new Error(`deposit ${status}`);
      }
      const blob = idOf<Hex32>(`manifest-blob-${this.dealt.length}`);
      this.blobs.set(
        asBlobId(toBase64Url(fromHex(blob))),
        SignedManifestBcs.serialize({ manifest: made.bytes, signature }).toBytes(),
      );
      const { contributionId: id, owner } = made.manifest;
      const manifestBlob = { blob, sizeBytes: 1_000, endEpoch: 50 };
      this.chain.put('contribution', aContribution({ id, owner, manifestDigest: made.digest, manifestBlob }));
      this.dealt.push(made);
    }
  }

  /** What these holders say of the keys to seal to, as a carrier brings it. */
  receivers(holders: readonly number[]): Promise<SignedSealingKey[]> {
    return Promise.all(holders.map((n) => currentSealingKey(this.holder(n).holder)));
  }

  /** What an operator's command line works with. */
  context(holders: readonly number[] = [...this.running.keys()]): ReshareContext {
    return {
      chain: this.chain,
      clock: this.clock,
      fetch: (input, init) => fetch(input, { ...init, headers: { ...init?.headers, connection: 'close' } }),
      store: {
        get: async (id) => this.blobs.get(id) ?? new Uint8Array(),
        getPatch: async () => Promise.reject(refuse('BLOB_UNAVAILABLE')),
      },
      holders: holders.flatMap((n) => (this.running.has(n) ? [{ url: this.running.get(n)!.url }] : [])),
    };
  }

  holder(n: number): RunningHolder {
    const running = this.running.get(n);
    if (running === undefined) throw new Error(`holder ${n} is down`);
    return running;
  }

  async post<T = Record<string, unknown>>(
    { url }: RunningHolder,
    path: string,
    body: unknown,
  ): Promise<{ readonly status: number; readonly body: T }> {
    const headers = { connection: 'close' };
    const response = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body), headers });
    return { status: response.status, body: (await response.json()) as T };
  }

  /** The share that a holder has of a contribution, as only it can open it; null where it has none. */
  async shareOf(
    n: number,
    made: DealtManifest,
  ): Promise<(Share & { readonly commitments: readonly Uint8Array[] }) | null> {
    const { shares } = this.holder(n).holder;
    const stored = shares.find(made.digest);
    if (stored === undefined) return null;
    const { commitments } = stored;
    return {
      ...ShareBcs.parse(shares.decrypt(stored)),
      commitments: commitments === null ? made.manifest.keys.commitments : splitPoints(commitments),
    };
  }

  /** Which polynomials a holder's shares lie on. */
  holdingsOf(n: number): Digest[] {
    return this.holder(n).holder.shares.ofSet(SET, undefined, 100).map(polynomialOf);
  }

  /** Whether the shares of these holders, and no others, are the contributor's secret again. */
  async opens(made: DealtManifest, holders: readonly number[]): Promise<boolean> {
    const shares = await Promise.all(holders.map((n) => this.shareOf(n, made)));
    const there = shares.filter((share) => share !== null);
    try {
      return equalBytes(combine(there, there[0]?.commitments ?? []), made.secret);
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    for (const n of this.running.keys()) await this.stop(n);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private holderOf({ signingPublicKey }: HolderSetView['members'][number]): RunningHolder {
    for (const running of this.running.values()) {
      if (toBase64(running.holder.keys.signing.publicKey) === signingPublicKey) return running;
    }
    throw new Error('nobody has this key');
  }

  async stop(n: number): Promise<void> {
    const holder = this.running.get(n);
    this.running.delete(n);
    await holder?.close();
  }

  async start(n: number): Promise<void> {
    this.running.set(
      n,
      await startKeyHolder({
        host: '127.0.0.1',
        port: 0,
        dataDir: join(this.folder, `holder-${n}`),
        holderSecret: secretOf(n),
        allowedOrigins: [],
        anchorIntervalMs: 60_000,
        standIns: ['local chain'],
        chain: this.chain,
        desk: new AppraisalDesk({ roots: productionRoots() }),
        clock: this.clock,
        random: seededRandom(`holder-${n}-${Math.random()}`),
        logger: silent,
      }),
    );
  }
}
