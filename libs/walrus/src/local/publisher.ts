import { asId, refuse, type Address } from '@usufruct/kernel';
import { readBytes, sendJson, type Exchange } from '@usufruct/service';
import { putAnswer } from './answers.js';
import type { LeaseRequest, LocalStore } from './local-store.js';
import { parseForm } from './multipart.js';
import { encodePatchId, filesOf, makeQuilt, mostQuiltFiles } from './quilt.js';

/** What a form adds to its files: names, boundaries and metadata. */
const FORM_BYTES = 2 * 1024 * 1024;
const KNOWN = [
  'encoding_type',
  'epochs',
  'deletable',
  'permanent',
  'force',
  'quilt_version',
  'send_object_to',
  'share',
] as const;

/** What Walrus's publisher answers (MystenLabs/walrus, crates/walrus-service/publisher_openapi.yaml). */
export async function answerPublisher(store: LocalStore, { request, response, url }: Exchange): Promise<boolean> {
  if (request.method !== 'PUT') return false;
  const { shards, maxBlobBytes } = store.config;
  if (url.pathname === '/v1/blobs') {
    const lease = readLease(url.searchParams);
    const stored = await store.put(await readBytes(request, maxBlobBytes), lease);
    sendJson(response, 200, JSON.stringify(putAnswer(stored, shards)));
    return true;
  }
  if (url.pathname === '/v1/quilts') {
    const lease = readLease(url.searchParams);
    const body = await readBytes(request, maxBlobBytes + FORM_BYTES);
    const parts = parseForm(body, request.headers['content-type'] ?? '', mostQuiltFiles(shards) + 1);
    const { bytes, patches } = await makeQuilt(filesOf(parts), shards);
    const stored = await store.put(bytes, lease);
    const storedQuiltBlobs = patches.map((patch) => ({
      identifier: patch.identifier,
      quiltPatchId: encodePatchId(stored.lease.blobId, patch),
    }));
    sendJson(response, 200, JSON.stringify({ blobStoreResult: putAnswer(stored, shards), storedQuiltBlobs }));
    return true;
  }
  return false;
}

/** Deletable unless `permanent` is asked for, as since Walrus 1.33. Refuses `INVALID_ARGUMENT` by the parameter's name. */
export function readLease(query: URLSearchParams): LeaseRequest {
  for (const name of query.keys()) {
    if (!KNOWN.some((known) => known === name) || query.getAll(name).length > 1)
      throw refuse('INVALID_ARGUMENT', { field: 'query', expected: `each at most once: ${KNOWN.join(', ')}` });
  }
  requireOneOf(query, 'encoding_type', ['RS2']);
  requireOneOf(query, 'quilt_version', ['v1', 'V1', '1']);
  requireOneOf(query, 'share', ['false']);
  const epochs = query.get('epochs') ?? '1';
  if (!/^\d{1,4}$/.test(epochs)) throw refuse('INVALID_ARGUMENT', { field: 'epochs', expected: 'a positive integer' });
  const owner = query.get('send_object_to');
  const permanent = readFlag(query, 'permanent');
  if (readFlag(query, 'deletable') && permanent)
    throw refuse('INVALID_ARGUMENT', { field: 'persistence', expected: 'deletable or permanent' });
  return {
    epochs: Number(epochs),
    deletable: !permanent,
    owner: owner === null ? null : asId<Address>(owner, 'send_object_to'),
    force: readFlag(query, 'force'),
  };
}

function readFlag(query: URLSearchParams, field: string): boolean {
  requireOneOf(query, field, ['true', 'false']);
  return query.get(field) === 'true';
}

function requireOneOf(query: URLSearchParams, field: string, values: readonly string[]): void {
  const value = query.get(field);
  if (value !== null && !values.includes(value))
    throw refuse('INVALID_ARGUMENT', { field, expected: values.join(' or ') });
}
