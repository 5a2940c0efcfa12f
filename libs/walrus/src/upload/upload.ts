import { fromBase64, refuse, toBase64, toHex32, UsufructError, type Hex32, type RandomSource } from '@usufruct/kernel';
import type { StoredBlob } from '../blob-store.js';
import { pause } from '../request.js';
import { sha256 } from '../sha256.js';
import { readCertificate, writeCertificate } from './certificate.js';
import { executeOnce, type OneAtATime } from './execute-once.js';
import type {
  Certificate,
  LeaseChain,
  LeaseView,
  PreparedLeaseTransaction,
  TransactionResult,
  Transport,
  UploadJournal,
} from './ports.js';
import { preparedTransaction, storedTransaction, UploadState, type UploadRecord } from './records.js';
import { TipRefused } from './relay.js';

export interface UploadContext {
  readonly chain: LeaseChain;
  readonly transport: Transport;
  readonly journal: UploadJournal;
  readonly random: RandomSource;
  readonly oneAtATime: OneAtATime;
}

export interface UploadRequest {
  readonly bytes: Uint8Array;
  readonly epochs: number;
  readonly deletable: boolean;
  readonly resumeKey: string;
  readonly signal?: AbortSignal;
}

/** A relay that calls every tip too old is not paid for ever. */
const TIPS_PAID_AGAIN_AT_MOST = 3;

/**
 * Encode → register → upload → certify. Each step is in the journal before it is taken, so a process that was killed at
 * any point goes on with the same key: a registration whose answer was lost is looked up and not paid twice, a
 * certification that timed out and happened is seen to have happened.
 *
 * Refuses `IDEMPOTENCY_KEY_REUSED` for other bytes or another lease under a key that something was registered under, `SETTLEMENT_UNKNOWN` while nobody
 * knows what became of a transaction (call again), what the chain refuses, and `UPSTREAM_*`.
 */
export async function resumableUpload(context: UploadContext, request: UploadRequest): Promise<StoredBlob> {
  const state = await UploadState.open(context.journal, request.resumeKey);
  const digest = toHex32<Hex32>(await sha256(request.bytes));
  const known = state.known;
  if (known !== null && !isOf(known, request, digest, context)) {
    // Nothing may have been paid yet: then other bytes or terms are a new beginning.
    if (known.registration !== null) throw refuse('IDEMPOTENCY_KEY_REUSED', { blobId: known.blobId });
    await state.forget();
  }
  if (state.known !== null && (await hasEnded(context, state.known))) await state.forget();
  const isResumed = state.known !== null && state.known.registration !== null;
  if (state.known === null) await begin(context, state, request, digest);
  if (state.record.objectId === null) await register(context, state, request);
  if (state.record.endEpoch === null) await certify(context, state, request, isResumed);
  const { blobId, sizeBytes, endEpoch, objectId } = state.record;
  if (endEpoch === null) throw refuse('INTERNAL', { part: 'upload' });
  return { blobId, sizeBytes, endEpoch, objectId };
}

const isOf = (
  { sha256, epochs, deletable, owner }: UploadRecord,
  request: UploadRequest,
  wanted: Hex32,
  { chain }: UploadContext,
): boolean =>
  sha256 === wanted && epochs === request.epochs && deletable === request.deletable && owner === chain.owner;

/** A lease that ran out, or was deleted, while nobody went on with it: there is nothing left to finish. */
async function hasEnded({ chain }: UploadContext, { objectId, registration }: UploadRecord): Promise<boolean> {
  if (objectId === null || registration === null) return false;
  // A node that has not seen the registration yet has not seen its object either.
  const result = await chain.result(preparedTransaction(registration).digest);
  const lease = await chain.lease(objectId);
  if (lease === null) return result !== null;
  return lease.endEpoch <= (await chain.currentEpoch());
}

async function begin(context: UploadContext, state: UploadState, request: UploadRequest, digest: Hex32): Promise<void> {
  const { blobId, rootHash } = await context.chain.encode(request.bytes);
  await state.begin({
    version: 1,
    sha256: digest,
    sizeBytes: request.bytes.length,
    epochs: request.epochs,
    deletable: request.deletable,
    owner: context.chain.owner,
    blobId,
    rootHash: toBase64(rootHash),
    nonce: toBase64(context.random(32)),
    isTipped: false,
    registration: null,
    objectId: null,
    tip: null,
    tipsPaidAgain: 0,
    certificate: null,
    certification: null,
    endEpoch: null,
  });
}

async function register(context: UploadContext, state: UploadState, { bytes, signal }: UploadRequest): Promise<void> {
  const { chain, transport } = context;
  const result = await step(context, state, 'registration', async () => {
    signal?.throwIfAborted();
    const { blobId, sizeBytes, epochs, deletable, rootHash, nonce } = state.record;
    const tip = await transport.tipFor(bytes, fromBase64(nonce));
    await state.update({ isTipped: tip !== null });
    return chain.prepareRegistration({ blobId, rootHash: fromBase64(rootHash), sizeBytes, epochs, deletable, tip });
  });
  if (result.createdBlob === null) throw refuse('UPSTREAM_INVALID', { upstream: 'chain', field: 'created blob' });
  await state.update({ objectId: result.createdBlob });
}

/** Until the chain says that the blob is certified, whoever brought that about. */
async function certify(
  context: UploadContext,
  state: UploadState,
  request: UploadRequest,
  isResumed: boolean,
): Promise<void> {
  const lease = await leaseOf(context, state);
  if (lease.certified) return state.update({ endEpoch: lease.endEpoch });
  for (const isLastTry of [false, true]) {
    request.signal?.throwIfAborted();
    const certificate = await certificateFor(context, state, request, lease, isResumed);
    const { blobId, deletable } = state.record;
    const { objectId } = lease;
    try {
      await step(context, state, 'certification', () =>
        context.chain.prepareCertification({ blobId, objectId, deletable, certificate }),
      );
    } catch (error) {
      // Perhaps another process of this wallet was first.
      const now = await leaseOf(context, state);
      if (now.certified) return state.update({ endEpoch: now.endEpoch, certification: null });
      // What nodes of an earlier epoch signed counts no more: they sign again.
      if (isLastTry || !isChainsNo(error)) throw error;
      await state.update({ certificate: null, certification: null });
      continue;
    }
    const { endEpoch } = await leaseOf(context, state, ({ certified }) => certified);
    return state.update({ endEpoch });
  }
}

const NOT_SAID_BY_THE_CHAIN = ['SETTLEMENT_UNKNOWN', 'CHAIN_UNAVAILABLE', 'INSUFFICIENT_BALANCE', 'WRONG_WALLET'];
const isChainsNo = (error: unknown): boolean =>
  error instanceof UsufructError && !NOT_SAID_BY_THE_CHAIN.includes(error.code);

/** A full node may be a little behind the one that executed a transaction. */
const LOOK_AGAIN_AFTER_MS = [200, 500, 1_500];

async function leaseOf(
  { chain }: UploadContext,
  state: UploadState,
  isSeen: (lease: LeaseView) => boolean = () => true,
): Promise<LeaseView> {
  const { objectId, blobId, sizeBytes, deletable } = state.record;
  if (objectId === null) throw refuse('INTERNAL', { part: 'upload' });
  let lease = await chain.lease(objectId);
  for (const waitMs of LOOK_AGAIN_AFTER_MS) {
    if (lease !== null && isSeen(lease)) break;
    await pause(waitMs, undefined);
    lease = await chain.lease(objectId);
  }
  if (lease === null || !isSeen(lease))
    throw refuse('CHAIN_UNAVAILABLE', { chain: 'Sui', reason: 'the lease is not seen yet as it is' });
  if (lease.blobId !== blobId || lease.sizeBytes !== sizeBytes || lease.deletable !== deletable)
    throw refuse('UPSTREAM_INVALID', { upstream: 'chain', field: 'Blob object' });
  return lease;
}

async function certificateFor(
  context: UploadContext,
  state: UploadState,
  request: UploadRequest,
  lease: LeaseView,
  isResumed: boolean,
): Promise<Certificate> {
  const { certificate } = state.record;
  if (certificate !== null) return readCertificate(certificate);
  if (state.record.tip !== null) await payTip(context, state, request.bytes);
  const signed = await upload(context, state, request, lease).catch(async (error: unknown) => {
    if (!(error instanceof TipRefused)) throw error;
    // Fresh, and refused all the same: another tip would be refused too.
    const isOld = isResumed && state.record.tipsPaidAgain < TIPS_PAID_AGAIN_AT_MOST;
    if (!isOld) throw refuse('UPSTREAM_INVALID', { upstream: 'upload relay', field: 'tip' }, error);
    await payTipAgain(context, state, request.bytes);
    return upload(context, state, request, lease).catch((again: unknown) => {
      throw again instanceof TipRefused
        ? refuse('UPSTREAM_INVALID', { upstream: 'upload relay', field: 'tip' }, again)
        : again;
    });
  });
  await state.update({ certificate: writeCertificate(signed) });
  return signed;
}

function upload(
  { transport }: UploadContext,
  { record }: UploadState,
  { bytes, signal }: UploadRequest,
  lease: LeaseView,
): Promise<Certificate> {
  const { blobId, rootHash, nonce, isTipped, registration, tip } = record;
  const encoded = { blobId, rootHash: fromBase64(rootHash) };
  const paid = tip ?? (isTipped ? registration : null);
  const tipDigest = paid === null ? null : preparedTransaction(paid).digest;
  return transport.upload({
    bytes,
    encoded,
    lease,
    tipDigest,
    nonce: fromBase64(nonce),
    ...(signal !== undefined && { signal }),
  });
}

/** A relay takes tips only for a while; the registration, which is what costs, stays. */
async function payTipAgain(context: UploadContext, state: UploadState, bytes: Uint8Array): Promise<void> {
  // The one before was paid, and is too old by now.
  await state.update({ tip: null, tipsPaidAgain: state.record.tipsPaidAgain + 1 });
  await payTip(context, state, bytes);
}

async function payTip(context: UploadContext, state: UploadState, bytes: Uint8Array): Promise<void> {
  const tip = await context.transport.tipFor(bytes, fromBase64(state.record.nonce));
  // It asks for none now.
  if (tip === null) return state.update({ tip: null, isTipped: false });
  await step(context, state, 'tip', () => context.chain.prepareTip(tip));
}

const step = (
  { chain, oneAtATime }: UploadContext,
  state: UploadState,
  name: 'registration' | 'tip' | 'certification',
  prepare: () => Promise<PreparedLeaseTransaction>,
): Promise<TransactionResult> =>
  executeOnce({
    chain,
    oneAtATime,
    stored: async () => {
      const stored = state.record[name];
      return stored === null ? null : preparedTransaction(stored);
    },
    store: (prepared) => state.update({ [name]: prepared === null ? null : storedTransaction(prepared) }),
    prepare,
  });
