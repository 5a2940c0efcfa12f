import { parse } from 'csv-parse/sync';
import { broken, tooLarge } from './refusal.js';
import { columnNames, rowText, TextBudget } from './table-text.js';
import type { Block, Parsed, ParseLimits } from './types.js';

const DELIMITERS = [',', ';', '\t', '|'] as const;

/**
 * RFC 4180 with a header row; comma, semicolon, tab or bar as the delimiter. Each row becomes the text
 * `column: value; column: value`, empty cells left out. Rows of unequal length or broken quotes: `FORMAT_BROKEN`;
 * more columns, or more text in all, than the limit:
 * `FILE_TOO_LARGE`.
 */
export function parseCsv(text: string, limits: ParseLimits): Parsed {
  const [header, ...rows] = readRecords(text, limits);
  if (header === undefined) throw broken('a header row');
  if (header.length > limits.tableColumns) throw tooLarge(`${limits.tableColumns} columns`);
  const names = columnNames(header);
  const budget = new TextBudget(limits.textChars);
  const blocks: Block[] = [];
  for (const [index, cells] of rows.entries()) {
    const text = rowText(names, cells);
    budget.take(text.length);
    if (text !== '') blocks.push({ text, headings: [], row: index + 1 });
  }
  return { blocks };
}

function readRecords(text: string, limits: ParseLimits): string[][] {
  try {
    return parse(text, {
      bom: true,
      delimiter: delimiterOf(text),
      skip_empty_lines: true,
      max_record_size: 1024 ** 2,
      to: limits.blocks + 2,
    });
  } catch {
    throw broken('CSV');
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
