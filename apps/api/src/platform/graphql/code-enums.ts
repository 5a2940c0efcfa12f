import { registerEnumType } from '@nestjs/graphql';
import { COMPUTATION_KINDS, PROTECTION_KINDS } from '@usufruct/protocol';

/** A GraphQL enum whose names and values are the protocol's codes. */
export function codeEnum<T extends string>(name: string, codes: readonly T[], description?: string): Record<string, T> {
  const values = Object.fromEntries(codes.map((code) => [code, code])) as Record<string, T>;
  registerEnumType(values, { name, ...(description === undefined ? {} : { description }) });
  return values;
}

export const ComputationKindEnum = codeEnum('ComputationKind', COMPUTATION_KINDS);
export const ProtectionKindEnum = codeEnum('ProtectionKind', PROTECTION_KINDS);
