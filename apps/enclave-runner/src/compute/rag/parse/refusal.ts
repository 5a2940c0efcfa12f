/** What a document can be refused for; the codes of the kernel's catalogue, which the thread does not load. */
export const DOCUMENT_REFUSALS = [
  'FORMAT_UNKNOWN',
  'FORMAT_BROKEN',
  'FILE_EMPTY',
  'FILE_TOO_LARGE',
  'DOCUMENT_LOCKED',
  'DOCUMENT_TOO_COMPLEX',
] as const;
export type DocumentRefusalCode = (typeof DOCUMENT_REFUSALS)[number];

/**
 * One document cannot be read; the others can. `details` say which limit or format, never what stands in the document.
 * Parsers run in a thread that loads none of our other packages, so they throw this and the runner makes of it what
 * the catalogue says.
 */
export class DocumentRefusal extends Error {
  override readonly name = 'DocumentRefusal';
  readonly code: DocumentRefusalCode;
  readonly details: Readonly<Record<string, string>>;

  constructor(code: DocumentRefusalCode, details: Readonly<Record<string, string>> = {}, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
    this.details = details;
  }
}

/** The bytes are not of this format, or not whole. */
export const broken = (expected: string, cause?: unknown): DocumentRefusal =>
  new DocumentRefusal('FORMAT_BROKEN', { expected }, { cause });

/** `limit` is what the document has to stay below, such as `2000 pages`. */
export const tooLarge = (limit: string): DocumentRefusal => new DocumentRefusal('FILE_TOO_LARGE', { limit });

export const tooComplex = (limit: string): DocumentRefusal => new DocumentRefusal('DOCUMENT_TOO_COMPLEX', { limit });
