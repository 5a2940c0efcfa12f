import { NVIDIA_ENDORSEMENTS } from '../nvidia/endorsements.js';
import { SNP_PRODUCTS, type SnpProduct } from '../policy/snp-policy.js';
import { hardwareIdBytes, type SnpTcb } from '../snp/endorsement-key.js';
import { SNP_ENDORSEMENTS } from '../snp/inspect.js';
import { TDX_ENDORSEMENTS, type PckCa } from '../tdx/collateral.js';
import type { Endorsements } from '../types.js';

/** One thing that a vendor serves in one answer, by what it is about. */
export type EndorsementItem =
  | { readonly kind: 'intel-root-crl' }
  | { readonly kind: 'intel-pck-crl'; readonly ca: PckCa }
  /** `fmspc`: lower-case hex, 6 bytes. */
  | { readonly kind: 'intel-tcb-info'; readonly fmspc: string }
  | { readonly kind: 'intel-qe-identity' }
  | { readonly kind: 'amd-chain'; readonly key: 'VCEK' | 'VLEK'; readonly product: SnpProduct }
  | { readonly kind: 'amd-crl'; readonly product: SnpProduct }
  /** `hardwareId`: lower-case hex, 64 bytes, 8 on Turin. */
  | { readonly kind: 'amd-vcek'; readonly product: SnpProduct; readonly hardwareId: string; readonly tcb: SnpTcb }
  | { readonly kind: 'nvidia-rim'; readonly id: string }
  /** `fingerprint`: hex of the SHA-256 of the certificate that is asked about. */
  | { readonly kind: 'nvidia-ocsp'; readonly fingerprint: string }
  | { readonly kind: 'nvidia-keys' };

/** The name of an item: where it is among a verifier's endorsements, and its path in a folder of them. */
export function nameOfItem(item: EndorsementItem): string {
  switch (item.kind) {
    case 'intel-root-crl':
      return TDX_ENDORSEMENTS.rootCrl;
    case 'intel-pck-crl':
      return TDX_ENDORSEMENTS.pckCrl(item.ca);
    case 'intel-tcb-info':
      return TDX_ENDORSEMENTS.tcbInfo(item.fmspc);
    case 'intel-qe-identity':
      return TDX_ENDORSEMENTS.qeIdentity;
    case 'amd-chain':
      return SNP_ENDORSEMENTS.chain(item.key, item.product);
    case 'amd-crl':
      return SNP_ENDORSEMENTS.crl(item.product);
    case 'amd-vcek': {
      const { bootloader, tee, snp, microcode, fmc } = item.tcb;
      return `amd/${item.product}/vcek/${item.hardwareId}-${[bootloader, tee, snp, microcode, fmc].join('.')}.der`;
    }
    case 'nvidia-rim':
      return NVIDIA_ENDORSEMENTS.rim(item.id);
    case 'nvidia-ocsp':
      return NVIDIA_ENDORSEMENTS.ocsp(item.fingerprint);
    case 'nvidia-keys':
      return NVIDIA_ENDORSEMENTS.nrasKeys;
  }
}

const SVN = '(\\d{1,3})';
const PRODUCT = `(${SNP_PRODUCTS.join('|')})`;
const productOf = (text: string | undefined): SnpProduct => SNP_PRODUCTS.find((product) => product === text)!;

/** Every form of a name, and the item that it names. Nothing in a name can climb out of a folder. */
const FORMS: readonly (readonly [RegExp, (parts: readonly string[]) => EndorsementItem])[] = [
  [/^intel\/root-ca\.crl$/, () => ({ kind: 'intel-root-crl' })],
  [/^intel\/pck-(platform|processor)\.crl$/, ([ca]) => ({ kind: 'intel-pck-crl', ca: ca as PckCa })],
  [/^intel\/tdx\/tcb-([0-9a-f]{12})\.json$/, ([fmspc]) => ({ kind: 'intel-tcb-info', fmspc: fmspc! })],
  [/^intel\/tdx\/qe-identity\.json$/, () => ({ kind: 'intel-qe-identity' })],
  [
    new RegExp(`^amd/${PRODUCT}/(vcek|vlek)-chain\\.pem$`),
    ([product, key]) => ({ kind: 'amd-chain', product: productOf(product), key: key === 'vcek' ? 'VCEK' : 'VLEK' }),
  ],
  [new RegExp(`^amd/${PRODUCT}/root\\.crl$`), ([product]) => ({ kind: 'amd-crl', product: productOf(product) })],
  [
    new RegExp(`^amd/${PRODUCT}/vcek/([0-9a-f]{16}|[0-9a-f]{128})-${[SVN, SVN, SVN, SVN, SVN].join('\\.')}\\.der$`),
    ([product, hardwareId, ...svns]) => {
      const [bootloader, tee, snp, microcode, fmc] = svns.map(Number) as [number, number, number, number, number];
      const tcb = { bootloader, tee, snp, microcode, fmc };
      return { kind: 'amd-vcek', product: productOf(product), hardwareId: hardwareId!, tcb };
    },
  ],
  [/^nvidia\/rim\/([0-9A-Za-z][0-9A-Za-z._-]{0,127})\.xml$/, ([id]) => ({ kind: 'nvidia-rim', id: id! })],
  [/^nvidia\/ocsp\/([0-9a-f]{64})\.der$/, ([fingerprint]) => ({ kind: 'nvidia-ocsp', fingerprint: fingerprint! })],
  [/^nvidia\/nras\/jwks\.json$/, () => ({ kind: 'nvidia-keys' })],
];

/** What a name stands for; null for any text that is not the one name of an item. */
export function itemOfName(name: string): EndorsementItem | null {
  for (const [pattern, read] of FORMS) {
    const found = pattern.exec(name);
    if (found === null) continue;
    const item = read(found.slice(1));
    const isSized = item.kind !== 'amd-vcek' || item.hardwareId.length === 2 * hardwareIdBytes(item.product);
    return isSized && nameOfItem(item) === name ? item : null;
  }
  return null;
}

/** One item as it was served: its bytes, and the certificates that vouch for it where they are not in the bytes. */
export interface EndorsementBytes {
  readonly bytes: Uint8Array;
  /** PEM, the signer's certificate first, the root last; of an OCSP response the certificate that it is about first. */
  readonly issuers: Uint8Array | null;
}

/** Where the appraisal looks for the issuers of an item, if it does. */
const ISSUERS_NAMES: Readonly<Partial<Record<EndorsementItem['kind'], string>>> = {
  'intel-tcb-info': TDX_ENDORSEMENTS.tcbInfoChain,
  'intel-qe-identity': TDX_ENDORSEMENTS.qeIdentityChain,
};

/** An item under the names that `appraiseEvidence` looks for. */
export function endorsementsOfItem(item: EndorsementItem, { bytes, issuers }: EndorsementBytes): Endorsements {
  const issuersName = ISSUERS_NAMES[item.kind];
  return {
    [nameOfItem(item)]: bytes,
    ...(issuersName === undefined || issuers === null ? {} : { [issuersName]: issuers }),
  };
}
