import { performance } from 'node:perf_hooks';
import type { RunningSystem } from '#local/system.js';
import { contributor, found, fundedSession } from '../support/players.ts';
import { percentile, progress, target, type BenchPart } from './report.ts';

const SIZES = [100, 1_000, 10_000];
const WARM_UP = 5;
const QUESTIONS = 40;
const WORDS_PER_PARAGRAPH = 130;
const VOCABULARY = 6_000;

/**
 * Latency of a question without a language model on a warm index, as a client sees it: appraise the runner, seal,
 * relay through the API, decide again by the chain's grants, retrieve, answer, sign and settle the receipt on the
 * chain, open the answer and verify every check of the receipt.
 */
export async function benchAsk(system: RunningSystem): Promise<BenchPart> {
  const results: object[] = [];
  const targets: BenchPart['targets'][number][] = [];
  for (const paragraphs of SIZES) {
    progress(`ask: ${paragraphs} paragraphs`);
    const dao = await found(system.endpoints);
    const startedMs = performance.now();
    await contributor(system.endpoints, dao, 'paragraphs.txt', documentOf(paragraphs));
    const { session } = await fundedSession(system.endpoints, dao.dataset.id, WARM_UP + QUESTIONS);
    const timesMs: number[] = [];
    let firstMs = 0;
    for (let i = 0; i < WARM_UP + QUESTIONS; i++) {
      const text = `Which crew found ${marker((i * 7) % paragraphs)} and what happened there?`;
      const askedMs = performance.now();
      const asked = await session.ask({ key: `q${i}`, text });
      if (asked.answer.citations.length === 0) throw new Error(`question ${i} found nothing`);
      if (i === 0) firstMs = performance.now() - startedMs;
      if (i >= WARM_UP) timesMs.push(performance.now() - askedMs);
    }
    const { chunks } = await session.progress();
    const p50 = percentile(timesMs, 50);
    results.push({
      name: 'ask',
      paragraphs,
      chunks,
      questions: QUESTIONS,
      p50_ms: p50,
      p99_ms: percentile(timesMs, 99),
      upload_to_first_answer_ms: firstMs,
    });
    progress(`  p50 ${p50.toFixed(1)} ms`);
    if (paragraphs === 10_000) targets.push(target('ask.p50_ms.10000', p50, 'ms', '<=', 150));
  }
  return { results, targets };
}

const marker = (paragraph: number): string => `site${paragraph.toString(36)}x`;

/** Paragraphs of words with Zipf-like frequencies, each with one word that only it has. Deterministic. */
function documentOf(paragraphs: number): string {
  let state = 12_345;
  const next = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
  const word = (): string => `w${Math.floor(VOCABULARY ** next()).toString(36)}`;
  const sentence = (length: number): string => Array.from({ length }, word).join(' ');
  return Array.from(
    { length: paragraphs },
    (_, i) =>
      `The crew found ${marker(i)} after ${sentence(20)}. ${Array.from({ length: 7 }, () => `Then ${sentence((WORDS_PER_PARAGRAPH - 24) / 7)}.`).join(' ')}`,
  ).join('\n\n');
}
