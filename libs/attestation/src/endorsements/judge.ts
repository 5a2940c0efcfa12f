import { parseKeySet } from '../jose/jws.js';
import { hasDoctype, parseRim } from '../nvidia/rim.js';
import { checkRimChain, checkRimRoot, checkRimSignature } from '../nvidia/rim-checks.js';
import { pinnedRoots, type RootName, type RootSet } from '../roots.js';
import { readEndorsementKey } from '../snp/endorsement-key.js';
import { INTEL, PCK_CAS, TCB_SIGNING_NAME } from '../tdx/chain-checks.js';
import { parseQeIdentity, parseTcbInfo, type SignedDocument } from '../tdx/collateral.js';
import { hasEcdsaSignature, parseCertificate } from '../x509/certificate.js';
import {
  authorityFlaw,
  isRootPinned,
  issuersFlaw,
  P384_CHAIN,
  pathFlaw,
  readPemChain,
  RSA_PSS_CHAIN,
  validFromMs,
  validUntilMs,
  type CertificateChain,
} from '../x509/chain.js';
import { isCrlSignedBy, parseCrl, type CrlSignature } from '../x509/crl.js';
import { answeredUntilMs, checkOcsp } from '../x509/ocsp-checks.js';
import { parseOcsp } from '../x509/ocsp.js';
import type { EndorsementBytes, EndorsementItem } from './item.js';

/** What a signer says of how long an endorsement holds, and which of two is the newer. */
export interface SignedValidity {
  /** When the last of the document and its certificates becomes valid, and when the first of them expires. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** What the vendor numbers it with (tcbEvaluationDataNumber, CRL Number); 0 where it has no number. */
  readonly number: bigint;
  /** When it was issued: of two with one number, the later is the newer. */
  readonly issuedAtMs: number;
  /** False for what only TLS vouched for: it has no validity of its own, and must not be used longer than it is fresh. */
  readonly isSigned: boolean;
  /** True of an answer that a certificate is revoked: it does not become good when the answer ends. */
  readonly isRevocation?: boolean;
}

export type EndorsementJudgement = SignedValidity | { readonly flaw: string };

/**
 * Whether these bytes are what the item's name says: read by the same strict parsers as the appraisal, signed, by
 * certificates up to a root that is pinned for this vendor. Dates are not judged: they are in the answer. That the
 * endorsement says anything good about any evidence is not judged either.
 */
export function judgeEndorsement(
  item: EndorsementItem,
  { bytes, issuers }: EndorsementBytes,
  roots: RootSet,
): Promise<EndorsementJudgement> {
  const chain = readPemChain(issuers);
  const pinned = (name: RootName): readonly string[] => pinnedRoots(roots, name);
  switch (item.kind) {
    case 'intel-root-crl':
    case 'intel-pck-crl': {
      const isIssuer = ([issuer, ...above]: CertificateChain): boolean =>
        item.kind === 'intel-root-crl' ? above.length === 0 : PCK_CAS[issuer?.commonName ?? ''] === item.ca;
      return judgeList(bytes, chain, { signedWith: 'ecdsa-p256-sha256', pinned: pinned('intel'), isIssuer });
    }
    case 'intel-tcb-info': {
      const info = parseTcbInfo(bytes);
      if (info !== null && info.value.fmspc !== item.fmspc)
        return flawed('the TCB info is for another platform family');
      return judgeDocument(info, chain, pinned('intel'));
    }
    case 'intel-qe-identity':
      return judgeDocument(parseQeIdentity(bytes), chain, pinned('intel'));
    case 'amd-crl': {
      const isIssuer = ([issuer, ...above]: CertificateChain): boolean =>
        above.length === 0 && issuer?.commonName === `ARK-${item.product}`;
      return judgeList(bytes, chain, { signedWith: 'rsa-pss-sha384', pinned: pinned('amd'), isIssuer });
    }
    case 'amd-chain':
      return judgeAmdChain(item, readPemChain(bytes), pinned('amd'));
    case 'amd-vcek':
      return judgeVcek(item, bytes, chain, pinned('amd'));
    case 'nvidia-rim':
      return judgeRim(item.id, bytes, pinned('nvidiaRim'));
    case 'nvidia-ocsp':
      return judgeOcsp(item.fingerprint, bytes, chain, [...pinned('nvidiaDevice'), ...pinned('nvidiaRim')]);
    case 'nvidia-keys':
      return judgeKeys(bytes);
  }
}

const NO_ISSUERS = 'the certificates of its issuers are missing or malformed';
const NOT_PINNED = 'its certificates do not end in a root that is pinned';
const flawed = (flaw: string): Promise<EndorsementJudgement> => Promise.resolve({ flaw });

interface ListIssuer {
  readonly signedWith: CrlSignature;
  readonly pinned: readonly string[];
  readonly isIssuer: (chain: CertificateChain) => boolean;
}

/** RFC 5280 §5: a list of the CA that its chain begins with. */
async function judgeList(
  bytes: Uint8Array,
  chain: CertificateChain | null,
  { signedWith, pinned, isIssuer }: ListIssuer,
): Promise<EndorsementJudgement> {
  const list = parseCrl(bytes);
  if (list === null) return { flaw: 'it is no revocation list' };
  if (chain === null) return { flaw: NO_ISSUERS };
  const [issuer] = chain;
  if (!isRootPinned(chain, pinned)) return { flaw: NOT_PINNED };
  const flaw = await issuersFlaw(chain, signedWith);
  if (flaw !== null) return { flaw };
  if (issuer === undefined || !isIssuer(chain) || list.issuer !== issuer.subject)
    return { flaw: 'it is the list of another CA' };
  if (!(await isCrlSignedBy(list, issuer, signedWith))) return { flaw: 'it is not signed by its CA' };
  return {
    fromMs: Math.max(list.thisUpdateMs, validFromMs(chain)),
    untilMs: Math.min(list.nextUpdateMs, validUntilMs(chain)),
    number: list.number ?? 0n,
    issuedAtMs: list.thisUpdateMs,
    isSigned: true,
  };
}

type IntelDocument = Omit<
  SignedDocument<{
    readonly issueDate: number;
    readonly nextUpdate: number;
    readonly tcbEvaluationDataNumber: number;
  }>,
  'chain'
>;

/** PCS API v4, TCB info and QE identity: signed by a TCB signing certificate of Intel's root. */
async function judgeDocument(
  document: IntelDocument | null,
  chain: CertificateChain | null,
  pinned: readonly string[],
): Promise<EndorsementJudgement> {
  if (document === null) return { flaw: 'it is no signed document of this kind' };
  if (chain === null) return { flaw: NO_ISSUERS };
  const [signer] = chain;
  if (!isRootPinned(chain, pinned)) return { flaw: NOT_PINNED };
  if (signer?.commonName !== TCB_SIGNING_NAME) return { flaw: 'its signer may not sign this' };
  const flaw = authorityFlaw(chain) ?? (await pathFlaw(chain, INTEL, null));
  if (flaw !== null) return { flaw };
  if (!(await hasEcdsaSignature(signer, 'SHA-256', document.signature, document.signedBytes))) {
    return { flaw: 'it is not signed by the leaf of its chain' };
  }
  const { issueDate, nextUpdate, tcbEvaluationDataNumber } = document.value;
  return {
    fromMs: Math.max(issueDate, validFromMs(chain)),
    untilMs: Math.min(nextUpdate, validUntilMs(chain)),
    number: BigInt(tcbEvaluationDataNumber),
    issuedAtMs: issueDate,
    isSigned: true,
  };
}

/** 57230, 3.1: intermediate and root of one product line. */
async function judgeAmdChain(
  { key, product }: Extract<EndorsementItem, { kind: 'amd-chain' }>,
  chain: CertificateChain | null,
  pinned: readonly string[],
): Promise<EndorsementJudgement> {
  if (chain?.length !== 2) return { flaw: 'it is not two certificates' };
  if (!isRootPinned(chain, pinned)) return { flaw: NOT_PINNED };
  const [intermediate, root] = chain;
  const name = key === 'VLEK' ? `SEV-VLEK-${product}` : `SEV-${product}`;
  if (intermediate?.commonName !== name || root?.commonName !== `ARK-${product}`) {
    return { flaw: 'its certificates are of another product line' };
  }
  const flaw = await issuersFlaw(chain, 'rsa-pss-sha384');
  return flaw === null ? validityOf(chain) : { flaw };
}

/** 57230, 3.1 and table 8: the key of this chip at this TCB, under the product line's intermediate. */
async function judgeVcek(
  { product, hardwareId, tcb }: Extract<EndorsementItem, { kind: 'amd-vcek' }>,
  bytes: Uint8Array,
  issuers: CertificateChain | null,
  pinned: readonly string[],
): Promise<EndorsementJudgement> {
  const leaf = parseCertificate(bytes);
  const key = leaf && readEndorsementKey(leaf);
  if (leaf === null || key === null || key.kind !== 'VCEK') return { flaw: 'it is no certificate of a VCEK' };
  if (issuers === null) return { flaw: NO_ISSUERS };
  const chain = [leaf, ...issuers];
  const isAsked =
    key.product === product &&
    key.hardwareId === hardwareId &&
    JSON.stringify(key.tcb) === JSON.stringify({ ...key.tcb, ...tcb });
  if (!isAsked) return { flaw: 'it is for another chip or another TCB' };
  if (!isRootPinned(chain, pinned)) return { flaw: NOT_PINNED };
  const flaw = authorityFlaw(chain) ?? (await pathFlaw(chain, RSA_PSS_CHAIN, null));
  return flaw === null ? validityOf(chain) : { flaw };
}

/** A manifest of NVIDIA's for the product and version that its id names. */
async function judgeRim(id: string, bytes: Uint8Array, pinned: readonly string[]): Promise<EndorsementJudgement> {
  if (hasDoctype(bytes)) return { flaw: 'it has a document type' };
  const rim = parseRim(bytes);
  if (rim === null) return { flaw: 'it is no signed reference manifest' };
  const names = [`NV_GPU_DRIVER_${rim.product}_${rim.version}`, rim.version.toUpperCase().replaceAll('.', '')];
  if (!names.includes(id.startsWith('NV_GPU_DRIVER_') ? id : id.split('_').at(-1)!)) {
    return { flaw: 'it is the manifest of another product or version' };
  }
  const checks = [checkRimRoot([rim], pinned), await checkRimChain([rim]), await checkRimSignature([rim])];
  const bad = checks.find(({ status }) => status !== 'passed');
  return bad === undefined ? validityOf(rim.chain) : { flaw: bad.detail };
}

/** Of what has no dates but its certificates'. */
const validityOf = (chain: CertificateChain): SignedValidity => ({
  fromMs: validFromMs(chain),
  untilMs: validUntilMs(chain),
  number: 0n,
  issuedAtMs: chain[0]!.notBeforeMs,
  isSigned: true,
});

/** What the appraisal asks of an answer besides its dates and what it says: bad news has to be kept, too. */
const OCSP_FORM: readonly string[] = ['OCSP_PARSE', 'OCSP_CERT_ID', 'OCSP_RESPONDER', 'OCSP_SIGNATURE'];

/** RFC 6960 §3.2: an answer about this certificate of NVIDIA's, by who may give it. */
async function judgeOcsp(
  fingerprint: string,
  bytes: Uint8Array,
  chain: CertificateChain | null,
  pinned: readonly string[],
): Promise<EndorsementJudgement> {
  const response = parseOcsp(bytes);
  const [certificate, issuer] = chain ?? [];
  if (response === null) return { flaw: 'it is no OCSP response about one certificate' };
  if (chain === null || certificate === undefined || issuer === undefined) return { flaw: NO_ISSUERS };
  if (certificate.fingerprint !== fingerprint) return { flaw: 'it is about another certificate' };
  if (!isRootPinned(chain, pinned)) return { flaw: NOT_PINNED };
  const flaw = await pathFlaw(chain, P384_CHAIN, null);
  if (flaw !== null) return { flaw };
  // The responder's certificate is held against the moment of the answer; the appraisal holds it against its own.
  const checks = await checkOcsp([{ certificate, issuer, response }], response.thisUpdateMs);
  const bad = checks.find(({ name, status }) => OCSP_FORM.includes(name) && status !== 'passed');
  if (bad !== undefined) return { flaw: bad.detail };
  const untilMs = answeredUntilMs(response);
  const { thisUpdateMs: fromMs, status } = response;
  return { fromMs, untilMs, number: 0n, issuedAtMs: fromMs, isSigned: true, isRevocation: status === 'revoked' };
}

/** The last moment that a Date can hold. */
const EVER_MS = 8.64e15;

/** RFC 7517 §5: nobody signs a set of keys; it is one, and there is a key in it. */
function judgeKeys(bytes: Uint8Array): Promise<EndorsementJudgement> {
  const keys = parseKeySet(bytes);
  if (keys === null || keys.size === 0) return flawed('it is no set of keys for ES384');
  return Promise.resolve({ fromMs: 0, untilMs: EVER_MS, number: 0n, issuedAtMs: 0, isSigned: false });
}
