import { bcs } from '@mysten/bcs';
import { fromHex, lengthPrefixed, toHex, utf8 } from '@usufruct/kernel';
import { zEventName } from '@usufruct/protocol';
import { z } from 'zod';

/** What Intel says of a platform, a TDX module or a quoting enclave at one level (PCS API v4, TCB info, tcbStatus). */
export const TCB_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const;
export type TcbStatus = (typeof TCB_STATUSES)[number];

const zHexOf = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));

export const zRequiredEvent = z.object({
  name: zEventName,
  /** Lower-case hex. */
  payload: z
    .string()
    .max(8192)
    .regex(/^([0-9a-f]{2})*$/),
});

/**
 * What a DAO asks of a TDX platform, as data. Lists affirm: what is not in them is refused. Only `ppids` and
 * `requiredEvents` ask for nothing when they are empty.
 */
export const zTdxPolicy = z.strictObject({
  version: z.int().positive().max(0xffff_ffff),
  /** Of platform, TDX module and quoting enclave alike. `Revoked` is no choice. */
  tcbStatuses: z.array(z.enum(TCB_STATUSES).exclude(['Revoked'])).max(TCB_STATUSES.length),
  /** Intel's advisories that are accepted although they apply, such as INTEL-SA-00615. */
  advisories: z.array(z.string().max(32)).max(256),
  minTcbEvaluationDataNumber: z.int().nonnegative().max(0xffff_ffff),
  /** Platforms, such as those of one facility; empty: any that Intel certifies. */
  ppids: z.array(zHexOf(16)).max(4096),
  /** Attributes that a TD may have besides SEPT_VE_DISABLE, which it must have; DEBUG is refused all the same. */
  tdAttributesAllowed: zHexOf(8),
  /** Each a full value of XFAM. */
  xfams: z.array(zHexOf(8)).max(64),
  /** Events of the runtime register that must be there exactly once, such as the digest of the application's image. */
  requiredEvents: z.array(zRequiredEvent).max(64),
});
export type TdxPolicy = z.output<typeof zTdxPolicy>;

const TdxPolicyBcs = bcs.struct('TdxPolicy', {
  version: bcs.u32(),
  tcbStatuses: bcs.vector(bcs.string()),
  advisories: bcs.vector(bcs.string()),
  minTcbEvaluationDataNumber: bcs.u32(),
  ppids: bcs.vector(bcs.string()),
  tdAttributesAllowed: bcs.string(),
  xfams: bcs.vector(bcs.string()),
  requiredEvents: bcs.vector(bcs.struct('RequiredEvent', { name: bcs.string(), payload: bcs.string() })),
});

/** The bytes that stand for a policy wherever it is hashed. */
export const encodeTdxPolicy = (policy: TdxPolicy): Uint8Array => TdxPolicyBcs.serialize(policy).toBytes();

/** What identifies the code of a TD, and what its host chose for it; lower-case hex, 48 bytes each. */
export interface TdxIdentity {
  readonly mrSeam: string;
  readonly mrTd: string;
  readonly rtmr0: string;
  readonly rtmr1: string;
  readonly rtmr2: string;
  readonly mrConfigId: string;
  readonly mrOwner: string;
  readonly mrOwnerConfig: string;
  readonly mrServiceTd: string;
}

const TDX_MEASUREMENT_TAG = 'usufruct/tdx-measurement/v1';

/**
 * The measurement that a DAO approves on the chain for a TD: SHA-384 over everything that identifies its code and over
 * the policy under which it is to be appraised, 96 lower-case hex digits. The chain's list of measurements thereby pins
 * the whole policy: a verifier that was given a laxer one computes another measurement, which nobody approved.
 *
 * @param companions encoded policies of what is appraised beside the TD, such as its GPUs; in the order of the profile
 */
export async function tdxMeasurement(
  identity: TdxIdentity,
  policy: TdxPolicy,
  companions: readonly Uint8Array[] = [],
): Promise<string> {
  const { mrSeam, mrTd, rtmr0, rtmr1, rtmr2, mrConfigId, mrOwner, mrOwnerConfig, mrServiceTd } = identity;
  const registers = [mrSeam, mrTd, rtmr0, rtmr1, rtmr2, mrConfigId, mrOwner, mrOwnerConfig, mrServiceTd];
  const message = lengthPrefixed(
    utf8(TDX_MEASUREMENT_TAG),
    ...registers.map((register) => fromHex(register)),
    encodeTdxPolicy(policy),
    ...companions,
  );
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-384', message)));
}
