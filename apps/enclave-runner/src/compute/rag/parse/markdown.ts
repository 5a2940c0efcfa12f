import { cleanText } from './clean-text.js';
import { HeadingStack } from './heading-stack.js';
import { metadataOf } from './metadata.js';
import type { Block, DocumentMetadata, Parsed } from './types.js';

/**
 * The block structure of Markdown that retrieval needs (CommonMark 0.31: ATX and setext headings, fenced code,
 * paragraphs), read line by line. Inline markup is taken off so that quotes read as prose; code is kept as it is.
 */
export function parseMarkdown(source: string): Parsed {
  const text = cleanText(source);
  const frontMatter = FRONT_MATTER.exec(text)?.[0] ?? '';
  const reader = new MarkdownReader();
  for (const line of text.slice(frontMatter.length).split('\n')) reader.line(line);
  const blocks = reader.end();
  return { blocks, metadata: metadataIn(frontMatter, reader.firstTitle) };
}

class MarkdownReader {
  readonly #blocks: Block[] = [];
  readonly #headings = new HeadingStack();
  #lines: string[] = [];
  firstTitle: string | undefined;
  /** The fence that closes the code block which we are in. */
  #fence: { character: string; length: number } | null = null;

  line(line: string): void {
    if (this.#fence !== null) return this.#codeLine(line, this.#fence);
    const fence = /^ {0,3}(`{3,}|~{3,})[^`]*$/.exec(line)?.[1];
    if (fence !== undefined) {
      this.#flush(plainInline);
      this.#fence = { character: fence[0]!, length: fence.length };
      return;
    }
    const heading = /^ {0,3}(#{1,6})(?:[ \t](.*))?$/.exec(line);
    if (heading) return this.#heading(heading[1]!.length, (heading[2] ?? '').trim().replace(/(?:^|[ \t])#+$/, ''));
    const underline = /^ {0,3}(=+|-+)[ \t]*$/.exec(line)?.[1];
    if (underline !== undefined && this.#lines.length === 1) {
      const title = this.#lines.pop()!;
      return this.#heading(underline.startsWith('=') ? 1 : 2, title);
    }
    if (line.trim() === '' || /^ {0,3}(?:[-*_][ \t]*){3,}$/.test(line)) return this.#flush(plainInline);
    this.#lines.push(line);
  }

  end(): Block[] {
    this.#flush(this.#fence === null ? plainInline : asIs);
    return this.#blocks;
  }

  #codeLine(line: string, fence: { character: string; length: number }): void {
    const closing = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1];
    if (closing !== undefined && closing.startsWith(fence.character) && closing.length >= fence.length) {
      this.#flush(asIs);
      this.#fence = null;
    } else {
      this.#lines.push(line);
    }
  }

  #heading(level: number, title: string): void {
    this.#flush(plainInline);
    const plain = plainInline(title);
    if (level === 1) this.firstTitle ??= plain;
    this.#headings.enter(level, plain);
  }

  #flush(render: (line: string) => string): void {
    const text = this.#lines
      .map(render)
      .filter((line) => line.trim() !== '')
      .join('\n')
      .trim();
    this.#lines = [];
    if (text !== '') this.#blocks.push({ text, headings: this.#headings.path });
  }
}

const FRONT_MATTER = /^---\n(?:(?!---\n).*\n){0,200}---\n/;

/** Plain `name: value` lines of the front matter; YAML beyond that is not read. */
function metadataIn(frontMatter: string, firstTitle: string | undefined): DocumentMetadata {
  const said = new Map<string, string>();
  for (const line of frontMatter.split('\n')) {
    const [, name, value] = /^([A-Za-z]{1,20})[ \t]*:[ \t]*(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined)
      said.set(name.toLowerCase(), value.replace(/^(["'])(.*)\1\s*$/, '$2'));
  }
  return metadataOf({
    title: said.get('title') ?? firstTitle,
    author: said.get('author'),
    date: said.get('date'),
    language: said.get('lang') ?? said.get('language'),
  });
}

const asIs = (line: string): string => line;

/** Every pattern is linear in the line: a class never contains what may follow it, so there is nothing to retry. */
const plainInline = (line: string): string =>
  (isTableRule(line) ? '' : line)
    .replace(/[ \t]+/g, ' ')
    .replace(/^ ?(?:> ?)+/, '')
    .replace(/<!--[^<>]{0,2000}-->|<\/?[A-Za-z][^<>]{0,500}>/g, ' ')
    .replace(/!?\[([^[\]]{0,1000})\]\([^()\s]{0,2000}(?: "[^"]{0,500}")?\)/g, '$1')
    .replace(/!?\[([^[\]]{0,1000})\]\[[^[\]]{0,200}\]/g, '$1')
    .replace(/(\*{1,3}|~~|`{1,2})(?=\S)([^*~`\n]{1,2000})\1/g, '$2')
    .replace(/(^|[\s(])_{1,2}(?=\S)([^_\n]{1,2000})_{1,2}(?=[\s).,;:!?]|$)/g, '$1$2')
    .replace(/\\([!-/:-@[-`{-~])/g, '$1')
    .trim();

/** The line between the head and the body of a table. */
const isTableRule = (line: string): boolean => line.includes('---') && /^[ \t|:-]+$/.test(line);
