import { createHash } from 'node:crypto';
import type { WalletSigner } from '@usufruct/chain';
import {
  asAmount,
  fromBase64Url,
  refuse,
  toHex32,
  type BlobId,
  type ContributionId,
  type Digest,
  type Hex32,
} from '@usufruct/kernel';
import { rolesOf, SignedManifestBcs, type BlobReference } from '@usufruct/protocol';
import { dealManifest, FakeCustody, FakeStore, signManifest } from '@usufruct/testing';
import { quiltIdentifier, type BlobStatus, type QuiltFile, type StoredBlob } from '@usufruct/walrus';
import { KeeperWallet, LeaseKeeper } from '../../apps/api/src/modules/lease/index.js';
import type { StorePort } from '../../apps/api/src/platform/store/index.js';
import { bytesOf, hexOf } from '../../apps/local-chain/src/testing/world.js';
import { ApiWorld, eventually } from './api-world.js';

/** Two stores that keep the same blobs, an epoch that a test sets, and an account of what was asked of them. */
export class TwoStores implements StorePort {
  readonly first = new FakeStore();
  readonly second = new FakeStore();
  /** The store does not say which epoch it is. */
  epochUnknown = false;
  readonly asked: string[] = [];
  /** Set by a test: what the next calls that cost something meet. */
  before: (call: string) => Promise<void> | void = () => undefined;
  after: (call: string) => Promise<void> | void = () => undefined;
  extendable = true;
  /** The store says how large a blob is. */
  saysSizes = true;

  /** What contributors have put into custody, and the keeper's wallet on it. */
  readonly objects = new FakeCustody();
  custody = (): FakeCustody => this.objects;

  set now(epoch: number) {
    this.objects.epoch = epoch;
    this.first.epoch = epoch;
    this.second.epoch = epoch;
  }
  async keep(bytes: Uint8Array, epochs: number): Promise<BlobReference> {
    const stored = await this.first.put(bytes, { epochs, deletable: true });
    await this.second.put(bytes, { epochs, deletable: true });
    return referenceOf(stored);
  }
  async keepTogether(files: readonly QuiltFile[], epochs: number): Promise<StoredBlob> {
    await this.second.putMany(files, { epochs, deletable: true });
    return this.first.putMany(files, { epochs, deletable: true });
  }
  async lose(blob: Hex32, store: FakeStore): Promise<void> {
    await store.delete({ blobId: blobIdOf(blob) });
  }

  get blobs(): StorePort['blobs'] {
    const { first } = this;
    const paid = async <T>(call: string, run: () => Promise<T>): Promise<T> => {
      this.asked.push(call);
      await this.before(call);
      const answer = await run();
      await this.after(call);
      return answer;
    };
    return {
      abilities: { ...first.abilities, extendable: this.extendable },
      put: (bytes, options) => paid('put', () => first.put(bytes, options)),
      extend: (lease, endEpoch, options) => paid('extend', () => first.extend(lease, endEpoch, options)),
      status: async (blobId) => {
        const status = await first.status(blobId);
        return this.saysSizes ? status : { ...status, sizeBytes: null };
      },
    };
  }
  get aggregators(): StorePort['aggregators'] {
    return [this.first, this.second].map((store) => ({
      get: (blobId, options) => store.get(blobId, options),
      getPatch: (patch, options) => store.getPatch(patch, options),
      status: (blobId) => statusOf(store, blobId),
    }));
  }
  epoch = async (): Promise<number> => {
    if (this.epochUnknown) throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'store' });
    return this.first.epoch;
  };
}

function statusOf(store: FakeStore, blobId: BlobId): Promise<BlobStatus> {
  if (store.isDown) throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'store' });
  return store.status(blobId);
}

const sha256Of = (bytes: Uint8Array): Digest =>
  toHex32<Digest>(new Uint8Array(createHash('sha256').update(bytes).digest()));
const blobIdOf = (blob: Hex32): BlobId => Buffer.from(blob.slice(2), 'hex').toString('base64url') as BlobId;
const referenceOf = ({ blobId, sizeBytes, endEpoch }: StoredBlob): BlobReference => ({
  blob: toHex32<Hex32>(fromBase64Url(blobId)),
  sizeBytes,
  endEpoch,
});

export interface Kept {
  readonly manifestBlob: BlobReference;
  readonly part: BlobReference;
}

/** The API over stores whose blobs are the contributions of a DAO: real manifests, signed by their owners. */
export class KeptWorld {
  readonly kept: Kept[] = [];
  private constructor(
    readonly api: ApiWorld,
    readonly stores: TwoStores,
  ) {}

  /** One contribution per contributor, whose leases end after so many epochs. */
  static async start(leaseEpochs: readonly number[], settings: Readonly<Record<string, string>> = {}) {
    const stores = new TwoStores();
    const world = new KeptWorld(await ApiWorld.start(settings, stores), stores);
    // So short that what is queued afterwards is not late: the queue does not know the test's clock.
    await world.api.dao.found({ votingMs: 1_000, timelockMs: 0 });
    for (const [i, epochs] of leaseEpochs.entries()) await world.contribute(i, epochs);
    await world.api.settled();
    return world;
  }
  private async contribute(i: number, epochs: number): Promise<void> {
    const { dao } = this.api;
    const owner = dao.contributors[i]!;
    const ciphertext = bytesOf(`ciphertext ${i}`);
    const part = await this.stores.keep(ciphertext, epochs);
    const { dealt, signed } = await this.signed(owner, 'contribution', ciphertext, part);
    const manifestBlob = await this.stores.keep(signed, epochs);
    const change = { manifestDigest: dealt.digest, manifestBlob, parts: [part] };
    await dao.run(owner, dao.contribution(change), dao.grant(i));
    await dao.run(dao.founder, dao.decide(i));
    this.kept.push({ manifestBlob, part });
  }
  /** Contributions of one owner whose ciphertexts lie in one quilt, and their manifests in another, all accepted. */
  async contributeTogether(owner: WalletSigner, ciphertexts: readonly Uint8Array[], epochs: number) {
    const { dao } = this.api;
    const fileOf = (digest: Hex32, bytes: Uint8Array): QuiltFile => ({ identifier: quiltIdentifier(digest), bytes });
    const inQuilt = (quilt: StoredBlob, { length }: Uint8Array): BlobReference => ({
      ...referenceOf(quilt),
      sizeBytes: length,
    });
    const quilt = await this.stores.keepTogether(
      ciphertexts.map((bytes) => fileOf(sha256Of(bytes), bytes)),
      epochs,
    );
    const made = await Promise.all(
      ciphertexts.map((bytes, n) => this.signed(owner, `together ${n}`, bytes, inQuilt(quilt, bytes))),
    );
    const manifests = await this.stores.keepTogether(
      made.map(({ dealt, signed }) => fileOf(dealt.digest, signed)),
      epochs,
    );
    const ids: ContributionId[] = [];
    for (const [n, { dealt, signed }] of made.entries()) {
      const parts = [inQuilt(quilt, ciphertexts[n]!)];
      const salt = hexOf<Hex32>(`together ${n}`);
      const manifestBlob = inQuilt(manifests, signed);
      await dao.run(owner, dao.contribution({ manifestDigest: dealt.digest, manifestBlob, parts, salt }));
      const contributionId = dao.derive<ContributionId>('contribution', dao.datasetId, owner, `together ${n}`);
      await dao.run(dao.founder, { kind: 'decideContribution', contributionId, accept: true });
      ids.push(contributionId);
    }
    await this.api.settled();
    return { ids, quilt, manifests };
  }
  private async signed(owner: WalletSigner, salt: string, ciphertext: Uint8Array, part: BlobReference) {
    const { dao } = this.api;
    const dealt = dealManifest(owner.address, {
      datasetId: dao.datasetId,
      holderSetId: dao.holderSetId,
      salt: hexOf(salt),
      parts: [{ blob: part.blob, sha256: sha256Of(ciphertext), sizeBytes: part.sizeBytes }],
    });
    const signature = await signManifest(owner, dealt);
    return { dealt, signed: SignedManifestBcs.serialize({ manifest: dealt.bytes, signature }).toBytes() };
  }

  get keeper(): WalletSigner {
    return this.api.app.get(KeeperWallet, { strict: false }).signer;
  }
  /** The DAO takes the keeper in, makes it a steward, and pays it for storage. */
  async trustKeeper(units: bigint): Promise<void> {
    const { dao } = this.api;
    const statementHash = hexOf<Digest>('statement');
    const { address: applicant } = this.keeper;
    await dao.run(this.keeper, { kind: 'applyForMembership', daoId: dao.daoId, statementHash });
    await dao.run(dao.founder, { kind: 'decideApplication', daoId: dao.daoId, applicant, accept: true });
    const roles = rolesOf(['steward']);
    await dao.run(dao.founder, { kind: 'setRoles', daoId: dao.daoId, member: applicant, roles });
    if (units > 0n) await this.fund(units);
    await this.api.settled();
  }
  async fund(units: bigint): Promise<void> {
    const { dao } = this.api;
    const { treasury } = dao.store.read('dao', dao.daoId)!;
    const amountUnits = asAmount(units);
    await dao.run(dao.founder, { kind: 'mint', to: treasury, amountUnits });
    const salt = `fund ${units} ${dao.clock.nowMs()}`;
    await dao.run(dao.founder, dao.propose({ kind: 'spendTreasury', to: this.keeper.address, amountUnits }, salt));
    const proposal = dao.proposalIdOf(dao.founder, salt);
    for (const who of [dao.founder, ...dao.contributors.slice(0, this.kept.length)]) {
      await dao.run(who, dao.vote(proposal));
    }
    dao.clock.advance(1_000);
    await dao.run(dao.stranger, dao.execute(proposal));
    await this.api.settled();
  }

  round(app = this.api.app): Promise<void> {
    return app.get(LeaseKeeper, { strict: false }).round(new AbortController().signal);
  }
  endOf(i: number): number {
    const { manifestBlob, parts } = this.api.dao.store.read('contribution', this.api.dao.contributionIds[i]!)!;
    return Math.min(manifestBlob.endEpoch, ...parts.map(({ endEpoch }) => endEpoch));
  }
  async endsWith(i: number, endEpoch: number): Promise<void> {
    await eventually(async () => this.endOf(i) === endEpoch);
    await this.api.settled();
  }
}
