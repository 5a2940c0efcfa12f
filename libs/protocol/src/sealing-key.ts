import { bcs } from '@mysten/bcs';
import { equalBytes, fromBase64, refuse, type Hex32, type TimestampMs } from '@usufruct/kernel';
import { z } from 'zod';
import { byteVector, bytes32, u64Number } from './bcs-types.js';
import type { HolderMemberView } from './chain-views.js';
import { decodeCanonical } from './decode-canonical.js';
import { TAGS } from './domain-tags.js';
import { LIMITS } from './limits.js';
import { zBase64 } from './wire.js';

/**
 * The key that shares are sealed to: one of a holder's own making, for a day or so, destroyed a little after its time.
 * Whoever recorded a sealed share and later gets all that the holder has then cannot open it.
 *
 * GET /v1/sealing-key → zSignedSealingKey
 *
 * The key that the chain names for a member (`sealingPublicKey`) is for what lasts longer: openings and seeds of epochs.
 * A holder opens no share with it, and nobody seals one to it, also not when no statement can be had: who stands between
 * could else choose it.
 */
export interface SealingKeyStatement {
  readonly chainId: string;
  readonly packageId: Hex32;
  /** Ed25519: the holder's, as the chain lists it. It signs the statement (tag `sealingKey`). */
  readonly holderSigningKey: Uint8Array;
  /** X25519. */
  readonly publicKey: Uint8Array;
  /** Nothing is sealed to it before, or from `notAfterMs` on. */
  readonly notBeforeMs: TimestampMs;
  readonly notAfterMs: TimestampMs;
}
const SealingKeyStatementBcs = bcs.struct('SealingKeyStatement', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  holderSigningKey: byteVector(),
  publicKey: byteVector(),
  notBeforeMs: u64Number<TimestampMs>(),
  notAfterMs: u64Number<TimestampMs>(),
});
const MOST_STATEMENT_BYTES = 512;
export const encodeSealingKey = (statement: SealingKeyStatement): Uint8Array =>
  SealingKeyStatementBcs.serialize(statement).toBytes();
/** Null for anything but canonical bytes. */
export const decodeSealingKey = (bytes: Uint8Array): SealingKeyStatement | null =>
  decodeCanonical(SealingKeyStatementBcs, bytes, MOST_STATEMENT_BYTES);

/** `statement`: SealingKeyStatement's bytes. */
export const zSignedSealingKey = z.object({ statement: zBase64(MOST_STATEMENT_BYTES), signature: zBase64(64) });
export type SignedSealingKey = z.output<typeof zSignedSealingKey>;

/** Why a statement is not acted on, in the order in which it is looked at. */
export const SEALING_KEY_CHECKS = [
  'form',
  'holder',
  'signature',
  'chain',
  'package',
  'on-chain-key',
  'term',
  'not-yet',
  'expired',
] as const;
export type SealingKeyCheck = (typeof SEALING_KEY_CHECKS)[number];

export interface SealingKeyExpected {
  /** As the chain lists it. */
  readonly member: HolderMemberView;
  readonly chainId: string;
  readonly packageId: Hex32;
  readonly nowMs: TimestampMs;
  /** Ed25519 over the tag and the message: `verify` of `@usufruct/crypto`. */
  readonly verify: (signed: {
    readonly publicKey: Uint8Array;
    readonly domainTag: string;
    readonly message: Uint8Array;
    readonly signature: Uint8Array;
  }) => Promise<boolean>;
}

/**
 * The key to seal to, from what is said to be this member's word about it. The other's clock may be LIMITS.clockSkewMs
 * from ours; a holder opens what was sealed so much too late.
 *
 * Refuses `SEALING_KEY_INVALID` with the member's signing key (`holder`) and the check that failed. Does not prove that
 * the key is the newest: an older one may be shown while its time lasts. Does not prove that it will be destroyed.
 */
export async function requireSealingKey(
  signed: SignedSealingKey,
  expected: SealingKeyExpected,
): Promise<SealingKeyStatement> {
  const { signingPublicKey } = expected.member;
  const bytes = fromBase64(signed.statement, 'statement');
  const statement = decodeSealingKey(bytes);
  const refused = (check: SealingKeyCheck) => refuse('SEALING_KEY_INVALID', { holder: signingPublicKey, check });
  if (statement?.publicKey.length !== 32) throw refused('form');
  const publicKey = fromBase64(signingPublicKey);
  if (!equalBytes(statement.holderSigningKey, publicKey)) throw refused('holder');
  const signature = fromBase64(signed.signature, 'signature');
  const isSigned = await expected.verify({ publicKey, domainTag: TAGS.sealingKey, message: bytes, signature });
  const check = isSigned ? firstFailed(statement, expected) : 'signature';
  if (check !== null) throw refused(check);
  return statement;
}

function firstFailed(statement: SealingKeyStatement, expected: SealingKeyExpected): SealingKeyCheck | null {
  const { notBeforeMs, notAfterMs } = statement;
  const { member, chainId, packageId, nowMs } = expected;
  if (statement.chainId !== chainId) return 'chain';
  if (statement.packageId !== packageId) return 'package';
  if (equalBytes(statement.publicKey, fromBase64(member.sealingPublicKey))) return 'on-chain-key';
  const termMs = notAfterMs - notBeforeMs;
  if (!(termMs > 0 && termMs <= LIMITS.sealingKeyTermMs)) return 'term';
  if (nowMs < notBeforeMs - LIMITS.clockSkewMs) return 'not-yet';
  if (nowMs >= notAfterMs + LIMITS.clockSkewMs) return 'expired';
  return null;
}
