/**
 * Runs in a worker thread of its own: a document that makes a parser throw, loop or eat memory ends this thread and
 * not the runner. Imports nothing of ours, so that Node runs the source and the build alike.
 */
import { parse, type DefaultTreeAdapterTypes } from 'parse5';
import { parentPort, workerData } from 'node:worker_threads';
import { getDocumentProxy } from 'unpdf';

export type ParserInput =
  | { readonly kind: 'pdf'; readonly bytes: Uint8Array; readonly maxPages: number; readonly maxChars: number }
  | { readonly kind: 'html'; readonly source: string; readonly maxEvents: number };
export interface PdfLine {
  readonly text: string;
  /** Distance from the bottom of the page and the font's height, both in points. */
  readonly y: number;
  readonly height: number;
}
/** The tree in document order, what a reader does not see left out. */
export type HtmlEvent = readonly ['open' | 'close' | 'text', string];
export type ParserOutput =
  | { readonly kind: 'pdf'; readonly pages: readonly (readonly PdfLine[])[] }
  | { readonly kind: 'html'; readonly events: readonly HtmlEvent[] }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'broken' };

/** Neither content nor seen by a reader; navigation and footers repeat on every page of a site. */
const DROPPED = new Set(
  'script style noscript template svg math canvas iframe object video audio nav footer aside button select textarea dialog head'.split(
    ' ',
  ),
);

const isDropped = (element: DefaultTreeAdapterTypes.Element): boolean =>
  DROPPED.has(element.tagName) ||
  element.attrs.some(
    ({ name, value }) =>
      name === 'hidden' ||
      (name === 'aria-hidden' && value === 'true') ||
      (name === 'role' && value === 'navigation') ||
      (name === 'style' && /(?:display\s*:\s*none|visibility\s*:\s*hidden)/i.test(value)),
  );

function readHtml(source: string, maxEvents: number): ParserOutput {
  const events: HtmlEvent[] = [];
  // An explicit stack: a hostile page can nest deeper than the call stack.
  const stack: (DefaultTreeAdapterTypes.ChildNode | { close: string })[] = parse(source).childNodes.toReversed();
  while (stack.length > 0) {
    const next = stack.pop()!;
    if (events.length > maxEvents) return { kind: 'too-large' };
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
  return { kind: 'html', events };
}

async function readPdf(bytes: Uint8Array, maxPages: number, maxChars: number): Promise<ParserOutput> {
  const pdf = await getDocumentProxy(bytes);
  if (pdf.numPages > maxPages) return { kind: 'too-large' };
  const pages: PdfLine[][] = [];
  let chars = 0;
  for (let number = 1; number <= pdf.numPages; number++) {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    const lines: PdfLine[] = [];
    let open: { text: string; y: number; height: number } | null = null;
    for (const item of items) {
      if (!('str' in item)) continue;
      open ??= { text: '', y: Number(item.transform[5]), height: item.height };
      open.text += item.str;
      open.height = Math.max(open.height, item.height);
      chars += item.str.length;
      if (chars > maxChars) return { kind: 'too-large' };
      if (item.hasEOL) {
        lines.push(open);
        open = null;
      }
    }
    if (open !== null) lines.push(open);
    pages.push(lines);
    page.cleanup();
  }
  return { kind: 'pdf', pages };
}

const run = async (input: ParserInput): Promise<ParserOutput> =>
  input.kind === 'pdf' ? readPdf(input.bytes, input.maxPages, input.maxChars) : readHtml(input.source, input.maxEvents);

run(workerData as ParserInput)
  .catch((): ParserOutput => ({ kind: 'broken' }))
  .then((output) => parentPort?.postMessage(output))
  .catch(() => process.exit(1));
