import type { DatasetId, UsufructError } from '@usufruct/kernel';
import type { ChainInfo } from '@usufruct/protocol';
import { sentencesOf, type PaidAnswer } from '@usufruct/sdk';
import { formatCoins } from '../amounts.js';
import { inertText } from '../inert-text.js';
import { signedRefusalOf, standInsOf } from './backend.js';
import type { ChatRequest } from './chat-request.js';

/** Of the datasets that were named. */
export interface ChatAnswers {
  /** At least one. */
  readonly answers: readonly PaidAnswer[];
  readonly refused: readonly { readonly datasetId: DatasetId; readonly error: UsufructError }[];
}

export interface AnswerContext extends ChatAnswers {
  readonly request: ChatRequest;
  readonly coin: ChainInfo['coin'];
  /** What of this system only stands in for something. */
  readonly standIns: readonly string[];
  readonly createdS: number;
}

const CHARS_PER_TOKEN = 4;
const tokensOf = (text: string): number => Math.ceil(text.length / CHARS_PER_TOKEN);

/** What is written before each answer where several datasets were asked: numbers of citations begin anew with each. */
const headingsOf = ({ answers, refused }: AnswerContext): string[] =>
  answers.map(({ datasetId }, i) =>
    answers.length + refused.length === 1 ? '' : `${i === 0 ? '' : '\n\n'}Dataset ${datasetId}:\n`,
  );
const contentOf = (context: AnswerContext): string => {
  const headings = headingsOf(context);
  return context.answers.map(({ answer }, i) => `${headings[i]}${inertText(answer.text)}`).join('');
};

/** There is no tokenizer, and nobody is paid by tokens: an estimate, and `usufruct.usage` says so. */
function usageOf(context: AnswerContext) {
  const [prompt, completion] = [tokensOf(context.request.text), tokensOf(contentOf(context))];
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

const headOf = ({ request, answers, createdS }: AnswerContext, object: string) => ({
  id: `chatcmpl-${answers[0]!.questionId.slice(2)}`,
  object,
  created: createdS,
  model: request.model,
});

/** What OpenAI's form has no place for: where each sentence comes from, what it cost, and what was left out. */
export function extensionOf(context: AnswerContext) {
  const { request, answers, refused, coin, standIns } = context;
  const parts = answers.map((paid) => partOf(paid, coin));
  const costUnits = answers.reduce((sum, paid) => sum + paid.costUnits, 0n);
  const ofSeveral = {
    cost_units: String(costUnits),
    cost: formatCoins(costUnits, coin),
    parts,
    refused: refused.map(({ datasetId, error }) => ({
      dataset_id: datasetId,
      code: error.code,
      ...signedRefusalOf(error),
    })),
  };
  return {
    ...(answers.length + refused.length === 1 ? parts[0]! : ofSeveral),
    sent: 'the last user message',
    ignored: request.ignored,
    usage: `estimated: ${CHARS_PER_TOKEN} characters a token`,
    stand_ins: [...new Set(answers.flatMap(({ evidence }) => standInsOf(standIns, evidence)))],
  };
}

const partOf = (paid: PaidAnswer, coin: ChainInfo['coin']) => ({
  receipt_id: paid.receiptId,
  attestation_digest: paid.evidenceDigest,
  dataset_id: paid.datasetId,
  job_id: paid.jobId,
  question_id: paid.questionId,
  cost_units: String(paid.costUnits),
  cost: formatCoins(paid.costUnits, coin),
  repeated: paid.isRepeat,
  generator: paid.answer.generator,
  model: paid.answer.model ?? null,
  known: paid.answer.sentences.length > 0,
  citations: paid.answer.citations.map(({ contributionId, fileName, locator, quote }, i) => ({
    number: i + 1,
    contribution_id: contributionId,
    file_name: fileName,
    locator,
    quote,
  })),
});

export const completionOf = (context: AnswerContext) => ({
  ...headOf(context, 'chat.completion'),
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: contentOf(context), refusal: null },
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
  const headings = headingsOf(context);
  for (const [of, { answer }] of context.answers.entries()) {
    for (const [i, { shown }] of sentencesOf(answer).entries()) {
      yield chunk({ content: `${i === 0 ? headings[of] : ' '}${inertText(shown)}` }, null);
    }
  }
  yield chunk({}, 'stop', { usufruct: extensionOf(context) });
  if (context.request.includeUsage) yield { ...head, choices: [], usage: usageOf(context) };
}
