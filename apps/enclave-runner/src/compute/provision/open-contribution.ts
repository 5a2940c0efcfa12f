import { decryptWhole } from '@usufruct/crypto';
import { refuse } from '@usufruct/kernel';
import type { Manifest } from '@usufruct/protocol';
import type { BlobReader } from '../../context.js';
import { PARSE_LIMITS, parseDocument, type CorpusDocument } from '../rag/index.js';
import { fetchCiphertext } from './ciphertext.js';

/**
 * Fetch a contribution's ciphertext, check every part against the manifest, decrypt and parse it. The plaintext stays
 * in memory. Refuses `BLOB_UNAVAILABLE`, `BLOB_MISMATCH`, `ENVELOPE_*`, and what `parseDocument` refuses.
 */
export async function openContribution(
  blobs: BlobReader,
  manifest: Manifest,
  sessionKey: Uint8Array,
): Promise<CorpusDocument> {
  const sizeBytes = manifest.parts.reduce((total, part) => total + part.sizeBytes, 0);
  // The envelope only adds to the plaintext, so nothing that the parser would take is refused here.
  if (sizeBytes > 2 * PARSE_LIMITS.fileBytes)
    throw refuse('FILE_TOO_LARGE', { limit: `${PARSE_LIMITS.fileBytes} bytes` });
  const source = fetchCiphertext(blobs, manifest);
  const file = await decryptWhole({ source, sessionKey, maxBytes: PARSE_LIMITS.fileBytes });
  const document = await parseDocument(file);
  return { contributionId: manifest.contributionId, fileName: file.fileName, document };
}
