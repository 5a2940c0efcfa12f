import { cleanText } from './clean-text.js';
import type { Parsed } from './types.js';

/** Paragraphs between blank lines. */
export const parsePlainText = (text: string): Parsed => ({
  blocks: cleanText(text)
    .split(/\n[ \t]*\n\s*/)
    .map((paragraph) => ({ text: paragraph.trim(), headings: [] }))
    .filter((block) => block.text !== ''),
});
