import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { refuse } from '@usufruct/kernel';
import type { Collection } from '@usufruct/retrieval';
import { z } from 'zod';

const zId = z.string().min(1).max(1_024);
const zPassage = z.object({ _id: zId, title: z.string().nullish(), text: z.string() });
const zQuery = z.object({ _id: zId, text: z.string() });
/** As text: `Number` takes an empty field for 0. */
const zGrade = z
  .string()
  .regex(/^-?\d{1,3}$/)
  .transform(Number);
const zJudgement = z.tuple([zId, zId, zGrade]);

const FILES = { corpus: 'corpus.jsonl', queries: 'queries.jsonl', judgements: 'qrels/test.tsv' } as const;

/**
 * A folder as BEIR lays them out (Thakur et al. 2021): `corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv` with a line of
 * names first. A title is searched with its text. Judgements of queries that are not there have no part.
 *
 * Refuses `NOT_FOUND` for a file that cannot be read, and `INVALID_ARGUMENT` naming file and line for one that is not as
 * it should be, for an id that comes twice, for no passages, and where no query has a judgement.
 */
export async function readCollection(folder: string): Promise<Collection> {
  const passages = await readJsonLines(folder, FILES.corpus, zPassage);
  if (passages.length === 0) throw broken(FILES.corpus, 'a passage');
  const queries = await readJsonLines(folder, FILES.queries, zQuery);
  const judgements = await readJudgements(folder);
  if (!queries.some(({ _id }) => judgements.has(_id))) throw broken(FILES.judgements, 'a judgement about a query');
  return {
    passages: passages.map(({ _id, title, text }) => ({ id: _id, text: title ? `${title}\n${text}` : text })),
    queries: queries.map(({ _id, text }) => ({ id: _id, text })),
    judgements: new Map(queries.flatMap(({ _id }) => (judgements.has(_id) ? [[_id, judgements.get(_id)!]] : []))),
  };
}

async function readJsonLines<T extends { _id: string }>(folder: string, name: string, shape: z.ZodType<T>) {
  const found = new Map<string, T>();
  for await (const { text, number } of linesOf(folder, name)) {
    const parsed = shape.safeParse(jsonOf(text));
    if (!parsed.success || found.has(parsed.data._id)) throw broken(name, 'an object with _id and text', number);
    found.set(parsed.data._id, parsed.data);
  }
  return [...found.values()];
}

async function readJudgements(folder: string): Promise<Map<string, Map<string, number>>> {
  const judgements = new Map<string, Map<string, number>>();
  for await (const { text, number } of linesOf(folder, FILES.judgements)) {
    const parsed = zJudgement.safeParse(text.split('\t'));
    if (parsed.success) {
      const [query, passage, grade] = parsed.data;
      judgements.set(query, (judgements.get(query) ?? new Map<string, number>()).set(passage, grade));
    } else if (number > 1) throw broken(FILES.judgements, 'query, passage and grade, with tabs between', number);
  }
  return judgements;
}

async function* linesOf(folder: string, name: string): AsyncGenerator<{ text: string; number: number }> {
  let number = 0;
  try {
    for await (const text of createInterface({ input: createReadStream(join(folder, name)), crlfDelay: Infinity })) {
      number += 1;
      if (text.trim() !== '') yield { text, number };
    }
  } catch (cause) {
    if (typeof cause === 'object' && cause !== null && 'syscall' in cause)
      throw refuse('NOT_FOUND', { object: name, path: folder }, cause);
    throw cause;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const broken = (file: string, expected: string, line?: number) =>
  refuse('INVALID_ARGUMENT', { field: file, expected, ...(line !== undefined && { line: String(line) }) });
