import { digestOf, seal, sign } from '@usufruct/crypto';
import { fromBase64, toBase64, utf8, type Digest } from '@usufruct/kernel';
import {
  LIMITS,
  receiptDigest,
  spokenSentences,
  STREAM_PAD_BYTES,
  STREAM_START,
  streamChain,
  streamInfo,
  StreamRecordBcs,
  streamRecordAad,
  TAGS,
  toWireJson,
  type Answer,
  type QuestionContextBcs,
  type StreamPart,
  type StreamRecord,
} from '@usufruct/protocol';
import type { RunnerKeys } from '../../attest/runner-keys.js';

export interface PiecesFor {
  readonly context: typeof QuestionContextBcs.$inferInput;
  readonly keys: RunnerKeys;
  /** Base64, X25519: the question's. */
  readonly responsePublicKey: string;
  readonly answer: Answer;
  readonly receipt: Uint8Array;
}

/**
 * An answer as the records of a stream, each sealed to the asker and signed as the next one of this question. They are
 * made with the answer and leave when it is settled. An answer of more sentences than a stream may have records has none,
 * nor has one with a longer sentence, with all that it cites, than a record may be: the asker gets it whole.
 */
export async function sealPieces({
  context,
  keys,
  responsePublicKey,
  answer,
  receipt,
}: PiecesFor): Promise<StreamRecord[]> {
  const parts = partsOf(answer);
  if (parts.length >= LIMITS.streamRecords) return [];
  const records: StreamRecord[] = [];
  let chain: Digest = STREAM_START;
  const add = async (part: StreamPart): Promise<void> => {
    const seq = records.length;
    const sealed = await seal({
      recipientPublicKey: fromBase64(responsePublicKey),
      info: streamInfo(context),
      aad: streamRecordAad(seq, chain),
      plaintext: padded(toWireJson(part)),
    });
    const { chainId, packageId, jobId, questionId, runnerSigningKey } = context;
    const of = { chainId, packageId, jobId, questionId, runnerSigningKey };
    const message = StreamRecordBcs.serialize({ ...of, seq, chain, sealedSha256: digestOf(sealed) }).toBytes();
    const signature = await sign({ secretKey: keys.signing.secretKey, domainTag: TAGS.streamRecord, message });
    records.push({ kind: 'record', seq, sealed: toBase64(sealed), signature: toBase64(signature) });
    chain = streamChain(chain, sealed);
  };
  for (const part of parts) await add(part);
  if (records.some(({ sealed }) => fromBase64(sealed).length > LIMITS.streamRecordBytes)) return [];
  await add({ kind: 'end', records: parts.length, chain, receiptDigest: receiptDigest(receipt) });
  return records;
}

/** Sentence by sentence, each with the citations that are new with it. */
function partsOf(answer: Answer): StreamPart[] {
  let told = 0;
  return spokenSentences(answer).map((sentence) => {
    const known = Math.max(told, ...sentence.citations.map((index) => index + 1));
    const cited = answer.citations.slice(told, known);
    told = known;
    return { kind: 'sentence', text: sentence.text, citations: [...sentence.citations], cited };
  });
}

/** JSON may end in white space: what is sent is as long as the next step, so that lengths tell less. */
function padded(json: string): Uint8Array {
  const bytes = utf8(json);
  const padding = (STREAM_PAD_BYTES - (bytes.length % STREAM_PAD_BYTES)) % STREAM_PAD_BYTES;
  return utf8(json + ' '.repeat(padding));
}
