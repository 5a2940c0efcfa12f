import { decryptWhole } from '@usufruct/crypto';
import { refuse } from '@usufruct/kernel';
import type { Manifest } from '@usufruct/protocol';
import type { BlobReader } from '../../context.js';
import { ingestDocument, PARSE_LIMITS, type CorpusDocument, type IngestedDocument } from '../rag/index.js';
import { fetchCiphertext } from './ciphertext.js';

export interface OpenedContribution extends CorpusDocument {
  readonly document: IngestedDocument;
}

/**
 * Fetch a contribution's ciphertext, check every part against the manifest, decrypt it, and read it for an index. The
 * plaintext stays in memory. Refuses `BLOB_UNAVAILABLE`, `BLOB_MISMATCH`, `ENVELOPE_*`, and what `ingestDocument` refuses.
 */
export async function openContribution(
  blobs: BlobReader,
  manifest: Manifest,
  sessionKey: Uint8Array,
  sketchKey: Uint8Array,
): Promise<OpenedContribution> {
  const sizeBytes = manifest.parts.reduce((total, part) => total + part.sizeBytes, 0);
  // The envelope only adds to the plaintext, so nothing that the parser would take is refused here.
  if (sizeBytes > 2 * PARSE_LIMITS.fileBytes)
    throw refuse('FILE_TOO_LARGE', { limit: `${PARSE_LIMITS.fileBytes} bytes` });
  const source = fetchCiphertext(blobs, manifest);
  const file = await decryptWhole({ source, sessionKey, maxBytes: PARSE_LIMITS.fileBytes });
  const document = await ingestDocument(file, { sketchKey });
  return { contributionId: manifest.contributionId, fileName: file.fileName, document };
}
