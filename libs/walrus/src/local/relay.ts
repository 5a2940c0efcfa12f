import { asBlobId, asId, refuse, toBase64Url, type Hex32 } from '@usufruct/kernel';
import { readBytes, sendJson, type Exchange } from '@usufruct/service';
import type { LocalStore } from './local-store.js';

/**
 * What Walrus's upload relay answers (MystenLabs/walrus, crates/walrus-upload-relay/upload_relay_openapi.yaml): it asks
 * no tip, so `tx_id` and `nonce` are not looked at. The certificate is signed by the store alone; see `node-key.ts`.
 */
export async function answerRelay(store: LocalStore, { request, response, url }: Exchange): Promise<boolean> {
  const call = `${request.method} ${url.pathname}`;
  if (call === 'GET /v1/tip-config') {
    sendJson(response, 200, JSON.stringify('no_tip'));
    return true;
  }
  if (call !== 'POST /v1/blob-upload-relay') return false;
  const query = url.searchParams;
  const blobId = asBlobId(query.get('blob_id') ?? '');
  const object = query.get('deletable_blob_object');
  if ((query.get('encoding_type') ?? 'RS2') !== 'RS2')
    throw refuse('INVALID_ARGUMENT', { field: 'encoding_type', expected: 'RS2' });
  const objectId = object === null ? null : asId<Hex32>(object, 'deletable_blob_object');
  const bytes = await readBytes(request, store.config.maxBlobBytes);
  const { signers, message, signature } = await store.relay(blobId, bytes, objectId);
  const certificate = { signers, serialized_message: [...message], signature: toBase64Url(signature) };
  sendJson(response, 200, JSON.stringify({ blob_id: blobId, confirmation_certificate: certificate }));
  return true;
}
