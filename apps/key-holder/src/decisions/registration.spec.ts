import { describe, expect, it } from '@jest/globals';
import { productionRoots } from '@usufruct/attestation';
import { sign, verify } from '@usufruct/crypto';
import { asTimestampMs, fromBase64, toBase64, type Address, type Hex32 } from '@usufruct/kernel';
import { appraisalPolicyDigest, LIMITS, RunnerStatementBcs, TAGS } from '@usufruct/protocol';
import {
  aDao,
  anAppraisalPolicy,
  aPolicy,
  idOf,
  TEST_MEASUREMENT,
  TEST_NOW_MS,
  type TestRunner,
} from '@usufruct/testing';
import type { RunningHolder } from '../start.js';
import {
  JOB,
  DAO,
  runner,
  stranger,
  chain,
  clock,
  holders,
  start,
  call,
  useHolders,
} from '../testing/three-holders.js';

useHolders();

describe('registration', () => {
  /** What the runner signs first: every field but the payee follows from the evidence, the chain and the request. */
  const statementOf = (by: TestRunner) => ({
    chainId: 'local:test',
    daoId: DAO,
    profile: 'software-dev',
    measurement: TEST_MEASUREMENT,
    signingPublicKey: by.signing.publicKey,
    hpkePublicKey: by.hpke.publicKey,
    appraisalPolicyDigest: appraisalPolicyDigest(aPolicy().appraisal),
    payTo: idOf<Address>('runner-wallet'),
    issuedAtMs: TEST_NOW_MS,
    // The term of the DAO's appraisal policy: ten minutes.
    expiresAtMs: asTimestampMs(TEST_NOW_MS + 600_000),
  });
  const ask = async (holder: RunningHolder, changes: object = {}, jobId: Hex32 = DAO, by = runner) => {
    const { challenge } = (
      await call<{ challenge: string }>(holder, '/v1/challenges', { for: 'registration', daoId: DAO })
    ).body;
    const bundle = await by.evidence([challenge], jobId);
    const message = RunnerStatementBcs.serialize(statementOf(by)).toBytes();
    const { secretKey } = by.signing;
    const signature = toBase64(await sign({ secretKey, domainTag: TAGS.runnerStatement, message }));
    return call<{ statement: string; signature: string }>(holder, '/v1/registrations', {
      daoId: DAO,
      challenge,
      bundle,
      issuedAtMs: TEST_NOW_MS,
      expiresAtMs: statementOf(by).expiresAtMs,
      payTo: statementOf(by).payTo,
      signature,
      ...changes,
    });
  };

  it('all holders sign the same bytes', async () => {
    clock.advance(1234);
    const answers = await Promise.all(holders.map((holder) => ask(holder)));
    const statements = new Set(answers.map(({ body }) => body.statement));
    expect(statements.size).toBe(1);
    const message = fromBase64(answers[0]!.body.statement);
    expect(RunnerStatementBcs.parse(message)).toEqual(statementOf(runner));
    for (const [n, { body }] of answers.entries()) {
      const { publicKey } = holders[n]!.holder.keys.signing;
      const signature = fromBase64(body.signature);
      expect(await verify({ publicKey, domainTag: TAGS.runnerStatement, message, signature })).toBe(true);
    }
  });

  it.each([
    ['a time too far ahead', 'INVALID_ARGUMENT', { issuedAtMs: TEST_NOW_MS + LIMITS.clockSkewMs + 1 }],
    ['a time too long ago', 'INVALID_ARGUMENT', { issuedAtMs: TEST_NOW_MS - LIMITS.clockSkewMs - 1 }],
    ['an end beyond the term of the DAO', 'INVALID_ARGUMENT', { expiresAtMs: TEST_NOW_MS + 600_001 }],
    ['an end that is no later than the beginning', 'INVALID_ARGUMENT', { expiresAtMs: TEST_NOW_MS }],
    ['another end than the attested key signed for', 'SIGNATURE_INVALID', { expiresAtMs: TEST_NOW_MS + 599_999 }],
    ['a payee that the attested key did not sign for', 'SIGNATURE_INVALID', { payTo: idOf('thief') }],
    ['a challenge of its own making', 'CHALLENGE_UNKNOWN', { challenge: toBase64(new Uint8Array(32)) }],
    ['another DAO than the challenge is for', 'CHALLENGE_UNKNOWN', { daoId: idOf('other') }],
  ])('refuses %s', async (_name, code, changes) => {
    expect((await ask(holders[0]!, changes)).body.code).toBe(code);
  });

  it('never signs for longer than its endorsements are good for, and says for how long it would', async () => {
    const endsAtMs = asTimestampMs(TEST_NOW_MS + 200_000);
    const { desk } = holders[0]!.holder;
    const appraise = desk.appraise.bind(desk);
    desk.appraise = async (request) => {
      const { result, ...answer } = await appraise(request);
      return { ...answer, result: { ...result, claims: { ...result.claims!, endorsedUntilMs: endsAtMs } } };
    };
    expect((await ask(holders[0]!)).body).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field: 'expiresAtMs', latestMs: String(endsAtMs) },
    });
    expect((await ask(holders[1]!)).status).toBe(200);
  });

  it('refuses evidence for a job, of another root, or of code that is not approved', async () => {
    expect((await ask(holders[0]!, {}, JOB)).body).toMatchObject({
      code: 'ATTESTATION_REFUSED',
      details: { checks: 'BINDING' },
    });
    expect((await ask(holders[0]!, {}, DAO, stranger)).body.details).toEqual({ checks: 'ROOT_NOT_PINNED' });
    chain.put(
      'dao',
      aDao({
        policy: aPolicy({ appraisal: { ...anAppraisalPolicy(), profiles: ['software-dev'], measurements: [] } }),
      }),
    );
    expect((await ask(holders[0]!)).body.details).toEqual({ checks: 'MEASUREMENT' });
  });

  it('a production holder accepts no software TEE', async () => {
    await holders[0]!.close();
    const production = await start(1, productionRoots());
    expect((await ask(production)).body.details).toEqual({ checks: 'ROOT_NOT_PINNED' });
  });
});
