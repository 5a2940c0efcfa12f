import { oneLine } from '../clean-text.js';
import { broken, tooLarge } from '../refusal.js';
import { rowText, TextBudget } from '../table-text.js';
import type { Block, Parsed, ParseLimits } from '../types.js';
import { cellText } from './cell-format.js';
import type { OfficePackage } from './office-package.js';
import { readWorkbook, type Workbook } from './xlsx-workbook.js';
import type { XmlAttributes, XmlHandler } from './xml.js';

/** Of a whole workbook. */
interface Counts {
  cells: number;
  blocks: number;
  readonly text: TextBudget;
}

/**
 * Sheets of a workbook, each row one block `column: value; column: value` with the names of the sheet's first row of
 * several texts; rows above it, and those of a sheet without such a row, as `value | value`. Formulas are what they last
 * came to; nothing is computed. Hidden sheets, rows and columns are left out, comments and charts not read.
 */
export function parseXlsx(document: OfficePackage, limits: ParseLimits): Parsed {
  const workbook = readWorkbook(document, limits);
  const counts: Counts = { cells: 0, blocks: 0, text: new TextBudget(limits.textChars) };
  const blocks: Block[] = [];
  for (const { name, part } of workbook.sheets) {
    const reader = new SheetReader(oneLine(name), workbook, limits, counts);
    document.read(part, reader);
    for (const block of reader.blocks) blocks.push(block);
  }
  return { blocks, metadata: document.metadata() };
}

class SheetReader implements XmlHandler {
  readonly blocks: Block[] = [];
  readonly #sheet: string;
  readonly #headings: readonly string[];
  readonly #workbook: Workbook;
  readonly #limits: ParseLimits;
  readonly #counts: Counts;
  readonly #hiddenColumns: { readonly from: number; readonly to: number }[] = [];
  /** Undefined until the row of names is found, null when it is clear that there is none. */
  #names: readonly string[] | null | undefined;
  #row = 0;
  #isRowHidden = false;
  #cells: string[] = [];
  #areTexts = true;
  #column = -1;
  #type = '';
  #style = 0;
  #parts: string[] = [];
  #isValue = false;

  constructor(sheet: string, workbook: Workbook, limits: ParseLimits, counts: Counts) {
    this.#sheet = sheet;
    this.#headings = sheet === '' ? [] : [sheet];
    this.#workbook = workbook;
    this.#limits = limits;
    this.#counts = counts;
  }

  open(name: string, attributes: XmlAttributes): void {
    if (name === 'x:c') this.#openCell(attributes);
    else if (name === 'x:row') this.#openRow(attributes);
    else if (name === 'x:col' && isTrue(attributes.get('hidden'))) {
      const [from, to] = ['min', 'max'].map((key) => Number(attributes.get(key) ?? 0) - 1);
      this.#hiddenColumns.push({ from: from!, to: to! });
    }
    this.#isValue = name === 'x:v' || (name === 'x:t' && this.#type === 'inlineStr');
  }

  close(name: string): void {
    this.#isValue = false;
    if (name === 'x:c') this.#endCell();
    else if (name === 'x:row' && !this.#isRowHidden) this.#endRow();
  }

  text(value: string): void {
    if (this.#isValue) this.#parts.push(value);
  }

  #openRow(attributes: XmlAttributes): void {
    this.#row = numberOr(attributes.get('r'), this.#row + 1);
    this.#isRowHidden = isTrue(attributes.get('hidden'));
    this.#cells = [];
    this.#areTexts = true;
    this.#column = -1;
  }

  #openCell(attributes: XmlAttributes): void {
    if (++this.#counts.cells > this.#limits.cells) throw tooLarge(`${this.#limits.cells} cells`);
    this.#column = columnOf(attributes.get('r')) ?? this.#column + 1;
    this.#type = attributes.get('t') ?? 'n';
    this.#style = numberOr(attributes.get('s'), 0);
    this.#parts = [];
  }

  #endCell(): void {
    const column = this.#column;
    const text = this.#isRowHidden ? '' : this.#cellText(this.#parts.join(''));
    if (text === '' || this.#hiddenColumns.some(({ from, to }) => from <= column && column <= to)) return;
    if (column >= this.#limits.tableColumns) throw tooLarge(`${this.#limits.tableColumns} columns`);
    this.#cells[column] = text;
    if (this.#type === 'n' || this.#type === 'b') this.#areTexts = false;
  }

  #cellText(value: string): string {
    const { strings, formats, is1904 } = this.#workbook;
    if (this.#type === 's') {
      const text = strings[numberOr(value, -1)];
      if (text === undefined) throw broken('XLSX');
      return oneLine(text);
    }
    if (this.#type === 'b') return value === '' ? '' : value === '1' ? 'TRUE' : 'FALSE';
    if (this.#type === 'e') return '';
    const number = Number(value);
    if (this.#type !== 'n' || value.trim() === '' || !Number.isFinite(number)) return oneLine(value);
    return cellText(number, formats[this.#style] ?? 'number', is1904);
  }

  #endRow(): void {
    const filled = this.#cells.filter((cell) => cell !== undefined);
    if (filled.length === 0) return;
    if (this.#names === undefined && filled.length > 1) {
      this.#names = this.#areTexts ? Array.from(this.#cells, (name, i) => name ?? `column ${letters(i)}`) : null;
      if (this.#names !== null) return;
    }
    const text = this.#names ? rowText(this.#named(), this.#cells) : filled.join(' | ');
    this.#counts.text.take(text.length);
    if (++this.#counts.blocks > this.#limits.blocks) throw tooLarge(`${this.#limits.blocks} blocks`);
    this.blocks.push({ text, headings: this.#headings, sheet: this.#sheet, row: this.#row });
  }

  #named(): readonly string[] {
    const names = this.#names ?? [];
    return this.#cells.length <= names.length
      ? names
      : Array.from(this.#cells, (_, i) => names[i] ?? `column ${letters(i)}`);
  }
}

const isTrue = (value: string | undefined): boolean => value === '1' || value === 'true';

const numberOr = (value: string | undefined, otherwise: number): number =>
  value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : otherwise;

/** The column of a reference such as `AB12`, from 0. */
function columnOf(reference: string | undefined): number | undefined {
  const name = /^([A-Z]{1,3})\d{1,7}$/.exec(reference ?? '')?.[1];
  return name === undefined
    ? undefined
    : [...name].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

const letters = (column: number): string =>
  (column >= 26 ? letters(Math.floor(column / 26) - 1) : '') + String.fromCharCode(65 + (column % 26));
