import { fromBase64, refuse, toBase64, UsufructError, type Digest } from '@usufruct/kernel';
import { seal, verify, type Share } from '@usufruct/crypto';
import {
  LIMITS,
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
 * Give every holder its share, sealed to the key that it signs for now, and keep its signed receipt. All of them, not
 * only the threshold: a share that was never dealt cannot be dealt later. Goes on where an earlier run stopped, but
 * for holders whose word is older than `shareReceiptTermMs`: until it is registered they keep a share for some days only.
 * Refuses
 * with what was wrong at the first holder, after all others were served: `UPSTREAM_UNAVAILABLE` where it could not be
 * reached, `SEALING_KEY_INVALID` where what it says is not its word: nothing is sealed to another key instead.
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
  const { context, records, manifestDigest } = params;
  const upstream = holderName(member);
  const askedAtMs = context.clock.nowMs();
  // Sealed to a key that the member has signed for: who only claims to be it can open nothing and sign nothing.
  const signature = await firstGood(urls, upstream, async (url) => {
    const answer = parseAnswer(zDepositShareAnswer, await send(params, member, url), upstream);
    if (answer.manifestDigest !== manifestDigest || answer.index !== member + 1) {
      throw refuse('UPSTREAM_INVALID', { upstream, field: 'manifestDigest or index' });
    }
    if (await isReceipt(params, member, answer.signature)) return answer.signature;
    throw refuse('UPSTREAM_INVALID', { upstream, field: 'signature' });
  });
  await writeRecord(context.journal, records.receipt(member), { signature, askedAtMs });
}

/** The holder may have made another key since it was asked, and destroyed this one: it says so, and is asked once more. */
async function send(params: DepositParams, member: number, url: string): Promise<unknown> {
  const { context, holderSet } = params;
  try {
    return await sendSealed(params, member, url);
  } catch (error) {
    if (!(error instanceof UsufructError) || error.code !== 'SEALING_KEY_RETIRED') throw error;
    context.sealingKeys.forget(holderSet.members[member]!);
    return sendSealed(params, member, url);
  }
}

async function sendSealed(
  { context, holderSet, manifestDigest, signed, shares }: DepositParams,
  position: number,
  url: string,
): Promise<unknown> {
  const upstream = holderName(position);
  const member = holderSet.members[position]!;
  const sealedTo = await context.sealingKeys.publicKey(context, { url, member, upstream });
  const sealedShare = await seal({
    recipientPublicKey: sealedTo,
    info: shareSealInfo(manifestDigest),
    aad: new Uint8Array(),
    plaintext: ShareBcs.serialize(shares[position]!).toBytes(),
  });
  const body = {
    manifest: toBase64(signed.manifest),
    signature: signed.signature,
    sealedTo: toBase64(sealedTo),
    sealedShare: toBase64(sealedShare),
  };
  return requestJson({ fetch: context.fetch, url: `${url}/v1/shares`, upstream, body });
}

async function hasReceipt(params: DepositParams, member: number): Promise<boolean> {
  const record = await readRecord(params.context.journal, params.records.receipt(member), zShareRecord);
  if (record === null) return false;
  const ageMs = params.context.clock.nowMs() - record.askedAtMs;
  // From the future by a clock that was set back: asking once more harms nothing.
  if (ageMs > LIMITS.shareReceiptTermMs || ageMs < 0) return false;
  return isReceipt(params, member, record.signature);
}

/** Signed by the key that the chain names for this member, over this manifest and this share's position. */
const isReceipt = ({ holderSet, manifestDigest }: DepositParams, member: number, signature: string): Promise<boolean> =>
  verify({
    publicKey: fromBase64(holderSet.members[member]!.signingPublicKey),
    domainTag: TAGS.shareReceipt,
    message: ShareReceiptBcs.serialize({ manifestDigest, holderSetId: holderSet.id, index: member + 1 }).toBytes(),
    signature: fromBase64(signature),
  });
