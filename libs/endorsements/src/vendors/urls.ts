import { parseAt } from '@usufruct/protocol';
import { z } from 'zod';

/** Where the vendors are asked; each may be a mirror of an operator's own (a PCCS, a proxy). */
export interface EndorsementUrls {
  /** Intel's Provisioning Certification Service, or a PCCS: what stands before `/sgx/certification/v4`. */
  readonly intel: string;
  /** The whole address of the root's revocation list. */
  readonly intelRootCrl: string;
  /** AMD's Key Distribution Service: what stands before `/vcek/v1`. */
  readonly amd: string;
  /** NVIDIA's RIM service: what stands before `/{id}`. */
  readonly nvidiaRim: string;
  /** NVIDIA's OCSP responder. */
  readonly nvidiaOcsp: string;
  /** The whole address of the keys of NVIDIA's attestation service. */
  readonly nvidiaKeys: string;
}

const VENDOR_URLS: EndorsementUrls = {
  intel: 'https://api.trustedservices.intel.com',
  intelRootCrl: 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der',
  amd: 'https://kdsintf.amd.com',
  nvidiaRim: 'https://rim.attestation.nvidia.com/v1/rim',
  nvidiaOcsp: 'https://ocsp.ndis.nvidia.com',
  nvidiaKeys: 'https://nras.attestation.nvidia.com/.well-known/jwks.json',
};

/** What is signed needs no protection on its way, so plain HTTP to a mirror loses no integrity. Credentials have no place here. */
const zUrl = z
  .url({ protocol: /^https?$/ })
  .max(512)
  .refine((text) => !URL.canParse(text) || isPlain(new URL(text)), 'an address without credentials, query and fragment')
  .transform((text) => text.replace(/\/+$/, ''));
const isPlain = ({ username, password, search, hash }: URL): boolean => username + password + search + hash === '';

/** Nobody signs a set of keys: only TLS says whose it is, unless it comes from this machine. */
const zSecureUrl = zUrl.refine((text) => {
  if (!URL.canParse(text)) return true;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
}, 'an address with https');

const zUrls = z
  .strictObject({
    intel: zUrl,
    intelRootCrl: zUrl,
    amd: zUrl,
    nvidiaRim: zUrl,
    nvidiaOcsp: zUrl,
    nvidiaKeys: zSecureUrl,
  })
  .partial();

/**
 * The vendors' own addresses, and in their place those given. A PCCS serves the root's list itself, so with another
 * `intel` it is asked there unless said otherwise. Refuses `INVALID_ARGUMENT` naming the address.
 */
export function endorsementUrls(given: Partial<EndorsementUrls> = {}): EndorsementUrls {
  const urls = parseAt(zUrls, given, 'addresses of the vendors');
  const intelRootCrl =
    urls.intel === undefined ? VENDOR_URLS.intelRootCrl : `${urls.intel}/sgx/certification/v4/rootcacrl`;
  const known = Object.entries(urls).filter(([, url]) => url !== undefined);
  return { ...VENDOR_URLS, intelRootCrl, ...Object.fromEntries(known) };
}
