import type { EndorsementItem } from '@usufruct/attestation';
import { servedByAmd } from './amd.js';
import { servedByIntel } from './intel.js';
import { servedByNvidia } from './nvidia.js';
import type { Served } from './served.js';
import type { EndorsementUrls } from './urls.js';

/** How an item is asked for, of whom; null where it is about a certificate, and `about` does not say which. */
export async function servedBy(
  item: EndorsementItem,
  urls: EndorsementUrls,
  about: Uint8Array | null,
): Promise<Served | null> {
  switch (item.kind) {
    case 'intel-root-crl':
    case 'intel-pck-crl':
    case 'intel-tcb-info':
    case 'intel-qe-identity':
      return servedByIntel(item, urls);
    case 'amd-chain':
    case 'amd-crl':
    case 'amd-vcek':
      return servedByAmd(item, urls);
    case 'nvidia-rim':
    case 'nvidia-ocsp':
    case 'nvidia-keys':
      return servedByNvidia(item, urls, about);
  }
}
