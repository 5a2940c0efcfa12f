import { types } from 'node:util';
import { DOCUMENT_FORMATS } from '@usufruct/protocol';
import { z } from 'zod';
import { CHUNK_SIZE, LOCATOR_CHARS } from '../chunk/chunk.js';
import { DOCUMENT_REFUSALS } from '../parse/refusal.js';
import { zMetadata, zPlace } from '../parse/schemas.js';
import type { ParseLimits } from '../parse/types.js';
import type { IngestAnswer, IngestReply } from './ingest-bytes.js';
import type { HostAnswer } from './ingest-host.js';
import { SKETCH_SIZE } from './sketch.js';

const zIndex = z.int().min(0);
const zChunk = z.object({
  ordinal: zIndex,
  startChar: zIndex,
  endChar: zIndex,
  headings: z.unknown(),
  locator: z.string(),
  place: zPlace,
  language: z.string().optional(),
});
const zNotRead = z.object({ name: z.string(), code: z.string() });
const zReply = z.object({
  format: z.enum(DOCUMENT_FORMATS),
  metadata: zMetadata,
  notRead: z.unknown(),
  indexedChars: zIndex,
  text: z.string(),
  chunks: z.unknown(),
  sketches: z.custom<Uint32Array>(types.isUint32Array),
});
/** It is told and logged, so it has no room for what stands in a document. */
const zWhy = z.string().max(64).optional();
const zRefusal = z.object({
  code: z.enum(DOCUMENT_REFUSALS),
  details: z.strictObject({ limit: zWhy, expected: zWhy, found: zWhy, reason: zWhy }),
});
const zAnswer = z.object({
  answer: z.object({ reply: z.unknown().optional(), refusal: z.unknown().optional() }),
  isThreadSound: z.boolean(),
});

/** No format has so many levels. */
const HEADINGS = 64;

/**
 * What a process says of a document, where it is of the form that one has; null where it is not. A parser that was taken
 * over can say anything: whatever comes through here is an answer that some document could have had.
 */
export function answerFrom(message: unknown, limits: ParseLimits): HostAnswer | null {
  const said = zAnswer.safeParse(message).data;
  if (said === undefined) return null;
  const { isThreadSound } = said;
  const { reply, refusal } = said.answer;
  const answer = reply === undefined ? refusalFrom(refusal) : replyFrom(reply, limits);
  return answer && { answer, isThreadSound };
}

function refusalFrom(refusal: unknown): IngestAnswer | null {
  const said = zRefusal.safeParse(refusal).data;
  if (said === undefined) return null;
  const details = Object.entries(said.details).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { refusal: { code: said.code, details: Object.fromEntries(details) } };
}

function replyFrom(reply: unknown, limits: ParseLimits): IngestAnswer | null {
  const said = zReply.safeParse(reply).data;
  if (said === undefined || said.text.length > limits.textChars + 2 * limits.blocks) return null;
  const chunks = chunksFrom(said.chunks, said.text.length, limits.chunks);
  const notRead = listOf(said.notRead, zNotRead);
  if (chunks === null || notRead === null || said.sketches.length !== chunks.length * SKETCH_SIZE) return null;
  // What comes in a message shares the memory of all of it.
  return { reply: { ...said, chunks, notRead, sketches: Uint32Array.from(said.sketches) } };
}

/** In order, none empty, and none in another. */
function chunksFrom(said: unknown, textChars: number, atMost: number): IngestReply['chunks'] | null {
  const chunks = listOf(said, zChunk, atMost);
  if (chunks === null) return null;
  const found: IngestReply['chunks'][number][] = [];
  let from = 0;
  for (const { headings, ordinal, startChar, endChar, locator, place, language } of chunks) {
    const path = listOf(headings, z.string(), HEADINGS);
    const isInOrder = ordinal === found.length && startChar >= from && endChar > startChar && endChar <= textChars;
    // What is cited of it has to fit into an answer.
    const isShort = endChar - startChar <= CHUNK_SIZE.maxChars && locator.length <= LOCATOR_CHARS;
    if (path === null || !isInOrder || !isShort) return null;
    found.push({ ordinal, startChar, endChar, headings: path, locator, place, language });
    from = endChar;
  }
  return found;
}

/** Up to the first that is none: a list can be billions long without taking any room in a message. */
function listOf<S extends z.ZodType>(said: unknown, schema: S, atMost = Infinity): z.output<S>[] | null {
  if (!Array.isArray(said) || said.length > atMost) return null;
  const list: z.output<S>[] = [];
  for (const one of said as unknown[]) {
    const { success, data } = schema.safeParse(one);
    if (!success) return null;
    list.push(data);
  }
  return list;
}
