import { refuse } from '@usufruct/kernel';
import type { Chunk } from '../chunk/chunk.js';
import { formatOfName } from '../parse/detect-format.js';
import type { DocumentFile } from '../parse/parse-bytes.js';
import { DocumentRefusal } from '../parse/refusal.js';
import {
  PARSE_LIMITS,
  type DocumentFormat,
  type DocumentMetadata,
  type NotRead,
  type ParseLimits,
} from '../parse/types.js';
import type { IngestReply } from './ingest-bytes.js';
import { IngestProcesses } from './ingest-processes.js';
import { SKETCH_SIZE } from './sketch.js';

export interface IngestedChunk extends Chunk {
  /** What near duplicates are found by; comparable under one key only. */
  readonly sketch: Uint32Array;
}
export interface IngestedDocument {
  readonly format: DocumentFormat;
  readonly metadata: DocumentMetadata;
  /** Attachments that have no part in it, and why. */
  readonly notRead: readonly NotRead[];
  /** What the offsets of chunks refer to. */
  readonly text: string;
  readonly chunks: readonly IngestedChunk[];
  /** Of text and headings. */
  readonly indexedChars: number;
}
export interface IngestOptions {
  /** 8 bytes of the runner's own randomness, the same for all documents that are compared with one another. */
  readonly sketchKey: Uint8Array;
  readonly limits?: ParseLimits;
}

const processes = new IngestProcesses();

/**
 * Parse a document, cut it into chunks and sketch them, all in a process of its own with limits on time and memory:
 * whatever the bytes are, the process survives them. The same bytes and key give the same result.
 *
 * Refuses what `parseBytes` does, by the codes of the catalogue, and `DOCUMENT_TOO_COMPLEX` when that took more
 * time or memory than the limits. No refusal names the file or quotes it.
 */
export async function ingestDocument(file: DocumentFile, options: IngestOptions): Promise<IngestedDocument> {
  const { sketchKey, limits = PARSE_LIMITS } = options;
  try {
    // A process that has refused one is ended, and the next one takes a tenth of a second to start.
    formatOfName(file.fileName);
    if (file.bytes.length === 0) throw new DocumentRefusal('FILE_EMPTY');
    const answer = await processes.run({ file, limits, sketchKey });
    if ('refusal' in answer) throw refuse(answer.refusal.code, answer.refusal.details);
    return documentOf(answer.reply);
  } catch (error) {
    throw error instanceof DocumentRefusal ? refuse(error.code, error.details) : error;
  }
}

function documentOf({ chunks, sketches, ...document }: IngestReply): IngestedDocument {
  return {
    ...document,
    chunks: chunks.map((chunk, i) => ({
      ...chunk,
      // A slice of the document's text shares its memory.
      text: document.text.slice(chunk.startChar, chunk.endChar),
      sketch: sketches.subarray(i * SKETCH_SIZE, (i + 1) * SKETCH_SIZE),
    })),
  };
}
