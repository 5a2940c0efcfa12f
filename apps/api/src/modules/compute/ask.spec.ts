import 'reflect-metadata';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { verify } from '@usufruct/crypto';
import { fromBase64, fromUtf8, toBase64, type Hex32, type QuestionId } from '@usufruct/kernel';
import { receiptDigest, rolesOf, runnerIdOf, TAGS } from '@usufruct/protocol';
import { ApiWorld, eventually, ScriptedRunner, type RunnerReply } from '../../../../../test/support/api-world.js';
import { PRICE, PURPOSE } from '../../../../local-chain/src/testing/dao-world.js';
import { bytesOf, hexOf } from '../../../../local-chain/src/testing/world.js';
import { PayoutService } from '../payout/index.js';

const ask = `mutation ($input: AskQuestionInput!) { askQuestion(input: $input) {
  ... on Question { questionId state sealedAnswer receipt signature settlement { transaction } error { code } }
  ... on Refusal { __typename code details { key value } } } }`;
const read = `query ($jobId: Hex32!, $questionId: Hex32!) { question(jobId: $jobId, questionId: $questionId) {
  state sealedAnswer receipt signature error { code } settled { priceUnits receiptDigest receipt signature uses { contributionId weight } payouts { role amountUnits } } } }`;
const SIGNATURE = toBase64(new Uint8Array(64).fill(7));
/** What a runner signs of a refusal; the API neither reads nor judges it. */
const REFUSAL = { receipt: toBase64(new Uint8Array(300).fill(8)), signature: SIGNATURE };
const error = (code: string) => ({ code, message: '', remedy: '', details: {} });

describe('attest, compute, receipt, payout: a question through the API', () => {
  let world: ApiWorld;
  let runner: ScriptedRunner;
  let token: string;
  /** What the runner does with a question; the rest it answers by itself. */
  let onAsk: (questionId: QuestionId) => Promise<RunnerReply | undefined> | RunnerReply | undefined;
  let onLookUp: (questionId: QuestionId) => RunnerReply | undefined;

  beforeAll(async () => {
    runner = await ScriptedRunner.start();
    world = await ApiWorld.start({ RUNNER_URLS: runner.url });
    const { dao } = world;
    await dao.found();
    await dao.fill();
    await dao.run(dao.runnerWallet, await dao.registration(dao.statement()));
    await dao.run(dao.requester, dao.mint(dao.requester, 100n * PRICE));
    await dao.run(dao.requester, dao.job({ maxQuestions: 20 }));
    token = await world.signIn(dao.requester);
    runner.reply = ({ method, path, body }) => {
      if (path.startsWith('/v1/attestation')) return { body: evidence(path) };
      const [, , , , questions, questionId] = path.split('/');
      if (questions === 'questions') {
        return method === 'POST' ? onAsk(body.questionId) : onLookUp(questionId as QuestionId);
      }
      return { body: { ...runnerJob(), jobId: dao.jobId } };
    };
    await world.settled();
    await eventually(async () => (await job('state')).state === 'running');
  });
  afterAll(async () => {
    await world.close();
    await runner.close();
  });
  beforeEach(() => {
    runner.requests.length = 0;
    onAsk = () => undefined;
    onLookUp = () => ({ status: 404, body: error('QUESTION_UNKNOWN') });
  });

  const runnerJob = () => ({
    state: 'running',
    runnerId: runnerIdOf(world.dao.runnerKey.publicKey),
    documents: 3,
    chunks: 9,
    leftOut: [],
    error: null,
  });
  const evidence = (path: string) => ({
    v: 1,
    profile: 'software-dev',
    challenges: [
      Buffer.from(new URL(path, 'http://x').searchParams.get('nonce') ?? '', 'base64url').toString('base64'),
    ],
    jobId: new URL(path, 'http://x').searchParams.get('jobId'),
    hpkePublicKey: toBase64(bytesOf('hpke')),
    signingPublicKey: toBase64(world.dao.runnerKey.publicKey),
    cpuEvidence: 'AAAA',
    eventLog: [],
  });
  const job = (fields: string) =>
    world.field(`query ($jobId: Hex32!) { job(jobId: $jobId) { ${fields} } }`, { jobId: world.dao.jobId }, token);
  const inputOf = (name: string, changes: object = {}) => ({
    idempotencyKey: `key-of-${name}`,
    jobId: world.dao.jobId,
    questionId: hexOf<QuestionId>(name),
    sealedQuestion: toBase64(new Uint8Array(100).fill(1)),
    authorization: SIGNATURE,
    ...changes,
  });
  const question = (name: string) => world.field(read, { jobId: world.dao.jobId, questionId: hexOf(name) }, token);
  const asked = () => runner.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/questions'));

  /** Settle on the chain as a runner would, and answer. Weights 1 and 3 of 700,000 units: 175,000 and 525,000. */
  const settle = async (questionId: QuestionId): Promise<RunnerReply> => {
    const { dao } = world;
    const settlement = await dao.settlement(dao.uses(1n, 3n, null), { questionId });
    const { digest } = await dao.run(dao.runnerWallet, settlement);
    return {
      body: {
        questionId,
        state: 'settled',
        sealedAnswer: toBase64(new Uint8Array(64).fill(2)),
        receipt: toBase64(settlement.receipt),
        signature: toBase64(settlement.signature),
        settlement: { transaction: digest },
        error: null,
      },
    };
  };

  it('relays evidence for the caller’s own nonce', async () => {
    const nonce = toBase64(bytesOf('nonce'));
    const query = `query ($jobId: Hex32!, $nonce: Base64!) { attestation(jobId: $jobId, nonce: $nonce) {
      ... on Attestation { runnerId bundle appraisal { ok standIn checks { name status } cpu { tee } teePolicy
        endorsements { name } missing { name } signed { claims verifier signature } } } ... on Refusal { __typename code } } }`;
    const { jobId } = world.dao;
    const answer = await world.field(query, { jobId, nonce }, token);
    expect(answer.runnerId).toBe(runnerIdOf(world.dao.runnerKey.publicKey));
    expect(JSON.parse(answer.bundle)).toMatchObject({ challenges: [nonce], jobId, profile: 'software-dev' });
    // What this runner sent is no quote at all, and is said to be none.
    expect(answer.appraisal).toMatchObject({
      ok: false,
      standIn: true,
      cpu: null,
      teePolicy: null,
      endorsements: [],
      missing: [],
    });
    expect(answer.appraisal.checks).toContainEqual({ name: 'PARSE', status: 'failed' });
    // Signed as it is, bad: whoever relies on this verifier is told so.
    const { signed } = answer.appraisal;
    const claims = fromBase64(signed.claims);
    expect(JSON.parse(fromUtf8(claims))).toMatchObject({ usufruct: { ok: false, endorsements: {} } });
    const [publicKey, signature] = [fromBase64(signed.verifier), fromBase64(signed.signature)];
    const domainTag = TAGS.attestationResult;
    expect(await verify({ publicKey, domainTag, message: claims, signature })).toBe(true);
    expect(await world.field(query, { jobId, nonce: 'AAAA' }, token)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    const stranger = await world.signIn(world.dao.stranger);
    expect(await world.field(query, { jobId, nonce }, stranger)).toMatchObject({ code: 'NOT_FOUND' });
    expect((await job('runner { current standIn }')).runner).toEqual({ current: true, standIn: true });
  });

  it('relays a sealed question and gives back the sealed answer, the receipt and who was paid', async () => {
    onAsk = settle;
    const answer = await world.field(ask, { input: inputOf('first') }, token);
    expect(answer).toMatchObject({ state: 'settled', error: null });
    expect(asked()[0]?.body).toEqual({
      questionId: hexOf('first'),
      sealedQuestion: inputOf('first').sealedQuestion,
      authorization: SIGNATURE,
    });
    await world.settled();
    const known = await question('first');
    const digest = receiptDigest(Buffer.from(answer.receipt, 'base64'));
    expect(known.settled).toMatchObject({
      priceUnits: PRICE.toString(),
      receiptDigest: digest,
      receipt: answer.receipt,
    });
    expect(known.settled.uses.map((use: { weight: string }) => use.weight).sort()).toEqual(['1', '3']);
    // 1,000,000 units: 70 % in the ratio 1 to 3, 20 % treasury, 8 % runner, 2 % protocol
    expect(known.settled.payouts.map((payout: { amountUnits: string }) => payout.amountUnits).sort()).toEqual(
      ['175000', '200000', '20000', '525000', '80000'].sort(),
    );
    expect(
      await job(
        'questionsSettled escrowUnits questions { edges { node { questionId } } } receipts { edges { node { questionId } } }',
      ),
    ).toEqual({
      questionsSettled: 1,
      escrowUnits: (19n * PRICE).toString(),
      questions: { edges: [{ node: { questionId: hexOf('first') } }] },
      receipts: { edges: [{ node: { questionId: hexOf('first') } }] },
    });
  });

  it('answers the same request from what it knows, and refuses another under its key', async () => {
    const again = await world.field(ask, { input: inputOf('first') }, token);
    expect(again).toMatchObject({ state: 'settled' });
    expect(asked()).toHaveLength(0);
    const other = inputOf('first', { sealedQuestion: toBase64(new Uint8Array(100).fill(9)) });
    expect(await world.field(ask, { input: other }, token)).toMatchObject({
      __typename: 'InputRefusal',
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    const sameId = { ...other, idempotencyKey: 'another-key-1' };
    expect(await world.field(ask, { input: sameId }, token)).toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(asked()).toHaveLength(0);
  });

  it('relays an answer’s pieces as they are, to who asked and to nobody else', async () => {
    onLookUp = () => ({ body: { kind: 'whole' } });
    const stream = async (name: string, bearer: string | null, after = '2') => {
      const path = `/v1/jobs/${world.dao.jobId}/questions/${hexOf(name)}/stream?after=${after}`;
      const headers: Record<string, string> = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
      const response = await fetch(`${world.url}${path}`, { headers });
      const text = await response.text();
      return { status: response.status, text, type: response.headers.get('content-type') };
    };
    expect(await stream('first', token)).toEqual({
      status: 200,
      text: '{"kind":"whole"}',
      type: 'application/x-ndjson',
    });
    expect(runner.requests.at(-1)?.path).toBe(`/v1/jobs/${world.dao.jobId}/questions/${hexOf('first')}/stream?after=2`);
    const before = runner.requests.length;
    const refused = async (...of: Parameters<typeof stream>) => {
      const { status, text } = await stream(...of);
      return [status, JSON.parse(text).code];
    };
    expect(await refused('first', null)).toEqual([401, 'UNAUTHENTICATED']);
    expect(await refused('first', 'no token')).toEqual([401, 'UNAUTHENTICATED']);
    expect(await refused('first', await world.signIn(world.dao.stranger))).toEqual([404, 'NOT_FOUND']);
    expect(await refused('unheard of', token)).toEqual([404, 'NOT_FOUND']);
    expect(await refused('first', token, '-1')).toEqual([400, 'INVALID_ARGUMENT']);
    expect(runner.requests).toHaveLength(before);
    onLookUp = () => ({ status: 404, body: error('QUESTION_UNKNOWN') });
    expect(await refused('first', token)).toEqual([404, 'QUESTION_UNKNOWN']);
  });

  it('shows contributors their uses and pay, and each receipt to whom it concerns', async () => {
    const { dao } = world;
    const ada = await world.signIn(dao.contributors[0]!);
    const cleo = await world.signIn(dao.contributors[2]!);
    const founder = await world.signIn(dao.founder);
    const uses = `query ($id: Hex32!) { contribution(contributionId: $id) { earnedUnits uses { edges { node {
      questionId amountUnits weight purpose kind grantId } } } } }`;
    expect(await world.field(uses, { id: dao.contributionIds[0] }, ada)).toEqual({
      earnedUnits: '175000',
      uses: {
        edges: [
          {
            node: {
              questionId: hexOf('first'),
              amountUnits: '175000',
              weight: '1',
              purpose: PURPOSE,
              kind: 'rag',
              grantId: dao.grantIds[0],
            },
          },
        ],
      },
    });
    expect(await world.field(uses, { id: dao.contributionIds[2] }, cleo)).toEqual({
      earnedUnits: '0',
      uses: { edges: [] },
    });
    const receipt = `query ($jobId: Hex32!, $questionId: Hex32!) { receipt(jobId: $jobId, questionId: $questionId) { priceUnits } }`;
    const which = { jobId: dao.jobId, questionId: hexOf('first') };
    for (const reader of [token, ada, founder]) {
      expect(await world.field(receipt, which, reader)).toEqual({ priceUnits: PRICE.toString() });
    }
    expect(await world.field(receipt, which, cleo)).toBeNull();
    const makeCleo = (roles: number) =>
      dao.run(dao.founder, { kind: 'setRoles', daoId: dao.daoId, member: dao.contributors[2]!.address, roles });
    await makeCleo(rolesOf(['administrator']));
    await world.settled();
    expect(await world.field(receipt, which, cleo)).toEqual({ priceUnits: PRICE.toString() });
    await makeCleo(0);
    await world.settled();
    expect(await world.field(receipt, which, cleo)).toBeNull();
    const list = `query ($jobId: Hex32!) { receipts(jobId: $jobId) { edges { node { questionId } } } }`;
    expect((await world.ask(list, which, ada)).errors[0]?.extensions.code).toBe('NOT_FOUND');
    expect((await world.field(list, which, founder)).edges).toHaveLength(1);
  });

  it('keeps the books of each account, and they agree with the chain', async () => {
    const { dao } = world;
    const ada = dao.contributors[0]!;
    const adaToken = await world.signIn(ada);
    const ledger = `query ($account: Hex32!) { ledgerEntries(account: $account) { edges { node {
      direction amountUnits reason account counterAccount contributionId } } } }`;
    expect((await world.field(ledger, { account: ada.address }, adaToken)).edges).toEqual([
      {
        node: {
          direction: 'credit',
          amountUnits: '175000',
          reason: 'ReceiptSettled',
          account: `wallet:${ada.address}`,
          counterAccount: `escrow:${dao.jobId}`,
          contributionId: dao.contributionIds[0],
        },
      },
    ]);
    const balance = `query ($account: Hex32!) { balance(account: $account) { amountUnits } }`;
    expect(await world.field(balance, { account: ada.address }, adaToken)).toEqual({ amountUnits: '175000' });
    expect((await world.ask(balance, { account: dao.founder.address }, adaToken)).errors[0]?.extensions.code).toBe(
      'FORBIDDEN',
    );
    const founder = await world.signIn(dao.founder);
    const treasury = (await world.field(`{ dao(daoId: "${dao.daoId}") { treasury } }`)).treasury as Hex32;
    expect(await world.field(balance, { account: treasury }, founder)).toEqual({ amountUnits: '200000' });
    const reconciliation = '{ reconciliation { agrees accountsChecked mismatches { account } } }';
    expect(await world.field(reconciliation, {}, token)).toEqual({ agrees: true, accountsChecked: 2, mismatches: [] });
    expect(await world.app.get(PayoutService, { strict: false }).reconcileAll()).toMatchObject({ agrees: true });
    const page = await world.field(
      `query ($account: Hex32!) { ledgerEntries(account: $account, first: 1) { edges { node { reason } } pageInfo { hasNextPage endCursor } } }`,
      { account: dao.requester.address },
      token,
    );
    expect(page).toMatchObject({ edges: [{ node: { reason: 'JobFunded' } }], pageInfo: { hasNextPage: true } });
    const next = await world.field(
      `query ($account: Hex32!, $after: String) { ledgerEntries(account: $account, first: 1, after: $after) { edges { node { reason } } pageInfo { hasNextPage } } }`,
      { account: dao.requester.address, after: page.pageInfo.endCursor },
      token,
    );
    expect(next).toEqual({ edges: [{ node: { reason: 'Minted' } }], pageInfo: { hasNextPage: false } });
  });

  it('tells a client whose runner was restarted to seal again, under the same question', async () => {
    onAsk = () => ({ status: 409, body: error('ATTESTATION_STALE') });
    const input = inputOf('stale');
    expect(await world.field(ask, { input }, token)).toMatchObject({
      __typename: 'AttestationRefusal',
      code: 'ATTESTATION_STALE',
    });
    expect(await question('stale')).toMatchObject({ state: 'failed', error: { code: 'ATTESTATION_STALE' } });
    onAsk = settle;
    const sealed = toBase64(new Uint8Array(100).fill(3));
    const anew = { ...input, sealedQuestion: sealed, idempotencyKey: 'key-of-stale-2' };
    expect(await world.field(ask, { input: anew }, token)).toMatchObject({ state: 'settled' });
    expect(asked().at(-1)?.body.sealedQuestion).toBe(sealed);
  });

  it('has the runner take the job up again when it has forgotten it', async () => {
    let forgotten = true;
    onAsk = (questionId) => {
      const first = forgotten;
      forgotten = false;
      return first ? { status: 404, body: error('NOT_FOUND') } : settle(questionId);
    };
    expect(await world.field(ask, { input: inputOf('forgotten') }, token)).toMatchObject({ state: 'settled' });
    expect(runner.requests.map(({ path }) => path)).toContain('/v1/jobs');
  });

  it('finds an answer whose reply was lost at the runner, and asks once', async () => {
    let reply: RunnerReply | undefined;
    onAsk = async (questionId) => {
      reply ??= await settle(questionId);
      return undefined;
    };
    onLookUp = () => reply;
    expect(await world.field(ask, { input: inputOf('lost') }, token)).toMatchObject({ state: 'computing' });
    await eventually(async () => (await question('lost')).state === 'settled');
    expect((await question('lost')).sealedAnswer).not.toBeNull();
    expect(asked()).toHaveLength(1);
  });

  it('sends a question again that the runner never got', async () => {
    let up = false;
    onAsk = (questionId) => (up ? settle(questionId) : undefined);
    onLookUp = () => (up ? { status: 404, body: error('QUESTION_UNKNOWN') } : undefined);
    expect(await world.field(ask, { input: inputOf('never') }, token)).toMatchObject({ state: 'computing' });
    up = true;
    await eventually(async () => (await question('never')).state === 'settled');
  });

  it('never asks again what was paid, when runner and answer are gone', async () => {
    onAsk = async (questionId) => {
      await settle(questionId);
      return undefined;
    };
    expect(await world.field(ask, { input: inputOf('paid') }, token)).toMatchObject({ state: 'computing' });
    await eventually(async () => (await question('paid')).state === 'failed');
    expect((await question('paid')).error.code).toBe('RECEIPT_CONSUMED');
    expect(asked()).toHaveLength(1);
  });

  it('takes up open questions after a restart', async () => {
    onAsk = () => undefined;
    onLookUp = () => undefined;
    await world.field(ask, { input: inputOf('restart') }, token);
    await world.stopApi();
    onLookUp = () => ({ status: 404, body: error('QUESTION_UNKNOWN') });
    onAsk = settle;
    await world.startApi();
    await eventually(async () => (await question('restart')).state === 'settled');
  });

  it('refuses a failed answer by its code, and an answer that is none by nothing but patience', async () => {
    onAsk = (questionId) => ({
      body: {
        questionId,
        state: 'failed',
        sealedAnswer: null,
        ...REFUSAL,
        settlement: null,
        error: error('GRANT_REVOKED'),
      },
    });
    expect(await world.field(ask, { input: inputOf('revoked') }, token)).toMatchObject({
      __typename: 'ConsentRefusal',
      code: 'GRANT_REVOKED',
    });
    expect(await question('revoked')).toMatchObject({ state: 'failed', ...REFUSAL });
    onAsk = () => ({ body: { nonsense: true } });
    onLookUp = (questionId) => ({
      body: {
        questionId,
        state: 'failed',
        sealedAnswer: null,
        receipt: null,
        signature: null,
        settlement: null,
        error: error('NO_USABLE_DATA'),
      },
    });
    expect(await world.field(ask, { input: inputOf('garbled') }, token)).toMatchObject({ state: 'computing' });
    await eventually(async () => (await question('garbled')).error?.code === 'NO_USABLE_DATA');
  });

  it.each([
    ['another’s job', async () => world.signIn(world.dao.stranger), {}, 'NOT_FOUND'],
    ['a job that is not there', async () => token, { jobId: hexOf('no job') }, 'NOT_FOUND'],
    ['a short signature', async () => token, { authorization: 'AAAA' }, 'INVALID_ARGUMENT'],
    [
      'a question too large',
      async () => token,
      { sealedQuestion: toBase64(new Uint8Array(20_000)) },
      'INVALID_ARGUMENT',
    ],
  ])('refuses %s before anything is stored or sent', async (_, bearer, changes, code) => {
    const input = inputOf('refused', changes);
    expect(await world.field(ask, { input }, await bearer())).toMatchObject({ __typename: 'InputRefusal', code });
    expect(asked()).toHaveLength(0);
    expect(await question('refused')).toBeNull();
  });

  it('tells everything that happened to the job, without a word of the question', async () => {
    const { events } = await world.field(
      `query ($jobId: Hex32!) { jobEventsPage(jobId: $jobId) { events { name seq } } }`,
      { jobId: world.dao.jobId },
      token,
    );
    const names = events.map((event: { name: string }) => event.name);
    expect(names.slice(0, 6)).toEqual([
      'JobFunded',
      'JobQueued',
      'SessionStarted',
      'QuestionAsked',
      'QuestionSettled',
      'QuestionAsked',
    ]);
    expect(events.map((event: { seq: number }) => event.seq)).toEqual(events.map((_: unknown, i: number) => i + 1));
    expect(JSON.stringify(world.log)).not.toContain(inputOf('first').sealedQuestion);
  });

  it('refuses a question to a job that has ended', async () => {
    await world.dao.run(world.dao.requester, { kind: 'closeJob', jobId: world.dao.jobId });
    await world.settled();
    expect(await world.field(ask, { input: inputOf('late') }, token)).toMatchObject({
      __typename: 'JobRefusal',
      code: 'JOB_STATE',
    });
  });
});
