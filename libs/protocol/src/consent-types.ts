import { bcs } from '@mysten/bcs';
import type { AmountUnits, TimestampMs } from '@usufruct/kernel';
import { u64, u64Number } from './bcs-types.js';
import type { ComputationKind, ProtectionKind } from './codes.js';

/** What a contributor allows. Append-only on the chain: changing it means revoking and granting again. */
export interface GrantTerms {
  readonly purposes: readonly string[];
  readonly kinds: readonly ComputationKind[];
  readonly protections: readonly ProtectionKind[];
  /** The least price of one question (or job) that this contribution may be used for. */
  readonly priceFloorUnits: AmountUnits;
  /** Privacy budget in millionths of ε. Questions by RAG spend none; training and statistics do. */
  readonly budgetMicroEpsilon: bigint;
  readonly expiresAtMs: TimestampMs;
}

export const ComputationKindBcs = bcs
  .enum('ComputationKind', { rag: null, train: null, stats: null })
  .transform<ComputationKind, ComputationKind>({
    input: (kind) => ({ [kind]: true }) as { rag: true },
    output: (value) => value.$kind,
  });
export const ProtectionKindBcs = bcs
  .enum('ProtectionKind', { tee: null, mpc: null, fhe: null })
  .transform<ProtectionKind, ProtectionKind>({
    input: (kind) => ({ [kind]: true }) as { tee: true },
    output: (value) => value.$kind,
  });

export const GrantTermsBcs = bcs.struct('GrantTerms', {
  purposes: bcs.vector(bcs.string()),
  kinds: bcs.vector(ComputationKindBcs),
  protections: bcs.vector(ProtectionKindBcs),
  priceFloorUnits: u64<AmountUnits>(),
  budgetMicroEpsilon: u64(),
  expiresAtMs: u64Number<TimestampMs>(),
});
