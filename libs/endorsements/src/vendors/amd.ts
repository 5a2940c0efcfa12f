import type { EndorsementItem } from '@usufruct/attestation';
import { pemOf, type Served } from './served.js';
import type { EndorsementUrls } from './urls.js';

type AmdItem = Extract<EndorsementItem, { kind: `amd-${string}` }>;

const CERTIFICATE_BYTES = 16 * 1024;
const LIST_BYTES = 256 * 1024;

/**
 * AMD's Versioned Chip Endorsement Key (VCEK) Certificate and KDS Interface Specification (57230), chapter 4:
 * `/{vcek|vlek}/v1/{product}/cert_chain` (PEM: intermediate, root), `/vcek/v1/{product}/crl` (DER, the root's list), and
 * `/vcek/v1/{product}/{hwID}?blSPL=…&teeSPL=…&snpSPL=…&ucodeSPL=…`, from Turin on with `fmcSPL` (DER).
 */
export function servedByAmd(item: AmdItem, urls: EndorsementUrls): Served {
  const certificate = { bytesAtMost: CERTIFICATE_BYTES };
  const vcek = `${urls.amd}/vcek/v1/${item.product}`;
  const chain = { kind: 'amd-chain', key: 'VCEK', product: item.product } as const;
  switch (item.kind) {
    case 'amd-chain': {
      const url = `${urls.amd}/${item.key.toLowerCase()}/v1/${item.product}/cert_chain`;
      return {
        request: { ...certificate, url, accept: 'application/x-pem-file, */*' },
        read: ({ bytes }) => {
          const pem = pemOf(Buffer.from(bytes).toString('latin1'));
          return pem && { bytes: pem, issuers: null };
        },
      };
    }
    case 'amd-crl':
      return {
        request: { url: `${vcek}/crl`, accept: 'application/pkix-crl, */*', bytesAtMost: LIST_BYTES },
        read: ({ bytes }) => ({ bytes, issuers: null }),
        issuersFrom: { item: chain, rootAlone: true },
      };
    case 'amd-vcek': {
      const { bootloader, tee, snp, microcode, fmc } = item.tcb;
      const levels = { blSPL: bootloader, teeSPL: tee, snpSPL: snp, ucodeSPL: microcode };
      const all = item.product === 'Turin' ? { ...levels, fmcSPL: fmc } : levels;
      const query = Object.entries(all).map(([name, level]) => `${name}=${String(level).padStart(2, '0')}`);
      return {
        request: {
          ...certificate,
          url: `${vcek}/${item.hardwareId}?${query.join('&')}`,
          accept: 'application/pkix-cert, */*',
        },
        read: ({ bytes }) => ({ bytes, issuers: null }),
        issuersFrom: { item: chain, rootAlone: false },
      };
    }
  }
}
