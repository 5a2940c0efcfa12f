import { chunkDocument, documentText, type Chunk } from '../chunk/chunk.js';
import { parseBytes, type DocumentFile } from '../parse/parse-bytes.js';
import { broken, DocumentRefusal, tooComplex, type DocumentRefusalCode } from '../parse/refusal.js';
import {
  indexedChars,
  type DocumentFormat,
  type DocumentMetadata,
  type NotRead,
  type ParseLimits,
} from '../parse/types.js';
import { SKETCH_SIZE, Sketcher } from './sketch.js';

export interface IngestJob {
  readonly file: DocumentFile;
  readonly limits: ParseLimits;
  readonly sketchKey: Uint8Array;
}
/** A chunk's text is `text` between its offsets, and its sketch its part of `sketches`: nothing is sent twice. */
export interface IngestReply {
  readonly format: DocumentFormat;
  readonly metadata: DocumentMetadata;
  readonly notRead: readonly NotRead[];
  readonly indexedChars: number;
  readonly text: string;
  readonly chunks: readonly Omit<Chunk, 'text'>[];
  readonly sketches: Uint32Array<ArrayBuffer>;
}
export type IngestAnswer =
  | { readonly reply: IngestReply }
  | { readonly refusal: { readonly code: DocumentRefusalCode; readonly details: Readonly<Record<string, string>> } };

/** All that a document takes before it can be indexed. Never throws. */
export async function ingestBytes({ file, limits, sketchKey }: IngestJob): Promise<IngestAnswer> {
  try {
    const document = await parseBytes(file, limits);
    const chunks = chunkDocument(document);
    if (chunks.length > limits.chunks) throw tooComplex(`${limits.chunks} passages`);
    const language = document.metadata.language ?? mostUsedLanguage(chunks);
    return {
      reply: {
        format: document.format,
        metadata: { ...document.metadata, ...(language !== undefined && { language }) },
        notRead: document.notRead,
        indexedChars: indexedChars(document.blocks),
        text: documentText(document),
        chunks: chunks.map(({ text: _text, ...chunk }) => chunk),
        sketches: sketchesOf(chunks, new Sketcher(sketchKey)),
      },
    };
  } catch (error) {
    const { code, details } = error instanceof DocumentRefusal ? error : broken('what its name says');
    return { refusal: { code, details } };
  }
}

function sketchesOf(chunks: readonly Chunk[], sketcher: Sketcher): Uint32Array<ArrayBuffer> {
  const sketches = new Uint32Array(chunks.length * SKETCH_SIZE);
  chunks.forEach(({ text }, i) => sketches.set(sketcher.sketch(text), i * SKETCH_SIZE));
  return sketches;
}

function mostUsedLanguage(chunks: readonly Chunk[]): string | undefined {
  const chars = new Map<string, number>();
  for (const { language, text } of chunks) {
    if (language !== undefined) chars.set(language, (chars.get(language) ?? 0) + text.length);
  }
  return [...chars].sort(([, left], [, right]) => right - left)[0]?.[0];
}
