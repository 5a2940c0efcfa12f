import { z } from 'zod';

/** `Place`, as it comes from another process or from the disk. */
export const zPlace = z.strictObject({
  page: z.int().optional(),
  slide: z.int().optional(),
  sheet: z.string().optional(),
  row: z.int().optional(),
  record: z.int().optional(),
  attachment: z.string().optional(),
});
/** `DocumentMetadata` in the same way. */
export const zMetadata = z.strictObject({
  title: z.string().optional(),
  author: z.string().optional(),
  date: z.string().optional(),
  language: z.string().optional(),
});
