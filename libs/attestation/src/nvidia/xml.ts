/** An element of the part of XML 1.0 that reference manifests need. Names are as written, with their prefix. */
export interface XmlElement {
  readonly name: string;
  /** Without the declarations of namespaces. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Declarations of namespaces on this element; the default one under ''. */
  readonly declarations: ReadonlyMap<string, string>;
  readonly children: readonly (XmlElement | string)[];
}

export const XML_BYTES_AT_MOST = 512 * 1024;
const DEPTH_AT_MOST = 12;
const ELEMENTS_AT_MOST = 4096;
/** In the whole document: every element is read in the scope of all that were declared around it. */
const DECLARATIONS_AT_MOST = 64;
const NAME = '[A-Za-z_][A-Za-z0-9_.-]*';
const QNAME = `${NAME}(?::${NAME})?`;
const DECLARATION = /^<\?xml version="1\.0"(?: encoding="(?:UTF|utf)-8")?\?>\n?/;
const TAG = new RegExp(`<(/?)(${QNAME})((?:[ \\n\\t]+${QNAME}="[^"<]*")*)[ \\n\\t]*(/?)>`, 'y');
const ATTRIBUTE = new RegExp(`(${QNAME})="([^"<]*)"`, 'g');
const TEXT = /[^<]+/y;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * One element and white space around it, or null. Comments, processing instructions, CDATA, a DOCTYPE, references to
 * characters and carriage returns are refused: what canonicalisation would drop or rewrite is not there to begin with.
 */
export function parseXml(text: string): XmlElement | null {
  if (text.length > XML_BYTES_AT_MOST || text.includes('\r')) return null;
  const source = text.replace(DECLARATION, '').trim();
  const cursor: Cursor = { source, at: 0, elements: 0, declarations: 0 };
  const root = readElement(cursor, 1);
  return cursor.at === source.length ? root : null;
}

interface Cursor {
  readonly source: string;
  at: number;
  elements: number;
  declarations: number;
}

function readElement(cursor: Cursor, depth: number): XmlElement | null {
  cursor.elements += 1;
  const tag = match(cursor, TAG);
  if (tag === null || tag[1] === '/' || depth > DEPTH_AT_MOST || cursor.elements > ELEMENTS_AT_MOST) return null;
  const name = tag[2]!;
  const head = readAttributes(tag[3]!);
  cursor.declarations += head?.declarations.size ?? 0;
  if (head === null || cursor.declarations > DECLARATIONS_AT_MOST) return null;
  if (tag[4] === '/') return { name, ...head, children: [] };
  const children = readChildren(cursor, name, depth);
  return children && { name, ...head, children };
}

/** Up to and including the end tag of `parent`. */
function readChildren(cursor: Cursor, parent: string, depth: number): (XmlElement | string)[] | null {
  const children: (XmlElement | string)[] = [];
  for (;;) {
    const text = match(cursor, TEXT);
    if (text !== null) {
      const decoded = decode(text[0]);
      if (decoded === null) return null;
      children.push(decoded);
    } else if (cursor.source.startsWith('</', cursor.at)) {
      const end = match(cursor, TAG);
      return end?.[2] === parent && end[3] === '' && end[4] === '' ? children : null;
    } else {
      const child = readElement(cursor, depth + 1);
      if (child === null) return null;
      children.push(child);
    }
  }
}

function match(cursor: Cursor, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.source);
  if (found !== null) cursor.at = pattern.lastIndex;
  return found;
}

function readAttributes(text: string): Pick<XmlElement, 'attributes' | 'declarations'> | null {
  const [attributes, declarations] = [new Map<string, string>(), new Map<string, string>()];
  for (const [, name, raw] of text.matchAll(ATTRIBUTE)) {
    // XML 1.0 §3.3.3: white space in a value becomes spaces.
    const value = decode(raw!.replaceAll(/[\n\t]/g, ' '));
    const prefix = name === 'xmlns' ? '' : name!.startsWith('xmlns:') ? name!.slice(6) : null;
    const [target, key] = prefix === null ? [attributes, name!] : [declarations, prefix];
    if (value === null || target.has(key)) return null;
    target.set(key, value);
  }
  return { attributes, declarations };
}

function decode(text: string): string | null {
  let isKnown = true;
  const decoded = text.replaceAll(/&([^;]*)(;?)/g, (_all, name: string, end: string) => {
    const character = ENTITIES[name];
    isKnown &&= character !== undefined && end === ';';
    return character ?? '';
  });
  return isKnown ? decoded : null;
}

export type Scope = ReadonlyMap<string, string>;
export const scopeOf = (element: XmlElement, outer: Scope = new Map()): Scope =>
  new Map([...outer, ...element.declarations]);

/** The namespace of a name in a scope; an attribute without a prefix is in none. Null for a prefix without meaning. */
export function namespaceOf(name: string, scope: Scope, isAttribute = false): string | null {
  const [prefix, local] = name.includes(':') ? name.split(':') : ['', name];
  if (local !== undefined && prefix === '' && isAttribute) return '';
  return prefix === 'xml' ? null : (scope.get(prefix!) ?? (prefix === '' ? '' : null));
}

/**
 * Canonical XML 1.1 (§2.2 to §2.4) without comments. `outer` are the namespaces around the element, which are rendered
 * on it, as for a subset of a document. Null for a prefix without a meaning.
 */
export function canonicalize(element: XmlElement, outer: Scope = new Map()): string | null {
  return render(element, outer, new Map());
}

function render(element: XmlElement, outer: Scope, rendered: Scope): string | null {
  const scope = scopeOf(element, outer);
  const fresh = [...scope].filter(([prefix, uri]) => (rendered.get(prefix) ?? '') !== uri);
  const attributes = [...element.attributes].map(([name, value]) => {
    const uri = namespaceOf(name, scope, true);
    return { name, value, uri, local: name.split(':').at(-1)! };
  });
  if (namespaceOf(element.name, scope) === null || attributes.some(({ uri }) => uri === null)) return null;
  const head = [
    ...fresh.toSorted(([a], [b]) => compare(a, b)).map(([prefix, uri]) => declaration(prefix, uri)),
    ...attributes
      .toSorted((a, b) => compare(a.uri!, b.uri!) || compare(a.local, b.local))
      .map(({ name, value }) => ` ${name}="${escapeAttribute(value)}"`),
  ].join('');
  let inner = '';
  for (const child of element.children) {
    const part = typeof child === 'string' ? escapeText(child) : render(child, scope, scope);
    if (part === null) return null;
    inner += part;
  }
  return `<${element.name}${head}>${inner}</${element.name}>`;
}

const declaration = (prefix: string, uri: string): string =>
  ` xmlns${prefix === '' ? '' : `:${prefix}`}="${escapeAttribute(uri)}"`;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const escapeAttribute = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
