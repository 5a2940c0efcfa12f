import { cleanText, oneLine } from '../clean-text.js';
import { HeadingStack } from '../heading-stack.js';
import { metadataOf } from '../metadata.js';
import { TextBudget } from '../table-text.js';
import type { Block, Parsed, ParseLimits } from '../types.js';
import { headingLevel, levelOfOutline, readDocxStyles, type DocxStyles } from './docx-styles.js';
import type { OfficePackage } from './office-package.js';
import type { XmlAttributes, XmlHandler } from './xml.js';

/**
 * Not what a reader sees: what was deleted, moved away or formatted otherwise before tracked changes, and the second
 * version of a shape for programs that do not know the first.
 */
const DROPPED = new Set(['w:del', 'w:moveFrom', 'w:pPrChange', 'w:rPrChange', 'mc:Fallback']);

interface Paragraph {
  parts: string[];
  level: number | null;
  notes: string[];
}

/**
 * Paragraphs of a Word document with the headings above them (by style or outline level), table rows as one block
 * each, footnotes after the paragraph that calls them. Hidden text and tracked deletions are left out; headers, footers
 * and comments are not read.
 */
export function parseDocx(document: OfficePackage, limits: ParseLimits): Parsed {
  const styles = readDocxStyles(document);
  const budget = new TextBudget(limits.textChars);
  const notes = new Map([...readNotes(document, 'footnotes', budget), ...readNotes(document, 'endnotes', budget)]);
  const reader = new DocxReader(styles, notes, budget);
  document.read(document.mainPart, reader);
  const said = document.metadata(styles.language);
  return { blocks: reader.blocks, metadata: { ...metadataOf({ title: reader.title }), ...said } };
}

class DocxReader implements XmlHandler {
  readonly blocks: Block[] = [];
  title: string | undefined;
  readonly #headings = new HeadingStack();
  readonly #styles: DocxStyles;
  readonly #notes: ReadonlyMap<string, string>;
  readonly #budget: TextBudget;
  /** The innermost last: a text box is a paragraph in a paragraph. */
  readonly #paragraphs: Paragraph[] = [];
  /** Cells of the row of the outermost table: tables in its cells are part of them. */
  #row: string[][] = [];
  #rowNotes: string[] = [];
  #tableDepth = 0;
  #dropDepth = 0;
  #isInRun = false;
  #isHidden = false;
  #isText = false;

  constructor(styles: DocxStyles, notes: ReadonlyMap<string, string>, budget: TextBudget) {
    this.#styles = styles;
    this.#notes = notes;
    this.#budget = budget;
  }

  open(name: string, attributes: XmlAttributes): void {
    if (this.#dropDepth > 0 || DROPPED.has(name)) {
      if (DROPPED.has(name)) this.#dropDepth++;
      return;
    }
    if (name === 'w:p') this.#paragraphs.push({ parts: [], level: null, notes: [] });
    else if (name === 'w:tbl') this.#tableDepth++;
    else if (name === 'w:tr' && this.#tableDepth === 1) [this.#row, this.#rowNotes] = [[], []];
    else if (name === 'w:tc' && this.#tableDepth === 1) this.#row.push([]);
    else if (name === 'w:t' || name === 'm:t') this.#isText = !this.#isHidden;
    else this.#inParagraph(name, attributes);
  }

  close(name: string): void {
    if (DROPPED.has(name)) this.#dropDepth--;
    if (this.#dropDepth > 0) return;
    if (name === 'w:t' || name === 'm:t') this.#isText = false;
    else if (name === 'w:r') [this.#isInRun, this.#isHidden] = [false, false];
    else if (name === 'w:p') this.#endParagraph();
    else if (name === 'w:tr' && this.#tableDepth === 1) this.#endRow();
    else if (name === 'w:tbl') this.#tableDepth--;
  }

  text(value: string): void {
    if (this.#isText && this.#dropDepth === 0) this.#add(value);
  }

  #inParagraph(name: string, attributes: XmlAttributes): void {
    const paragraph = this.#paragraphs.at(-1);
    if (paragraph === undefined) return;
    const value = attributes.get('w:val') ?? '';
    if (name === 'w:pStyle') paragraph.level ??= this.#styles.levelOf(value);
    else if (name === 'w:outlineLvl') paragraph.level = headingLevel(levelOfOutline(value) ?? 9);
    else if (name === 'w:r') this.#isInRun = true;
    else if (name === 'w:vanish' && this.#isInRun) this.#isHidden = !['0', 'false', 'off'].includes(value);
    else if (name === 'w:br' || name === 'w:cr') this.#add('\n');
    else if (name === 'w:tab') this.#add(' ');
    else if (name === 'w:noBreakHyphen') this.#add('-');
    else if (name === 'w:footnoteReference' || name === 'w:endnoteReference') {
      const note = this.#notes.get(
        `${name === 'w:footnoteReference' ? 'footnotes' : 'endnotes'} ${attributes.get('w:id')}`,
      );
      if (note !== undefined) paragraph.notes.push(note);
    }
  }

  #add(text: string): void {
    this.#budget.take(text.length);
    if (!this.#isHidden) this.#paragraphs.at(-1)?.parts.push(text);
  }

  #endParagraph(): void {
    const { parts, level, notes } = this.#paragraphs.pop()!;
    const text = plain(parts);
    if (this.#tableDepth > 0) {
      this.#row.at(-1)?.push(text);
      this.#rowNotes.push(...notes);
    } else if (level !== null && text !== '') {
      if (level === 0) this.title ??= text;
      this.#headings.enter(level, text);
      this.#push('', notes);
    } else {
      this.#push(text, notes);
    }
  }

  #endRow(): void {
    const cells = this.#row.map((paragraphs) => oneLine(paragraphs.join(' '))).filter((cell) => cell !== '');
    this.#push(cells.join(' | '), this.#rowNotes);
    this.#row = [];
  }

  #push(text: string, notes: readonly string[]): void {
    for (const each of [text, ...notes]) {
      if (each !== '') this.blocks.push({ text: each, headings: this.#headings.path });
    }
  }
}

const plain = (parts: readonly string[]): string =>
  cleanText(parts.join(''))
    .replace(/[^\S\n]+/gu, ' ')
    .trim();

/** By `footnotes ID` or `endnotes ID`, each note's paragraphs joined. */
function readNotes(document: OfficePackage, kind: 'footnotes' | 'endnotes', budget: TextBudget): Map<string, string> {
  const notes = new Map<string, string>();
  const part = document.partOf(kind);
  let id: string | undefined;
  let parts: string[] = [];
  let isText = false;
  if (part === undefined) return notes;
  document.read(part, {
    open: (name, attributes) => {
      if (name === 'w:footnote' || name === 'w:endnote') [id, parts] = [attributes.get('w:id'), []];
      isText = name === 'w:t';
    },
    close: (name) => {
      isText = false;
      if (name === 'w:p') parts.push(' ');
      if (name === 'w:footnote' || name === 'w:endnote') notes.set(`${kind} ${id}`, plain(parts));
    },
    text: (value) => {
      if (!isText) return;
      budget.take(value.length);
      parts.push(value);
    },
  });
  return notes;
}
