/**
 * Runs this repository's TypeScript sources in plain Node: `@usufruct/…` by the condition `@usufruct/source`, `.js` in
 * an import as the `.ts` beside it. Beyond that it can load a second, altered copy of some sources in the same process,
 * which is how a deliberately broken ledger is made: import its entry with `?altered=NAME` after `alter(NAME, edit)`.
 */
import { transformSync } from '@swc/core';
import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(import.meta.dirname, '../..');
/** What an altered copy consists of; everything else is shared, so that its errors and ids are the same classes. */
const COPIED = /^(apps\/local-chain|libs\/ledger|libs\/consent)\/src\//;
const SWC = JSON.parse(readFileSync(resolve(ROOT, '.swcrc'), 'utf8'));

/** @type {Map<string, { file: string, from: string, to: string }>} */
const edits = new Map();

/** The copy of this name has `from` replaced by `to` in `file` (from the repository's root), where it must stand once. */
export function alter(name, edit) {
  const text = readFileSync(resolve(ROOT, edit.file), 'utf8');
  if (text.split(edit.from).length !== 2) throw new Error(`${edit.file} does not have this text once: ${edit.from}`);
  edits.set(name, edit);
}

registerHooks({
  resolve(specifier, context, next) {
    const [bare = '', query] = specifier.split('?');
    const parent = context.parentURL?.startsWith('file:') ? new URL(context.parentURL) : undefined;
    const asTypeScript = bare.startsWith('.') && parent !== undefined ? bare.replace(/\.js$/, '.ts') : bare;
    const isTypeScript = asTypeScript !== bare && existsSync(new URL(asTypeScript, parent));
    const resolved = next(isTypeScript ? asTypeScript : bare, context);
    const altered = new URLSearchParams(query).get('altered') ?? parent?.searchParams.get('altered');
    if (
      altered === null ||
      altered === undefined ||
      !resolved.url.startsWith('file:') ||
      !COPIED.test(pathOf(resolved.url))
    )
      return resolved;
    return { ...resolved, url: `${resolved.url}?altered=${encodeURIComponent(altered)}` };
  },
  load(url, context, next) {
    if (!url.startsWith('file:') || !new URL(url).pathname.endsWith('.ts')) return next(url, context);
    const { code } = transformSync(sourceOf(url), {
      ...SWC,
      swcrc: false,
      filename: pathOf(url),
      sourceMaps: 'inline',
    });
    return { format: 'module', source: code, shortCircuit: true };
  },
});

function sourceOf(url) {
  const text = readFileSync(new URL(url), 'utf8');
  const edit = edits.get(new URL(url).searchParams.get('altered') ?? '');
  return edit?.file === pathOf(url) ? text.replace(edit.from, () => edit.to) : text;
}

const pathOf = (url) => relative(ROOT, fileURLToPath(new URL(url)));
