import type { Chain, PreparedTransaction, WalletSigner } from '@usufruct/chain';
import {
  fromBase64,
  fromWire,
  isHex32,
  refuse,
  toBase64,
  UsufructError,
  type Clock,
  type ContributionId,
  type Digest,
} from '@usufruct/kernel';
import { LIMITS, zBase64, zHex32, zTimestampMs, type LeaseRenewal, type TransactionOutcome } from '@usufruct/protocol';
import { z } from 'zod';

export const zPrepared = z.object({
  digest: zHex32<Digest>(),
  bytes: zBase64(LIMITS.transactionBytes),
  signature: z.string(),
  preparedAtMs: zTimestampMs,
});
type Stored = z.output<typeof zPrepared>;

export interface MakeKnownParams {
  readonly chain: Chain;
  readonly clock: Clock;
  readonly signer: WalletSigner;
  readonly contributionId: ContributionId;
  /** Blob → the first epoch in which its lease has ended, as the store said. */
  readonly ends: Readonly<Record<string, number>>;
  /** The transaction of an earlier try. */
  readonly earlier: Stored | null;
  /** Durable when it resolves; null: none is to be sent again. */
  readonly store: (prepared: Stored | null) => Promise<void>;
}

/**
 * Notes the new ends of leases on the chain, once, however often it is called: what was signed is stored before it is
 * sent, looked up before it is sent again, and replaced only when it can no longer happen. Ends that the chain has
 * already, or later ones (an owner was faster), are left out.
 */
export async function makeKnown(params: MakeKnownParams): Promise<void> {
  const { chain, clock, earlier, store } = params;
  if (earlier !== null) {
    const outcome = await chain.transaction(earlier.digest);
    if (outcome !== null) return settled(outcome, store);
    const endsAtMs = earlier.preparedAtMs + LIMITS.transactionTermMs + LIMITS.clockSkewMs;
    const transaction = { ...earlier, bytes: fromBase64(earlier.bytes) };
    if (clock.nowMs() <= endsAtMs && (await send(chain, transaction, store))) return;
  }
  const renewals = await renewalsOf(params);
  if (renewals.length === 0) return;
  const action = { kind: 'renewLease', contributionId: params.contributionId, renewals } as const;
  const prepared = await chain.prepare([action], params.signer);
  await store({ ...prepared, bytes: toBase64(prepared.bytes), preparedAtMs: clock.nowMs() });
  if (!(await send(chain, prepared, store))) throw refuse('TRANSACTION_EXPIRED');
}

/** False where the chain's clock says that it came too late, and so never will happen. */
async function send(chain: Chain, prepared: PreparedTransaction, store: MakeKnownParams['store']): Promise<boolean> {
  try {
    await settled(await chain.send(prepared), store);
    return true;
  } catch (error) {
    if (!(error instanceof UsufructError)) throw error;
    if (error.code === 'SETTLEMENT_UNKNOWN') {
      const outcome = await chain.transaction(prepared.digest);
      if (outcome === null) throw error;
      await settled(outcome, store);
      return true;
    }
    if (error.code === 'TRANSACTION_EXPIRED') {
      await store(null);
      return false;
    }
    throw error;
  }
}

async function settled(outcome: TransactionOutcome, store: MakeKnownParams['store']): Promise<void> {
  if (outcome.status === 'succeeded') return;
  await store(null);
  throw outcome.error === null ? refuse('UPSTREAM_INVALID', { upstream: 'chain' }) : fromWire(outcome.error, 'chain');
}

async function renewalsOf({ chain, contributionId, ends }: MakeKnownParams): Promise<LeaseRenewal[]> {
  const { manifestBlob, parts } = await chain.contribution(contributionId);
  const known = new Map<string, number>();
  for (const { blob, endEpoch } of [manifestBlob, ...parts]) {
    // Where the same blob stands twice with two ends, the renewal must be later than both.
    known.set(blob, Math.max(endEpoch, known.get(blob) ?? 0));
  }
  return Object.entries(ends).flatMap(([blob, endEpoch]) => {
    const before = known.get(blob);
    return isHex32(blob) && before !== undefined && endEpoch > before ? [{ blob, endEpoch }] : [];
  });
}
