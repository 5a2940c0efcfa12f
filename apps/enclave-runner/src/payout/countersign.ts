import { verify } from '@usufruct/crypto';
import { fromBase64, refuse, toBase64, type Digest } from '@usufruct/kernel';
import { TAGS } from '@usufruct/protocol';
import type { HolderPort } from '../keys/holder-port.js';

/** What a holder is asked to recompute: nothing of it is secret. */
export interface SignedEpoch {
  /** EpochStatementBcs. */
  readonly statement: Uint8Array;
  readonly settlerSignature: Uint8Array;
  readonly chainBefore: Digest;
  readonly receiptDigests: readonly Digest[];
}
/** The secret of an epoch, for one holder alone. */
export interface SealedSeed {
  /** Ed25519, base64: the holder's key on the chain. */
  readonly holderKey: string;
  /** The epoch's seed, HPKE to that holder. */
  readonly sealedSeed: Uint8Array;
}

/**
 * The holder's signature of the statement, verified; null for an epoch that is on the chain and was only kept. Refuses
 * what the holder refuses, and `UPSTREAM_INVALID` for a signature that is not the holder's.
 */
export async function askToCountersign(
  holder: HolderPort,
  { statement: message, settlerSignature, chainBefore, receiptDigests }: SignedEpoch,
  { holderKey, sealedSeed }: SealedSeed,
): Promise<Uint8Array | null> {
  const answer = await holder.countersign({
    statement: toBase64(message),
    settlerSignature: toBase64(settlerSignature),
    chainBefore,
    receiptDigests: [...receiptDigests],
    sealedSeed: toBase64(sealedSeed),
  });
  if (answer.signature === null) return null;
  const signature = fromBase64(answer.signature);
  const publicKey = fromBase64(holderKey);
  if (await verify({ publicKey, domainTag: TAGS.epochStatement, message, signature })) return signature;
  throw refuse('UPSTREAM_INVALID', { upstream: holder.name, field: 'signature' });
}
