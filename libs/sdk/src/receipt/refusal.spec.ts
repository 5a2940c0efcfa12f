import { describe, expect, it } from '@jest/globals';
import { digestOf, generateSigningKey, sign } from '@usufruct/crypto';
import {
  asAmount,
  asTimestampMs,
  fromHex,
  toBase64,
  type Digest,
  type JobId,
  type QuestionId,
  type RunnerId,
} from '@usufruct/kernel';
import { NO_EVIDENCE, RefusalReceiptBcs, runnerIdOf, TAGS, toWireJson, type RefusalReceipt } from '@usufruct/protocol';
import { aJob, aRunner, idOf, seededRandom, TEST_NOW_MS, testChainInfo } from '@usufruct/testing';
import { REFUSAL_CHECKS, verifyRefusal, zRefusalEvidence, type RefusalCheck, type RefusalEvidence } from './refusal.js';

const key = generateSigningKey(seededRandom('runner'));
const [chain, job] = [testChainInfo(), aJob()];
const runner = aRunner({ id: runnerIdOf<RunnerId>(key.publicKey), signingPublicKey: toBase64(key.publicKey) });
const good: RefusalReceipt = {
  chainId: chain.chainId,
  packageId: chain.packageId,
  registryId: chain.registryId,
  jobId: job.id,
  questionId: idOf<QuestionId>('question'),
  sealedQuestionSha256: idOf<Digest>('sealed'),
  signerPublicKey: key.publicKey,
  evidenceDigest: idOf<Digest>('evidence'),
  codeHash: digestOf(fromHex(runner.measurement)),
  code: 'NO_USABLE_DATA',
  priceUnits: asAmount(0n),
  issuedAtMs: TEST_NOW_MS,
};

async function evidenceOf(
  changes: Partial<RefusalReceipt> = {},
  around: Partial<RefusalEvidence> = {},
  domainTag: string = TAGS.refusalReceipt,
): Promise<RefusalEvidence> {
  const message = RefusalReceiptBcs.serialize({ ...good, ...changes }).toBytes();
  const signature = await sign({ secretKey: key.secretKey, domainTag, message });
  const views = { chain, job, runner, settledReceipt: null };
  return { refusal: toBase64(message), signature: toBase64(signature), ...views, ...around };
}
const notPassed = async (evidence: RefusalEvidence): Promise<string[]> =>
  (await verifyRefusal(evidence)).checks
    .filter(({ status }) => status !== 'passed')
    .map(({ name, status }) => `${name} ${status}`);

describe('a signed refusal', () => {
  it('verifies without a network, also after it was written to a file', async () => {
    const read = zRefusalEvidence.parse(JSON.parse(toWireJson(await evidenceOf())));
    const { ok, checks } = await verifyRefusal(read);
    expect(ok).toBe(true);
    expect(checks.map(({ name }) => name)).toEqual([...REFUSAL_CHECKS]);
    expect(await notPassed(read)).toEqual([]);
  });

  it.each<[RefusalCheck, () => Promise<RefusalEvidence>]>([
    ['SIGNATURE', () => evidenceOf({}, { signature: toBase64(new Uint8Array(64)) })],
    // A usage receipt's signature is none of a refusal.
    ['SIGNATURE', () => evidenceOf({}, {}, TAGS.receipt)],
    ['RUNNER_REGISTERED', () => evidenceOf({}, { runner: null })],
    ['RUNNER_REGISTERED', () => evidenceOf({}, { runner: { ...runner, daoId: idOf('other') } })],
    ['RUNNER_REGISTERED', () => evidenceOf({ codeHash: idOf<Digest>('other') })],
    ['RUNNER_REGISTERED', () => evidenceOf({ issuedAtMs: asTimestampMs(runner.expiresAtMs) })],
    ['CHAIN', () => evidenceOf({ chainId: 'other' })],
    ['PACKAGE', () => evidenceOf({ packageId: idOf('other') })],
    ['REGISTRY', () => evidenceOf({ registryId: idOf('other') })],
    ['JOB', () => evidenceOf({ jobId: idOf<JobId>('other') })],
    ['CODE', () => evidenceOf({ code: 'BECAUSE' })],
    ['PRICE', () => evidenceOf({ priceUnits: asAmount(1n) })],
  ])('fails %s alone', async (name, evidence) => expect(await notPassed(await evidence())).toEqual([`${name} failed`]));

  it('is no refusal with a byte more, and every other check is skipped then', async () => {
    const evidence = await evidenceOf();
    const bytes = Buffer.concat([Buffer.from(evidence.refusal, 'base64'), Buffer.from([0])]);
    const { ok, checks } = await verifyRefusal({ ...evidence, refusal: bytes.toString('base64') });
    expect(ok).toBe(false);
    expect(checks.map(({ status }) => status)).toEqual(['failed', ...REFUSAL_CHECKS.slice(1).map(() => 'skipped')]);
  });

  it('passes neither as evidence nor as unpaid what it cannot know', async () => {
    expect(await notPassed(await evidenceOf({ evidenceDigest: NO_EVIDENCE }))).toEqual(['EVIDENCE skipped']);
    expect(await notPassed(await evidenceOf({}, { settledReceipt: idOf<Digest>('paid') }))).toEqual([
      'NOT_CHARGED skipped',
    ]);
  });
});
