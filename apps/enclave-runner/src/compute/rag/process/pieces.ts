/**
 * A value as messages that are each read in some milliseconds, however large it is: arrays of numbers and of texts go in
 * pieces, the rest in the first message. Copied once on each side. For objects, numbers and arrays of numbers or texts.
 */
export type Message = { readonly head: unknown; readonly arrays: readonly Described[] } | Piece;
interface Described {
  readonly kind: string;
  readonly length: number;
}
interface Piece {
  readonly array: number;
  readonly at: number;
  readonly items: Numbers | readonly string[];
}

const KINDS = { Uint8Array, Int8Array, Uint32Array, Float32Array, Float64Array } as const;
type Numbers = InstanceType<(typeof KINDS)[keyof typeof KINDS]>;

const PIECE_BYTES = 1 << 21;
const PIECE_TEXTS = 1 << 10;
const PIECE_CHARS = 1 << 20;

export function* inPieces(value: object): Generator<Message> {
  const arrays: (Numbers | readonly string[])[] = [];
  const head = without(value, arrays);
  yield { head, arrays: arrays.map((array) => ({ kind: kindOf(array), length: array.length })) };
  for (const [array, items] of arrays.entries()) {
    for (let at = 0; at < items.length;) {
      const end = ArrayBuffer.isView(items) ? at + PIECE_BYTES / items.BYTES_PER_ELEMENT : endOfTexts(items, at);
      yield { array, at, items: ArrayBuffer.isView(items) ? items.subarray(at, end) : items.slice(at, end) };
      at = end;
    }
  }
}

function endOfTexts(texts: readonly string[], from: number): number {
  let [end, chars] = [from, 0];
  while (end < texts.length && end - from < PIECE_TEXTS && chars < PIECE_CHARS) chars += texts[end++]!.length;
  return end;
}

/** The value with the place of each array in the list instead of it. */
function without(value: unknown, arrays: (Numbers | readonly string[])[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) return { arrayAt: arrays.push(value) - 1 };
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, without(each, arrays)]));
}

const isArray = (value: object): value is Numbers | readonly string[] =>
  ArrayBuffer.isView(value) || Array.isArray(value);
const kindOf = (array: Numbers | readonly string[]): string =>
  ArrayBuffer.isView(array) ? array.constructor.name : '';

/** Puts messages together again, in the order in which `inPieces` gave them. */
export class Arriving {
  #head: unknown;
  #arrays: (Numbers | string[])[] = [];
  #missing = 0;
  readonly #mostBytes: number;

  constructor(mostBytes = Infinity) {
    this.#mostBytes = mostBytes;
  }

  /** What was sent when all of it is here, undefined before. Throws for what was not made by `inPieces`, or is larger. */
  take(message: Message): unknown {
    if ('head' in message) this.#open(message);
    else this.#put(message);
    return this.#missing === 0 ? whole(this.#head, this.#arrays) : undefined;
  }

  #open({ head, arrays }: Extract<Message, { head: unknown }>): void {
    const bytes = arrays.reduce((sum, { kind, length }) => sum + length * (bytesOf(kind) ?? 1), 0);
    if (!(bytes <= this.#mostBytes)) throw new RangeError('more than is taken');
    this.#head = head;
    this.#arrays = arrays.map(({ kind, length }) => emptyOf(kind, length));
    this.#missing = arrays.reduce((sum, { length }) => sum + length, 0);
  }

  #put({ array, at, items }: Piece): void {
    const into = this.#arrays[array];
    if (into === undefined || ArrayBuffer.isView(into) !== ArrayBuffer.isView(items))
      throw new RangeError('a piece of nothing');
    if (!(items.length <= this.#missing)) throw new RangeError('more than was said');
    if (ArrayBuffer.isView(into)) into.set(items as Numbers, at);
    else for (const text of items as readonly string[]) into.push(text);
    this.#missing -= items.length;
  }
}

const kindNamed = (kind: string) => Object.entries(KINDS).find(([name]) => name === kind)?.[1];
const bytesOf = (kind: string): number | undefined => kindNamed(kind)?.BYTES_PER_ELEMENT;

function emptyOf(kind: string, length: number): Numbers | string[] {
  if (kind === '') return [];
  const found = kindNamed(kind);
  if (found === undefined) throw new RangeError('an array of another kind');
  return new found(length);
}

function whole(value: unknown, arrays: readonly unknown[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('arrayAt' in value && typeof value.arrayAt === 'number') return arrays[value.arrayAt];
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, whole(each, arrays)]));
}
