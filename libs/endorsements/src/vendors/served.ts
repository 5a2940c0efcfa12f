import { encodePemChain, type EndorsementBytes, type EndorsementItem, readPemLoosely } from '@usufruct/attestation';
import { utf8 } from '@usufruct/kernel';
import type { VendorAnswer, VendorRequest } from '../http.js';

/** How one item is asked for and read. */
export interface Served {
  readonly request: VendorRequest;
  /** Null for what is no answer of this kind; whether it is any good is judged elsewhere. */
  readonly read: (answer: VendorAnswer) => EndorsementBytes | null;
  /** How long it is fresh where the answer does not say; missing: an hour. */
  readonly freshForMs?: number;
  /** The item whose certificates vouch for this one, where the answer does not carry them. */
  readonly issuersFrom?: { readonly item: EndorsementItem; readonly rootAlone: boolean };
}

/** Certificates in a text of the vendor's, written anew in the one form that the appraisal reads. */
export function pemOf(text: string | null): Uint8Array | null {
  const ders = text === null ? null : readPemLoosely(text);
  return ders && utf8(encodePemChain(ders));
}
