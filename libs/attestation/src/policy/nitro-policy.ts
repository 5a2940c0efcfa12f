import { bcs } from '@mysten/bcs';
import { fromHex, lengthPrefixed, toHex, utf8 } from '@usufruct/kernel';
import { z } from 'zod';

const zPcr = z.string().regex(/^[0-9a-f]{96}$/);

/** What a DAO asks of an enclave of AWS Nitro, as data. Lists affirm: what is not in them is refused. */
export const zNitroPolicy = z.strictObject({
  version: z.int().positive().max(0xffff_ffff),
  /** How old a document may be; its certificate lives about three hours. */
  maxAgeMs: z
    .int()
    .positive()
    .max(3 * 60 * 60_000),
  /**
   * Registers besides PCR0 to PCR2, which the measurement holds: each must have one of its values. PCR3 is the role and
   * PCR4 the instance of the machine around the enclave, PCR8 the certificate that signed the image; the rest is the
   * application's.
   */
  registers: z
    .array(z.strictObject({ index: z.int().min(3).max(31), values: z.array(zPcr).max(256) }))
    .max(29)
    .refine((registers) => new Set(registers.map(({ index }) => index)).size === registers.length),
});
export type NitroPolicy = z.output<typeof zNitroPolicy>;

const NitroPolicyBcs = bcs.struct('NitroPolicy', {
  version: bcs.u32(),
  maxAgeMs: bcs.u32(),
  registers: bcs.vector(bcs.struct('Register', { index: bcs.u8(), values: bcs.vector(bcs.string()) })),
});

/** What identifies the code of an enclave; lower-case hex, 48 bytes each. */
export interface NitroIdentity {
  /** The image file. */
  readonly pcr0: string;
  /** Kernel and boot files. */
  readonly pcr1: string;
  /** The application. */
  readonly pcr2: string;
}

const NITRO_MEASUREMENT_TAG = 'usufruct/nitro-measurement/v1';

/**
 * The measurement that a DAO approves on the chain for an enclave: SHA-384 over the registers that identify its code and
 * over the policy under which it is to be appraised, 96 lower-case hex digits (see `tdxMeasurement`).
 */
export async function nitroMeasurement({ pcr0, pcr1, pcr2 }: NitroIdentity, policy: NitroPolicy): Promise<string> {
  const message = lengthPrefixed(
    utf8(NITRO_MEASUREMENT_TAG),
    ...[pcr0, pcr1, pcr2].map((hex) => fromHex(hex)),
    NitroPolicyBcs.serialize(policy).toBytes(),
  );
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-384', message)));
}
