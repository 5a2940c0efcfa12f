import { createHmac } from 'node:crypto';
import { sha256 } from '@usufruct/crypto';
import { lengthPrefixed, refuse, toUsufructError, utf8, type ContributionId } from '@usufruct/kernel';
import { TAGS, type DatasetView, type JobView } from '@usufruct/protocol';
import { termsOf } from '@usufruct/retrieval';
import type { RunnerContext } from '../../context.js';
import {
  AnswerReview,
  hasRule,
  wordsOnly,
  type Corpus,
  type PassageSource,
  type ReviewOptions,
  type ShownBefore,
} from '../rag/index.js';
import { noteWalk } from './walk-notices.js';
import { LOOKS, looksLikeWalking, type Look } from './walking.js';

type MonitorContext = Pick<RunnerContext, 'wallet' | 'store' | 'logger' | 'chain' | 'keys' | 'clock'>;
const TAG_BYTES = 16;
const REMEMBERED_ASKERS = 1_000;
/** Passages that are looked through for a sentence, whatever the asker's filter. */
const PLACES = 32;

const keys = new WeakMap<RunnerContext['wallet'], Promise<Uint8Array>>();
const looksOf = new WeakMap<RunnerContext['store'], Map<string, Look[]>>();

/**
 * The key of all that is kept of askers. It has to outlive this process, whose attested keys do not, so it is made of
 * the runner's wallet: a signature that is never given away, the same each time (Ed25519, RFC 8032).
 */
function keyOf(wallet: RunnerContext['wallet']): Promise<Uint8Array> {
  const known = keys.get(wallet);
  if (known !== undefined) return known;
  const made = wallet.signPersonalMessage(utf8(TAGS.shownKey)).then((signature) => sha256(utf8(signature)));
  keys.set(wallet, made);
  // A wallet that is away now may sign the next time.
  made.catch(() => keys.delete(wallet));
  return made;
}

const tagOf = (key: Uint8Array, kind: string, value: string): Uint8Array =>
  new Uint8Array(
    createHmac('sha256', key)
      .update(lengthPrefixed(utf8(kind), utf8(value)))
      .digest()
      .subarray(0, TAG_BYTES),
  );

/** A retired contribution leaves no trace here, whoever was shown it. */
export async function forgetShown(
  { wallet, store }: Pick<MonitorContext, 'wallet' | 'store'>,
  id: ContributionId,
): Promise<void> {
  store.shown.forget(tagOf(await keyOf(wallet), 'contribution', id));
}

/** Of many that were retired, now or before. Never rejects: whoever looks the next time tries again. */
export async function forgetRetired(
  context: Pick<MonitorContext, 'wallet' | 'store' | 'logger'>,
  ids: readonly ContributionId[],
): Promise<void> {
  try {
    if (context.store.shown.isEmpty) return;
    for (const id of ids) await forgetShown(context, id);
  } catch (error) {
    context.logger.warn('extraction.not_forgotten', { code: toUsufructError(error).code });
  }
}

/** What a dataset's rules ask to be kept of one asker, and the review of one answer by them. */
export interface Guard {
  readonly review: (seen: readonly PassageSource[]) => AnswerReview;
  /** Refuses `REACH_LIMIT` where all that there was to say was withheld because the asker has seen enough. */
  requireSomething(isKnown: boolean): void;
}
export interface GuardFor {
  readonly job: JobView;
  readonly dataset: DatasetView;
  readonly question: string;
  readonly corpus: Corpus;
  readonly ownerOf: ReviewOptions['ownerOf'];
  /** What the session has as of now: what was erased while the answer was made leaves no trace. All where nothing is said. */
  readonly held?: () => ReadonlySet<ContributionId>;
}

/**
 * Null where the dataset has no rule: then nothing is compared and nothing kept. The asker is the address that funded
 * the job. The same person under a fresh address is another asker, and what another runner has shown is not known here.
 *
 * What an answer shows is written down before it is signed, in the moment in which it is judged: of two answers that
 * are made at the same time the second one knows of the first.
 */
export async function guardFor(context: MonitorContext, about: GuardFor): Promise<Guard | null> {
  const { job, dataset, ownerOf, corpus } = about;
  const passages = corpus.passages.length;
  const rules = dataset.answerRules;
  if (!hasRule(rules)) return null;
  const key = await keyOf(context.wallet);
  const tag = (kind: string, value: string): Uint8Array => tagOf(key, kind, value);
  const asker = { asker: tag('asker', job.requester), dataset: tag('dataset', dataset.id) };
  const { shown } = context.store;
  const wordsOf = ({ chunk }: PassageSource): string => wordsOnly(chunk.text);
  const passageOf = (source: PassageSource): Uint8Array => tag('passage', wordsOf(source));
  const contributionOf = (id: ContributionId): Uint8Array => tag('contribution', id);
  const holds = (passage: string, text: string): boolean => ` ${wordsOnly(passage)} `.includes(` ${wordsOnly(text)} `);
  const placesOf = (text: string): PassageSource[] =>
    corpus.index
      .search(termsOf(text), PLACES)
      .map(({ passage }) => corpus.passages[passage]!)
      .flatMap((passage) => (holds(passage.text, text) ? passage.sources : []));
  let reviewed: AnswerReview | null = null;
  return {
    review: (seen) => {
      const before: ShownBefore = {
        passages: shown.passages(asker),
        has: (source) => shown.hasPassage(asker, passageOf(source)),
        spansOf: (id) => shown.spansOf(asker.asker, contributionOf(id)),
      };
      const record: ReviewOptions['record'] = (all) => {
        const held = about.held?.();
        const now = held === undefined ? all : all.filter(({ source }) => held.has(source.contributionId));
        if (now.length === 0) return;
        shown.add(
          asker,
          now.map(({ source, spans }) => ({
            passage: passageOf(source),
            contribution: contributionOf(source.contributionId),
            spans,
          })),
        );
        const look = {
          shown: new Set(now.map(({ source }) => wordsOf(source))).size,
          terms: new Set(termsOf(about.question)),
        };
        notice(context, about, { ...look, fresh: shown.passages(asker) - before.passages });
      };
      return (reviewed = new AnswerReview({ rules, seen, placesOf, ownerOf, passages, before, wordsOf, record }));
    },
    requireSomething: (isKnown) => {
      if (!isKnown && reviewed?.withheld.has('reach')) throw refuse('REACH_LIMIT', { datasetId: dataset.id });
    },
  };
}

/**
 * What is looked at is in this process's memory only: a sign, not a limit. What is noticed is signed, for those whom it
 * concerns; no answer waits for that.
 */
function notice(context: MonitorContext, { job, dataset, corpus }: GuardFor, look: Look): void {
  const passages = corpus.passages.length;
  const { store, logger } = context;
  const known = looksOf.get(store) ?? new Map<string, Look[]>();
  looksOf.set(store, known);
  const key = `${job.requester}/${dataset.id}`;
  const looks = [...(known.get(key) ?? []), look].slice(-LOOKS);
  known.delete(key);
  known.set(key, looks);
  const [oldest] = known.keys();
  if (known.size > REMEMBERED_ASKERS && oldest !== undefined) known.delete(oldest);
  const covered = looks.reduce((sum, { fresh }) => sum + fresh, 0);
  if (!looksLikeWalking(looks, covered / Math.max(1, passages))) return;
  const who = { jobId: job.id, datasetId: dataset.id, asker: job.requester };
  logger.warn('extraction.walking', { ...who, passages, covered });
  noteWalk(context, { ...who, daoId: job.daoId, answers: looks.length, passages, covered }).catch((error: unknown) =>
    logger.warn('extraction.not_noted', { ...who, code: toUsufructError(error).code }),
  );
}
