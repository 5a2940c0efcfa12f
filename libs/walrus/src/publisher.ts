import { asBlobId, asId, equalBytes, fromBase64Url, refuse, type Hex32 } from '@usufruct/kernel';
import type { QuiltFile, StoredBlob, StoredQuilt } from './blob-store.js';
import { parsePutAnswer, parseQuiltAnswer, type PutAnswer } from './http-answers.js';
import type { LeaseTerms } from './lease-terms.js';
import { originOf, request, type Answer, type RequestParams } from './request.js';

export interface PublisherParams extends RequestParams {
  readonly url: string;
}

const ANSWER_BYTES = 64 * 1024;
/** Of one file in the answer about a quilt: its identifier, its patch id, and what JSON adds. */
const QUILT_ANSWER_BYTES_PER_FILE = 1_024;

export async function publishBlob(params: PublisherParams, bytes: Uint8Array, terms: LeaseTerms): Promise<StoredBlob> {
  const headers = { 'content-type': 'application/octet-stream' };
  // Not of shared memory, and not copied: a part is a few MiB.
  const init = { method: 'PUT', body: bytes as Uint8Array<ArrayBuffer>, headers };
  const answer = await publish(params, `/v1/blobs?${query(terms)}`, init, ANSWER_BYTES, terms);
  const upstream = originOf(params.url);
  const stored = parsePutAnswer(textOf(answer));
  if (stored === null) throw refuse('UPSTREAM_INVALID', { upstream, field: 'answer to PUT /v1/blobs' });
  if (stored.sizeBytes !== null && stored.sizeBytes !== bytes.length)
    throw refuse('BLOB_MISMATCH', { blobId: stored.blobId });
  return storedBlob(stored, bytes.length);
}

export async function publishQuilt(
  params: PublisherParams,
  files: readonly QuiltFile[],
  terms: LeaseTerms,
): Promise<StoredQuilt> {
  const form = new FormData();
  for (const { identifier, bytes } of files) form.append(identifier, new Blob([new Uint8Array(bytes)]), identifier);
  const tagged = files.filter(({ tags = {} }) => Object.keys(tags).length > 0);
  if (tagged.length > 0) {
    // The one field whose name Walrus keeps for itself.
    form.append('_metadata', JSON.stringify(tagged.map(({ identifier, tags }) => ({ identifier, tags }))));
  }
  const init = { method: 'PUT', body: form };
  const maxAnswerBytes = ANSWER_BYTES + files.length * QUILT_ANSWER_BYTES_PER_FILE;
  const answer = await publish(params, `/v1/quilts?${query(terms)}`, init, maxAnswerBytes, terms);
  const upstream = originOf(params.url);
  const quilt = parseQuiltAnswer(textOf(answer));
  const patches = files.map(({ identifier }) => quilt?.patches.find((patch) => patch.identifier === identifier));
  const isWhole = quilt !== null && quilt.patches.length === files.length;
  if (!isWhole || !patches.every((patch) => patch !== undefined))
    throw refuse('UPSTREAM_INVALID', { upstream, field: 'answer to PUT /v1/quilts' });
  const quiltBytes = fromBase64Url(quilt.stored.blobId, 'blobId');
  // A patch id begins with its quilt's: one of another quilt would be read from there.
  if (!patches.every(({ patchId }) => equalBytes(fromBase64Url(patchId, 'patchId').slice(0, 32), quiltBytes)))
    throw refuse('BLOB_MISMATCH', { blobId: quilt.stored.blobId });
  const sizeBytes = quilt.stored.sizeBytes ?? files.reduce((total, { bytes }) => total + bytes.length, 0);
  return { ...storedBlob(quilt.stored, sizeBytes), patches };
}

/** Both kinds are said: publishers before 1.33 made permanent blobs where nothing was said, and later ones deletable. */
function query({ epochs, deletable, owner }: LeaseTerms): string {
  const lease = `epochs=${epochs}&${deletable ? 'deletable' : 'permanent'}=true`;
  return owner === undefined ? lease : `${lease}&send_object_to=${asId(owner, 'owner')}`;
}

async function publish(
  params: PublisherParams,
  path: string,
  init: RequestInit,
  maxAnswerBytes: number,
  { owner, signal }: LeaseTerms,
): Promise<Answer> {
  const url = `${params.url}${path}`;
  // The same bytes are the same blob, so a second request finds the first one's; except where the publisher gave its
  // object away: it sees no blob of its own then, and would pay for another one.
  const repeat = owner === undefined ? 'always' : 'untouched';
  const options = { url, init, maxAnswerBytes, signal, unavailable: 'UPSTREAM_UNAVAILABLE', repeat } as const;
  const answer = await request(params, options);
  const upstream = originOf(url);
  if (answer.status === 413) throw refuse('REQUEST_TOO_LARGE', { upstream });
  if (answer.status === 402 || answer.status === 507) throw refuse('STORE_FULL', { upstream });
  if (answer.status !== 200) throw refuse('UPSTREAM_INVALID', { upstream, status: String(answer.status) });
  return answer;
}

/** What is no UTF-8 is no JSON of ours either. */
const textOf = ({ bytes }: Answer): string => new TextDecoder().decode(bytes);

const storedBlob = ({ blobId, endEpoch, objectId }: PutAnswer, sizeBytes: number): StoredBlob => ({
  blobId: asBlobId(blobId),
  sizeBytes,
  endEpoch,
  objectId: objectId === null ? null : asId<Hex32>(objectId, 'objectId'),
});
