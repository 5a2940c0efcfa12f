import { generateKeyPair, open, seal, sha256, sign } from '@usufruct/crypto';
import {
  fromBase64,
  fromUtf8,
  parseJson,
  systemRandom,
  toBase64,
  toHex32,
  utf8,
  type Digest,
  type JobId,
  type QuestionId,
} from '@usufruct/kernel';
import {
  answerInfo,
  parseAnswer,
  QuestionAuthorizationBcs,
  questionInfo,
  TAGS,
  toWireJson,
  zAnswer,
  zAskAnswer,
  zRunnerIdentity,
} from '@usufruct/protocol';
import { verifyReceipt } from '@usufruct/sdk';
import type { Player } from '../../support/players.ts';

export interface Steps {
  readonly sealMs: number;
  readonly runnerMs: number;
  readonly openMs: number;
  readonly verifyMs: number;
}

/**
 * Asks the runner itself, without the API between: what the relay and its database take is no part of what
 * confidentiality costs. The runner's evidence was appraised before, once for the session, by whoever made `player`.
 */
export async function directAsker(player: Player, jobId: JobId, runnerUrl: string, secretKey: Uint8Array) {
  const identity = zRunnerIdentity.parse(await (await fetch(`${runnerUrl}/v1/runner`)).json());
  const runnerSigningKey = fromBase64(identity.signingPublicKey);
  const { chainId, packageId } = await player.client.chain.info();

  return async (text: string, topK: number): Promise<Steps> => {
    const startedMs = performance.now();
    const questionId = toHex32<QuestionId>(systemRandom(32));
    const bound = { chainId, packageId, jobId, questionId, runnerSigningKey };
    const response = await generateKeyPair(systemRandom);
    const sealed = await seal({
      recipientPublicKey: fromBase64(identity.hpkePublicKey),
      info: questionInfo(bound),
      aad: new Uint8Array(),
      plaintext: utf8(toWireJson({ text, topK, responsePublicKey: toBase64(response.publicKey) })),
    });
    const sealedQuestionSha256 = toHex32<Digest>(sha256(sealed));
    const message = QuestionAuthorizationBcs.serialize({ jobId, questionId, sealedQuestionSha256 }).toBytes();
    const authorization = await sign({ secretKey, domainTag: TAGS.questionAuthorization, message });
    const sealedMs = performance.now();
    const body = { questionId, sealedQuestion: toBase64(sealed), authorization: toBase64(authorization) };
    const given = await post(`${runnerUrl}/v1/jobs/${jobId}/questions`, body);
    const told = parseAnswer(zAskAnswer, given, 'runner');
    const answeredMs = performance.now();
    const { sealedAnswer, receipt, signature, settlement } = told;
    if (sealedAnswer === null || receipt === null || signature === null) throw new Error(`the answer is ${told.state}`);
    const bytes = await open({
      privateKey: response.privateKey,
      info: answerInfo(bound),
      aad: new Uint8Array(),
      sealed: fromBase64(sealedAnswer),
    });
    const answer = parseAnswer(zAnswer, parseJson(fromUtf8(bytes, 'answer')), 'runner');
    const openedMs = performance.now();
    const transaction = settlement?.transaction ?? null;
    const verdict = await verifyReceipt(
      await player.client.receipts.collect({ receipt, signature, transaction, answer }),
    );
    if (!verdict.ok || answer.citations.length === 0) throw new Error('a receipt is bad, or nothing was found');
    return {
      sealMs: sealedMs - startedMs,
      runnerMs: answeredMs - sealedMs,
      openMs: openedMs - answeredMs,
      verifyMs: performance.now() - openedMs,
    };
  };
}

export async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}
