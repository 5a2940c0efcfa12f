import { oneLine } from './clean-text.js';
import { HeadingStack } from './heading-stack.js';
import { readHtmlTree } from './html-tree.js';
import type { Block, Parsed, ParseLimits } from './types.js';

const BLOCKS = new Set(
  'p div section article main header h1 h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote pre figure figcaption table caption thead tbody tfoot form fieldset address details summary hr body html center'.split(
    ' ',
  ),
);
/** Marks the beginning of a table cell inside the collected text; cleaning removes it from text that has it. */
const CELL = '\u0001';

/**
 * Text blocks of an HTML document in reading order, with the headings above them; a table row is one block. Scripts,
 * styles, navigation and hidden elements are left out. Nothing is fetched and nothing runs.
 */
export function parseHtml(source: string, limits: ParseLimits): Parsed {
  const { events, metadata } = readHtmlTree(source, limits.htmlEvents);
  const reader = new HtmlReader();
  for (const [kind, value] of events) reader[kind](value);
  return { blocks: reader.end(), metadata };
}

class HtmlReader {
  readonly #blocks: Block[] = [];
  readonly #headings = new HeadingStack();
  #parts: string[] = [];
  /** Inside a table row everything is one block, tables in its cells included. */
  #rowDepth = 0;

  text(value: string): void {
    this.#parts.push(value);
  }

  open(tag: string): void {
    if (tag === 'tr') {
      if (this.#rowDepth++ === 0) this.#flush();
    } else if (tag === 'td' || tag === 'th') {
      this.#parts.push(CELL);
    } else {
      this.#boundary(tag);
    }
  }

  close(tag: string): void {
    const level = /^h([1-6])$/.exec(tag)?.[1];
    if (tag === 'tr') {
      if (--this.#rowDepth === 0) this.#flush();
    } else if (level !== undefined && this.#rowDepth === 0) {
      this.#headings.enter(Number(level), this.#take());
    } else {
      this.#boundary(tag);
    }
  }

  end(): Block[] {
    this.#flush();
    return this.#blocks;
  }

  #boundary(tag: string): void {
    const isBlock = BLOCKS.has(tag);
    if (isBlock && this.#rowDepth === 0) this.#flush();
    else if (isBlock || tag === 'br') this.#parts.push(' ');
  }

  #take(): string {
    const cells = this.#parts.join('').split(CELL).map(oneLine);
    this.#parts = [];
    return cells.filter((cell) => cell !== '').join(' | ');
  }

  #flush(): void {
    const text = this.#take();
    if (text !== '') this.#blocks.push({ text, headings: this.#headings.path });
  }
}
