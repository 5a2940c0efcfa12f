import { TextBudget } from '../table-text.js';
import type { ParseLimits } from '../types.js';
import { cellFormat, type CellFormat } from './cell-format.js';
import type { OfficePackage } from './office-package.js';

/** What all sheets of a workbook share. */
export interface Workbook {
  readonly sheets: readonly { readonly name: string; readonly part: string }[];
  readonly strings: readonly string[];
  /** By the number that a cell names. */
  readonly formats: readonly CellFormat[];
  readonly is1904: boolean;
}

/** Hidden sheets are left out: a reader does not see them. */
export function readWorkbook(document: OfficePackage, limits: ParseLimits): Workbook {
  const parts = new Map(document.relationshipsOf(document.mainPart).map(({ id, type, part }) => [id, { type, part }]));
  const sheets: { name: string; part: string }[] = [];
  let is1904 = false;
  document.read(document.mainPart, {
    open: (name, attributes) => {
      if (name === 'x:workbookPr') is1904 = ['1', 'true'].includes(attributes.get('date1904') ?? '');
      if (name !== 'x:sheet' || (attributes.get('state') ?? 'visible') !== 'visible') return;
      const found = parts.get(attributes.get('r:id') ?? '');
      if (found?.type === 'worksheet') sheets.push({ name: attributes.get('name') ?? '', part: found.part });
    },
  });
  return { sheets, strings: readStrings(document, limits), formats: readFormats(document), is1904 };
}

/** Phonetic runs (`rPh`) repeat in kana what stands there in kanji. */
function readStrings(document: OfficePackage, limits: ParseLimits): string[] {
  const strings: string[] = [];
  const budget = new TextBudget(limits.textChars);
  const part = document.partOf('sharedStrings');
  let parts: string[] = [];
  let isText = false;
  let isPhonetic = false;
  if (part === undefined) return strings;
  document.read(part, {
    open: (name) => {
      if (name === 'x:si') parts = [];
      if (name === 'x:rPh') isPhonetic = true;
      isText = name === 'x:t' && !isPhonetic;
    },
    close: (name) => {
      isText = false;
      if (name === 'x:rPh') isPhonetic = false;
      if (name === 'x:si') strings.push(parts.join(''));
    },
    text: (value) => {
      if (!isText) return;
      budget.take(value.length);
      parts.push(value);
    },
  });
  return strings;
}

function readFormats(document: OfficePackage): CellFormat[] {
  const codes = new Map<number, string>();
  const formats: CellFormat[] = [];
  const part = document.partOf('styles');
  let isOfCells = false;
  if (part === undefined) return formats;
  document.read(part, {
    open: (name, attributes) => {
      const id = Number(attributes.get('numFmtId') ?? 0);
      if (name === 'x:numFmt') codes.set(id, attributes.get('formatCode') ?? '');
      if (name === 'x:cellXfs') isOfCells = true;
      if (name === 'x:xf' && isOfCells) formats.push(cellFormat(id, codes.get(id)));
    },
    close: (name) => {
      if (name === 'x:cellXfs') isOfCells = false;
    },
  });
  return formats;
}
