export const DOCUMENT_FORMATS = ['txt', 'md', 'html', 'pdf', 'csv'] as const;
export type DocumentFormat = (typeof DOCUMENT_FORMATS)[number];

/** A paragraph, list, table row or the like: the smallest piece of a document with one place in it. */
export interface Block {
  readonly text: string;
  /** Headings above the block, outermost first; empty where the format has none. */
  readonly headings: readonly string[];
  /** From 1; PDF only. */
  readonly page?: number;
  /** From 1, the header not counted; CSV only. */
  readonly row?: number;
}

export interface ParsedDocument {
  readonly format: DocumentFormat;
  readonly blocks: readonly Block[];
}

/** Characters that a document puts into an index: headings stand above, and are indexed with, every block below them. */
export const indexedChars = (blocks: readonly Block[]): number =>
  blocks.reduce(
    (total, { text, headings }) => headings.reduce((sum, title) => sum + title.length, total + text.length),
    0,
  );

/** Bytes, counts and milliseconds as the names say. A document beyond one of them is refused, never cut. */
export interface ParseLimits {
  readonly fileBytes: number;
  /** HTML is parsed into a tree many times its size, so it has a limit of its own. */
  readonly htmlBytes: number;
  readonly textChars: number;
  readonly blocks: number;
  readonly pdfPages: number;
  /** Elements and text nodes. */
  readonly htmlEvents: number;
  /** For parsers that run in a thread: PDF and HTML. */
  readonly parserTimeMs: number;
  readonly parserHeapMb: number;
  readonly csvColumns: number;
}
export const PARSE_LIMITS: ParseLimits = {
  fileBytes: 64 * 1024 ** 2,
  htmlBytes: 8 * 1024 ** 2,
  textChars: 32 * 1024 ** 2,
  blocks: 200_000,
  pdfPages: 2_000,
  htmlEvents: 2_000_000,
  parserTimeMs: 30_000,
  parserHeapMb: 512,
  csvColumns: 256,
};
