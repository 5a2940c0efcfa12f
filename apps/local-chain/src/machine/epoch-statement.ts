import { verify } from '@usufruct/crypto';
import { fromBase64, refuse } from '@usufruct/kernel';
import {
  EpochStatementBcs,
  LIMITS,
  TAGS,
  decodeCanonical,
  type EpochStatement,
  type HolderSetView,
  type StatementSignature,
} from '@usufruct/protocol';
import { requireMember } from './holder-set.js';
import { CLOCK_SKEW_MS, type Room } from './room.js';

/** The statement in these bytes, if it is about a DAO of this chain. */
export function readStatement(room: Room, bytes: Uint8Array): EpochStatement {
  const statement = decodeCanonical(EpochStatementBcs, bytes, LIMITS.epochStatementBytes);
  if (statement === null) throw invalidEpoch('encoding');
  const { chainId, packageId, registryId } = room.chain;
  if (statement.chainId !== chainId) throw invalidEpoch('chainId');
  if (statement.packageId !== packageId) throw invalidEpoch('packageId');
  if (statement.registryId !== registryId) throw invalidEpoch('registryId');
  return statement;
}

export function requireTimelyStatement(room: Room, { issuedAtMs }: EpochStatement): void {
  if (issuedAtMs > room.nowMs + CLOCK_SKEW_MS) throw invalidEpoch('issuedAtMs');
  if (room.nowMs - issuedAtMs > LIMITS.receiptFreshnessMs) throw invalidEpoch('freshness');
}

export async function requireSettlerSignature(
  { settlerPublicKey }: EpochStatement,
  statement: Uint8Array,
  signature: Uint8Array,
): Promise<void> {
  if (!(await isSigned(settlerPublicKey, statement, signature)))
    throw refuse('SIGNATURE_INVALID', { check: 'settler' });
}

/** Every signature must be good: a wrong one among enough good ones means that somebody is confused or cheating. */
export async function requireCountersigned(
  holderSet: HolderSetView,
  threshold: number,
  statement: Uint8Array,
  signatures: readonly StatementSignature[],
): Promise<void> {
  const members = new Set(signatures.map(({ member }) => member));
  if (members.size !== signatures.length || members.size < threshold) throw invalidEpoch('countersigners');
  for (const { member, signature } of signatures) {
    const { signingPublicKey } = requireMember(holderSet, member, 'signatures.member');
    if (!(await isSigned(fromBase64(signingPublicKey), statement, signature))) {
      throw refuse('SIGNATURE_INVALID', { member: String(member) });
    }
  }
}

const isSigned = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> =>
  verify({ publicKey, domainTag: TAGS.epochStatement, message, signature });

export const invalidEpoch = (check: string) => refuse('EPOCH_INVALID', { check });
