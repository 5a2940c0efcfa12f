import { refuse } from '@usufruct/kernel';
import {
  DenseIndex,
  evaluate,
  LsaIndex,
  RetrievalIndex,
  WAYS,
  type Collection,
  type Quality,
} from '@usufruct/retrieval';
import { embedAll } from '../eval/http-embedder.js';
import { readCollection } from '../eval/read-collection.js';
import type { AddCommand } from '../program.js';

interface EvalOptions {
  readonly embedder?: string;
  readonly model?: string;
}
type Way = keyof typeof WAYS;

export const addEval: AddCommand = (program, open) => {
  program
    .command('eval')
    .description('how well the runner would find what answers the questions of a BEIR folder; nothing is sent anywhere')
    .argument('<folder>', 'with corpus.jsonl, queries.jsonl and qrels/test.tsv')
    .option('--embedder <url>', 'a server with /embeddings (http://127.0.0.1:8080/v1), to measure dense vectors, too')
    .option('--model <name>', 'what it calls its model')
    .action(async (folder: string, options: EvalOptions, command) => {
      const { terminal } = open(command);
      if ((options.embedder === undefined) !== (options.model === undefined)) {
        throw refuse('INVALID_ARGUMENT', { field: 'embedder', expected: '--embedder with --model' });
      }
      const collection = await readCollection(folder);
      const measured = await measure(collection, options);
      const { passages, judgements } = collection;
      const size = { passages: passages.length, queries: judgements.size };
      terminal.result({ ...size, ...measured }, [
        `${size.passages} passages, ${size.queries} judged queries; LSA fitted in ${measured.lsaFitMs} ms`,
        `${'search'.padEnd(8)}${['nDCG@10', 'MRR@10', 'Recall@100'].map((name) => name.padStart(12)).join('')}`,
        ...Object.entries(measured.quality).map(([way, quality]) => line(way, quality)),
      ]);
    });
};

const line = (way: string, { ndcgAt10, mrrAt10, recallAt100 }: Quality): string =>
  `${way.padEnd(8)}${[ndcgAt10, mrrAt10, recallAt100].map((value) => value.toFixed(4).padStart(12)).join('')}`;

async function measure(collection: Collection, { embedder, model }: EvalOptions) {
  const texts = collection.passages.map(({ text }) => text);
  const lexical = RetrievalIndex.of(texts);
  const startedMs = performance.now();
  const lsa = LsaIndex.fit(lexical.bm25.matrix);
  const lsaFitMs = Math.round(performance.now() - startedMs);
  let index = lexical.with({ lsa });
  let vectors: ReadonlyMap<string, Float32Array> | undefined;
  if (embedder !== undefined && model !== undefined) {
    const judged = collection.queries.filter(({ id }) => collection.judgements.has(id));
    const ofQueries = await embedAll(embedder, model, judged.map(({ text }) => text)); // prettier-ignore
    vectors = new Map(judged.map(({ id }, i) => [id, ofQueries[i]!]));
    index = index.with({ dense: DenseIndex.of(model, await embedAll(embedder, model, texts)) });
  }
  const ways = (Object.keys(WAYS) as Way[]).filter((way) => way !== 'dense' || index.dense !== null);
  const quality = Object.fromEntries(ways.map((way) => [way, evaluate(collection, index, WAYS[way], vectors)]));
  return { lsaFitMs, quality };
}
