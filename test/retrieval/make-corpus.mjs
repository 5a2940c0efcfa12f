/**
 * `node test/retrieval/make-corpus.mjs > corpus.jsonl`: the passages of the project's own documents, as the test
 * collection in `own-text/` has them: paragraphs, list items and table rows of 12 words or more, with the headings above
 * them as their title. The judgements name passages by these ids, so the committed file stays as it is when documents
 * change; a new one needs new judgements.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const LEAST_WORDS = 12;

const folders = ['.', 'docs', 'docs/adr'];
const files = folders.flatMap((folder) =>
  readdirSync(resolve(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .toSorted()
    .map((name) => `${folder}/${name}`),
);
for (const file of files) {
  const name = basename(file, '.md').toLowerCase();
  let count = 0;
  for (const { title, text } of passages(readFileSync(resolve(ROOT, file), 'utf8'))) {
    if (text.split(/\s+/).length < LEAST_WORDS) continue;
    count += 1;
    process.stdout.write(`${JSON.stringify({ _id: `${name}-${count}`, title, text })}\n`);
  }
}

function* passages(markdown) {
  const headings = [];
  // The first cell of a row stands for the rows below that leave it empty.
  let actor = '';
  const plain = markdown.replace(/^```[^]*?^```$/gm, '');
  for (const block of plain.split(/\n{2,}|\n(?=\||[-*] |\d+\. |#)/)) {
    const text = block.trim().replace(/\s+/g, ' ');
    const heading = /^(#+) (.*)$/.exec(text);
    if (heading !== null) {
      headings.splice(heading[1].length - 1, Infinity, heading[2]);
      actor = '';
      continue;
    }
    const title = headings.filter(Boolean).join(' › ');
    if (!text.startsWith('|')) {
      yield { title, text: clean(text.replace(/^([-*]|\d+\.) /, '')) };
      continue;
    }
    const cells = text.split('|').slice(1, -1).map(clean);
    if (cells.every((cell) => /^[-: ]*$/.test(cell))) continue;
    actor = cells[0] || actor;
    yield { title, text: [actor, ...cells.slice(1)].filter(Boolean).join(': ') };
  }
}

function clean(text) {
  return text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*]/g, '')
    .trim();
}
