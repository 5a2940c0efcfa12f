import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Collection } from '@usufruct/retrieval';

const FOLDER = join(import.meta.dirname, 'own-text');

interface Line {
  readonly _id: string;
  readonly title?: string;
  readonly text: string;
}
const lines = (name: string): Line[] =>
  readFileSync(join(FOLDER, name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

/** The test collection of the project's own text: written, asked and judged by us, under the project's licence. */
export function ownText(): Collection {
  const judgements = new Map<string, Map<string, number>>();
  for (const line of readFileSync(join(FOLDER, 'qrels/test.tsv'), 'utf8').trim().split('\n').slice(1)) {
    const [query, passage, grade] = line.split('\t') as [string, string, string];
    judgements.set(query, (judgements.get(query) ?? new Map<string, number>()).set(passage, Number(grade)));
  }
  return {
    passages: lines('corpus.jsonl').map(({ _id, title, text }) => ({ id: _id, text: `${title}\n${text}` })),
    queries: lines('queries.jsonl').map(({ _id, text }) => ({ id: _id, text })),
    judgements,
  };
}
