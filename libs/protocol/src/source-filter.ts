import { z } from 'zod';

/** What the runner reads. */
export const DOCUMENT_FORMATS = [
  'txt',
  'md',
  'html',
  'pdf',
  'docx',
  'pptx',
  'xlsx',
  'csv',
  'json',
  'jsonl',
  'eml',
] as const;
export type DocumentFormat = (typeof DOCUMENT_FORMATS)[number];

const FILTER_LANGUAGES = 16;
const FILTER_CHARS = 200;

const zSaid = z.string().min(1).max(FILTER_CHARS);
const zDate = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/, 'expected a day (2026-01-31) or a UTC time')
  .refine((text) => !Number.isNaN(Date.parse(text)), 'expected a date that there is');

/**
 * What a source has to be; every field that is given must hold, and one that the document says nothing of does not.
 * Titles, authors and dates are what documents say about themselves. A field that is not known is refused: an answer
 * from more than was asked for is no answer.
 */
export const zSourceFilter = z.strictObject({
  formats: z.array(z.enum(DOCUMENT_FORMATS)).min(1).max(DOCUMENT_FORMATS.length).optional(),
  /** BCP 47; `en` takes `en-GB` with it. */
  languages: z
    .array(z.string().regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$/, 'expected a BCP 47 tag'))
    .min(1)
    .max(FILTER_LANGUAGES)
    .optional(),
  /** Without regard to case, as a part. */
  author: zSaid.optional(),
  title: zSaid.optional(),
  /** ISO 8601, a day or a UTC time: from, and until before. */
  dateFrom: zDate.optional(),
  dateBefore: zDate.optional(),
});
export type SourceFilter = z.output<typeof zSourceFilter>;
