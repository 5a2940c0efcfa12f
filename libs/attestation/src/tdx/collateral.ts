import { fromHex, fromUtf8, utf8 } from '@usufruct/kernel';
import { z } from 'zod';
import { TCB_STATUSES } from '../policy/tdx-policy.js';
import type { Endorsements } from '../types.js';
import { readPemChain, type CertificateChain } from '../x509/chain.js';
import { SGX_COMPONENTS } from './pck-extension.js';

/** Which of Intel's two CAs issued a PCK certificate. */
export type PckCa = 'platform' | 'processor';

/**
 * Names of Intel's endorsements among those that a verifier fetched, each with the bytes that Intel's Provisioning
 * Certification Service (API v4) serves: JSON bodies, DER of the lists, and the issuer chains of its headers as PEM.
 */
export const TDX_ENDORSEMENTS = {
  rootCrl: 'intel/root-ca.crl',
  pckCrl: (ca: PckCa) => `intel/pck-${ca}.crl`,
  tcbInfo: (fmspc: string) => `intel/tdx/tcb-${fmspc}.json`,
  tcbInfoChain: 'intel/tdx/tcb-chain.pem',
  qeIdentity: 'intel/tdx/qe-identity.json',
  qeIdentityChain: 'intel/tdx/qe-identity-chain.pem',
} as const;

/** Upper-case in what Intel serves; compared in lower case. */
const zHexOf = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9A-Fa-f]{${bytes * 2}}$`))
    .transform((text) => text.toLowerCase());
const zSvn = z.int().min(0).max(0xffff);
const zTime = z.iso.datetime().transform((text) => Date.parse(text));
const zComponents = z
  .array(z.object({ svn: z.int().min(0).max(255) }).transform(({ svn }) => svn))
  .length(SGX_COMPONENTS);
const zJudgement = {
  tcbStatus: z.enum(TCB_STATUSES),
  advisoryIDs: z.array(z.string().max(32)).max(256).default([]),
};
const zSvnLevels = z.array(z.object({ tcb: z.object({ isvsvn: zSvn }), ...zJudgement })).max(64);
const zModule = { mrsigner: zHexOf(48), attributes: zHexOf(8), attributesMask: zHexOf(8) };

/** TCB info v3 for TDX (PCS API v4, "Get TDX TCB Info"). */
const zTcbInfo = z.object({
  id: z.literal('TDX'),
  version: z.literal(3),
  issueDate: zTime,
  nextUpdate: zTime,
  fmspc: zHexOf(6),
  pceId: zHexOf(2),
  tcbType: z.literal(0),
  tcbEvaluationDataNumber: z.int().nonnegative(),
  tdxModule: z.object(zModule),
  tdxModuleIdentities: z
    .array(z.object({ id: z.string().max(32), ...zModule, tcbLevels: zSvnLevels }))
    .max(64)
    .default([]),
  tcbLevels: z
    .array(
      z.object({
        tcb: z.object({ sgxtcbcomponents: zComponents, pcesvn: zSvn, tdxtcbcomponents: zComponents }),
        ...zJudgement,
      }),
    )
    .max(256),
});
export type TcbInfo = z.output<typeof zTcbInfo>;

/** Enclave identity v2 of the quoting enclave for TDs (PCS API v4, "Get TDX QE Identity"). */
const zQeIdentity = z.object({
  id: z.literal('TD_QE'),
  version: z.literal(2),
  issueDate: zTime,
  nextUpdate: zTime,
  tcbEvaluationDataNumber: z.int().nonnegative(),
  miscselect: zHexOf(4),
  miscselectMask: zHexOf(4),
  attributes: zHexOf(16),
  attributesMask: zHexOf(16),
  mrsigner: zHexOf(32),
  isvprodid: zSvn,
  tcbLevels: zSvnLevels,
});
export type QeIdentity = z.output<typeof zQeIdentity>;

/** A JSON document and the signature over exactly its bytes. */
export interface SignedDocument<T> {
  readonly value: T;
  readonly signedBytes: Uint8Array;
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array;
  readonly chain: CertificateChain;
}

export interface TdxCollateral {
  readonly tcbInfo: SignedDocument<TcbInfo>;
  readonly qeIdentity: SignedDocument<QeIdentity>;
}

/** What a document says and who signed it, without the chain, which comes apart. Null if it is malformed. */
export const parseTcbInfo = (bytes: Uint8Array): Omit<SignedDocument<TcbInfo>, 'chain'> | null =>
  parseDocument(bytes, 'tcbInfo', zTcbInfo);
export const parseQeIdentity = (bytes: Uint8Array): Omit<SignedDocument<QeIdentity>, 'chain'> | null =>
  parseDocument(bytes, 'enclaveIdentity', zQeIdentity);

const DOCUMENT_BYTES_AT_MOST = 256 * 1024;

/** The name of what is missing or malformed instead, so that an operator knows what to fetch. */
export function readCollateral(endorsements: Endorsements, fmspc: string): TdxCollateral | { readonly flaw: string } {
  const names = TDX_ENDORSEMENTS;
  const tcbInfo = read(endorsements, names.tcbInfo(fmspc), names.tcbInfoChain, parseTcbInfo);
  const qeIdentity = read(endorsements, names.qeIdentity, names.qeIdentityChain, parseQeIdentity);
  if ('flaw' in tcbInfo) return tcbInfo;
  return 'flaw' in qeIdentity ? qeIdentity : { tcbInfo, qeIdentity };
}

function read<T>(
  endorsements: Endorsements,
  name: string,
  chainName: string,
  parse: (bytes: Uint8Array) => Omit<SignedDocument<T>, 'chain'> | null,
): SignedDocument<T> | { readonly flaw: string } {
  const [bytes, chainBytes] = [endorsements[name], endorsements[chainName]];
  if (bytes === undefined) return { flaw: `${name} is missing` };
  if (chainBytes === undefined) return { flaw: `${chainName} is missing` };
  const document = parse(bytes);
  const chain = readPemChain(chainBytes);
  if (document === null) return { flaw: `${name} is malformed` };
  return chain === null ? { flaw: `${chainName} is malformed` } : { ...document, chain };
}

/**
 * `{"tcbInfo":{…},"signature":"…"}`: the signature is over the inner document as it is served, byte for byte, so it is
 * cut out of the text and never serialised again.
 */
function parseDocument<T>(
  bytes: Uint8Array,
  member: string,
  shape: z.ZodType<T>,
): Omit<SignedDocument<T>, 'chain'> | null {
  if (bytes.length > DOCUMENT_BYTES_AT_MOST) return null;
  try {
    const pattern = new RegExp(`^\\{"${member}":(\\{.*\\}),"signature":"([0-9a-f]{128})"\\}$`, 's');
    const [, signed, signature] = pattern.exec(fromUtf8(bytes)) ?? [];
    if (signed === undefined || signature === undefined) return null;
    return { value: shape.parse(JSON.parse(signed)), signedBytes: utf8(signed), signature: fromHex(signature) };
  } catch {
    return null;
  }
}
