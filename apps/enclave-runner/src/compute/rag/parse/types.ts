import type { DocumentFormat } from '@usufruct/protocol';

export type { DocumentFormat };

/** Where in its document something stands; numbers count from 1. */
export interface Place {
  /** PDF. */
  readonly page?: number;
  /** PPTX. */
  readonly slide?: number;
  /** XLSX. */
  readonly sheet?: string;
  /** CSV: the row of names not counted. XLSX: as the sheet counts. */
  readonly row?: number;
  /** JSON and JSONL. */
  readonly record?: number;
  /** EML: the attachment that it is from. */
  readonly attachment?: string;
}

/** A paragraph, list, table row or the like: the smallest piece of a document with one place in it. */
export interface Block extends Place {
  readonly text: string;
  /** Headings above the block, outermost first; empty where the format has none. */
  readonly headings: readonly string[];
}

/** What the document says about itself, unproven. Absent where it says nothing. */
export interface DocumentMetadata {
  readonly title?: string;
  readonly author?: string;
  /** ISO 8601, a day or a UTC time: when it was last changed, else made or sent. */
  readonly date?: string;
  /** BCP 47. */
  readonly language?: string;
}

/** An attachment that has no part in the document, and the code that says why. */
export interface NotRead {
  readonly name: string;
  readonly code: string;
}

/** What one parser makes of one file. */
export interface Parsed {
  readonly blocks: readonly Block[];
  readonly metadata?: DocumentMetadata;
  readonly notRead?: readonly NotRead[];
}

export interface ParsedDocument extends Required<Parsed> {
  readonly format: DocumentFormat;
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
  /** That it is cut into. */
  readonly chunks: number;
  readonly pdfPages: number;
  /** Elements and text nodes. */
  readonly htmlEvents: number;
  /** Of a table of any format. */
  readonly tableColumns: number;
  /** Of all sheets of a workbook, empty ones too. */
  readonly cells: number;
  /** Of a ZIP archive (docx, pptx, xlsx): entries in it, and what those that are read come to, unpacked. */
  readonly zipEntries: number;
  readonly zipBytes: number;
  /** Unpacked over packed bytes of one entry: DEFLATE reaches 1,032, office documents stay below 100. */
  readonly zipRatio: number;
  /** Elements, tables or values in one another: XML, JSON. */
  readonly depth: number;
  /** Messages in messages. */
  readonly attachmentDepth: number;
  readonly attachments: number;
  /**
   * Of the thread that reads it: of all that one document takes there. The time is the processor's, and five times as much
   * by the clock. The heap is JavaScript's; the rest are buffers outside it.
   */
  readonly parserTimeMs: number;
  readonly parserHeapMb: number;
  readonly parserBuffersMb: number;
}
export const PARSE_LIMITS: ParseLimits = {
  fileBytes: 64 * 1024 ** 2,
  htmlBytes: 8 * 1024 ** 2,
  textChars: 32 * 1024 ** 2,
  blocks: 200_000,
  chunks: 2 ** 17,
  pdfPages: 2_000,
  htmlEvents: 2_000_000,
  tableColumns: 256,
  cells: 5_000_000,
  zipEntries: 10_000,
  zipBytes: 256 * 1024 ** 2,
  zipRatio: 200,
  depth: 256,
  attachmentDepth: 3,
  attachments: 100,
  parserTimeMs: 30_000,
  parserHeapMb: 512,
  parserBuffersMb: 768,
};
