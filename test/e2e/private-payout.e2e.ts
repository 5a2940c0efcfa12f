import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keypairSigner } from '@usufruct/chain';
import { asAmount, sumUnits, UsufructError } from '@usufruct/kernel';
import { DEFAULT_GOVERNANCE, DEFAULT_PAYOUT_RULES, type ReceiptPoolView } from '@usufruct/protocol';
import { memoryJournal, type Asked } from '@usufruct/sdk';
import { commandLineOf } from '../support/command-line.js';
import { FRIDGE_LOG, HANDBOOK, QUESTION } from '../support/documents.js';
import {
  balanceOf,
  contributor,
  found,
  fundedSession,
  newPlayer,
  PRICE_UNITS,
  type Contributor,
  type Founded,
} from '../support/players.js';
import { startTestSystem } from '../support/system.js';

const PAYOUT_RULES = { ...DEFAULT_PAYOUT_RULES, mode: 'epoch', challengeMs: 2_000, claimTermMs: 600_000 } as const;
/** Of both documents, of the one, of the other, of none, and of both again. */
const QUESTIONS = [
  QUESTION,
  'How often must dust be cleaned from the panels?',
  'Where were the vaccines moved to?',
  'What is the capital of France?',
  QUESTION,
];
/** 70 % of a price of 1,000,003 is 700,002.1; the remainders of the other parts are larger, so no unit is added. */
const SET_ASIDE = 700_002n;

/**
 * A DAO that pays in epochs, and beside it one that pays directly, with the same documents and questions: in the end the
 * contributors of both must have the same.
 */
describe('private payout: settled without uses, divided by the runner, recomputed by the holders, claimed', () => {
  let system: Awaited<ReturnType<typeof startTestSystem>>;
  let inPrivate: Founded;
  let ada: Contributor;
  let ben: Contributor;
  let inPublic: Founded;
  let twins: readonly Contributor[];
  let session: Awaited<ReturnType<typeof fundedSession>>;

  beforeAll(async () => {
    system = await startTestSystem();
    writeFileSync(join(system.home, 'endpoints.json'), JSON.stringify(system.endpoints));
    const { endpoints } = system;
    inPrivate = await found(endpoints, {}, DEFAULT_GOVERNANCE, PAYOUT_RULES);
    inPublic = await found(endpoints);
    // Ben works from a command line, with the wallet that it made.
    await cli('wallet', 'new');
    const wallet = readFileSync(join(system.home, 'ben/wallet.json'), 'utf8');
    const signer = keypairSigner((JSON.parse(wallet) as { secretKey: string }).secretKey);
    ada = await contributor(endpoints, inPrivate, 'fridge.txt', FRIDGE_LOG);
    ben = await contributor(
      endpoints,
      inPrivate,
      'handbook.md',
      HANDBOOK,
      newPlayer(endpoints, memoryJournal(), signer),
    );
    twins = [
      await contributor(endpoints, inPublic, 'fridge.txt', FRIDGE_LOG),
      await contributor(endpoints, inPublic, 'handbook.md', HANDBOOK),
    ];
  }, 240_000);
  afterAll(() => system?.stop(), 120_000);

  const cli = (...args: readonly string[]) => commandLineOf(system.home, 'ben')(...args);
  const pool = (): Promise<ReceiptPoolView> => ada.client.chain.receiptPool(inPrivate.dao.id);
  const ask = (n: number, onStep?: (step: string) => void): Promise<Asked> =>
    untilDone(() => session.session.ask({ key: `q${n}`, text: QUESTIONS[n]! }, onStep === undefined ? {} : { onStep }));

  it('answers, sets the contributors’ part aside and shows nobody who was used, with a holder down', async () => {
    await system.kill('holder-3');
    session = await fundedSession(system.endpoints, inPrivate.dataset.id, QUESTIONS.length);
    const { answer, verdict, evidence } = await ask(0);
    const cited = new Set(answer.citations.map(({ fileName }) => fileName));
    expect(cited).toEqual(new Set(['fridge.txt', 'handbook.md']));
    expect([answer.uses, answer.usesSalt]).toEqual([null, null]);
    expect(verdict.ok).toBe(true);
    const open = verdict.checks.filter(({ status }) => status !== 'passed').map(({ name, status }) => [name, status]);
    expect(open).toEqual([
      ['USES_COMMITMENT', 'skipped'],
      ['PAYOUTS_BY_WEIGHT', 'skipped'],
    ]);
    const told = JSON.stringify(evidence.settlement?.events, (_, value: unknown) => String(value));
    expect(told).not.toContain(ada.contributionId);
    expect((await pool()).pooledUnits).toBe(SET_ASIDE);
    expect([await balanceOf(ada), await balanceOf(ben)]).toEqual([0n, 0n]);
    await ask(1);
    await system.restart('holder-3');
  }, 240_000);

  it('answers once and sets aside once when the runner is killed on its way there', async () => {
    await ask(2);
    let revival: Promise<void> | undefined;
    const killOnce = async (): Promise<void> => {
      await sleep(30);
      await system.kill('runner');
      await system.restart('runner');
    };
    await ask(3, (step) => void (step === 'asking' && (revival ??= killOnce())));
    await revival;
    await ask(4);
    // The fourth question is answered from nobody's data, and is free.
    expect(await pool()).toMatchObject({ receiptCount: 5n, pooledUnits: 4n * SET_ASIDE });
  }, 240_000);

  it('is divided by the runner by itself, and claimed by those whom it is for', async () => {
    await until(async () => {
      const { coveredReceipts, receiptCount } = await pool();
      const epochs = await ada.client.payouts.epochs(inPrivate.dao.id);
      return coveredReceipts === receiptCount && epochs.every((epoch) => epoch.challengeEndsAtMs < Date.now());
    });
    const { payouts, unanswered, errors } = await ada.client.payouts.fetch();
    // The third holder was down when the keys were released, so it has none of the first openings: of an epoch that it
    // does not know, and in which the others have no part of Ada's, its word is missing.
    const own = payouts.map(({ epoch }) => epoch.id);
    const others = (await ada.client.payouts.epochs(inPrivate.dao.id)).filter(({ id }) => !own.includes(id));
    expect(others.map(({ id }) => id)).toEqual(expect.arrayContaining([...unanswered]));
    expect(errors.map(({ member, error }) => [member, error.code])).toEqual(unanswered.map(() => [2, 'NOT_FOUND']));
    expect(payouts.map(({ phase, isClaimed }) => [phase, isClaimed])).toEqual(payouts.map(() => ['claimable', false]));
    expect(new Set(payouts.map(({ proof }) => proof.leaf.account))).toEqual(new Set([ada.signer.address]));
    const claimed = await ada.client.payouts.claimAll();
    expect(await balanceOf(ada)).toBe(sumUnits(claimed.map(({ proof }) => proof.leaf.amountUnits)));
    expect(await ada.client.payouts.claimAll()).toEqual([]);

    const listed = (await cli('payout', 'list', '--dao', inPrivate.dao.id)) as { payouts: unknown[] };
    expect(listed.payouts.length).toBeGreaterThan(0);
    const { amountUnits } = await cli('payout', 'claim');
    expect(String(await balanceOf(ben))).toBe(amountUnits);
    expect(await cli('payout', 'claim')).toMatchObject({ claims: [], amountUnits: '0' });
    expect((await balanceOf(ada)) + (await balanceOf(ben))).toBe(4n * SET_ASIDE);
    expect(await ada.client.payouts.reconcile()).toMatchObject({ agrees: true, mismatches: [] });
  }, 240_000);

  it('gives each what direct payout would have given', async () => {
    const direct = await fundedSession(system.endpoints, inPublic.dataset.id, QUESTIONS.length);
    for (const [n, text] of QUESTIONS.entries()) await direct.session.ask({ key: `q${n}`, text });
    const expected = await Promise.all(twins.map(balanceOf));
    expect(sumUnits(expected)).toBe(asAmount(4n * SET_ASIDE));
    expect(await Promise.all([ada, ben].map(balanceOf))).toEqual(expected);
    expect(await balanceOf(direct.player)).toBe(PRICE_UNITS);
  }, 240_000);
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(100);
}

/** Do it again as a user would, as long as the refusal says that later may work. */
async function untilDone<T>(attempt: () => Promise<T>): Promise<T> {
  for (const endMs = Date.now() + 90_000; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof UsufructError) || error.entry.retry !== 'later' || Date.now() > endMs) throw error;
      await sleep(300);
    }
  }
}
