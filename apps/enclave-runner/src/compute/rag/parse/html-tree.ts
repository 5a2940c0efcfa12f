import { parse, type DefaultTreeAdapterTypes } from 'parse5';
import { metadataOf } from './metadata.js';
import { tooLarge } from './refusal.js';
import type { DocumentMetadata } from './types.js';

/** The tree in document order, what a reader does not see left out. */
export type HtmlEvent = readonly ['open' | 'close' | 'text', string];
export interface HtmlEvents {
  readonly events: readonly HtmlEvent[];
  readonly metadata: DocumentMetadata;
}

type Element = DefaultTreeAdapterTypes.Element;

/** Neither content nor seen by a reader; navigation and footers repeat on every page of a site. */
const DROPPED = new Set(
  'script style noscript template svg math canvas iframe object video audio nav footer aside button select textarea dialog head'.split(
    ' ',
  ),
);

const isDropped = (element: Element): boolean =>
  DROPPED.has(element.tagName) ||
  element.attrs.some(
    ({ name, value }) =>
      name === 'hidden' ||
      (name === 'aria-hidden' && value === 'true') ||
      (name === 'role' && value === 'navigation') ||
      (name === 'style' && /(?:display\s*:\s*none|visibility\s*:\s*hidden)/i.test(value)),
  );

/** Refuses `FILE_TOO_LARGE` for more elements and text nodes than the limit. */
export function readHtmlTree(source: string, maxEvents: number): HtmlEvents {
  const tree = parse(source);
  const events: HtmlEvent[] = [];
  // An explicit stack: a hostile page can nest deeper than the call stack.
  const stack: (DefaultTreeAdapterTypes.ChildNode | { close: string })[] = tree.childNodes.toReversed();
  while (stack.length > 0) {
    const next = stack.pop()!;
    if (events.length > maxEvents) throw tooLarge(`${maxEvents} elements`);
    if ('close' in next) {
      events.push(['close', next.close]);
    } else if (next.nodeName === '#text' && 'value' in next) {
      events.push(['text', next.value]);
    } else if ('tagName' in next && !isDropped(next)) {
      events.push(['open', next.tagName]);
      stack.push({ close: next.tagName });
      for (let i = next.childNodes.length - 1; i >= 0; i--) stack.push(next.childNodes[i]!);
    }
  }
  return { events, metadata: metadataOfTree(tree) };
}

const DATE_NAMES = ['article:modified_time', 'article:published_time', 'dcterms.modified', 'dcterms.created', 'date'];

function metadataOfTree(tree: DefaultTreeAdapterTypes.Document): DocumentMetadata {
  const html = elementsIn(tree).find((element) => element.tagName === 'html');
  const head = html && elementsIn(html).find((element) => element.tagName === 'head');
  const inHead = head === undefined ? [] : elementsIn(head);
  const title = inHead.find((element) => element.tagName === 'title')?.childNodes[0];
  const named = new Map(
    inHead
      .filter((element) => element.tagName === 'meta')
      .map((meta) => [
        (attributeOf(meta, 'name') ?? attributeOf(meta, 'property') ?? '').toLowerCase(),
        attributeOf(meta, 'content'),
      ]),
  );
  return metadataOf({
    title: title !== undefined && 'value' in title ? title.value : named.get('og:title'),
    author: named.get('author'),
    date: DATE_NAMES.map((name) => named.get(name)).find((value) => value !== undefined),
    language: html && attributeOf(html, 'lang'),
  });
}

const elementsIn = (parent: { readonly childNodes: readonly DefaultTreeAdapterTypes.ChildNode[] }): Element[] =>
  parent.childNodes.filter((node): node is Element => 'tagName' in node);

const attributeOf = (element: Element, name: string): string | undefined =>
  element.attrs.find((attribute) => attribute.name === name)?.value;
