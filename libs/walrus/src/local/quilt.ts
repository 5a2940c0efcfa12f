import type { EncodeQuiltOptions } from '@mysten/walrus';
import { concatBytes, fromBase64Url, fromUtf8, refuse, toBase64Url, utf8, type BlobId } from '@usufruct/kernel';
import { z } from 'zod';
import { maxBlobBytes, mostQuiltFiles } from '../cost/index.js';
import { readPatch, readPatches, type Patch } from '../quilt-format.js';
import type { FormPart } from './multipart.js';

export interface QuiltFile {
  readonly identifier: string;
  readonly contents: Uint8Array;
  readonly tags: Readonly<Record<string, string>>;
}
const METADATA = '_metadata';
const VERSION = 1;
const PATCH_ID_BYTES = 32 + 5;
export { mostQuiltFiles, readPatch, readPatches, type Patch };

const zMetadata = z.array(
  z.object({ identifier: z.string(), tags: z.record(z.string(), z.json()).default({}) }).strict(),
);

/** The files of a form, with the tags that its `_metadata` gives them. Refuses `MALFORMED_REQUEST`, `INVALID_ARGUMENT`. */
export function filesOf(parts: readonly FormPart[]): QuiltFile[] {
  const tags = new Map<string, Record<string, string>>();
  for (const { name, bytes } of parts) {
    if (name !== METADATA) continue;
    for (const entry of parseMetadata(bytes)) {
      if (tags.has(entry.identifier)) throw refuse('INVALID_ARGUMENT', { field: METADATA, expected: 'each file once' });
      tags.set(
        entry.identifier,
        Object.fromEntries(Object.entries(entry.tags).map(([key, tag]) => [key, asText(tag)])),
      );
    }
  }
  const files = parts.filter(({ name }) => name !== METADATA);
  if (files.length === 0) throw refuse('MALFORMED_REQUEST', { expected: 'at least one file' });
  return files.map(({ name, bytes }) => ({ identifier: name, contents: bytes, tags: tags.get(name) ?? {} }));
}

/** The quilt as Walrus's SDK encodes it. Refuses `INVALID_ARGUMENT`, and `REQUEST_TOO_LARGE` for what does not fit. */
export async function makeQuilt(
  files: readonly QuiltFile[],
  shards: number,
): Promise<{ readonly bytes: Uint8Array; readonly patches: readonly Patch[] }> {
  const mostFiles = mostQuiltFiles(shards);
  if (files.length > mostFiles) throw refuse('REQUEST_TOO_LARGE', { mostFiles: String(mostFiles) });
  for (const { identifier } of files) requireIdentifier(identifier);
  if (new Set(files.map(({ identifier }) => identifier)).size !== files.length)
    throw refuse('INVALID_ARGUMENT', { field: 'identifier', expected: 'each only once' });
  // Only when it is needed: with its client for Sui it is most of what the process would load at its start.
  const { encodeQuilt } = await import('@mysten/walrus');
  try {
    const { quilt, index } = encodeQuilt({ blobs: files.map(toSdkBlob), numShards: shards });
    const patches = index.patches.map(({ identifier, startIndex, endIndex }) => {
      const tags = files.find((file) => file.identifier === identifier)?.tags ?? {};
      return { identifier, tags, startIndex, endIndex };
    });
    return { bytes: quilt, patches };
  } catch (cause) {
    // What is left for the encoder to refuse is size.
    throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(maxBlobBytes(shards)) }, cause);
  }
}

export function encodePatchId(quiltId: BlobId, { startIndex, endIndex }: Patch): string {
  const place = new Uint8Array(5);
  const view = new DataView(place.buffer);
  view.setUint8(0, VERSION);
  view.setUint16(1, startIndex, true);
  view.setUint16(3, endIndex, true);
  return toBase64Url(concatBytes(fromBase64Url(quiltId), place));
}

export function decodePatchId(
  text: string,
): { readonly quiltId: BlobId; readonly startIndex: number; readonly endIndex: number } | null {
  try {
    const bytes = fromBase64Url(text);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length !== PATCH_ID_BYTES || view.getUint8(32) !== VERSION) return null;
    const quiltId = toBase64Url(bytes.subarray(0, 32)) as BlobId;
    return { quiltId, startIndex: view.getUint16(33, true), endIndex: view.getUint16(35, true) };
  } catch {
    return null;
  }
}

function parseMetadata(bytes: Uint8Array): z.output<typeof zMetadata> {
  let json: unknown;
  try {
    json = JSON.parse(fromUtf8(bytes));
  } catch {
    throw refuse('MALFORMED_REQUEST', { field: METADATA, expected: 'JSON' });
  }
  const parsed = zMetadata.safeParse(json);
  if (!parsed.success) throw refuse('INVALID_ARGUMENT', { field: METADATA, expected: 'a list of {identifier, tags}' });
  return parsed.data;
}

/** Walrus: begins with a letter or a digit, ends with no blank, and is at most 64 KB long. */
function requireIdentifier(identifier: string): void {
  if (!/^[\p{Alphabetic}\p{N}]/u.test(identifier) || /\s$/u.test(identifier) || utf8(identifier).length >= 65_535)
    throw refuse('INVALID_ARGUMENT', {
      field: 'identifier',
      expected: 'a letter or digit first, no blank last, at most 64 KB',
    });
}

const asText = (tag: unknown): string => (typeof tag === 'string' ? tag : JSON.stringify(tag));
const toSdkBlob = ({ contents, identifier, tags }: QuiltFile): EncodeQuiltOptions['blobs'][number] => ({
  contents,
  identifier,
  tags: { ...tags },
});
