import { bcs } from '@mysten/bcs';
import type { Digest, Hex32, JobId, QuestionId } from '@usufruct/kernel';
import { fromHex, lengthPrefixed, utf8 } from '@usufruct/kernel';
import { z } from 'zod';
import { byteVector, bytes32 } from './bcs-types.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { LIMITS } from './limits.js';
import { QuestionContextBcs, zCitation, type zAnswer } from './runner-types.js';
import { zBase64, zHex32 } from './wire.js';

/**
 * An answer in pieces: what the asker is shown while the rest is on its way, and no other way to ask. The question goes
 * the ordinary way, and so does its answer; whoever loses the stream has lost nothing.
 *
 * GET /v1/jobs/{jobId}/questions/{questionId}/stream?after=<n> → lines of JSON (application/x-ndjson), zStreamLine each
 *
 * Records are numbered from 0; `after` is how many the reader has. No record leaves before the receipt is settled: until
 * then there are `progress` lines alone, at least one in STREAM_BEAT_MS. `record` lines carry zStreamPart, sealed to the
 * question's response key (HPKE, info = `streamInfo`, aad = `streamRecordAad`) and signed by the runner's attested key;
 * each is bound to its number and to all before it, the last one says how many there are and names the receipt.
 * Sizes are rounded up to STREAM_PAD_BYTES, and the records come all together, so the rhythm of a model shows to nobody.
 */
export const STREAM_BEAT_MS = 5_000;
export const STREAM_PAD_BYTES = 256;

export const STREAM_PHASES = ['computing', 'settling'] as const;
export type StreamPhase = (typeof STREAM_PHASES)[number];

const zWireError = z.object({
  code: z.string(),
  message: z.string(),
  remedy: z.string(),
  details: z.record(z.string(), z.string()),
});

export const zStreamRecord = z.object({
  kind: z.literal('record'),
  seq: z.int().min(0).max(LIMITS.streamRecords),
  sealed: zBase64(LIMITS.streamRecordBytes),
  /** Ed25519, tag `streamRecord`, over StreamRecordBcs. */
  signature: zBase64(64),
});
export type StreamRecord = z.output<typeof zStreamRecord>;

export const zStreamLine = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('progress'), phase: z.enum(STREAM_PHASES) }),
  zStreamRecord,
  /** This runner has no pieces of it any more, or never had: the answer is to be had the ordinary way. */
  z.object({ kind: z.literal('whole') }),
  z.object({ kind: z.literal('failed'), error: zWireError }),
]);
export type StreamLine = z.output<typeof zStreamLine>;

export const zStreamPart = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('sentence'),
    text: z.string(),
    /** Positions, from 0, in the list that all sentences' `cited` make together: as in zAnswer. */
    citations: z.array(z.int().min(0)),
    /** What this sentence adds to that list. */
    cited: z.array(zCitation),
  }),
  z.object({
    kind: z.literal('end'),
    /** How many records came before this one. */
    records: z.int().min(0).max(LIMITS.streamRecords),
    /** `streamChain` of all of them. */
    chain: zHex32<Digest>(),
    /** The receipt that the whole answer is settled with. */
    receiptDigest: zHex32<Digest>(),
  }),
]);
export type StreamPart = z.output<typeof zStreamPart>;

type QuestionContext = typeof QuestionContextBcs.$inferInput;
/** HPKE `info` of a record. */
export const streamInfo = (context: QuestionContext): Uint8Array =>
  lengthPrefixed(utf8(TAGS.answerStream), QuestionContextBcs.serialize(context).toBytes());

const StreamPositionBcs = bcs.struct('StreamPosition', { seq: bcs.u32(), chain: bytes32<Digest>() });
/** HPKE `aad` of a record: `chain` is that of all before it, so none can be moved, doubled or left out. */
export const streamRecordAad = (seq: number, chain: Digest): Uint8Array =>
  StreamPositionBcs.serialize({ seq, chain }).toBytes();

type Sentence = z.output<typeof zAnswer>['sentences'][number];
/** A sentence with its numbers, as it stands in an answer's text. */
export const shownSentence = ({ text, citations }: Sentence): string =>
  citations.length === 0 ? text : `${text} ${citations.map((index) => `[${index + 1}]`).join('')}`;
/**
 * An answer's text as its sentences, and as one more, which cites nothing, what it says beside them: that there is no
 * answer, or what was withheld. Runner and asker divide it alike.
 */
export function spokenSentences({ text, sentences }: Pick<z.output<typeof zAnswer>, 'text' | 'sentences'>): Sentence[] {
  const cited = sentences.map(shownSentence).join(' ');
  const rest = text.startsWith(cited) ? text.slice(cited.length).trim() : '';
  return rest === '' ? sentences : [...sentences, { text: rest, citations: [] }];
}

/** What the runner signs of a record: anybody who knows the response key could have sealed it. */
export const StreamRecordBcs = bcs.struct('StreamRecord', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  jobId: bytes32<JobId>(),
  questionId: bytes32<QuestionId>(),
  runnerSigningKey: byteVector(),
  seq: bcs.u32(),
  /** Of all before it. */
  chain: bytes32<Digest>(),
  sealedSha256: bytes32<Digest>(),
});

/** The chain before the first record. */
export const STREAM_START = `0x${'0'.repeat(64)}` as Digest;
/** The chain after a record, from the one before it. */
export const streamChain = (before: Digest, sealed: Uint8Array): Digest =>
  taggedDigest(TAGS.streamRecord, fromHex(before), sealed);
