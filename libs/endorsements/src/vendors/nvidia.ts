import { encodeOcspRequest, readPemLoosely, type EndorsementItem } from '@usufruct/attestation';
import { fromBase64, fromUtf8 } from '@usufruct/kernel';
import { z } from 'zod';
import type { Served } from './served.js';
import type { EndorsementUrls } from './urls.js';

type NvidiaItem = Extract<EndorsementItem, { kind: `nvidia-${string}` }>;

/** The XML is half a MiB at most, and base64 makes it a third longer. */
const RIM_ANSWER_BYTES = 768 * 1024;

/** Id and digest come along unsigned; the manifest's own signature and what it says it is for are judged instead. */
const zRimAnswer = z.object({ rim: z.string() });

/** A responder speaks for a day or less; asking it four times as often finds out what was revoked. */
const OCSP_FRESH_MS = 6 * 60 * 60_000;
const OCSP_BYTES = 16 * 1024;
const KEYS_BYTES = 128 * 1024;

/**
 * NVIDIA's services, each by its own document (docs.nvidia.com/attestation): the Reference Integrity Manifest service
 * (`GET /v1/rim/{id}`: JSON with the manifest's XML in base64), the OCSP responder (RFC 6960, A.1: POST), and the keys of
 * the remote attestation service (RFC 7517, `/.well-known/jwks.json`).
 *
 * @param about of an OCSP response: the certificate that is asked about and those above it, PEM
 * @returns null if it is not said what to ask about
 */
export async function servedByNvidia(
  item: NvidiaItem,
  urls: EndorsementUrls,
  about: Uint8Array | null,
): Promise<Served | null> {
  switch (item.kind) {
    case 'nvidia-rim':
      return {
        request: {
          url: `${urls.nvidiaRim}/${encodeURIComponent(item.id)}`,
          accept: 'application/json',
          bytesAtMost: RIM_ANSWER_BYTES,
        },
        read: ({ bytes }) => {
          const xml = xmlOf(bytes);
          return xml && { bytes: xml, issuers: null };
        },
      };
    case 'nvidia-ocsp': {
      const [certificate, issuer] = (about && readPemLoosely(fromUtf8(about))) ?? [];
      const body = certificate && issuer && (await encodeOcspRequest(certificate, issuer));
      if (!body) return null;
      const post = { contentType: 'application/ocsp-request', body };
      return {
        request: { url: urls.nvidiaOcsp, accept: 'application/ocsp-response', bytesAtMost: OCSP_BYTES, post },
        read: ({ bytes }) => ({ bytes, issuers: about }),
        freshForMs: OCSP_FRESH_MS,
      };
    }
    case 'nvidia-keys':
      return {
        request: { url: urls.nvidiaKeys, accept: 'application/json', bytesAtMost: KEYS_BYTES },
        read: ({ bytes }) => ({ bytes, issuers: null }),
      };
  }
}

function xmlOf(bytes: Uint8Array): Uint8Array | null {
  try {
    return fromBase64(zRimAnswer.parse(JSON.parse(fromUtf8(bytes))).rim.replaceAll(/\s/g, ''));
  } catch {
    return null;
  }
}
