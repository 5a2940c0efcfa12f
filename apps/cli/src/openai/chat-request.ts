import { refuse, type DatasetId } from '@usufruct/kernel';
import { ATTRIBUTIONS, GENERATOR_KINDS, LIMITS, parseAt, zHex32, zSourceFilter } from '@usufruct/protocol';
import { MOST_DATASETS, type AskParams } from '@usufruct/sdk';
import { z } from 'zod';

type Wishes = Pick<AskParams, 'topK' | 'generator' | 'filter' | 'attribution'>;

/** What is asked of whom, out of a body of `/v1/chat/completions`. */
export interface ChatRequest {
  readonly model: string;
  readonly text: string;
  /** None: whatever the model names. */
  readonly datasetIds: readonly DatasetId[];
  readonly purpose: string | null;
  /** What of `rag` goes to the runner with the question. */
  readonly wishes: Wishes;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Parts of the request that have no effect here, by name. */
  readonly ignored: readonly string[];
}

const zPart = z.object({ type: z.string(), text: z.string().optional() });
const zMessage = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: z.union([z.string(), z.array(zPart).max(256)]).nullish(),
});
const zRag = z.strictObject({
  datasets: z.array(zHex32<DatasetId>()).min(1).max(MOST_DATASETS).optional(),
  purpose: z.string().min(1).max(128).optional(),
  topK: z.int().min(1).max(32).optional(),
  generator: z.enum(GENERATOR_KINDS).optional(),
  filter: zSourceFilter.optional(),
  attribution: z.enum(ATTRIBUTIONS).optional(),
});
const zChat = z.looseObject({
  model: z.string().min(1).max(256),
  messages: z.array(zMessage).min(1).max(1_000),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  rag: zRag.optional(),
});
const READ: readonly string[] = ['model', 'messages', 'stream', 'stream_options', 'rag'];

/** How a text is drawn, counted or filed: the answer is no less right without it. Named in the answer as ignored. */
const WITHOUT_EFFECT: readonly string[] = [
  'temperature',
  'top_p',
  'presence_penalty',
  'frequency_penalty',
  'seed',
  'max_tokens',
  'max_completion_tokens',
  'user',
  'metadata',
  'reasoning_effort',
  'verbosity',
  'service_tier',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
];
/** Values that ask for nothing, of parameters that are refused otherwise. */
const ASKS_FOR_NOTHING: Readonly<Record<string, (value: unknown) => boolean>> = {
  n: (value) => value === 1,
  logprobs: (value) => value === false,
  top_logprobs: (value) => value === 0,
  store: (value) => value === false,
  stop: (value) => Array.isArray(value) && value.length === 0,
  tools: (value) => Array.isArray(value) && value.length === 0,
  functions: (value) => Array.isArray(value) && value.length === 0,
  tool_choice: (value) => value === 'none' || value === 'auto',
  function_call: (value) => value === 'none' || value === 'auto',
  parallel_tool_calls: () => true,
  logit_bias: (value) => typeof value === 'object' && value !== null && Object.keys(value).length === 0,
  modalities: (value) => Array.isArray(value) && value.every((one) => one === 'text'),
  response_format: (value) => typeof value === 'object' && value !== null && 'type' in value && value.type === 'text',
};

/**
 * Only the last message is sent, and it must be the user's: it is the question. Earlier turns and system prompts stay on
 * this device and are named in `ignored`, for the runner would not use them. What would change the answer and cannot be
 * had is refused: `INVALID_ARGUMENT` with the field.
 */
export function readChatRequest(body: unknown): ChatRequest {
  const chat = parseAt(zChat, body, 'body');
  const { model, messages, rag } = chat;
  const last = messages.at(-1)!;
  if (last.role !== 'user')
    throw refuse('INVALID_ARGUMENT', { field: 'messages', expected: 'a user message at the end' });
  const text = textOf(last.content).trim();
  if (text === '' || text.length > LIMITS.questionChars) {
    throw refuse('INVALID_ARGUMENT', {
      field: 'messages',
      expected: `1 to ${LIMITS.questionChars} characters of text`,
    });
  }
  const unread = messages.slice(0, -1).map(({ role }, i) => `messages[${i}] (${role})`);
  const datasetIds = rag?.datasets ?? [];
  if (new Set(datasetIds).size < datasetIds.length)
    throw refuse('INVALID_ARGUMENT', { field: 'rag.datasets', expected: 'each dataset once' });
  return {
    model,
    text,
    datasetIds,
    purpose: rag?.purpose ?? null,
    wishes: rag === undefined ? {} : wishesOf(rag),
    stream: chat.stream === true,
    includeUsage: chat.stream_options?.include_usage === true,
    ignored: [...unread, ...ignoredParameters(chat)],
  };
}

function wishesOf({ topK, generator, filter, attribution }: z.output<typeof zRag>): Wishes {
  return {
    ...(topK !== undefined && { topK }),
    ...(generator !== undefined && { generator }),
    ...(filter !== undefined && { filter }),
    ...(attribution !== undefined && { attribution }),
  };
}

function textOf(content: z.output<typeof zMessage>['content']): string {
  if (typeof content === 'string') return content;
  return (content ?? [])
    .map(({ type, text }) => {
      if (type !== 'text' || text === undefined) {
        throw refuse('INVALID_ARGUMENT', { field: 'messages', expected: 'text, no images, sound or files' });
      }
      return text;
    })
    .join('\n');
}

function ignoredParameters(chat: Readonly<Record<string, unknown>>): string[] {
  const ignored: string[] = [];
  for (const [name, value] of Object.entries(chat)) {
    if (READ.includes(name) || value === undefined || value === null) continue;
    if (WITHOUT_EFFECT.includes(name)) ignored.push(name);
    else if (!Object.hasOwn(ASKS_FOR_NOTHING, name) || ASKS_FOR_NOTHING[name]?.(value) !== true) {
      const field = /^[a-z][a-z0-9_]{0,40}$/.test(name) ? name : 'body';
      throw refuse('INVALID_ARGUMENT', { field, reason: 'not offered by this endpoint' });
    }
  }
  return ignored;
}
