import type { ContributionId } from '@usufruct/kernel';
import { u32le, utf8 } from '@usufruct/kernel';
import { z } from 'zod';
import { DOCUMENT_FORMATS, zHex32 } from '@usufruct/protocol';
import { SKETCH_SIZE, zMetadata, zPlace, type CorpusDocument, type IngestedChunk } from '../rag/index.js';
import type { RecordReader } from './record-reader.js';

/**
 * One document as the index has it: what names it and where its chunks stand as JSON, their texts end to end, their
 * sketches as little-endian numbers, as every processor that this runs on has them.
 */
const zRecord = z.strictObject({
  contributionId: zHex32<ContributionId>(),
  fileName: z.string(),
  format: z.enum(DOCUMENT_FORMATS),
  metadata: zMetadata,
  /** Each path of headings once: neighbouring chunks have the same. */
  headings: z.array(z.array(z.string())),
  /** False where some text is no well-formed Unicode, which UTF-8 could not bring back. */
  isUtf8: z.boolean(),
  chunks: z.array(
    z.strictObject({
      startChar: z.int().min(0),
      endChar: z.int().min(0),
      headings: z.int().min(0),
      locator: z.string(),
      place: zPlace,
      language: z.string().optional(),
    }),
  ),
  hasSketches: z.boolean(),
});
type Record = z.output<typeof zRecord>;

export interface EncodingOptions {
  /** A segment has none: they are comparable under one key only, and who contributed must not learn it. */
  readonly withSketches: boolean;
}

export function* documentPieces(
  { contributionId, fileName, document }: CorpusDocument,
  { withSketches }: EncodingOptions,
): Generator<Uint8Array, void> {
  const { format, metadata, chunks } = document;
  const text = chunks.map((chunk) => chunk.text).join('');
  const paths = new Paths();
  const record: Record = {
    contributionId,
    fileName,
    format,
    metadata: { ...metadata },
    isUtf8: text.isWellFormed(),
    chunks: chunks.map(({ startChar, endChar, headings, locator, place, language }) => ({
      startChar,
      endChar,
      headings: paths.numberOf(headings),
      locator,
      place: { ...place },
      ...(language !== undefined && { language }),
    })),
    headings: paths.all,
    hasSketches: withSketches,
  };
  yield* lengthFirst(utf8(JSON.stringify(record)));
  yield* lengthFirst(record.isUtf8 ? utf8(text) : Buffer.from(text, 'utf16le'));
  if (!withSketches) return;
  const sketches = new Uint32Array(chunks.length * SKETCH_SIZE);
  chunks.forEach(({ sketch }, i) => sketches.set(sketch, i * SKETCH_SIZE));
  yield* lengthFirst(new Uint8Array(sketches.buffer));
}

export function* lengthFirst(bytes: Uint8Array): Generator<Uint8Array, void> {
  yield u32le(bytes.length);
  yield bytes;
}

/** A chunk's sketch is empty where none are stored. Throws for anything but what `documentPieces` made. */
export async function readDocument(reader: RecordReader): Promise<CorpusDocument> {
  const record = zRecord.parse(JSON.parse(Buffer.from(await reader.record()).toString('utf8')));
  const bytes = Buffer.from(await reader.record());
  const text = bytes.toString(record.isUtf8 ? 'utf8' : 'utf16le');
  const sketches = record.hasSketches ? await readSketches(reader, record.chunks.length) : null;
  const { contributionId, fileName, format, metadata, headings } = record;
  let from = 0;
  const chunks = record.chunks.map(({ headings: path, language, ...chunk }, ordinal): IngestedChunk => {
    const own = text.slice(from, from + chunk.endChar - chunk.startChar);
    from += own.length;
    const sketch = sketches?.subarray(ordinal * SKETCH_SIZE, (ordinal + 1) * SKETCH_SIZE) ?? NO_SKETCH;
    return { ...chunk, ordinal, text: own, headings: headings[path] ?? fail(), language, sketch };
  });
  if (from !== text.length || chunks.some((chunk) => chunk.text.length !== chunk.endChar - chunk.startChar)) fail();
  return { contributionId, fileName, document: { format, metadata, chunks } };
}

const NO_SKETCH = new Uint32Array();

async function readSketches(reader: RecordReader, chunks: number): Promise<Uint32Array> {
  const bytes = await reader.record();
  if (bytes.length !== chunks * SKETCH_SIZE * 4) fail();
  return new Uint32Array(bytes.buffer, bytes.byteOffset, chunks * SKETCH_SIZE);
}

function fail(): never {
  throw new TypeError('not a stored document');
}

class Paths {
  readonly all: string[][] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(path: readonly string[]): number {
    const name = JSON.stringify(path);
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.all.length);
    this.all.push([...path]);
    return this.all.length - 1;
  }
}
