import { describe, expect, it } from '@jest/globals';
import { verify } from '@usufruct/crypto';
import { asAmount, fromBase64 } from '@usufruct/kernel';
import { RunnerErasureBcs, TAGS } from '@usufruct/protocol';
import type { Embedder } from '@usufruct/retrieval';
import { ask, sealed } from '../../testing/asking.js';
import { life, restart, useRunner, world } from '../../testing/use-runner.js';
import { codeOf, PRICE } from '../../testing/values.js';
import { eraseHere } from '../erasure/erase-here.js';
import { Refusals } from '../questions/refusals.js';
import { IndexProcess, type IndexMaker } from '../rag/index.js';
import { reviewSessions } from './review.js';

describe('the runner on a real local chain', () => {
  useRunner();

  it('leaves a revoked contribution out from the next question on', async () => {
    const extra = await world.contribute('lock.txt', 'The canal lock at Minden opens at dawn every weekday.');
    const { job, clientKey } = await world.fundJob();
    const question = 'When does the canal lock at Minden open?';
    expect((await ask(life, job, clientKey, question)).answer.uses.map((use) => use.contributionId)).toEqual([
      extra.id,
    ]);
    await world.run(extra.owner, { kind: 'revokeGrant', grantId: extra.grantId });
    const after = await ask(life, job, clientKey, question);
    expect(after.answer.citations).toEqual([]);
    expect(after.answer.text).not.toMatch(/dawn/);
    expect(life.sessions.view(job).documents).toBe(3);
  });

  it('gives nothing out that was revoked while a model searched', async () => {
    const extra = await world.contribute('sluice.txt', 'The sluice at Elsfleth is opened by nine men.');
    const embedder: Embedder = {
      modelHash: 'aa'.repeat(32),
      embed: async (texts, role) => {
        if (role === 'question') await world.run(extra.owner, { kind: 'revokeGrant', grantId: extra.grantId });
        return texts.map(() => Float32Array.of(1));
      },
    };
    await restart({ retrieval: { maker: new IndexProcess(), embedder } });
    const { job, clientKey } = await world.fundJob();
    const asked = await sealed(life, job, clientKey, 'How many men open the sluice at Elsfleth?');
    const door = new Refusals(life.context, life.sessions, life.desk);
    const refused = await door.ask(job.id, asked.request);
    expect(refused).toMatchObject({ state: 'failed', error: { code: 'GRANT_REVOKED' } });
    // Whoever relays it would read whose document answers this question; where uses are private, nobody may.
    expect(JSON.stringify([refused, await door.read(job.id, asked.request.questionId)])).not.toContain(extra.id);
    expect((await world.chain.job(job.id)).questionsSettled).toBe(0);
  });

  it('gives nothing out either that was revoked meanwhile, is cited and weighs nothing', async () => {
    const text = 'The brewery of Jever was founded in 1848.';
    const extra = await world.contribute('brewery.txt', text);
    await world.contribute('copy.txt', text);
    const { address } = extra.owner;
    await world.run(extra.owner, { kind: 'mint', to: address, amountUnits: asAmount(20n * PRICE) });
    const embedder: Embedder = {
      modelHash: 'cc'.repeat(32),
      embed: async (texts, role) => {
        if (role === 'question') await world.run(extra.owner, { kind: 'revokeGrant', grantId: extra.grantId });
        return texts.map(() => Float32Array.of(1));
      },
    };
    await restart({ retrieval: { maker: new IndexProcess(), embedder } });
    // Who asks about what is his own pays nobody for it.
    const { job, clientKey } = await world.fundJob(3, extra.owner);
    const asked = await sealed(life, job, clientKey, 'When was the brewery of Jever founded?');
    expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('GRANT_REVOKED');
  });

  it('is over where its session ends while what was revoked leaves the index, and nothing is worked on then', async () => {
    const text = 'The tannery at Barssel smokes on Sundays.';
    const first = await world.contribute('tannery.txt', text);
    await world.contribute('again.txt', text);
    const signals: AbortSignal[] = [];
    const reading = Promise.withResolvers<void>();
    const own = new IndexProcess();
    const maker: IndexMaker = {
      make: (texts, signal) => own.make(texts, signal),
      fit: (matrix, signal) => own.fit(matrix, signal),
      link: (dense, signal) => own.link(dense, signal),
      // What is indexed of both came from the first.
      read: (_texts, signal) => {
        signals.push(signal);
        reading.resolve();
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
      },
    };
    await restart({ retrieval: { maker } });
    const { job, clientKey } = await world.fundJob();
    const question = 'On which days smokes the tannery at Barssel?';
    expect((await ask(life, job, clientKey, question)).answer.text).toMatch(/Sundays/);
    await world.run(first.owner, { kind: 'revokeGrant', grantId: first.grantId });
    const asked = await sealed(life, job, clientKey, question);
    const refused = codeOf(life.desk.ask(job.id, asked.request));
    await reading.promise;
    life.sessions.end(job.id);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(await refused).toBe('ATTESTATION_STALE');
  });

  it('leaves a retired contribution out from the next question on', async () => {
    const extra = await world.contribute('weir.txt', 'The weir at Hoya is closed for repairs until October.');
    const { job, clientKey } = await world.fundJob();
    const question = 'Until when is the weir at Hoya closed?';
    expect((await ask(life, job, clientKey, question)).answer.text).toMatch(/October/);
    await world.run(extra.owner, { kind: 'tombstoneContribution', contributionId: extra.id });
    const after = await ask(life, job, clientKey, question);
    expect(after.answer.citations).toEqual([]);
    expect(after.answer.text).not.toMatch(/October/);
  });

  it('drops a retired contribution from open sessions before anybody asks, and signs that it did', async () => {
    const extra = await world.contribute('mole.txt', 'The mole of Norddeich is lit by forty lanterns.');
    const { job, clientKey } = await world.fundJob();
    expect((await ask(life, job, clientKey, 'How many lanterns light the mole?')).answer.text).toMatch(/forty/);
    const erase = () => eraseHere(life.context, life.sessions, { contributionId: extra.id });
    expect(await codeOf(erase())).toBe('FORBIDDEN');
    await reviewSessions(life.context, life.sessions);
    const [session] = life.sessions.all().filter((one) => one.job.id === job.id);
    expect(session!.contributionIds.has(extra.id)).toBe(true);

    await world.run(extra.owner, { kind: 'tombstoneContribution', contributionId: extra.id });
    const { statement, signature } = await erase();
    expect(session!.contributionIds.has(extra.id)).toBe(false);
    expect(life.sessions.view(job).leftOut).toContainEqual({ contributionId: extra.id, code: 'TOMBSTONED' });
    const { publicKey } = life.context.keys.signing;
    const message = fromBase64(statement);
    const signed = { publicKey, domainTag: TAGS.runnerErasure, message, signature: fromBase64(signature) };
    expect(await verify(signed)).toBe(true);
    expect(RunnerErasureBcs.parse(message)).toMatchObject({
      contributionId: extra.id,
      runnerSigningKey: publicKey,
      sessions: 1,
      storedIndexes: 0,
      hadStoredDocument: false,
    });
    expect(RunnerErasureBcs.parse(fromBase64((await erase()).statement)).sessions).toBe(0);
  });

  it('drops it from sessions that nobody asks anything', async () => {
    const extra = await world.contribute('pier.txt', 'The pier at Sahlenburg was built of larch in 1907.');
    const { job, clientKey } = await world.fundJob();
    expect((await ask(life, job, clientKey, 'Of what was the pier built?')).answer.text).toMatch(/larch/);
    await world.run(extra.owner, { kind: 'tombstoneContribution', contributionId: extra.id });
    await reviewSessions(life.context, life.sessions);
    const open = life.sessions.all().filter((one) => one.contributionIds.has(extra.id));
    expect(open).toEqual([]);
    expect((await ask(life, job, clientKey, 'Of what was the pier built?')).answer.text).not.toMatch(/larch/);
  });
});
