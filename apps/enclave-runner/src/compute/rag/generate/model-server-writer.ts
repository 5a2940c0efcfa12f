import { parseJson, refuse, UsufructError } from '@usufruct/kernel';
import type { Model } from '@usufruct/protocol';
import { isInputRefused } from '@usufruct/retrieval';
import { z } from 'zod';
import type { ModelServerAddress } from '../../model-server/address.js';
import { postToModel } from '../../model-server/post.js';
import { PROMPT_REFUSED, type ModelWriter } from './model-generator.js';
import type { Prompt } from './prompt.js';

export interface ModelServerOptions {
  readonly address: ModelServerAddress;
  /** What the server calls it, and what its files hash to. */
  readonly model: Model;
  readonly timeoutMs: number;
  readonly maxTokens: number;
}

/** Events of a stream are wordy: some hundred bytes for each token. */
const BYTES_AT_MOST = 4 * 1024 ** 2;
/** Twelve sentences with room for thoughts; what comes after is not read. */
const CHARS_AT_MOST = 32_000;

/** An event of the stream: text, or the end. Tools that a model asks for are not even looked at. */
const zEvent = z.object({
  choices: z
    .array(z.object({ delta: z.object({ content: z.string().nullish() }).optional(), text: z.string().optional() }))
    .optional(),
  error: z.unknown().optional(),
});

/**
 * A model server that speaks OpenAI's chat completions as a stream (llama.cpp, vLLM), on this machine. Nothing but the
 * prompt is sent: no tools, no user, no key. Refuses `GENERATOR_UNAVAILABLE` with what was wrong, never with its words.
 */
export const modelServerWriter = (options: ModelServerOptions): ModelWriter => ({
  model: options.model,
  write: (prompt, signal) => writeOnce(options, prompt, signal),
});

async function writeOnce(options: ModelServerOptions, prompt: Prompt, signal: AbortSignal): Promise<string> {
  let text = '';
  try {
    for await (const delta of deltasOf(options, prompt, signal)) {
      text += delta;
      if (text.length >= CHARS_AT_MOST) return text.slice(0, CHARS_AT_MOST);
    }
    return text;
  } catch (cause) {
    const reason = isInputRefused(cause)
      ? PROMPT_REFUSED
      : cause instanceof UsufructError
        ? (cause.details['reason'] ?? cause.code)
        : 'fault';
    throw refuse('GENERATOR_UNAVAILABLE', { model: options.model.name, reason }, cause);
  }
}

async function* deltasOf(
  { address, model, timeoutMs, maxTokens }: ModelServerOptions,
  { system, user }: Prompt,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const body = {
    model: model.name,
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: user },
    ],
    stream: true,
    temperature: 0,
    seed: 0,
    max_tokens: maxTokens,
  };
  const request = { endpoint: 'chat/completions', body, signal, timeoutMs, bytesAtMost: BYTES_AT_MOST };
  let isDone = false;
  for await (const data of eventsOf(postToModel(address, request))) {
    if (data === '[DONE]') {
      isDone = true;
      break;
    }
    const event = zEvent.safeParse(parseJson(data));
    if (!event.success || event.data.error !== undefined) {
      throw refuse('UPSTREAM_INVALID', { upstream: 'model server', reason: 'event' });
    }
    yield event.data.choices?.[0]?.delta?.content ?? '';
  }
  if (!isDone) throw refuse('UPSTREAM_INVALID', { upstream: 'model server', reason: 'no end' });
}

/** The `data` of server-sent events, one line each as these servers send them. */
async function* eventsOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of bytes) {
    text += decoder.decode(piece, { stream: true });
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
      const line = text.slice(0, end).trim();
      text = text.slice(end + 1);
      if (line.startsWith('data:')) yield line.slice('data:'.length).trim();
    }
  }
}
