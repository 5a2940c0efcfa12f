import { digestOf, open, verify } from '@usufruct/crypto';
import { fromBase64, fromUtf8, parseJson, refuse, type Digest, type QuestionId, type JobId } from '@usufruct/kernel';
import {
  STREAM_START,
  streamChain,
  streamInfo,
  StreamRecordBcs,
  streamRecordAad,
  TAGS,
  zStreamPart,
  type ChainInfo,
  type StreamPart,
  type StreamRecord,
} from '@usufruct/protocol';

export interface PiecesOf {
  readonly info: Pick<ChainInfo, 'chainId' | 'packageId'>;
  readonly jobId: JobId;
  readonly questionId: QuestionId;
  /** X25519: opens the answer and its pieces. */
  readonly responsePrivateKey: Uint8Array;
  /** Runners that this client attested for the question, as of now: only one of them may answer. */
  readonly runnerSigningKeys: () => readonly Uint8Array[];
}
/** What was wrong with a piece, in the order in which it is looked at. */
export type StreamCheck =
  'FORM' | 'ORDER' | 'AFTER_END' | 'SIGNATURE' | 'SEALED' | 'COUNT' | 'CHAIN' | 'RECEIPT' | 'ANSWER';

/**
 * Pieces of one answer, each taken only if an attested runner signed it as the next one of this question. A piece that is
 * left out, doubled, moved, changed or of another question is refused with `STREAM_BROKEN` and what was wrong with it;
 * that the pieces are all of them is known with the last one only (`end`), and that they are what was paid for with the
 * receipt of the whole answer.
 */
export class AnswerPieces {
  #chain: Digest = STREAM_START;
  #count = 0;
  #end: Extract<StreamPart, { kind: 'end' }> | null = null;
  #signer: Uint8Array | null = null;

  constructor(private readonly of: PiecesOf) {}

  /** How many were taken: where a reader that comes back goes on. */
  get count(): number {
    return this.#count;
  }
  get end(): Extract<StreamPart, { kind: 'end' }> | null {
    return this.#end;
  }

  async take(record: StreamRecord): Promise<StreamPart> {
    if (this.#end !== null) throw streamBroken('AFTER_END');
    if (record.seq !== this.#count) throw streamBroken('ORDER');
    const sealed = fromBase64(record.sealed, 'sealed');
    const runnerSigningKey = await this.#signerOf(record, sealed);
    const part = await this.#open(sealed, runnerSigningKey);
    if (part.kind === 'end') {
      if (part.records !== this.#count) throw streamBroken('COUNT');
      if (part.chain !== this.#chain) throw streamBroken('CHAIN');
      this.#end = part;
    }
    this.#signer = runnerSigningKey;
    this.#chain = streamChain(this.#chain, sealed);
    this.#count += 1;
    return part;
  }

  /** The one that signed the first piece signs all. */
  async #signerOf(record: StreamRecord, sealed: Uint8Array): Promise<Uint8Array> {
    const { info, jobId, questionId } = this.of;
    const { chainId, packageId } = info;
    const candidates = this.#signer === null ? this.of.runnerSigningKeys() : [this.#signer];
    for (const runnerSigningKey of candidates) {
      const position = { seq: record.seq, chain: this.#chain, sealedSha256: digestOf(sealed) };
      const signed = { chainId, packageId, jobId, questionId, runnerSigningKey, ...position };
      const isSigned = await verify({
        publicKey: runnerSigningKey,
        domainTag: TAGS.streamRecord,
        message: StreamRecordBcs.serialize(signed).toBytes(),
        signature: fromBase64(record.signature, 'signature'),
      });
      if (isSigned) return runnerSigningKey;
    }
    throw streamBroken('SIGNATURE');
  }

  async #open(sealed: Uint8Array, runnerSigningKey: Uint8Array): Promise<StreamPart> {
    const { info, jobId, questionId, responsePrivateKey } = this.of;
    const { chainId, packageId } = info;
    const bytes = await open({
      privateKey: responsePrivateKey,
      info: streamInfo({ chainId, packageId, jobId, questionId, runnerSigningKey }),
      aad: streamRecordAad(this.#count, this.#chain),
      sealed,
    }).catch((cause: unknown) => {
      throw refuse('STREAM_BROKEN', { check: 'SEALED' }, cause);
    });
    const part = zStreamPart.safeParse(parseJson(fromUtf8(bytes, 'piece')));
    if (!part.success) throw streamBroken('FORM');
    return part.data;
  }
}

export const streamBroken = (check: StreamCheck) => refuse('STREAM_BROKEN', { check });
