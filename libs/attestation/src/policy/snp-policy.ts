import { bcs } from '@mysten/bcs';
import { fromHex, lengthPrefixed, toHex, utf8 } from '@usufruct/kernel';
import { z } from 'zod';

/** Product lines with a root of their own; Bergamo and Siena go by Genoa's. */
export const SNP_PRODUCTS = ['Milan', 'Genoa', 'Turin'] as const;
export type SnpProduct = (typeof SNP_PRODUCTS)[number];

/** What a guest's policy may permit its host (SEV-SNP ABI, table 9, GUEST_POLICY); DEBUG is no choice. */
export const SNP_PERMISSIONS = ['SMT', 'MIGRATE_MA', 'CXL_ALLOW'] as const;
export type SnpPermission = (typeof SNP_PERMISSIONS)[number];

const zSvn = z.int().min(0).max(255);
const zHexOf = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));

/**
 * What a DAO asks of an SEV-SNP platform, as data. Lists affirm: what is not in them is refused. Only `chipIds` asks for
 * nothing when it is empty.
 */
export const zSnpPolicy = z.strictObject({
  version: z.int().positive().max(0xffff_ffff),
  products: z.array(z.enum(SNP_PRODUCTS)).max(SNP_PRODUCTS.length),
  permissions: z.array(z.enum(SNP_PERMISSIONS)).max(SNP_PERMISSIONS.length),
  /** Of the reported and of the committed TCB; `fmc` counts from Turin on. */
  minTcb: z.strictObject({ fmc: zSvn, bootloader: zSvn, tee: zSvn, snp: zSvn, microcode: zSvn }),
  /** Bits of PLATFORM_INFO that must be set, little-endian: bit 5 says that memory aliases were looked for (BadRAM). */
  platformInfo: zHexOf(8),
  vmpls: z.array(z.int().min(0).max(3)).max(4),
  /** Chips, such as those of one facility; empty: any that AMD certifies. */
  chipIds: z.array(zHexOf(64)).max(4096),
});
export type SnpPolicy = z.output<typeof zSnpPolicy>;

const SnpPolicyBcs = bcs.struct('SnpPolicy', {
  version: bcs.u32(),
  products: bcs.vector(bcs.string()),
  permissions: bcs.vector(bcs.string()),
  minTcb: bcs.struct('MinTcb', {
    fmc: bcs.u8(),
    bootloader: bcs.u8(),
    tee: bcs.u8(),
    snp: bcs.u8(),
    microcode: bcs.u8(),
  }),
  platformInfo: bcs.string(),
  vmpls: bcs.vector(bcs.u8()),
  chipIds: bcs.vector(bcs.string()),
});

/** What identifies the code of a guest, and what its host and its owner said about it; lower-case hex. */
export interface SnpIdentity {
  /** 48 bytes. */
  readonly launchMeasurement: string;
  /** 32 bytes. */
  readonly hostData: string;
  /** 48 bytes each; zeros when the launch had no ID block. */
  readonly idKeyDigest: string;
  readonly authorKeyDigest: string;
  /** 16 bytes each. */
  readonly familyId: string;
  readonly imageId: string;
  readonly guestSvn: number;
}

const SNP_MEASUREMENT_TAG = 'usufruct/snp-measurement/v1';

/**
 * The measurement that a DAO approves on the chain for a guest: SHA-384 over everything that identifies its code and
 * over the policy under which it is to be appraised, 96 lower-case hex digits (see `tdxMeasurement`).
 */
export async function snpMeasurement(identity: SnpIdentity, policy: SnpPolicy): Promise<string> {
  const { launchMeasurement, hostData, idKeyDigest, authorKeyDigest, familyId, imageId, guestSvn } = identity;
  const message = lengthPrefixed(
    utf8(SNP_MEASUREMENT_TAG),
    ...[launchMeasurement, hostData, idKeyDigest, authorKeyDigest, familyId, imageId].map((hex) => fromHex(hex)),
    bcs.u32().serialize(guestSvn).toBytes(),
    SnpPolicyBcs.serialize(policy).toBytes(),
  );
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-384', message)));
}
