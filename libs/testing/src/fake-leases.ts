import { createHash } from 'node:crypto';
import {
  asBlobId,
  fromUtf8,
  refuse,
  toHex32,
  toUsufructError,
  utf8,
  type Address,
  type BlobId,
  type Hex32,
} from '@usufruct/kernel';
import {
  confirmationOf,
  TipRefused,
  type Certificate,
  type LeaseChain,
  type LeaseView,
  type PreparedLeaseTransaction,
  type SliverUpload,
  type TransactionResult,
  type Transport,
} from '@usufruct/walrus';

interface Blob extends LeaseView {
  certified: boolean;
  endEpoch: number;
}
interface Payload {
  readonly step: string;
  readonly number: number;
  readonly lastEpoch: number;
  readonly blobId?: BlobId;
  readonly objectId?: Hex32;
  readonly sizeBytes?: number;
  readonly epochs?: number;
  readonly deletable?: boolean;
  readonly tipMist?: string;
  readonly certificate?: string;
}

const SHARDS = 1_000;
const hash = (text: string): Hex32 => toHex32<Hex32>(createHash('sha256').update(text).digest());

/**
 * Walrus's contracts as one wallet sees them, in memory: what is registered, certified, deleted and paid. A transaction
 * ends with the epoch that it was made in; a certificate counts in the epoch that it was signed in.
 */
export class FakeLeaseChain implements LeaseChain {
  readonly owner = `0x${'7'.repeat(64)}` as Address;
  epoch = 10;
  /** The answer to the next transaction is lost, before anything happened or after everything did. */
  loseNext: 'request' | 'answer' | null = null;
  /** What was executed, in order. */
  readonly steps: string[] = [];
  /** By digest; the relay looks here. */
  readonly tips = new Map<Hex32, { readonly mist: bigint; readonly epoch: number }>();
  readonly blobs = new Map<Hex32, Blob>();
  private readonly results = new Map<Hex32, TransactionResult>();
  private prepared = 0;

  currentEpoch = async (): Promise<number> => this.epoch;
  shards = async (): Promise<number> => SHARDS;
  encode: LeaseChain['encode'] = async (bytes) => ({
    blobId: asBlobId(createHash('sha256').update('fake-walrus').update(bytes).digest('base64url')),
    rootHash: new Uint8Array(createHash('sha256').update('root').update(bytes).digest()),
  });
  lease: LeaseChain['lease'] = async (objectId) => {
    const blob = this.blobs.get(objectId);
    return blob === undefined ? null : { ...blob };
  };
  leaseOf: LeaseChain['leaseOf'] = async (blobId) =>
    [...this.blobs.values()].findLast((blob) => blob.blobId === blobId && blob.endEpoch > this.epoch) ?? null;

  prepareRegistration: LeaseChain['prepareRegistration'] = async ({ blobId, sizeBytes, epochs, deletable, tip }) =>
    this.prepare('register', {
      blobId,
      sizeBytes,
      epochs,
      deletable,
      ...(tip !== null && { tipMist: String(tip.amountMist) }),
    });
  prepareTip: LeaseChain['prepareTip'] = async ({ amountMist }) => this.prepare('tip', { tipMist: String(amountMist) });
  prepareCertification: LeaseChain['prepareCertification'] = async ({ objectId, certificate }) =>
    this.prepare('certify', { objectId, certificate: Buffer.from(certificate.message).toString('base64') });
  prepareExtension: LeaseChain['prepareExtension'] = async (objectId, epochs) =>
    this.prepare('extend', { objectId, epochs });
  prepareDeletion: LeaseChain['prepareDeletion'] = async (objectId) => this.prepare('delete', { objectId });

  send: LeaseChain['send'] = async ({ digest, bytes }) => {
    const lost = this.loseNext;
    this.loseNext = null;
    const known = this.results.get(digest);
    if (known !== undefined) return known;
    const payload = JSON.parse(fromUtf8(bytes)) as Payload;
    if (payload.lastEpoch < this.epoch) throw refuse('TRANSACTION_EXPIRED', { digest });
    if (lost === 'request') throw refuse('SETTLEMENT_UNKNOWN', { digest });
    const result = this.execute(digest, payload);
    this.results.set(digest, result);
    if (lost === 'answer') throw refuse('SETTLEMENT_UNKNOWN', { digest });
    return result;
  };
  result: LeaseChain['result'] = async (digest) => this.results.get(digest) ?? null;

  private prepare(step: string, more: Partial<Payload>): PreparedLeaseTransaction {
    const payload: Payload = { step, number: this.prepared++, lastEpoch: this.epoch, ...more };
    const text = JSON.stringify(payload);
    return { digest: hash(text), bytes: utf8(text), signature: 'signed' };
  }
  private execute(digest: Hex32, payload: Payload): TransactionResult {
    try {
      const createdBlob = this.apply(digest, payload);
      this.steps.push(payload.step);
      return { error: null, createdBlob };
    } catch (error) {
      this.steps.push(`${payload.step} refused`);
      return { error: toUsufructError(error), createdBlob: null };
    }
  }
  private apply(
    digest: Hex32,
    { step, blobId, objectId, sizeBytes, epochs, deletable, ...more }: Payload,
  ): Hex32 | null {
    if (more.tipMist !== undefined) this.tips.set(digest, { mist: BigInt(more.tipMist), epoch: this.epoch });
    if (step === 'register') {
      const id = hash(`object of ${digest}`);
      const endEpoch = this.epoch + epochs!;
      this.blobs.set(id, {
        blobId: blobId!,
        objectId: id,
        sizeBytes: sizeBytes!,
        deletable: deletable!,
        endEpoch,
        certified: false,
      });
      return id;
    }
    if (step === 'tip') return null;
    const blob = this.blobs.get(objectId!);
    if (blob === undefined || blob.endEpoch <= this.epoch) throw refuse('UPSTREAM_INVALID', { upstream: 'contract' });
    if (step === 'certify') {
      const expected = Buffer.from(confirmationOf(blob, this.epoch)).toString('base64');
      if (blob.certified || more.certificate !== expected) throw refuse('UPSTREAM_INVALID', { upstream: 'contract' });
      blob.certified = true;
    }
    if (step === 'extend') blob.endEpoch += epochs!;
    if (step === 'delete') this.blobs.delete(objectId!);
    return null;
  }
}

/** A relay and the storage nodes behind it, in memory. Takes a tip for as long as the epoch lasts. */
export class FakeTransport implements Transport {
  readonly stored = new Map<BlobId, Uint8Array>();
  uploads = 0;
  constructor(
    private readonly chain: FakeLeaseChain,
    private readonly tipMist: bigint | null = null,
  ) {}

  tipFor: Transport['tipFor'] = async () =>
    this.tipMist === null
      ? null
      : { address: `0x${'8'.repeat(64)}` as Address, amountMist: this.tipMist, authPayload: new Uint8Array(72) };

  upload: Transport['upload'] = async ({ bytes, encoded, lease, tipDigest }: SliverUpload): Promise<Certificate> => {
    this.uploads++;
    const tip = tipDigest === null ? undefined : this.chain.tips.get(tipDigest);
    if (this.tipMist !== null && (tip === undefined || tip.mist < this.tipMist || tip.epoch < this.chain.epoch))
      throw new TipRefused('status 400');
    if ((await this.chain.encode(bytes)).blobId !== encoded.blobId) throw refuse('BLOB_MISMATCH');
    if ((await this.chain.lease(lease.objectId)) === null) throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'nodes' });
    this.stored.set(encoded.blobId, Uint8Array.from(bytes));
    return { signers: [0, 1, 2], message: confirmationOf(lease, this.chain.epoch), signature: new Uint8Array(96) };
  };
}
