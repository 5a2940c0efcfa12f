import { asId, concatBytes, fromBase64, fromHex, refuse, toBase64Url, type Address } from '@usufruct/kernel';
import { zHex32 } from '@usufruct/protocol';
import { toBase58 } from '@mysten/sui/utils';
import { z } from 'zod';
import { encodedBlobBytes } from '../cost/index.js';
import { baseUrl, originOf, request, type RequestParams } from '../request.js';
import { sha256 } from '../sha256.js';
import { certifies } from './certificate.js';
import type { Certificate, SliverUpload, Tip, Transport } from './ports.js';

export interface RelayOptions extends RequestParams {
  readonly url: string;
  /** A relay names its price itself: more than this is refused before anything is paid. 1 SUI is 10⁹ MIST. */
  readonly maxTipMist: bigint;
  /** Of the network: the price may depend on the size of the encoded blob. */
  readonly shards: () => Promise<number>;
}

/** The tip is missing, too small, for other bytes, or was paid too long ago: another one may be taken. */
export class TipRefused extends Error {}

const ANSWER_BYTES = 256 * 1024;
const mist = z.union([z.int().nonnegative(), z.string().regex(/^\d{1,20}$/)]).transform((value) => BigInt(value));
const zTipConfig = z.union([
  z.literal('no_tip'),
  z.object({
    send_tip: z.object({
      address: zHex32<Address>(),
      kind: z.union([
        z.object({ const: mist }),
        z.object({
          // The relay's specification writes `kb` and its clients `kib`; both mean 1,024 bytes.
          linear: z
            .object({ base: mist, encoded_size_mul_per_kib: mist.optional(), encoded_size_mul_per_kb: mist.optional() })
            .refine(
              (linear) => linear.encoded_size_mul_per_kib !== undefined || linear.encoded_size_mul_per_kb !== undefined,
            ),
        }),
      ]),
    }),
  }),
]);

const zRelayed = z.object({
  blob_id: z.string(),
  confirmation_certificate: z.object({
    signers: z.array(z.int().min(0).max(65_535)).min(1).max(1_000),
    serialized_message: z.array(z.int().min(0).max(255)).max(1_024),
    signature: z.string().max(1_024),
  }),
});

/**
 * An upload relay (`/v1/tip-config`, `/v1/blob-upload-relay`): it encodes, brings the slivers to the nodes and gives back
 * what they signed. It cannot make a certificate of its own, and is not believed about which blob one is of.
 */
export function relayTransport(options: RelayOptions): Transport {
  const url = baseUrl(options.url, 'relayUrl');
  return {
    async tipFor(bytes, nonce) {
      const price = await priceOf(options, url, bytes.length);
      return price === null ? null : { ...price, authPayload: await authPayload(bytes, nonce) };
    },
    upload: (upload) => relay(options, url, upload),
  };
}

/**
 * The transaction's first input: SHA-256 of the blob, SHA-256 of the nonce, and the blob's length as u64. Whoever sees
 * the transaction cannot use its tip: only the uploader knows the nonce.
 */
export async function authPayload(bytes: Uint8Array, nonce: Uint8Array): Promise<Uint8Array> {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length), true);
  return concatBytes(await sha256(bytes), await sha256(nonce), length);
}

async function priceOf(
  options: RelayOptions,
  url: string,
  sizeBytes: number,
): Promise<Omit<Tip, 'authPayload'> | null> {
  const upstream = originOf(url);
  const ask = { url: `${url}/v1/tip-config`, init: {}, maxAnswerBytes: ANSWER_BYTES, signal: undefined };
  const answer = await request(options, { ...ask, unavailable: 'UPSTREAM_UNAVAILABLE' });
  const config = answer.status === 200 ? zTipConfig.safeParse(parseJson(answer.bytes)) : null;
  if (config?.success !== true) throw refuse('UPSTREAM_INVALID', { upstream, field: 'tip-config' });
  if (config.data === 'no_tip') return null;
  const { address, kind } = config.data.send_tip;
  const amountMist =
    'const' in kind ? kind.const : linear(kind.linear, encodedBlobBytes(sizeBytes, await options.shards()));
  if (amountMist > options.maxTipMist)
    throw refuse('PAYMENT_REQUIRED', { upstream, tipMist: String(amountMist), maxTipMist: String(options.maxTipMist) });
  return { address: asId<Address>(address, 'address'), amountMist };
}

/** Rounded up: a relay that rounds down takes it too. */
const linear = (
  price: { base: bigint; encoded_size_mul_per_kib?: bigint | undefined; encoded_size_mul_per_kb?: bigint | undefined },
  encoded: number,
): bigint =>
  price.base +
  (price.encoded_size_mul_per_kib ?? price.encoded_size_mul_per_kb ?? 0n) * BigInt(Math.ceil(encoded / 1_024));

async function relay(options: RelayOptions, url: string, upload: SliverUpload): Promise<Certificate> {
  const { bytes, lease, signal } = upload;
  const query = queryOf(upload);
  const upstream = originOf(url);
  const headers = { 'content-type': 'application/octet-stream' };
  const answer = await request(options, {
    url: `${url}/v1/blob-upload-relay?${query.toString()}`,
    init: { method: 'POST', body: bytes as Uint8Array<ArrayBuffer>, headers },
    maxAnswerBytes: ANSWER_BYTES,
    signal,
    unavailable: 'UPSTREAM_UNAVAILABLE',
  });
  if (answer.status === 413) throw refuse('REQUEST_TOO_LARGE', { upstream });
  // 402: missing or too little; 400: too old; 401: for other bytes, or not readable yet (relay's error.rs).
  if ([400, 401, 402].includes(answer.status)) throw new TipRefused(`status ${answer.status}`);
  if (answer.status !== 200) throw refuse('UPSTREAM_INVALID', { upstream, status: String(answer.status) });
  const relayed = zRelayed.safeParse(parseJson(answer.bytes));
  if (!relayed.success) throw refuse('UPSTREAM_INVALID', { upstream, field: 'certificate' });
  const { signers, serialized_message: message, signature } = relayed.data.confirmation_certificate;
  const certificate = { signers, message: Uint8Array.from(message), signature: signatureOf(signature, upstream) };
  if (relayed.data.blob_id !== lease.blobId || !certifies(certificate, lease))
    throw refuse('BLOB_MISMATCH', { blobId: lease.blobId, upstream });
  return certificate;
}

function queryOf({ lease, nonce, tipDigest }: SliverUpload): URLSearchParams {
  const query = new URLSearchParams({ blob_id: lease.blobId });
  if (tipDigest !== null) {
    query.set('nonce', toBase64Url(nonce));
    query.set('tx_id', toBase58(fromHex(tipDigest)));
  }
  if (lease.deletable) query.set('deletable_blob_object', lease.objectId);
  query.set('encoding_type', 'RS2');
  return query;
}

/** Relays write it as base64, some of them for URLs. */
function signatureOf(text: string, upstream: string): Uint8Array {
  try {
    const plain = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
    return fromBase64(plain.padEnd(Math.ceil(plain.length / 4) * 4, '='));
  } catch (cause) {
    throw refuse('UPSTREAM_INVALID', { upstream, field: 'signature' }, cause);
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
