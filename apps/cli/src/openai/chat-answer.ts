import type { ChainInfo } from '@usufruct/protocol';
import { sentencesOf, type PaidAnswer } from '@usufruct/sdk';
import { formatCoins } from '../amounts.js';
import { standInsOf } from './backend.js';
import type { ChatRequest } from './chat-request.js';

export interface AnswerContext {
  readonly request: ChatRequest;
  readonly paid: PaidAnswer;
  readonly coin: ChainInfo['coin'];
  /** What of this system only stands in for something. */
  readonly standIns: readonly string[];
  readonly createdS: number;
}

const CHARS_PER_TOKEN = 4;
const tokensOf = (text: string): number => Math.ceil(text.length / CHARS_PER_TOKEN);

/** There is no tokenizer, and nobody is paid by tokens: an estimate, and `usufruct.usage` says so. */
function usageOf({ request, paid }: AnswerContext) {
  const [prompt, completion] = [tokensOf(request.text), tokensOf(paid.answer.text)];
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

const headOf = ({ request, paid, createdS }: AnswerContext, object: string) => ({
  id: `chatcmpl-${paid.questionId.slice(2)}`,
  object,
  created: createdS,
  model: request.model,
});

/** What OpenAI's form has no place for: where each sentence comes from, what it cost, and what was left out. */
export function extensionOf({ request, paid, coin, standIns }: AnswerContext) {
  const { answer, evidence } = paid;
  return {
    receipt_id: paid.receiptId,
    attestation_digest: paid.evidenceDigest,
    dataset_id: paid.datasetId,
    job_id: paid.jobId,
    question_id: paid.questionId,
    cost_units: String(paid.costUnits),
    cost: formatCoins(paid.costUnits, coin),
    repeated: paid.isRepeat,
    generator: answer.generator,
    model: answer.model ?? null,
    known: answer.sentences.length > 0,
    citations: answer.citations.map(({ contributionId, fileName, locator, quote }, i) => ({
      number: i + 1,
      contribution_id: contributionId,
      file_name: fileName,
      locator,
      quote,
    })),
    sent: 'the last user message',
    ignored: request.ignored,
    usage: `estimated: ${CHARS_PER_TOKEN} characters a token`,
    stand_ins: standInsOf(standIns, evidence),
  };
}

export const completionOf = (context: AnswerContext) => ({
  ...headOf(context, 'chat.completion'),
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: context.paid.answer.text, refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: usageOf(context),
  usufruct: extensionOf(context),
});

/** A chunk for each sentence; together their contents are the answer's text. The last one has what the form has no place for. */
export function* chunksOf(context: AnswerContext): Generator<object> {
  const head = headOf(context, 'chat.completion.chunk');
  const withUsage = context.request.includeUsage ? { usage: null } : {};
  const chunk = (delta: object, finish: 'stop' | null, more: object = {}) => ({
    ...head,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...withUsage,
    ...more,
  });
  yield chunk({ role: 'assistant', content: '' }, null);
  for (const [i, { shown }] of sentencesOf(context.paid.answer).entries()) {
    yield chunk({ content: i === 0 ? shown : ` ${shown}` }, null);
  }
  yield chunk({}, 'stop', { usufruct: extensionOf(context) });
  if (context.request.includeUsage) yield { ...head, choices: [], usage: usageOf(context) };
}
