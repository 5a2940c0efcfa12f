import { SaxesParser } from 'saxes';
import { broken, tooComplex } from '../refusal.js';
import type { ParseLimits } from '../types.js';

/** Namespaces by the prefix that readers here write; both of ECMA-376's forms, transitional and strict. */
const PREFIXES = new Map([
  ['http://schemas.openxmlformats.org/wordprocessingml/2006/main', 'w'],
  ['http://purl.oclc.org/ooxml/wordprocessingml/main', 'w'],
  ['http://schemas.openxmlformats.org/spreadsheetml/2006/main', 'x'],
  ['http://purl.oclc.org/ooxml/spreadsheetml/main', 'x'],
  ['http://schemas.openxmlformats.org/presentationml/2006/main', 'p'],
  ['http://purl.oclc.org/ooxml/presentationml/main', 'p'],
  ['http://schemas.openxmlformats.org/drawingml/2006/main', 'a'],
  ['http://purl.oclc.org/ooxml/drawingml/main', 'a'],
  ['http://schemas.openxmlformats.org/officeDocument/2006/math', 'm'],
  ['http://purl.oclc.org/ooxml/officeDocument/math', 'm'],
  ['http://schemas.openxmlformats.org/officeDocument/2006/relationships', 'r'],
  ['http://purl.oclc.org/ooxml/officeDocument/relationships', 'r'],
  ['http://schemas.openxmlformats.org/markup-compatibility/2006', 'mc'],
  ['http://schemas.openxmlformats.org/package/2006/content-types', 'ct'],
  ['http://schemas.openxmlformats.org/package/2006/relationships', 'rel'],
  ['http://schemas.openxmlformats.org/package/2006/metadata/core-properties', 'cp'],
  ['http://purl.org/dc/elements/1.1/', 'dc'],
  ['http://purl.org/dc/terms/', 'dcterms'],
]);

/** `get('w:val')`: the value of the attribute of that name; one without a prefix is in no namespace. */
export interface XmlAttributes {
  get(name: string): string | undefined;
}
/** Names are those of the table above, `?:…` for elements of any other namespace. */
export interface XmlHandler {
  open?(name: string, attributes: XmlAttributes): void;
  close?(name: string): void;
  text?(value: string): void;
}

const STEP_BYTES = 1024 ** 2;

/**
 * Read XML 1.0 in UTF-8 or UTF-16 from front to back. A document type is refused before anything in it is looked at:
 * there are no entities but the five of XML itself, so none can grow, and none can name a file or an address.
 *
 * Refuses `FORMAT_BROKEN` (not well-formed, a document type), `DOCUMENT_TOO_COMPLEX` (elements nested deeper than the
 * limit) and what the handler refuses.
 */
export function readXml(bytes: Uint8Array, handler: XmlHandler, limits: ParseLimits): void {
  const scope = new NamespaceScope();
  const parser = new SaxesParser({ xmlns: false, position: false });
  let depth = 0;
  // Its own message quotes the document.
  parser.on('error', () => {
    throw broken('XML');
  });
  parser.on('doctype', () => {
    throw broken('XML without a document type');
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (++depth > limits.depth) throw tooComplex(`${limits.depth} elements in one another`);
    scope.enter(attributes);
    handler.open?.(scope.nameOf(name), { get: (wanted) => attributes[scope.rawOf(wanted)] });
  });
  parser.on('closetag', ({ name }) => {
    handler.close?.(scope.nameOf(name));
    scope.leave();
    depth--;
  });
  const onText = (value: string): void => handler.text?.(value);
  parser.on('text', onText);
  parser.on('cdata', onText);
  const decoder = decoderOf(bytes);
  for (let at = 0; at < bytes.length; at += STEP_BYTES) {
    parser.write(decodedStep(decoder, bytes.subarray(at, at + STEP_BYTES), at + STEP_BYTES < bytes.length));
  }
  parser.close();
}

function decoderOf(bytes: Uint8Array): TextDecoder {
  const isLittle = bytes[0] === 0xff && bytes[1] === 0xfe;
  const isBig = bytes[0] === 0xfe && bytes[1] === 0xff;
  return new TextDecoder(isLittle ? 'utf-16le' : isBig ? 'utf-16be' : 'utf-8', { fatal: true });
}

function decodedStep(decoder: TextDecoder, bytes: Uint8Array, stream: boolean): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch {
    throw broken('XML in UTF-8 or UTF-16');
  }
}

type Bindings = ReadonlyMap<string, string>;

/** Which prefix stands for which namespace at a place in the document. Most documents bind theirs on the root only. */
class NamespaceScope {
  readonly #stack: Bindings[] = [new Map()];
  #names = new Map<string, string>();
  #raws = new Map<string, string>();

  get #current(): Bindings {
    return this.#stack.at(-1)!;
  }

  enter(attributes: Readonly<Record<string, string>>): void {
    let bindings: Map<string, string> | undefined;
    for (const name in attributes) {
      if (name !== 'xmlns' && !name.startsWith('xmlns:')) continue;
      bindings ??= new Map(this.#current);
      bindings.set(name.slice(6), PREFIXES.get(attributes[name]!) ?? '?');
    }
    this.#stack.push(bindings ?? this.#current);
    if (bindings !== undefined) this.#forget();
  }

  leave(): void {
    const left = this.#stack.pop();
    if (left !== this.#current) this.#forget();
  }

  nameOf(raw: string): string {
    let name = this.#names.get(raw);
    if (name === undefined) {
      const colon = raw.indexOf(':');
      name = `${this.#current.get(colon === -1 ? '' : raw.slice(0, colon)) ?? '?'}:${raw.slice(colon + 1)}`;
      this.#names.set(raw, name);
    }
    return name;
  }

  /** What the document writes for an attribute that readers here call so. */
  rawOf(name: string): string {
    const colon = name.indexOf(':');
    if (colon === -1) return name;
    let raw = this.#raws.get(name);
    if (raw === undefined) {
      const prefix = name.slice(0, colon);
      const bound = [...this.#current].find(([own, meaning]) => own !== '' && meaning === prefix)?.[0];
      raw = `${bound ?? '?'}${name.slice(colon)}`;
      this.#raws.set(name, raw);
    }
    return raw;
  }

  #forget(): void {
    this.#names = new Map();
    this.#raws = new Map();
  }
}
