import type { Address, ContributionId, DaoId, DatasetId, Digest, Hex32 } from '@usufruct/kernel';
import { zGrantView, zHex32, zTimestampMs } from '@usufruct/protocol';
import { z } from 'zod';

const zEventFact = z.strictObject({ transaction: zHex32<Digest>(), atMs: zTimestampMs });
const zWords = z.string().min(1).max(500);

/**
 * What nobody can read from the chain and ISO/IEC TS 27560 asks for. What is left out is named in the receipt as not
 * stated, and never made up.
 */
export const zStated = z.strictObject({
  controllerName: zWords.optional(),
  controllerAddress: zWords.optional(),
  controllerContact: zWords.optional(),
  jurisdiction: zWords.optional(),
  privacyNotice: zWords.optional(),
  personalData: zWords.optional(),
  storageLocation: zWords.optional(),
});
export type Stated = z.output<typeof zStated>;

/** Everything that a consent receipt says, as the chain has it. The document is made of it and of nothing else. */
export const zConsentFacts = z.strictObject({
  chain: z.strictObject({
    chainId: z.string().min(1).max(64),
    packageId: zHex32<Hex32>(),
    coin: z.strictObject({ type: z.string(), symbol: z.string().max(16), decimals: z.int().min(0).max(18) }),
    /** True for the local ledger. */
    standIn: z.boolean(),
  }),
  grant: zGrantView.strict(),
  contribution: z.strictObject({
    id: zHex32<ContributionId>(),
    datasetId: zHex32<DatasetId>(),
    owner: zHex32<Address>(),
    manifestDigest: zHex32<Digest>(),
    /** Of the policy that the contributor saw. */
    policyDigest: zHex32<Digest>(),
    /** Walrus epoch at which the first lease of its ciphertext ends. */
    storedUntilEpoch: z.int(),
  }),
  daoId: zHex32<DaoId>(),
  given: zEventFact,
  revoked: zEventFact.nullable(),
  stated: zStated,
  issuedAtMs: zTimestampMs,
});
export type ConsentFacts = z.output<typeof zConsentFacts>;

/** The wallet's word for the document. */
export const zConsentProof = z.strictObject({
  address: zHex32<Address>(),
  digest: zHex32<Digest>(),
  /** A serialised Sui signature (base64) over the wallet statement of the digest. */
  signature: z.string().max(1024),
});
export type ConsentProof = z.output<typeof zConsentProof>;

/** Fields that the standard makes mandatory and the chain does not know, with what is written where nobody stated it. */
export const NOT_STATED: Readonly<Record<keyof Stated, string>> = {
  controllerName: 'party_name',
  controllerAddress: 'party_address',
  controllerContact: 'party_contact',
  jurisdiction: 'jurisdiction',
  privacyNotice: 'privacy_notice',
  personalData: 'pii_type',
  storageLocation: 'storage_locations',
};
