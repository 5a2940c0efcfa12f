import {
  fromBase64,
  fromHex,
  isErrorCode,
  toBase64,
  toHex,
  utf8,
  type ContributionId,
  type ErrorCode,
  type RandomSource,
} from '@usufruct/kernel';
import { decodeLeasedKey, TAGS, zBase64, zHex32, type LeasedKey } from '@usufruct/protocol';
import { z } from 'zod';
import type { CorpusDocument } from '../rag/index.js';
import { documentPieces, lengthFirst, readDocument } from './document-bytes.js';
import { headerJson, openFile, sealFile, type SplitFile } from './sealed-file.js';

/** Raised whenever files of an earlier one must not be read. */
export const INDEX_FORMAT = 2;

/** What an index is made of. */
export interface IndexContents {
  readonly documents: readonly CorpusDocument[];
  /** What no session will ever read, and why: a document that is broken stays so. */
  readonly unreadable: readonly { readonly contributionId: ContributionId; readonly code: ErrorCode }[];
  /** 8 bytes: of the sketches. */
  readonly sketchKey: Uint8Array;
  /** `Corpus.indexBytes` of the documents in their order; without it the index is made anew. */
  readonly index?: Uint8Array;
}

const zHeader = z.strictObject({
  format: z.literal(INDEX_FORMAT),
  /** Of the code that parsed, cut and counted: other code makes its own. */
  measurement: z.string(),
  /** LeasedKeyBcs: for which dataset, use and grants, and under which key. */
  statement: zBase64(12 * 1024),
});

const zContents = z.strictObject({
  documents: z.int().min(0),
  unreadable: z.array(
    z.strictObject({
      contributionId: zHex32<ContributionId>(),
      code: z.custom<ErrorCode>((code) => typeof code === 'string' && isErrorCode(code)),
    }),
  ),
  sketchKey: z.string().regex(/^[0-9a-f]{16}$/),
  hasIndex: z.boolean(),
});

export interface IndexHeader {
  readonly statement: Uint8Array;
  readonly key: LeasedKey;
}

/** What the file says that it is; null for another format, other code, and what is none. Nothing of it is proven. */
export function indexHeader({ header }: SplitFile, measurement: string): IndexHeader | null {
  const parsed = zHeader.safeParse(headerJson(header));
  if (!parsed.success || parsed.data.measurement !== measurement) return null;
  const statement = fromBase64(parsed.data.statement);
  const key = decodeLeasedKey(statement);
  return key === null ? null : { statement, key };
}

/** @param secret The leased key. */
export function sealIndex(
  contents: IndexContents,
  { statement, measurement, secret }: { statement: Uint8Array; measurement: string; secret: Uint8Array },
  random: RandomSource,
): AsyncGenerator<Uint8Array, void> {
  const header: z.input<typeof zHeader> = { format: INDEX_FORMAT, measurement, statement: toBase64(statement) };
  return sealFile(utf8(JSON.stringify(header)), { domainTag: TAGS.storedIndex, secret }, indexPieces(contents), random);
}

async function* indexPieces({
  documents,
  unreadable,
  sketchKey,
  index,
}: IndexContents): AsyncGenerator<Uint8Array, void> {
  const first = { documents: documents.length, unreadable, sketchKey: toHex(sketchKey), hasIndex: index !== undefined };
  yield* lengthFirst(utf8(JSON.stringify(first)));
  for (const document of documents) yield* documentPieces(document, { withSketches: true });
  if (index !== undefined) yield* lengthFirst(index);
}

/** Throws unless it is whole, authentic and what `sealIndex` made under this key. */
export const openIndex = (file: SplitFile, secret: Uint8Array): Promise<IndexContents> =>
  openFile(file, { domainTag: TAGS.storedIndex, secret }, async (reader) => {
    const first = zContents.parse(JSON.parse(Buffer.from(await reader.record()).toString('utf8')));
    const documents: CorpusDocument[] = [];
    for (let i = 0; i < first.documents; i++) documents.push(await readDocument(reader));
    const contents = { documents, unreadable: first.unreadable, sketchKey: fromHex(first.sketchKey) };
    return first.hasIndex ? { ...contents, index: await reader.record() } : contents;
  });
