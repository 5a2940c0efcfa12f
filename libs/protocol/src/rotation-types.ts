import { bcs } from '@mysten/bcs';
import {
  fromHex,
  lengthPrefixed,
  utf8,
  type ContributionId,
  type DatasetId,
  type Digest,
  type HolderSetId,
} from '@usufruct/kernel';
import { z } from 'zod';
import { byteVector, bytes32 } from './bcs-types.js';
import { decodeCanonical } from './decode-canonical.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { LIMITS } from './limits.js';
import { zSignedSealingKey } from './sealing-key.js';
import { zBase64, zHex32 } from './wire.js';

/**
 * Re-sharing: the members of a holder set's new version get shares of their own from those of an earlier one, without
 * the contributors and without any key being put together. Whoever wants (an operator's command line) carries messages
 * between holders: it sees ciphertext, public commitments and signatures, and can delay, not deceive.
 *
 * GET  /v1/resharings/holdings       zHoldingsQuery → zHoldings                what a holder has shares of
 * POST /v1/resharings/dealings       zDealRequest → zDealAnswer                an old holder shares its shares
 * POST /v1/resharings/sub-shares     zSubSharesRequest → zSubSharesAnswer      a new holder checks, stores, signs
 * POST /v1/resharings/certificates   zReshareCertificate → zCertificateAnswer  new shares count, old ones are destroyed
 * GET  /v1/resharings/certificates   zCertificatesQuery → zCertificates        those that a holder was shown
 * GET  /v1/resharings/parts          zPartsQuery → zParts                      what it has to make new shares from
 * POST /v1/resharings/acknowledgements  zAcknowledge → zAcknowledgement        its signature again, from what it has
 *
 * Everything is idempotent: a message twice, late or never changes nothing that was done.
 */

const MOST_MEMBERS = 32;
/** Each may be 40 KiB. */
export const CERTIFICATES_PER_PAGE = 32;
const BATCH = LIMITS.manifestsPerResharing;

/**
 * The polynomial that shares lie on: shares combine only with others on the same. The contributor's own is named by the
 * manifest's digest; that of a re-sharing by this digest.
 */
export const PolynomialBcs = bcs.struct('SharePolynomial', {
  manifestDigest: bytes32<Digest>(),
  holderSetId: bytes32<HolderSetId>(),
  version: bcs.u32(),
  commitments: bcs.vector(byteVector()),
});
export interface ResharedPolynomial {
  readonly manifestDigest: Digest;
  readonly holderSetId: HolderSetId;
  /** Of the holder set that it was made for. */
  readonly version: number;
  readonly commitments: readonly Uint8Array[];
}
export const polynomialDigest = (polynomial: ResharedPolynomial): Digest =>
  taggedDigest(
    TAGS.sharePolynomial,
    PolynomialBcs.serialize({ ...polynomial, commitments: [...polynomial.commitments] }).toBytes(),
  );

const POINT_BYTES = 32;
/** Points one after the other, as one text. */
export const zPoints = zBase64(POINT_BYTES * MOST_MEMBERS);
export const splitPoints = (bytes: Uint8Array): Uint8Array[] =>
  Array.from({ length: Math.floor(bytes.length / POINT_BYTES) }, (_, i) =>
    bytes.slice(i * POINT_BYTES, (i + 1) * POINT_BYTES),
  );

export const zHoldingsQuery = z.object({
  holderSetId: zHex32<HolderSetId>(),
  /** Continues after this manifest. */
  after: zHex32<Digest>().optional(),
});
export const zHolding = z.object({
  manifestDigest: zHex32<Digest>(),
  contributionId: zHex32<ContributionId>(),
  datasetId: zHex32<DatasetId>(),
  /** Of the set that the share is for. */
  version: z.int().min(1),
  /** The share's position on its polynomial, from 1. */
  index: z.int().min(1).max(255),
  /** Of a re-shared polynomial; null where the share lies on the manifest's. */
  commitments: zPoints.nullable(),
});
export type Holding = z.output<typeof zHolding>;
/** By manifest digest; a page that is not full is the last. Public: the chain says of what a set holds the keys. */
export const zHoldings = z.object({ holdings: z.array(zHolding).max(LIMITS.holdingsPerPage) });

const zBatch = z.array(zHex32<Digest>()).min(1).max(BATCH);
export const zDealRequest = z.object({
  holderSetId: zHex32<HolderSetId>(),
  /** The version that the chain has now; a holder deals for no other. */
  toVersion: z.int().min(1),
  manifestDigests: zBatch,
  /**
   * What the members say of the keys to seal to (sealing-key.ts), brought from each of them: the dealer reaches nobody.
   * A member without one is left out of what is sealed; the dealing itself is for all.
   */
  receivers: z.array(zSignedSealingKey).max(MOST_MEMBERS),
});
export type DealRequest = z.output<typeof zDealRequest>;

/** One dealer's commitments for one manifest. */
export interface DealtEntry {
  readonly manifestDigest: Digest;
  /** The polynomial that the dealer's share lies on. */
  readonly from: Digest;
  readonly fromVersion: number;
  /** The dealer's position on it. */
  readonly index: number;
  /** As many as the new threshold. */
  readonly commitments: readonly Uint8Array[];
}
/** What a dealer says to everybody; the same for every receiver, and the same whenever it is asked. */
export interface Dealing {
  readonly chainId: string;
  readonly holderSetId: HolderSetId;
  readonly toVersion: number;
  /** The dealer's signing key. */
  readonly dealer: Uint8Array;
  readonly entries: readonly DealtEntry[];
}
const DealtEntryBcs = bcs.struct('DealtEntry', {
  manifestDigest: bytes32<Digest>(),
  from: bytes32<Digest>(),
  fromVersion: bcs.u32(),
  index: bcs.u8(),
  commitments: bcs.vector(byteVector()),
});
const DealingBcs = bcs.struct('Dealing', {
  chainId: bcs.string(),
  holderSetId: bytes32<HolderSetId>(),
  toVersion: bcs.u32(),
  dealer: byteVector(),
  entries: bcs.vector(DealtEntryBcs),
});
/** 32 members of 33 bytes for each manifest, and what names it; the rest is small. */
const MOST_DEALING_BYTES = BATCH * (MOST_MEMBERS * 33 + 128) + 1_024;
export const encodeDealing = (dealing: Dealing): Uint8Array =>
  DealingBcs.serialize({
    ...dealing,
    entries: dealing.entries.map((entry) => ({ ...entry, commitments: [...entry.commitments] })),
  }).toBytes();
/** Null for anything but canonical bytes. */
export const decodeDealing = (bytes: Uint8Array): Dealing | null =>
  decodeCanonical(DealingBcs, bytes, MOST_DEALING_BYTES);
export const dealingDigest = (bytes: Uint8Array): Digest => taggedDigest(TAGS.dealing, bytes);

/** What binds sealed sub-shares to their dealing (and so to chain, set, version, manifests) and to one receiver. */
export interface SealedFor {
  readonly dealing: Digest;
  /** The receiver's signing key. */
  readonly receiver: Uint8Array;
}
/** HPKE `info` of sealed sub-shares (aad empty); the plaintext is 32 bytes a manifest, in the dealing's order. */
export const subSharesInfo = ({ dealing, receiver }: SealedFor): Uint8Array =>
  lengthPrefixed(utf8(TAGS.subShares), fromHex(dealing), receiver);
/**
 * What a dealer signs (tag `sealedSubShares`): this ciphertext is what it gives this receiver with that dealing, and the
 * key that it is sealed to, so that what came too late is told from what never opened.
 */
export const SealedSubSharesBcs = bcs.struct('SealedSubShares', {
  dealing: bytes32<Digest>(),
  receiver: byteVector(),
  sealedTo: byteVector(),
  sealed: bytes32<Digest>(),
});

const zDealing = zBase64(MOST_DEALING_BYTES);
const zSealed = zBase64(BATCH * 32 + 64);
export const zDealAnswer = z.object({
  dealing: zDealing,
  /** One for each living member of the version whose word was brought, in its order; the dealer's own place included. */
  sealed: z
    .array(z.object({ receiver: zBase64(32), sealedTo: zBase64(32), sealed: zSealed, signature: zBase64(64) }))
    .max(MOST_MEMBERS),
});
export type DealAnswer = z.output<typeof zDealAnswer>;

/** To one receiver: the same manifests from exactly as many dealers as their polynomials' threshold. */
export const zSubSharesRequest = z.object({
  holderSetId: zHex32<HolderSetId>(),
  toVersion: z.int().min(1),
  /** The registered manifests, in the dealings' order; for re-shared ones the commitments of the polynomial now. */
  manifests: z
    .array(z.object({ manifest: zBase64(LIMITS.manifestBytes), commitments: zPoints.nullable() }))
    .min(1)
    .max(BATCH),
  dealings: z
    .array(z.object({ dealing: zDealing, sealedTo: zBase64(32), sealed: zSealed, signature: zBase64(64) }))
    .min(1)
    .max(MOST_MEMBERS),
});
export type SubSharesRequest = z.output<typeof zSubSharesRequest>;

export interface ReshareEntry {
  readonly manifestDigest: Digest;
  readonly from: Digest;
  readonly to: Digest;
}
/** What came of a batch: the same bytes at every receiver that has the same dealings. */
export interface ReshareResult {
  readonly chainId: string;
  readonly holderSetId: HolderSetId;
  readonly toVersion: number;
  /** Positions of the dealers on the polynomials before, ascending. */
  readonly dealers: readonly number[];
  readonly entries: readonly ReshareEntry[];
}
const ReshareEntryBcs = bcs.struct('ReshareEntry', {
  manifestDigest: bytes32<Digest>(),
  from: bytes32<Digest>(),
  to: bytes32<Digest>(),
});
const ReshareResultBcs = bcs.struct('ReshareResult', {
  chainId: bcs.string(),
  holderSetId: bytes32<HolderSetId>(),
  toVersion: bcs.u32(),
  dealers: bcs.vector(bcs.u8()),
  entries: bcs.vector(ReshareEntryBcs),
});
const MOST_RESULT_BYTES = BATCH * 96 + 1_024;
/** Receivers sign these bytes (tag `reshareResult`): each durably has what makes its share of every polynomial named. */
export const encodeReshareResult = (result: ReshareResult): Uint8Array =>
  ReshareResultBcs.serialize({ ...result, dealers: [...result.dealers], entries: [...result.entries] }).toBytes();
/** Null for anything but canonical bytes. */
export const decodeReshareResult = (bytes: Uint8Array): ReshareResult | null =>
  decodeCanonical(ReshareResultBcs, bytes, MOST_RESULT_BYTES);

/**
 * Why a receiver does not take a dealing; `EQUIVOCATION`: the dealer has signed another one before; `SEALING_KEY`: it is
 * sealed to a key that the receiver has destroyed meanwhile, or never had, and has to be sealed again.
 */
export const DEALING_FAULTS = [
  'MALFORMED',
  'SIGNATURE',
  'TOMBSTONED',
  'ENTRIES',
  'COMMITMENTS',
  'CONSTANT_TERM',
  'SEALING_KEY',
  'UNSEALABLE',
  'SUB_SHARE',
  'EQUIVOCATION',
] as const;
export type DealingFaultReason = (typeof DEALING_FAULTS)[number];
export const zDealingFault = z.object({
  /** Which of the request's dealings. */
  dealing: z.int().min(0),
  /** The dealer's signing key; null where the dealing does not say, or its signature is not by that key. */
  dealer: zBase64(32).nullable(),
  reason: z.enum(DEALING_FAULTS),
  /** The first manifest that it is about; null where it is about all. */
  manifestDigest: zHex32<Digest>().nullable(),
});
export type DealingFault = z.output<typeof zDealingFault>;
/** Either every dealing was good, or the bad ones are named and nothing of the batch was signed. */
export const zSubSharesAnswer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: zBase64(MOST_RESULT_BYTES), signature: zBase64(64) }),
  z.object({ ok: z.literal(false), faults: z.array(zDealingFault).min(1).max(MOST_MEMBERS) }),
]);
export type SubSharesAnswer = z.output<typeof zSubSharesAnswer>;

/** Manifests of a page, each with at most so many groups. */
export const PARTS_PER_PAGE = 500;
const MOST_GROUPS = 8;
export const zPartsQuery = zHoldingsQuery;
/** Of which dealers a holder has sub-shares of one manifest. Public: it says what messages it was brought. */
export const zPart = z.object({
  manifestDigest: zHex32<Digest>(),
  contributionId: zHex32<ContributionId>(),
  datasetId: zHex32<DatasetId>(),
  toVersion: z.int().min(1),
  from: zHex32<Digest>(),
  /** So many of them make a share: the threshold of the polynomial before. */
  needed: z.int().min(1).max(255),
  /** Positions on the polynomial before, ascending. */
  dealers: z.array(z.int().min(1).max(255)).min(1).max(255),
});
export type ResharePart = z.output<typeof zPart>;
/** By manifest digest, which `after` continues after; a page that is empty is the last. */
export const zParts = z.object({ parts: z.array(zPart).max(PARTS_PER_PAGE * MOST_GROUPS) });

/**
 * A receiver that has stored sub-shares of these dealers signs for them again, also for a version that is past: whoever
 * carried its first signature may have died with it, and the dealers may be gone.
 */
export const zAcknowledge = z.object({
  holderSetId: zHex32<HolderSetId>(),
  toVersion: z.int().min(1),
  /** Ascending. */
  dealers: z.array(z.int().min(1).max(255)).min(1).max(255),
  entries: z
    .array(z.object({ manifestDigest: zHex32<Digest>(), from: zHex32<Digest>() }))
    .min(1)
    .max(BATCH),
});
export type AcknowledgeRequest = z.output<typeof zAcknowledge>;
export const zAcknowledgement = z.object({
  result: zBase64(MOST_RESULT_BYTES),
  signature: zBase64(64),
  /** The signer's place in that version, from 0, and how many must sign. */
  member: z.int().min(0).max(255),
  needed: z.int().min(1).max(255),
});
export type Acknowledgement = z.output<typeof zAcknowledgement>;

/** Signatures of `reshareQuorum` or more members of the new version over one result. */
export const zReshareCertificate = z.object({
  result: zBase64(MOST_RESULT_BYTES),
  acks: z.array(z.object({ member: z.int().min(0).max(255), signature: zBase64(64) })).max(MOST_MEMBERS),
});
export type ReshareCertificate = z.output<typeof zReshareCertificate>;
/** Those of the version that the chain has now, so that nobody who was not there misses one. */
export const zCertificatesQuery = z.object({ holderSetId: zHex32<HolderSetId>(), after: zHex32<Digest>().optional() });
export const zCertificates = z.object({
  /** By the digest of their results, which `after` continues after; a page that is not full is the last. */
  certificates: z.array(zReshareCertificate).max(CERTIFICATES_PER_PAGE),
});
export const reshareResultDigest = (result: Uint8Array): Digest => taggedDigest(TAGS.reshareResult, result);
export const zCertificateAnswer = z.object({
  /** Manifests of which this holder's share now is, or already was, the one that was certified, or a preferred one. */
  active: z.int(),
  /** Manifests of which this holder has destroyed an older share, now or before. */
  destroyed: z.int(),
  /** Manifests of which this member of the new version has nothing to make its share from: it keeps what it has. */
  missing: z.int(),
});
export type CertificateAnswer = z.output<typeof zCertificateAnswer>;

/**
 * How many living members of a new version must have signed before shares of the old are destroyed: were all but one of a
 * threshold of them lying, a threshold of honest ones still has the new shares. In small sets that is everybody.
 */
export const reshareQuorum = (memberCount: number, threshold: number): number =>
  Math.min(memberCount, 2 * threshold - 1);
