import { cleanText, oneLine } from '../clean-text.js';
import { tooLarge } from '../refusal.js';
import { TextBudget } from '../table-text.js';
import type { Block, Parsed, ParseLimits } from '../types.js';
import type { OfficePackage, Relationship } from './office-package.js';
import type { XmlAttributes, XmlHandler } from './xml.js';

/** Placeholders that stand on every slide and say nothing of it. */
const FURNITURE = new Set(['sldNum', 'dt', 'ftr', 'hdr', 'sldImg']);

/**
 * Slides in the order of the presentation: the title is the heading above the slide's other text, a table row is one
 * block, notes stand under the heading `Notes`. Hidden slides and hidden shapes are left out; charts, diagrams and
 * what stands on masters are not read.
 */
export function parsePptx(document: OfficePackage, limits: ParseLimits): Parsed {
  const budget = new TextBudget(limits.textChars);
  const byId = new Map(document.relationshipsOf(document.mainPart).map((each) => [each.id, each]));
  const slides = slideIds(document)
    .map((id) => byId.get(id))
    .filter((each): each is Relationship => each?.type === 'slide');
  if (slides.length > limits.pdfPages) throw tooLarge(`${limits.pdfPages} slides`);
  const blocks = slides.flatMap(({ part }, index) => blocksOfSlide(document, part, index + 1, budget));
  return { blocks, metadata: document.metadata() };
}

function slideIds(document: OfficePackage): string[] {
  const ids: string[] = [];
  document.read(document.mainPart, {
    open: (name, attributes) => {
      if (name === 'p:sldId') ids.push(attributes.get('r:id') ?? '');
    },
  });
  return ids;
}

function blocksOfSlide(document: OfficePackage, part: string, slide: number, budget: TextBudget): Block[] {
  const shown = new SlideReader(budget);
  document.read(part, shown);
  if (shown.isHidden) return [];
  const title = oneLine(shown.titles.join(' '));
  const headings = title === '' ? [] : [title];
  // A slide of nothing but a title is still something that was said.
  const texts = shown.texts.length === 0 && title !== '' ? [title] : shown.texts;
  const notes = new SlideReader(budget);
  const notesPart = document.relationshipsOf(part).find(({ type }) => type === 'notesSlide')?.part;
  if (notesPart !== undefined) document.read(notesPart, notes);
  return [
    ...texts.map((text) => ({ text, headings, slide })),
    ...notes.texts.map((text) => ({ text, headings: [...headings, 'Notes'], slide })),
  ];
}

class SlideReader implements XmlHandler {
  readonly titles: string[] = [];
  readonly texts: string[] = [];
  isHidden = false;
  readonly #budget: TextBudget;
  #placeholder = '';
  #isShapeHidden = false;
  #parts: string[] = [];
  #cells: string[] | null = null;
  #isText = false;

  constructor(budget: TextBudget) {
    this.#budget = budget;
  }

  open(name: string, attributes: XmlAttributes): void {
    if (name === 'p:sld') this.isHidden = ['0', 'false'].includes(attributes.get('show') ?? '');
    else if (name === 'p:sp' || name === 'p:graphicFrame') [this.#placeholder, this.#isShapeHidden] = ['', false];
    else if (name === 'p:cNvPr') this.#isShapeHidden = ['1', 'true'].includes(attributes.get('hidden') ?? '');
    else if (name === 'p:ph') this.#placeholder = attributes.get('type') ?? 'obj';
    else if (name === 'a:tr') this.#cells = [];
    else if (name === 'a:br') this.#parts.push('\n');
    this.#isText = name === 'a:t';
  }

  close(name: string): void {
    this.#isText = false;
    if (name === 'a:p') this.#parts.push('\n');
    else if (name === 'a:tc') this.#cells?.push(oneLine(this.#take()));
    else if (name === 'a:tr') this.#endRow();
    else if (name === 'p:txBody') this.#endShape();
  }

  text(value: string): void {
    if (!this.#isText) return;
    this.#budget.take(value.length);
    this.#parts.push(value);
  }

  #take(): string {
    const text = cleanText(this.#parts.join(''))
      .replace(/[^\S\n]+/gu, ' ')
      .replace(/ ?\n[ \n]*/g, '\n')
      .trim();
    this.#parts = [];
    return text;
  }

  #endRow(): void {
    const row = (this.#cells ?? []).filter((cell) => cell !== '').join(' | ');
    this.#cells = null;
    if (row !== '' && !this.#isShapeHidden) this.texts.push(row);
  }

  #endShape(): void {
    const text = this.#take();
    if (text === '' || this.#isShapeHidden || FURNITURE.has(this.#placeholder)) return;
    if (this.#placeholder === 'title' || this.#placeholder === 'ctrTitle') this.titles.push(text);
    else this.texts.push(text);
  }
}
