import { fromBase64 } from '@usufruct/kernel';
import { receiptDigest, shownSentence, spokenSentences, type Answer, type StreamPart } from '@usufruct/protocol';
import type { ClientContext } from '../context.js';
import { streamBroken } from './answer-pieces.js';
import { askQuestion, type AskedJob, type Asked, type AskOptions, type AskStep } from './ask.js';
import { EventQueue } from './event-queue.js';
import { followStream } from './follow-stream.js';
import type { QuestionRecord } from './question-record.js';

type Citation = Answer['citations'][number];

/** One sentence of an answer. */
export interface AnswerSentence {
  readonly text: string;
  /** What it cites, with the number that `shown` has for it, from 1. */
  readonly citations: readonly (Citation & { readonly number: number })[];
  /** With its numbers: "Bees sleep. [1][2]". All of them, with a space between, are the answer's text. */
  readonly shown: string;
}

export type AskEvent =
  | { readonly kind: 'step'; readonly step: AskStep }
  /** Sent by an attested runner, and paid for; that it belongs to the receipt is known with the event `answer`. */
  | { readonly kind: 'sentence'; readonly sentence: AnswerSentence }
  /** The last one: all that was shown is what the verified receipt is about. */
  | { readonly kind: 'answer'; readonly asked: Asked };

/**
 * Ask, and tell what happens as it does. The question goes the ordinary way; its pieces come beside that and are compared
 * with the answer that the receipt is about. Where no pieces come, the sentences follow from the answer, after `step`
 * `done`. Whoever stops reading after the step `asking` may have asked all the same: the same key goes on, and pays once.
 *
 * Throws what `ask` does, and `STREAM_BROKEN` with the check that failed where pieces are not what they must be.
 */
export async function* askStreaming(
  context: ClientContext,
  job: AskedJob,
  first: QuestionRecord,
  options: AskOptions,
): AsyncGenerator<AskEvent, Asked> {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal]);
  const events = new EventQueue<StreamPart | AskStep>();
  const shown = new ShownSentences();
  let record = first;
  let isFollowed = false;
  const follow = async (): Promise<void> => {
    for await (const part of followStream(context, job.jobId, () => record, signal)) events.push(part);
  };
  const onSent = (sent: QuestionRecord): void => {
    record = sent;
    if (isFollowed) return;
    isFollowed = true;
    follow().catch((error: unknown) => events.fail(error));
  };
  const onStep = (step: AskStep): void => {
    options.onStep?.(step);
    events.push(step);
  };
  const asking = askQuestion(context, job, first, { ...options, signal, onStep }, onSent);
  asking.then(
    () => events.end(),
    (error: unknown) => events.fail(error),
  );
  try {
    for await (const event of events) {
      if (typeof event === 'string') yield { kind: 'step', step: event };
      else if (event.kind === 'end') shown.close(event);
      else yield { kind: 'sentence', sentence: shown.add(event) };
    }
    const asked = await asking;
    for (const sentence of shown.restOf(asked)) yield { kind: 'sentence', sentence };
    yield { kind: 'answer', asked };
    return asked;
  } finally {
    stop.abort();
    await asking.catch(() => undefined);
  }
}

/** What the reader was shown, to be held against the answer that the receipt is about. */
class ShownSentences {
  readonly #sentences: AnswerSentence[] = [];
  readonly #citations: Citation[] = [];
  #receiptDigest: string | null = null;

  add({ text, citations, cited }: Extract<StreamPart, { kind: 'sentence' }>): AnswerSentence {
    this.#citations.push(...cited);
    if (citations.some((index) => index >= this.#citations.length)) throw streamBroken('FORM');
    const sentence = sentenceOf({ text, citations }, this.#citations);
    this.#sentences.push(sentence);
    return sentence;
  }

  close(end: Extract<StreamPart, { kind: 'end' }>): void {
    this.#receiptDigest = end.receiptDigest;
  }

  /** What was not shown yet of the answer. Refuses `STREAM_BROKEN` where something else was shown. */
  restOf({ answer, evidence }: Asked): AnswerSentence[] {
    const all = sentencesOf(answer);
    const isSame = this.#sentences.every((sentence, i) => JSON.stringify(sentence) === JSON.stringify(all[i]));
    if (!isSame) throw streamBroken('ANSWER');
    const isOther = this.#receiptDigest !== null && this.#receiptDigest !== digestOfReceipt(evidence.receipt);
    if (isOther) throw streamBroken('RECEIPT');
    if (this.#receiptDigest !== null && this.#sentences.length !== all.length) throw streamBroken('ANSWER');
    return all.slice(this.#sentences.length);
  }
}

const digestOfReceipt = (receipt: string): string => receiptDigest(fromBase64(receipt));

/** The sentences of an answer; what it says beside or instead of them, too, which cites nothing. */
export const sentencesOf = (answer: Answer): AnswerSentence[] =>
  spokenSentences(answer).map((sentence) => sentenceOf(sentence, answer.citations));

const sentenceOf = ({ text, citations }: Answer['sentences'][number], list: readonly Citation[]): AnswerSentence => ({
  text,
  citations: citations.flatMap((index) => {
    const citation = list[index];
    return citation === undefined ? [] : [{ ...citation, number: index + 1 }];
  }),
  shown: shownSentence({ text, citations }),
});
