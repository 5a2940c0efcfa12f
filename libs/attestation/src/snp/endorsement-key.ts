import { toHex } from '@usufruct/kernel';
import { SNP_PRODUCTS, type SnpProduct } from '../policy/snp-policy.js';
import type { Certificate } from '../x509/certificate.js';
import { DER_TAG, octets, parseDer, smallInteger } from '../x509/der.js';

/** TCB_VERSION (SEV-SNP ABI, 2.2): security version numbers of the parts of the firmware. `fmc` is Turin's. */
export interface SnpTcb {
  readonly fmc: number;
  readonly bootloader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
}

/** What AMD certifies of a chip (VCEK) or of a provider's chips (VLEK). */
export interface EndorsementKey {
  readonly kind: 'VCEK' | 'VLEK';
  readonly product: SnpProduct;
  readonly tcb: SnpTcb;
  /** Hex of 64 bytes, on Turin of 8; null for a VLEK, which is no chip's own. */
  readonly hardwareId: string | null;
}

/** Versioned Chip Endorsement Key Certificate and KDS Interface Specification, 57230, table 8. */
const ARC = '1.3.6.1.4.1.3704.1';
const PRODUCT_NAME = `${ARC}.2`;
const HARDWARE_ID = `${ARC}.4`;
const SPL = {
  bootloader: `${ARC}.3.1`,
  tee: `${ARC}.3.2`,
  snp: `${ARC}.3.3`,
  microcode: `${ARC}.3.8`,
  fmc: `${ARC}.3.9`,
};

/** 57230, table 8, hwID: Turin's chips have shorter names than those before them. */
export const hardwareIdBytes = (product: SnpProduct): number => (product === 'Turin' ? 8 : 64);

/** Null unless every extension is there and of its form; who signed the certificate is another matter. */
export function readEndorsementKey(certificate: Certificate): EndorsementKey | null {
  const product = productOf(certificate);
  const [bootloader, tee] = [integer(certificate, SPL.bootloader), integer(certificate, SPL.tee)];
  const [snp, microcode] = [integer(certificate, SPL.snp), integer(certificate, SPL.microcode)];
  const fmc = product === 'Turin' ? integer(certificate, SPL.fmc) : 0;
  if (product === null || bootloader === null || tee === null || snp === null || microcode === null) return null;
  if (fmc === null) return null;
  const tcb = { fmc, bootloader, tee, snp, microcode };
  if (certificate.commonName === 'SEV-VLEK') return { kind: 'VLEK', product, tcb, hardwareId: null };
  const hardwareId = hardwareIdOf(certificate, hardwareIdBytes(product));
  const isVcek = certificate.commonName === 'SEV-VCEK' && hardwareId !== null;
  return isVcek ? { kind: 'VCEK', product, tcb, hardwareId } : null;
}

/** TCB_VERSION as a report holds it: from Turin on the bytes have another order. */
export function readTcb(bytes: Uint8Array, product: SnpProduct): SnpTcb {
  const [b0, b1, b2, b3, , , b6, b7] = bytes;
  return product === 'Turin'
    ? { fmc: b0!, bootloader: b1!, tee: b2!, snp: b3!, microcode: b7! }
    : { fmc: 0, bootloader: b0!, tee: b1!, snp: b6!, microcode: b7! };
}

/** 'Milan-B0': the product line, then the stepping. */
function productOf(certificate: Certificate): SnpProduct | null {
  const element = parseDer(certificate.extension(PRODUCT_NAME) ?? new Uint8Array());
  if (element?.tag !== DER_TAG.ia5String) return null;
  const [line] = String.fromCharCode(...element.contents).split('-');
  return SNP_PRODUCTS.find((product) => product === line) ?? null;
}

function integer(certificate: Certificate, identifier: string): number | null {
  const element = parseDer(certificate.extension(identifier) ?? new Uint8Array());
  return element && smallInteger(element);
}

/** AMD writes the bytes bare; an OCTET STRING of them, as the specification has it, is understood too. */
function hardwareIdOf(certificate: Certificate, length: number): string | null {
  const value = certificate.extension(HARDWARE_ID);
  if (value === null) return null;
  if (value.length === length) return toHex(value);
  const element = parseDer(value);
  const bytes = element && octets(element, length);
  return bytes && toHex(bytes);
}
