import { fromBase64, refuse, toBase64, type Digest } from '@usufruct/kernel';
import { seal, verify, type Share } from '@usufruct/crypto';
import {
  parseAnswer,
  ShareBcs,
  ShareReceiptBcs,
  shareSealInfo,
  TAGS,
  zDepositShareAnswer,
  type HolderSetView,
  type SignedManifest,
} from '@usufruct/protocol';
import { requestJson } from '../api/http.js';
import type { ClientContext } from '../context.js';
import { firstGood, holderName, locateMembers } from '../holders.js';
import { readRecord, writeRecord } from '../journal.js';
import type { ProgressMeter } from './progress.js';
import { zShareRecord, type ContributionRecords } from './records.js';

export interface DepositParams {
  readonly context: ClientContext;
  readonly records: ContributionRecords;
  readonly holderSet: HolderSetView;
  readonly manifestDigest: Digest;
  readonly signed: SignedManifest;
  readonly shares: readonly Share[];
  readonly meter: ProgressMeter;
}

/**
 * Give every holder its share, sealed to the key that the chain names for it, and keep its signed receipt. All of them,
 * not only the threshold: a share that was never dealt cannot be dealt later. Goes on where an earlier run stopped;
 * refuses `UPSTREAM_UNAVAILABLE` naming the first holder that could not be reached, after all others were served.
 */
export async function depositShares(params: DepositParams): Promise<void> {
  const { context, holderSet, meter } = params;
  const missing: number[] = [];
  for (const member of holderSet.members.keys()) {
    if (!(await hasReceipt(params, member))) missing.push(member);
  }
  const count = holderSet.members.length;
  let deposited = count - missing.length;
  meter.shares(deposited, count);
  if (missing.length === 0) return;
  const urls = await locateMembers(context, holderSet);
  const failures: unknown[] = [];
  for (const member of missing) {
    try {
      await deposit(params, member, urls[member] ?? []);
      meter.shares(++deposited, count);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function deposit(params: DepositParams, member: number, urls: readonly string[]): Promise<void> {
  const { context, records, holderSet, manifestDigest, signed, shares } = params;
  const upstream = holderName(member);
  const sealedShare = await seal({
    recipientPublicKey: fromBase64(holderSet.members[member]!.sealingPublicKey),
    info: shareSealInfo(manifestDigest),
    aad: new Uint8Array(),
    plaintext: ShareBcs.serialize(shares[member]!).toBytes(),
  });
  const sent = { manifest: toBase64(signed.manifest), signature: signed.signature, sealedShare: toBase64(sealedShare) };
  // Sealed to the member alone: who only claims to be it can open nothing and sign nothing.
  const signature = await firstGood(urls, upstream, async (url) => {
    const body = await requestJson({ fetch: context.fetch, url: `${url}/v1/shares`, upstream, body: sent });
    const answer = parseAnswer(zDepositShareAnswer, body, upstream);
    if (answer.manifestDigest !== manifestDigest || answer.index !== member + 1) {
      throw refuse('UPSTREAM_INVALID', { upstream, field: 'manifestDigest or index' });
    }
    if (await isReceipt(params, member, answer.signature)) return answer.signature;
    throw refuse('UPSTREAM_INVALID', { upstream, field: 'signature' });
  });
  await writeRecord(context.journal, records.receipt(member), { signature });
}

async function hasReceipt(params: DepositParams, member: number): Promise<boolean> {
  const record = await readRecord(params.context.journal, params.records.receipt(member), zShareRecord);
  return record !== null && isReceipt(params, member, record.signature);
}

/** Signed by the key that the chain names for this member, over this manifest and this share's position. */
const isReceipt = ({ holderSet, manifestDigest }: DepositParams, member: number, signature: string): Promise<boolean> =>
  verify({
    publicKey: fromBase64(holderSet.members[member]!.signingPublicKey),
    domainTag: TAGS.shareReceipt,
    message: ShareReceiptBcs.serialize({ manifestDigest, holderSetId: holderSet.id, index: member + 1 }).toBytes(),
    signature: fromBase64(signature),
  });
