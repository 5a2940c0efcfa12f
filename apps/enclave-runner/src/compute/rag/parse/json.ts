import { cleanText, oneLine } from './clean-text.js';
import { broken, tooComplex } from './refusal.js';
import { TextBudget } from './table-text.js';
import type { Block, DocumentFormat, Parsed, ParseLimits } from './types.js';

type Format = Extract<DocumentFormat, 'json' | 'jsonl'>;
interface Field {
  readonly path: string;
  readonly value: string;
}

/** A value that is longer, or has more lines, stands in a paragraph of its own. */
const SHORT_CHARS = 200;

/**
 * JSON (RFC 8259), or one JSON value on each line, whichever it is. A record is one block: `path: value; path: value`,
 * paths of what is nested joined by dots, long values in paragraphs of their own. Records are the elements of a list,
 * those of lists in the outermost object (its name is the heading above them), or the whole.
 */
export function parseJson(text: string, claimed: Format, limits: ParseLimits): Parsed & { readonly format: Format } {
  const order: readonly Format[] = claimed === 'json' ? ['json', 'jsonl'] : ['jsonl', 'json'];
  for (const format of order) {
    const values = format === 'json' ? wholeOf(text) : linesOf(text, limits);
    if (values === null) continue;
    const writer = new RecordWriter(limits);
    if (format === 'json') writer.whole(values[0]!.value);
    else for (const { value, line } of values) writer.record(value, [], line);
    return { format, blocks: writer.blocks };
  }
  throw broken(claimed === 'json' ? 'JSON' : 'one JSON value on each line');
}

type Values = readonly { readonly value: unknown; readonly line: number }[];

function wholeOf(text: string): Values | null {
  try {
    return [{ value: JSON.parse(text) as unknown, line: 1 }];
  } catch {
    return null;
  }
}

function linesOf(text: string, limits: ParseLimits): Values | null {
  const values: { value: unknown; line: number }[] = [];
  let line = 0;
  for (let start = 0; start <= text.length;) {
    const end = text.indexOf('\n', start);
    const source = text.slice(start, end === -1 ? text.length : end);
    start = end === -1 ? text.length + 1 : end + 1;
    line++;
    if (source.trim() === '') continue;
    const value = wholeOf(source);
    if (value === null) return null;
    values.push({ value: value[0]!.value, line });
    // One more than the limit is enough to be refused for it.
    if (values.length > limits.blocks) break;
  }
  return values;
}

class RecordWriter {
  readonly blocks: Block[] = [];
  readonly #limits: ParseLimits;
  readonly #budget: TextBudget;

  constructor(limits: ParseLimits) {
    this.#limits = limits;
    this.#budget = new TextBudget(limits.textChars);
  }

  whole(value: unknown): void {
    if (Array.isArray(value)) return this.#records(value, []);
    if (!isObject(value)) return this.record(value, []);
    const entries = Object.entries(value);
    this.record(Object.fromEntries(entries.filter(([, inner]) => !isListOfObjects(inner))), []);
    for (const [name, list] of entries) {
      if (isListOfObjects(list))
        this.#records(
          list,
          [oneLine(name)].filter((heading) => heading !== ''),
        );
    }
  }

  #records(values: readonly unknown[], headings: readonly string[]): void {
    values.forEach((value, i) => this.record(value, headings, i + 1));
  }

  record(value: unknown, headings: readonly string[], number?: number): void {
    const fields: Field[] = [];
    this.#collect(value, '', 1, fields);
    const isShort = ({ value: own }: Field): boolean => own.length <= SHORT_CHARS && !own.includes('\n');
    const [short, long] = [fields.filter(isShort), fields.filter((field) => !isShort(field))];
    const said = ({ path, value: own }: Field): string => (path === '' ? own : `${path}: ${own}`);
    const paragraphs = [short.map(said).join('; '), ...long.map(said)].filter((text) => text !== '');
    if (paragraphs.length === 0) return;
    this.blocks.push({ text: paragraphs.join('\n\n'), headings, ...(number !== undefined && { record: number }) });
  }

  #collect(value: unknown, path: string, depth: number, fields: Field[]): void {
    if (depth > this.#limits.depth) throw tooComplex(`${this.#limits.depth} values in one another`);
    if (Array.isArray(value) && !value.some((inner) => typeof inner === 'object' && inner !== null)) {
      this.#field(
        path,
        value
          .filter((inner) => inner !== null)
          .map(String)
          .join(', '),
        fields,
      );
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        // Elements of a list are counted from one, as people do.
        const step = Array.isArray(value) ? String(Number(name) + 1) : oneLine(name);
        this.#collect(inner, path === '' ? step : `${path}.${step}`, depth + 1, fields);
      }
    } else if (value !== null && value !== undefined) {
      this.#field(path, String(value), fields);
    }
  }

  #field(path: string, said: string, fields: Field[]): void {
    const value = cleanText(said).trim();
    if (value === '') return;
    this.#budget.take(path.length + value.length);
    fields.push({ path, value });
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isListOfObjects = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.some(isObject);
