import { cleanText } from './clean-text.js';
import type { Block } from './types.js';

/** Paragraphs between blank lines. */
export const parsePlainText = (text: string): Block[] =>
  cleanText(text)
    .split(/\n[ \t]*\n\s*/)
    .map((paragraph) => ({ text: paragraph.trim(), headings: [] }))
    .filter((block) => block.text !== '');
