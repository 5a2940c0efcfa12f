import type { BlobCustody, BlobObject, CustodyName, StepMemory } from '@usufruct/chain';
import { refuse, type ContributionId, type Digest, type Hex32 } from '@usufruct/kernel';
import { idOf } from './values.js';

/** Custody in memory, as one wallet sees it. It holds no rules: a test refuses by `before`. A step is remembered, happens, is forgotten. */
export class FakeCustody implements BlobCustody {
  readonly objects = new Map<Hex32, BlobObject & { readonly keptFor: ContributionId | null }>();
  /** What has happened, in order. */
  readonly steps: string[] = [];
  /** What each step meets: before it is remembered, and when it has happened. */
  before: (step: string) => Promise<void> | void = () => undefined;
  after: (step: string) => Promise<void> | void = () => undefined;
  /** What deleting an object does to the blob. */
  onDelete: (object: BlobObject) => Promise<void> = async () => undefined;
  /** The answer to the next step is lost, when it has happened. */
  loseNext = false;
  epoch = 24;

  /** The wallet owns an object of this blob. */
  own(blob: Hex32, change: Partial<BlobObject> = {}): Hex32 {
    const objectId = idOf<Hex32>(`object ${this.objects.size} of ${blob}`);
    const object = { objectId, blob, sizeBytes: 10, endEpoch: 50, deletable: true, certified: true, ...change };
    this.objects.set(objectId, { ...object, keptFor: null });
    return objectId;
  }
  owned: BlobCustody['owned'] = async () => [...this.objects.values()].filter(({ keptFor }) => keptFor === null);
  held: BlobCustody['held'] = async (contributionId, blobs) =>
    blobs.map((blob) => this.find({ contributionId, blob }) ?? null);

  put: BlobCustody['put'] = (name, objectId, memory) =>
    this.once('put', memory, this.find(name)?.objectId === objectId, () => {
      this.objects.set(objectId, { ...this.objects.get(objectId)!, keptFor: name.contributionId });
    });
  renew: BlobCustody['renew'] = async (name, endEpoch, memory) => {
    const held = this.living(name);
    await this.once('renew', memory, held.endEpoch >= endEpoch, () => {
      this.objects.set(held.objectId, { ...held, endEpoch });
    });
    return { endEpoch: this.living(name).endEpoch };
  };
  withdraw: BlobCustody['withdraw'] = async (name, { isDeleted }, memory) => {
    const held = this.find(name);
    const deletes = isDeleted && held?.deletable === true;
    await this.once(deletes ? 'delete' : 'withdraw', memory, held === undefined, async () => {
      if (!deletes) this.objects.set(held!.objectId, { ...held!, keptFor: null });
      else if (this.objects.delete(held.objectId)) await this.onDelete(held);
    });
  };

  private find({ contributionId, blob }: CustodyName) {
    return [...this.objects.values()].find((one) => one.keptFor === contributionId && one.blob === blob);
  }
  private living(name: CustodyName) {
    const held = this.find(name);
    if (held === undefined) throw refuse('NOT_FOUND', { object: 'blob in custody' });
    if (held.endEpoch <= this.epoch) throw refuse('BLOB_UNAVAILABLE', { blob: name.blob });
    return held;
  }
  private async once(step: string, memory: StepMemory, isDone: boolean, happen: () => Promise<void> | void) {
    if ((await memory.read()) !== null) await memory.write(null);
    if (isDone) return;
    await this.before(step);
    const digest = idOf<Digest>(`${step} ${this.steps.length}`);
    await memory.write({ digest, bytes: new Uint8Array(1), signature: 'signed' });
    await happen();
    this.steps.push(step);
    await this.after(step);
    if (this.loseNext) {
      this.loseNext = false;
      throw refuse('SETTLEMENT_UNKNOWN', { digest });
    }
    await memory.write(null);
  }
}
