import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { fromBase64 } from '@usufruct/kernel';
import { answerResultBytes, resultCommitment, toWireJson, UsageReceiptBcs, usesCommitment } from '@usufruct/protocol';
import { ask, opened, sealed } from './testing/asking.js';
import { dataDir, hives, life, PHRASE, pottery, prices, TWO_PLACES, useRunner, world } from './testing/use-runner.js';
import { PRICE } from './testing/values.js';

describe('the runner on a real local chain', () => {
  useRunner();

  it('answers from two contributors, pays both by weight and the third nothing', async () => {
    const { job, clientKey } = await world.fundJob();
    const before = await Promise.all([hives, prices, pottery].map(({ owner }) => world.balance(owner.address)));
    const { state, answer } = await ask(life, job, clientKey, TWO_PLACES);
    expect(state.state).toBe('settled');
    expect(answer.generator).toBe('extractive');
    expect(answer.text).toMatch(/20 kg/);
    expect(answer.text).toMatch(/24\.50/);
    expect(new Set(answer.citations.map(({ contributionId }) => contributionId))).toEqual(
      new Set([hives.id, prices.id]),
    );
    const after = await Promise.all([hives, prices, pottery].map(({ owner }) => world.balance(owner.address)));
    const [first, second, third] = after.map((units, i) => units - before[i]!);
    expect(first! + second!).toBe(700_000n); // 70 % of 1,000,000
    const total = answer.uses.reduce((sum, { weight }) => sum + weight, 0n);
    const weightOfHives = answer.uses.find(({ contributionId }) => contributionId === hives.id)!.weight;
    expect(Number(first!)).toBeCloseTo((700_000 * Number(weightOfHives)) / Number(total), -1);
    expect(third).toBe(0n);
    expect(await world.balance(life.context.wallet.address)).toBe(80_000n); // 8 %
    const receipt = UsageReceiptBcs.parse(fromBase64(state.receipt!));
    expect(receipt.usesCommitment).toBe(usesCommitment(answer.usesSalt, answer.uses));
    expect(receipt.resultCommitment).toBe(resultCommitment(answer.resultSalt, answerResultBytes(answer)));
    expect(await world.chain.settledReceipt(job.id, receipt.questionId)).not.toBeNull();
  });

  it('weighs by the method that was asked for, and names it in the receipt', async () => {
    const { job, clientKey } = await world.fundJob();
    const asked = await sealed(life, job, clientKey, TWO_PLACES, undefined, (question) =>
      JSON.stringify({ ...question, attribution: 'max-shapley' }),
    );
    const state = await life.desk.ask(job.id, asked.request);
    const { uses, usesSalt } = await opened(state, asked);
    expect(uses.map(({ contributionId }) => contributionId).sort()).toEqual([hives.id, prices.id].sort());
    expect(UsageReceiptBcs.parse(fromBase64(state.receipt!))).toMatchObject({
      attributionMethod: 'max-shapley/v1',
      usesCommitment: usesCommitment(usesSalt, uses),
      priceUnits: PRICE,
    });
  });

  it('says that it does not know, and then nobody is paid and nothing is charged', async () => {
    const { job, clientKey } = await world.fundJob();
    const { state, answer } = await ask(life, job, clientKey, 'What is the capital of France?');
    expect(state.state).toBe('settled');
    expect(answer.uses).toEqual([]);
    expect((await world.chain.job(job.id)).escrowUnits).toBe(20n * PRICE);
  });

  it('uses one bundle with a challenge from every holder, and one release for many questions', async () => {
    const { job, clientKey } = await world.fundJob();
    world.holders.forEach((holder) => (holder.releases.length = 0));
    await ask(life, job, clientKey, 'What is the price of beeswax?');
    await ask(life, job, clientKey, 'What is the price of heather honey?');
    expect(world.holders.map((holder) => holder.releases.length)).toEqual([1, 1, 1]);
    const bundles = world.holders.map((holder) => toWireJson(holder.releases[0]!.bundle));
    expect(new Set(bundles).size).toBe(1);
    expect(new Set(world.holders.map((holder) => holder.releases[0]!.challenge)).size).toBe(3);
    expect(world.holders[0]!.releases[0]!.bundle.challenges).toHaveLength(3);
  });

  it('keeps no plaintext and no key on disk or in its log', async () => {
    const { job, clientKey } = await world.fundJob();
    const question = 'What hangs near the hive?';
    const { answer } = await ask(life, job, clientKey, question);
    expect(answer.text).toContain(PHRASE);
    const files = readdirSync(dataDir).map((name) => readFileSync(join(dataDir, name)));
    expect(files.some((bytes) => bytes.includes(job.id))).toBe(true);
    const { keys } = life.context;
    const secrets = [PHRASE, 'lanterns', 'hives.md', question, keys.hpke.privateKey, keys.signing.secretKey];
    for (const secret of secrets) {
      const needle = typeof secret === 'string' ? Buffer.from(secret) : Buffer.from(secret);
      expect(files.some((bytes) => bytes.includes(needle))).toBe(false);
    }
    expect(life.lines.join('\n')).not.toMatch(/lantern|hives\.md|near the hive/i);
  });
});
