import { refuse } from '@usufruct/kernel';
import {
  DenseIndex,
  evaluate,
  LsaIndex,
  qualityOf,
  rankingsOf,
  rerankedPlaces,
  RetrievalIndex,
  WAYS,
  type Collection,
  type Quality,
  type Rankings,
  type Reranker,
} from '@usufruct/retrieval';
import { embedAll, httpReranker, type ModelServer } from '../eval/http-models.js';
import { readCollection } from '../eval/read-collection.js';
import type { AddCommand } from '../program.js';

interface EvalOptions {
  readonly embedder?: string;
  readonly model?: string;
  readonly questionPrefix?: string;
  readonly passagePrefix?: string;
  readonly reranker?: string;
  readonly rerankerModel?: string;
}
type Way = keyof typeof WAYS;

export const addEval: AddCommand = (program, open) => {
  program
    .command('eval')
    .description(
      'how well the runner would find what answers the questions of a BEIR folder; sent to named models, and nowhere else',
    )
    .argument('<folder>', 'with corpus.jsonl, queries.jsonl and qrels/test.tsv')
    .option('--embedder <url>', 'a server with /embeddings (http://127.0.0.1:8080/v1), to measure dense vectors, too')
    .option('--model <name>', 'what it calls its model')
    .option('--question-prefix <text>', 'what the model wants to read before a question ("query: ")')
    .option('--passage-prefix <text>', 'and before a passage ("passage: ")')
    .option('--reranker <url>', 'a server with /rerank, to measure the first 32 in its order, too')
    .option('--reranker-model <name>', 'what it calls its model')
    .action(async (folder: string, options: EvalOptions, command) => {
      const { terminal } = open(command);
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

/** The models that are measured, as they were named. */
function serverOf(name: string, url: string | undefined, model: string | undefined): ModelServer | null {
  if (url === undefined && model === undefined) return null;
  if (url !== undefined && model !== undefined) return { url, model };
  throw refuse('INVALID_ARGUMENT', { field: name, expected: `--${name} with its model's name` });
}

async function measure(collection: Collection, options: EvalOptions) {
  const embedder = serverOf('embedder', options.embedder, options.model);
  const reranker = serverOf('reranker', options.reranker, options.rerankerModel);
  const lexical = RetrievalIndex.of(collection.passages.map(({ text }) => text));
  const startedMs = performance.now();
  const lsa = LsaIndex.fit(lexical.bm25.matrix);
  const lsaFitMs = Math.round(performance.now() - startedMs);
  const words = lexical.with({ lsa });
  const { index, vectors } = embedder === null ? { index: words, vectors: undefined } : await withVectors(collection, words, embedder, options); // prettier-ignore
  const ways = (Object.keys(WAYS) as Way[]).filter((way) => way !== 'dense' || index.dense !== null);
  const quality: Record<string, Quality> = {};
  for (const way of ways) quality[way] = evaluate(collection, index, WAYS[way], vectors);
  // What the vectors bring.
  if (index.dense !== null) quality['words'] = evaluate(collection, words, WAYS.fused);
  if (reranker !== null) {
    const fused = rankingsOf(collection, index, WAYS.fused, vectors);
    quality['reranked'] = qualityOf(collection, await reranked(collection, fused, httpReranker(reranker)));
  }
  return { lsaFitMs, dimensions: index.dense?.width ?? null, quality };
}

async function withVectors(collection: Collection, words: RetrievalIndex, server: ModelServer, options: EvalOptions) {
  const judged = collection.queries.filter(({ id }) => collection.judgements.has(id));
  const rows = await embedAll(server, collection.passages.map(({ text }) => text), options.passagePrefix); // prettier-ignore
  const asked = await embedAll(server, judged.map(({ text }) => text), options.questionPrefix); // prettier-ignore
  const dense = DenseIndex.of(server.model, rows);
  if (asked.some(({ length }) => length !== dense.width)) {
    throw refuse('UPSTREAM_INVALID', { url: server.url, field: 'dimensions' });
  }
  const vectors: ReadonlyMap<string, Float32Array> = new Map(judged.map(({ id }, i) => [id, asked[i]!]));
  return { index: words.with({ dense: dense.wantsGraph ? dense.linked() : dense }), vectors };
}

/** The first of each in the order of a model, as the runner does it. */
async function reranked({ passages, queries }: Collection, rankings: Rankings, reranker: Reranker): Promise<Rankings> {
  const inOrder = new Map<string, readonly number[]>();
  for (const { id, text } of queries) {
    const found = rankings.get(id);
    if (found === undefined) continue;
    const places = await rerankedPlaces(reranker, text, found.map((passage) => passages[passage]!.text)); // prettier-ignore
    inOrder.set(id, places.map((place) => found[place]!)); // prettier-ignore
  }
  return inOrder;
}
