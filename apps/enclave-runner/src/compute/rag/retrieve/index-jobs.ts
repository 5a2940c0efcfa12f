/** What is computed of an index where nobody waits: the same anywhere. Imports the retrieval library alone. */
import {
  DenseIndex,
  isGraph,
  isLsa,
  isTermMatrix,
  LsaIndex,
  termMatrix,
  type GraphLinks,
  type LsaBasis,
  type QuantisedRows,
  type TermMatrix,
} from '@usufruct/retrieval';

/** Which words stand in texts that nothing is known of yet, and what they mean by their company. */
export interface TextsJob {
  readonly texts: readonly string[];
  readonly hasLsa: boolean;
}
/** LSA of an index that was patched. */
export interface FitJob {
  readonly matrix: TermMatrix;
}
/** Vectors whose graph is not there yet, or not of all of them. */
export interface GraphJob {
  readonly vectors: Float32Array;
  readonly width: number;
  readonly graph: GraphLinks | null;
}
export type Job = TextsJob | FitJob | GraphJob;

/** Null where there are too few passages. */
export type LsaParts = { readonly basis: LsaBasis; readonly passages: QuantisedRows } | null;
export interface TextsReply {
  readonly matrix: TermMatrix;
  readonly lsa: LsaParts;
}
export interface FitReply {
  readonly lsa: LsaParts;
}
/** Null where there can be none. */
export interface GraphReply {
  readonly graph: GraphLinks | null;
}
export type ReplyTo<J extends Job> = J extends TextsJob ? TextsReply : J extends FitJob ? FitReply : GraphReply;

export function workOn(job: Job): TextsReply | FitReply | GraphReply {
  if ('texts' in job) return readTexts(job);
  if ('matrix' in job) return { lsa: fitted(job.matrix) };
  const { vectors, width, graph } = job;
  const made = new DenseIndex('', width, vectors).withGraph(graph).linked().graph;
  return { graph: made && linksOf(made) };
}

export function readTexts({ texts, hasLsa }: TextsJob): TextsReply {
  const matrix = termMatrix(texts);
  return { matrix, lsa: hasLsa ? fitted(matrix) : null };
}

export function fitted(matrix: TermMatrix): LsaParts {
  const lsa = LsaIndex.fit(matrix);
  return lsa && { basis: lsa.basis, passages: lsa.passages };
}

/** Without its class, which does not go from process to process. */
export const linksOf = ({ levels, base, upper, left }: GraphLinks): GraphLinks => ({ levels, base, upper, left });

/**
 * Whether a process has answered this as one does: what it works on was written by contributors, and whoever took it over
 * could have the runner look through lists without an end. That it is true of the texts is not proven. In steps.
 */
export function* isReplyTo(job: Job, said: unknown): Generator<void, boolean, void> {
  const { matrix, lsa, graph } = said as Partial<TextsReply & GraphReply>;
  if ('matrix' in job) return lsa === null || (yield* isLsa(lsa, job.matrix));
  if ('vectors' in job) return graph === null || (yield* isGraph(graph, job.vectors.length / job.width));
  if (matrix === undefined || !(yield* isTermMatrix(matrix, job.texts.length))) return false;
  return lsa === null || (job.hasLsa && (yield* isLsa(lsa, matrix)));
}
