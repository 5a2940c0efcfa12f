import { beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair, generateSigningKey, open, type HpkeKeyPair } from '@usufruct/crypto';
import {
  fromBase64,
  systemRandom,
  toBase64,
  toHex32,
  type ContributionId,
  type Hex32,
  type JobId,
  type QuestionId,
  type RunnerId,
} from '@usufruct/kernel';
import {
  STREAM_START,
  streamInfo,
  streamRecordAad,
  zStreamLine,
  type Answer,
  type StreamPart,
  type StreamRecord,
} from '@usufruct/protocol';
import { AnswerPieces } from '@usufruct/sdk';
import type { RunnerKeys } from '../../apps/enclave-runner/src/attest/runner-keys.js';
import { sealPieces } from '../../apps/enclave-runner/src/compute/questions/answer-pieces.js';

/* What the runner seals is what the client takes, and nothing else is: both real, with the wire between them in our hands. */

const random32 = <T extends Hex32>(): T => toHex32<T>(systemRandom(32));
const cited = (fileName: string) => ({
  contributionId: random32<ContributionId>(),
  fileName,
  locator: 'p. 1',
  quote: 'q',
});
const ANSWER: Answer = {
  text: 'One. [1][2] Two. [2] Three. [3]',
  generator: 'extractive',
  sentences: [
    { text: 'One.', citations: [0, 1] },
    { text: 'Two.', citations: [1] },
    { text: 'Three.', citations: [2] },
  ],
  citations: [cited('a.txt'), cited('b.txt'), cited('c.txt')],
  uses: null,
  usesSalt: null,
  resultSalt: random32(),
};

async function runner(): Promise<RunnerKeys> {
  const [signing, hpke] = [generateSigningKey(systemRandom), await generateKeyPair(systemRandom)];
  const bound = { signingPublicKey: signing.publicKey, hpkePublicKey: hpke.publicKey };
  return { runnerId: random32<RunnerId>(), signing, hpke, bound };
}

interface Asked {
  readonly context: Parameters<typeof streamInfo>[0];
  readonly response: HpkeKeyPair;
  readonly records: StreamRecord[];
}
async function asked(keys: RunnerKeys, changes: Partial<Asked['context']> = {}, answer = ANSWER): Promise<Asked> {
  const context = {
    chainId: 'local:test',
    packageId: toHex32(new Uint8Array(32)),
    jobId: toHex32<JobId>(new Uint8Array(32).fill(1)),
    questionId: toHex32<QuestionId>(new Uint8Array(32).fill(2)),
    runnerSigningKey: keys.signing.publicKey,
    ...changes,
  };
  const receipt = systemRandom(64);
  const responsePublicKey = toBase64(response.publicKey);
  const records = await sealPieces({ context, keys, responsePublicKey, answer, receipt });
  return { context, response, records };
}
const piecesFor = (context: Asked['context'], keys: RunnerKeys, privateKey = response.privateKey) =>
  new AnswerPieces({
    info: { chainId: context.chainId, packageId: context.packageId },
    jobId: context.jobId as JobId,
    questionId: context.questionId as QuestionId,
    responsePrivateKey: privateKey,
    runnerSigningKeys: () => [keys.signing.publicKey],
  });
async function taken(pieces: AnswerPieces, records: readonly StreamRecord[]): Promise<StreamPart[]> {
  const parts: StreamPart[] = [];
  for (const record of records) parts.push(await pieces.take(record));
  return parts;
}

let keys: RunnerKeys;
let other: RunnerKeys;
let response: HpkeKeyPair;
let good: Asked;
let elsewhere: Asked;
let foreign: Asked;
beforeAll(async () => {
  [keys, other, response] = [await runner(), await runner(), await generateKeyPair(systemRandom)];
  good = await asked(keys);
  // Sealed to the same asker by the same runner, of another question; and of this one, by a runner that nobody attested.
  elsewhere = await asked(keys, { questionId: random32<QuestionId>() });
  foreign = await asked(other);
});

describe('an answer in pieces', () => {
  it('comes as it was sent, the citations with the sentence that first has them, and ends with its receipt', async () => {
    const pieces = piecesFor(good.context, keys);
    const parts = await taken(pieces, good.records);
    expect(parts.slice(0, 3)).toEqual([
      { kind: 'sentence', text: 'One.', citations: [0, 1], cited: ANSWER.citations.slice(0, 2) },
      { kind: 'sentence', text: 'Two.', citations: [1], cited: [] },
      { kind: 'sentence', text: 'Three.', citations: [2], cited: ANSWER.citations.slice(2) },
    ]);
    expect(parts[3]).toMatchObject({ kind: 'end', records: 3 });
    expect(pieces.end).toEqual(parts[3]);
  });

  it('has what is said beside the sentences, or in their place', async () => {
    const answers: Answer[] = [
      { ...ANSWER, text: 'I do not know.', sentences: [], citations: [] },
      { ...ANSWER, text: `${ANSWER.text} Withheld: 2.` },
    ];
    for (const answer of answers) {
      const { context, records } = await asked(keys, {}, answer);
      const parts = await taken(piecesFor(context, keys), records);
      expect(parts.at(-2)).toMatchObject({ text: answer.text.replace(`${ANSWER.text} `, ''), citations: [] });
    }
  });

  it('has none where one would be longer than what a reader takes: that answer comes whole', async () => {
    // One sentence of Cyrillic letters, two bytes each, which sixteen contributions hold and are quoted with.
    const quote = 'ж'.repeat(2_000);
    const citations = Array.from({ length: 16 }, () => ({ ...cited('a.txt'), quote }));
    const sentences = [{ text: quote, citations: citations.map((_, i) => i) }];
    const { records } = await asked(keys, {}, { ...ANSWER, text: quote, sentences, citations });
    expect(records).toEqual([]);
    const fewer = { ...ANSWER, text: quote, sentences: [{ text: quote, citations: [0] }], citations: [citations[0]!] };
    const taking = (await asked(keys, {}, fewer)).records;
    expect(taking.map((record) => zStreamLine.safeParse(record).success)).toEqual([true, true]);
  });

  it('has lengths that are steps, whatever was said', async () => {
    const lengths = good.records.map(({ sealed }) => fromBase64(sealed).length);
    // 32 bytes of key and 16 of tag (RFC 9180, DHKEM(X25519) with AES-256-GCM) around steps of 256.
    expect(lengths.every((length) => (length - 48) % 256 === 0)).toBe(true);
  });

  it('is known to be cut: without the last piece there is no end', async () => {
    const pieces = piecesFor(good.context, keys);
    await taken(pieces, good.records.slice(0, 3));
    expect(pieces.end).toBeNull();
    expect(pieces.count).toBe(3);
    await taken(pieces, good.records.slice(pieces.count));
    expect(pieces.end).not.toBeNull();
  });

  const rows: [string, string, () => StreamRecord[]][] = [
    ['a piece left out', 'ORDER', () => [good.records[0]!, good.records[2]!]],
    ['a piece twice', 'ORDER', () => [good.records[0]!, good.records[0]!]],
    ['two exchanged', 'ORDER', () => [good.records[1]!, good.records[0]!]],
    ['two exchanged, with their numbers', 'SIGNATURE', () => [{ ...good.records[1]!, seq: 0 }]],
    [
      'a piece left out, and those after it counted anew',
      'SIGNATURE',
      () => [good.records[0]!, { ...good.records[2]!, seq: 1 }],
    ],
    ['the end before its time', 'SIGNATURE', () => [{ ...good.records[3]!, seq: 0 }]],
    ['something after the end', 'AFTER_END', () => [...good.records, { ...good.records[0]!, seq: 4 }]],
    ['a piece of another question', 'SIGNATURE', () => [elsewhere.records[0]!]],
    ['a piece of another question in the middle', 'SIGNATURE', () => [good.records[0]!, elsewhere.records[1]!]],
    ['a runner that was not attested', 'SIGNATURE', () => [foreign.records[0]!]],
    ['another runner from the middle on', 'SIGNATURE', () => [good.records[0]!, foreign.records[1]!]],
    ['a changed byte', 'SIGNATURE', () => [{ ...good.records[0]!, sealed: flipped(good.records[0]!.sealed) }]],
    [
      'a changed signature',
      'SIGNATURE',
      () => [{ ...good.records[0]!, signature: flipped(good.records[0]!.signature) }],
    ],
  ];
  it.each(rows)('refuses %s', async (_what, check, records) => {
    await expect(taken(piecesFor(good.context, keys), records())).rejects.toMatchObject({
      code: 'STREAM_BROKEN',
      details: { check },
    });
  });

  it('is not opened by another asker, nor taken for another job, chain or package', async () => {
    const stranger = await generateKeyPair(systemRandom);
    const [first] = good.records;
    await expect(piecesFor(good.context, keys, stranger.privateKey).take(first!)).rejects.toMatchObject({
      details: { check: 'SEALED' },
    });
    for (const changed of [{ jobId: random32<JobId>() }, { chainId: 'x' }, { packageId: random32() }]) {
      await expect(piecesFor({ ...good.context, ...changed }, keys).take(first!)).rejects.toMatchObject({
        details: { check: 'SIGNATURE' },
      });
    }
  });

  it('is bound to its number by its encryption, too', async () => {
    const [first] = good.records;
    const opening = open({
      privateKey: response.privateKey,
      info: streamInfo(good.context),
      aad: streamRecordAad(1, STREAM_START),
      sealed: fromBase64(first!.sealed),
    });
    await expect(opening).rejects.toMatchObject({ code: 'ENVELOPE_TAMPERED' });
  });
});

function flipped(base64: string): string {
  const bytes = fromBase64(base64);
  bytes[bytes.length - 1] = bytes[bytes.length - 1]! ^ 1;
  return toBase64(bytes);
}
