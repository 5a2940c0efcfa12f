import { refuse } from '@usufruct/kernel';
import { parse } from 'csv-parse/sync';
import { oneLine } from './clean-text.js';
import type { Block, ParseLimits } from './types.js';

const DELIMITERS = [',', ';', '\t', '|'] as const;

/**
 * RFC 4180 with a header row; comma, semicolon, tab or bar as the delimiter. Each row becomes the text
 * `column: value; column: value`, empty cells left out. Rows of unequal length or broken quotes: `FORMAT_BROKEN`;
 * more text in all than the limit: `FILE_TOO_LARGE`.
 */
export function parseCsv(text: string, limits: ParseLimits): Block[] {
  const records = readRecords(text, limits);
  const [header, ...rows] = records;
  if (header === undefined || header.length > limits.csvColumns) throw broken('a header row');
  const names = header.map((name, column) => oneLine(name) || `column ${column + 1}`);
  const blocks: Block[] = [];
  let chars = 0;
  for (const [index, cells] of rows.entries()) {
    const text = rowText(names, cells);
    // Every row repeats the names, so a small file can say a lot: stopped before it is all in memory.
    chars += text.length;
    if (chars > limits.textChars) throw refuse('FILE_TOO_LARGE', { limit: `${limits.textChars} characters` });
    if (text !== '') blocks.push({ text, headings: [], row: index + 1 });
  }
  return blocks;
}

const rowText = (names: readonly string[], cells: readonly string[]): string =>
  cells
    .map((cell, column) => ({ name: names[column]!, value: oneLine(cell) }))
    .filter(({ value }) => value !== '')
    .map(({ name, value }) => `${name}: ${value}`)
    .join('; ');

function readRecords(text: string, limits: ParseLimits): string[][] {
  try {
    return parse(text, {
      bom: true,
      delimiter: delimiterOf(text),
      skip_empty_lines: true,
      max_record_size: 1024 ** 2,
      to: limits.blocks + 2,
    });
  } catch (cause) {
    throw refuse('FORMAT_BROKEN', { expected: 'CSV' }, cause);
  }
}

/** The candidate that occurs most in the first line outside quotes; a comma when none does (one column). */
function delimiterOf(text: string): string {
  const end = text.search(/[\r\n]/);
  const line = (end === -1 ? text : text.slice(0, end)).slice(0, 64 * 1024).replace(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((delimiter) => line.split(delimiter).length - 1);
  const most = Math.max(...counts);
  return most === 0 ? ',' : DELIMITERS[counts.indexOf(most)]!;
}

const broken = (expected: string) => refuse('FORMAT_BROKEN', { expected });
