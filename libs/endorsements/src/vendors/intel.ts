import type { EndorsementItem } from '@usufruct/attestation';
import { fromBase64, fromHex } from '@usufruct/kernel';
import type { VendorAnswer } from '../http.js';
import { pemOf, type Served } from './served.js';
import type { EndorsementUrls } from './urls.js';

type IntelItem = Extract<EndorsementItem, { kind: `intel-${string}` }>;

const DOCUMENT_BYTES = 256 * 1024;
const LIST_BYTES = 2 * 1024 * 1024;

/**
 * Intel SGX and TDX Provisioning Certification Service, API v4 (api.portal.trustedservices.intel.com,
 * "provisioning-certification"): Get TDX TCB Info, Get TDX Enclave Identity, Get Revocation Lists. Issuer chains come in
 * headers, PEM, URL-encoded. The root's list has an address of its own (the CRL distribution point in Intel's
 * certificates); a PCCS serves it under `rootcacrl`, in hexadecimal.
 */
export function servedByIntel(item: IntelItem, urls: EndorsementUrls): Served {
  const json = { accept: 'application/json', bytesAtMost: DOCUMENT_BYTES };
  const list = { accept: 'application/pkix-crl', bytesAtMost: LIST_BYTES };
  switch (item.kind) {
    case 'intel-tcb-info':
      return {
        request: { ...json, url: `${urls.intel}/tdx/certification/v4/tcb?fmspc=${item.fmspc.toUpperCase()}` },
        read: (answer) => ({ bytes: answer.bytes, issuers: headerPem(answer, 'TCB-Info-Issuer-Chain') }),
      };
    case 'intel-qe-identity':
      return {
        request: { ...json, url: `${urls.intel}/tdx/certification/v4/qe/identity` },
        read: (answer) => ({ bytes: answer.bytes, issuers: headerPem(answer, 'SGX-Enclave-Identity-Issuer-Chain') }),
      };
    case 'intel-pck-crl':
      return {
        request: { ...list, url: `${urls.intel}/sgx/certification/v4/pckcrl?ca=${item.ca}&encoding=der` },
        read: (answer) => listOf(answer, headerPem(answer, 'SGX-PCK-CRL-Issuer-Chain')),
      };
    case 'intel-root-crl':
      return {
        request: { ...list, url: urls.intelRootCrl },
        read: (answer) => listOf(answer, null),
        issuersFrom: { item: { kind: 'intel-qe-identity' }, rootAlone: true },
      };
  }
}

function headerPem({ headers }: VendorAnswer, name: string): Uint8Array | null {
  try {
    return pemOf(decodeURIComponent(headers.get(name) ?? ''));
  } catch {
    return null; // a stray percent sign
  }
}

function listOf({ bytes }: VendorAnswer, issuers: Uint8Array | null): ReturnType<Served['read']> {
  const der = derOfList(bytes);
  return der && { bytes: der, issuers };
}

const DER_SEQUENCE = 0x30;

/** DER, or DER in hexadecimal or PEM, as caches of Intel's service have it. */
export function derOfList(bytes: Uint8Array): Uint8Array | null {
  // In hexadecimal the same byte is the digits 3 and 0, so no text of it begins with this one.
  if (bytes[0] === DER_SEQUENCE) return bytes;
  const text = Buffer.from(bytes).toString('latin1').trim();
  try {
    if (/^([0-9A-Fa-f]{2})+$/.test(text)) return fromHex(text);
    const [, base64] = /^-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]*)-----END X509 CRL-----$/.exec(text) ?? [];
    return base64 === undefined ? null : fromBase64(base64.replaceAll(/\s/g, ''));
  } catch {
    return null;
  }
}
