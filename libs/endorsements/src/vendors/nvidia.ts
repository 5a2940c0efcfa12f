import type { EndorsementItem } from '@usufruct/attestation';
import { fromBase64, fromUtf8 } from '@usufruct/kernel';
import { z } from 'zod';
import type { Served } from './served.js';
import type { EndorsementUrls } from './urls.js';

type NvidiaItem = Extract<EndorsementItem, { kind: `nvidia-${string}` }>;

/** The XML is half a MiB at most, and base64 makes it a third longer. */
const RIM_ANSWER_BYTES = 768 * 1024;

/** Id and digest come along unsigned; the manifest's own signature and what it says it is for are judged instead. */
const zRimAnswer = z.object({ rim: z.string() });

/**
 * NVIDIA Reference Integrity Manifest service (docs.nvidia.com/attestation, "RIM Service", `GET /v1/rim/{id}`): JSON with
 * the manifest's XML in base64.
 */
export function servedByNvidia(item: NvidiaItem, urls: EndorsementUrls): Served {
  const url = `${urls.nvidiaRim}/${encodeURIComponent(item.id)}`;
  return {
    request: { url, accept: 'application/json', bytesAtMost: RIM_ANSWER_BYTES },
    read: ({ bytes }) => {
      const xml = xmlOf(bytes);
      return xml && { bytes: xml, issuers: null };
    },
  };
}

function xmlOf(bytes: Uint8Array): Uint8Array | null {
  try {
    return fromBase64(zRimAnswer.parse(JSON.parse(fromUtf8(bytes))).rim.replaceAll(/\s/g, ''));
  } catch {
    return null;
  }
}
