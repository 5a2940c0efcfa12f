import { beforeEach, describe, expect, it } from '@jest/globals';
import { asAmount } from '@usufruct/kernel';
import { askSeveral, type SeveralAnswers } from '@usufruct/sdk';
import fc from 'fast-check';
import { AskedChain, BEES, codeOf, codes, FORGE, SEA, several } from './asked-chain.js';

let chain: AskedChain;
beforeEach(() => {
  chain = new AskedChain();
});

describe('what may be paid for one question to several datasets', () => {
  it('limits the sum, before anything is locked', async () => {
    const asking = (maxPriceUnits: bigint) =>
      askSeveral(chain.asker(), several([BEES, FORGE], { maxPriceUnits: asAmount(maxPriceUnits) }));
    expect(await codeOf(asking(7n))).toBe('SPENDING_LIMIT');
    expect(chain.jobs.size).toBe(0);
    expect((await asking(8n)).costUnits).toBe(8n);
  });

  it('limits the sum by what the asker allows for a question, too', async () => {
    const asking = (maxPriceUnits: bigint) =>
      askSeveral(chain.asker(100n, { maxPriceUnits: asAmount(maxPriceUnits) }), several([BEES, FORGE]));
    expect(await codeOf(asking(7n))).toBe('SPENDING_LIMIT');
    expect(chain.jobs.size).toBe(0);
    expect((await asking(8n)).costUnits).toBe(8n);
  });

  it('locks of none so much that the limit leaves nothing for the others', async () => {
    // 3 + 5 fit into 17 twice: no session may be longer than two questions, though one could be of five.
    const answers = await askSeveral(chain.asker(17n, { sessionQuestions: 5 }), several([BEES, FORGE]));
    expect(codes(answers)).toEqual([null, null]);
    expect([...chain.jobs.values()].map(({ maxQuestions }) => maxQuestions)).toEqual([2, 2]);
  });

  it('asks none at a price that has risen since', async () => {
    const one = chain.asker();
    const priceNow = one.priceNow.bind(one);
    one.priceNow = async (params) => {
      const price = await priceNow(params);
      if (params.datasetId === FORGE) chain.prices.set(FORGE, 6n);
      return price;
    };
    const answers = await askSeveral(one, several([BEES, FORGE], { maxPriceUnits: asAmount(50n) }));
    expect(codes(answers)).toEqual([null, 'SPENDING_LIMIT']);
    expect(chain.paid).toEqual([[BEES, 3n]]);
  });

  it('never spends more than the asker may: all are asked, or none', async () => {
    const one = chain.asker(14n);
    expect(await codeOf(askSeveral(one, several([BEES, FORGE, SEA])))).toBe('SPENDING_LIMIT');
    expect(chain.jobs.size).toBe(0);
    expect((await askSeveral(one, several([BEES, FORGE]))).costUnits).toBe(8n);
    // 14 - 8 = 6: less than the 7 of the sea.
    expect(await codeOf(askSeveral(one, several([BEES, SEA])))).toBe('SPENDING_LIMIT');
    expect(chain.paid).toHaveLength(2);
  });

  it('takes back what a session holds that nobody asks, where the limit leaves too little for the others', async () => {
    const one = chain.asker(17n, { sessionQuestions: 5 });
    const first = { ...several([]), key: 'first', datasetId: BEES };
    await one.ask(first);
    expect(one.spending.lockedUnits).toBe(15n);
    // 17 - 3 = 14 = 7 + 5 + 2: a session of one question to the bees fits no more, one to the two others does.
    const answers = await askSeveral(one, several([FORGE, SEA]));
    expect([codes(answers), answers.costUnits]).toEqual([[null, null], 12n]);
    expect(chain.spentUnits).toBe(15n);
    expect((await one.ask(first)).isRepeat).toBe(true);
    expect(await codeOf(one.ask({ ...first, key: 'second' }))).toBe('SPENDING_LIMIT');
  });

  it('takes nothing back that somebody is asking from', async () => {
    const one = chain.asker(17n, { sessionQuestions: 5 });
    const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    [chain.gate, chain.onAsked] = [answered.promise, asked.resolve];
    const asking = one.ask({ ...several([]), key: 'first', datasetId: BEES });
    await asked.promise;
    expect(await codeOf(askSeveral(one, several([FORGE, SEA])))).toBe('SPENDING_LIMIT');
    expect(await codeOf(one.ask({ ...several([]), datasetId: FORGE }))).toBe('SPENDING_LIMIT');
    answered.resolve();
    expect((await asking).costUnits).toBe(3n);
    expect(await codeOf(one.ask({ ...several([]), datasetId: FORGE }))).toBe('answered');
  });

  it('ends one session and begins another in turn, for all datasets together', async () => {
    const one = chain.asker();
    const answers: SeveralAnswers[] = [];
    for (const key of ['a', 'b']) answers.push(await askSeveral(one, several([BEES, FORGE, SEA], { key })));
    expect(answers.flatMap(codes)).toEqual([null, null, null, null, null, null]);
    await one.close();
    expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: 30n });
    expect(chain.spentUnits).toBe(30n);
  });

  it('asks anew, and for its price, what was kept long enough', async () => {
    const one = chain.asker();
    await askSeveral(one, several([BEES, FORGE]));
    chain.clock.advance(9 * 60_000);
    expect((await askSeveral(one, several([BEES, FORGE]))).costUnits).toBe(0n);
    chain.clock.advance(2 * 60_000);
    const late = await askSeveral(one, several([BEES, FORGE]));
    expect([codes(late), late.costUnits]).toEqual([[null, null], 8n]);
  });

  it('asks all or none, too, where another process has begun one of them in a session of its own', async () => {
    chain.refusals.set(BEES, 'UPSTREAM_UNAVAILABLE');
    expect(codes(await askSeveral(chain.asker(100n, { name: 'other' }), several([BEES, FORGE])))).toEqual([
      'UPSTREAM_UNAVAILABLE',
      null,
    ]);
    chain.refusals.clear();
    const begun = several([BEES, FORGE, SEA]);
    // A session to the bees that cannot be closed just now holds 6. The forge has answered; 3 and 7 are to be paid.
    const busy = async (mostUnits: bigint) => {
      const one = chain.asker(mostUnits, { sessionQuestions: 2 });
      const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      [chain.gate, chain.onAsked] = [answered.promise, asked.resolve];
      const first = one.ask({ ...several([]), key: `first of ${mostUnits}`, datasetId: BEES });
      await asked.promise;
      return { one, first, answer: answered.resolve };
    };
    const paidBefore = chain.paid.length;
    const poor = await busy(15n);
    expect(await codeOf(askSeveral(poor.one, begun))).toBe('SPENDING_LIMIT');
    expect(chain.paid).toHaveLength(paidBefore);
    poor.answer();
    await poor.first;
    await poor.one.close();
    const rich = await busy(16n);
    const all = askSeveral(rich.one, begun);
    rich.answer();
    await rich.first;
    expect(codes(await all)).toEqual([null, null, null]);
  });

  const step = fc.record({
    datasetIds: fc.subarray([BEES, FORGE, SEA], { minLength: 1 }),
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    isTogether: fc.boolean(),
    waitMs: fc.constantFrom(0, 60_000, 11 * 60_000, 31 * 60_000),
  });
  const trouble = fc.record({
    lostFundings: fc.constantFrom(0, 0, 0, 1),
    priceUnits: fc.bigInt(1n, 9n),
    refusal: fc.constantFrom(null, null, 'NO_USABLE_DATA' as const, 'UPSTREAM_UNAVAILABLE' as const),
  });
  const limits = [fc.bigInt(3n, 60n), fc.integer({ min: 1, max: 6 })] as const;

  it('keeps to the limit, whatever is asked in whatever order and at whatever time', async () => {
    const asked = fc.array(step, { maxLength: 8 });
    const property = fc.asyncProperty(...limits, asked, async (mostUnits, sessionQuestions, steps) => {
      chain = new AskedChain();
      const one = chain.asker(mostUnits, { sessionQuestions });
      let others: Promise<unknown> = Promise.resolve();
      for (const { datasetIds, key, isTogether, waitMs } of steps) {
        chain.clock.advance(waitMs);
        const asking = askSeveral(one, several(datasetIds, { key })).then(codes, ({ code }: { code: string }) => [
          code,
        ]);
        others = Promise.all([others, asking]);
        if (isTogether) continue;
        await others;
        for (const code of await asking) expect([null, 'SPENDING_LIMIT']).toContain(code);
        expect(chain.spentUnits).toBeLessThanOrEqual(mostUnits);
      }
      await others;
      await one.close();
      expect(chain.spentUnits).toBeLessThanOrEqual(mostUnits);
      expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: chain.spentUnits });
    });
    await fc.assert(property, { numRuns: 150 });
  });

  it('keeps to the limit of each of two processes that go on with what the other has begun', async () => {
    const turn = fc.record({
      who: fc.constantFrom(0, 1),
      key: fc.constantFrom('a', 'b', 'c'),
      datasetIds: fc.subarray([BEES, FORGE], { minLength: 1 }),
      isAway: fc.boolean(),
      waitMs: fc.constantFrom(0, 0, 60_000, 31 * 60_000),
    });
    const turns = fc.array(turn, { maxLength: 10 });
    const names = fc.constantFrom(['one', 'two'], ['same', 'same']);
    const property = fc.asyncProperty(
      ...limits,
      names,
      turns,
      async (mostUnits, sessionQuestions, [first, second], steps) => {
        chain = new AskedChain();
        const askers = [first!, second!].map((name) => chain.asker(mostUnits, { name, sessionQuestions }));
        const ownUnits = [0n, 0n];
        for (const { who, key, datasetIds, isAway, waitMs } of steps) {
          chain.clock.advance(waitMs);
          chain.refusals.clear();
          if (isAway) chain.refusals.set(BEES, 'UPSTREAM_UNAVAILABLE');
          const before = chain.paidUnits;
          await askSeveral(askers[who]!, several(datasetIds, { key })).catch(() => undefined);
          ownUnits[who]! += chain.paidUnits - before;
          const { lockedUnits, paidUnits } = askers[who]!.spending;
          expect(lockedUnits + paidUnits).toBeGreaterThanOrEqual(ownUnits[who]!);
          expect(lockedUnits + paidUnits).toBeLessThanOrEqual(mostUnits);
        }
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  it('keeps to the limit where prices change, datasets refuse and answers of the chain are lost', async () => {
    const asked = fc.array(fc.tuple(step, trouble), { maxLength: 10 });
    const property = fc.asyncProperty(...limits, asked, async (mostUnits, sessionQuestions, steps) => {
      chain = new AskedChain();
      const one = chain.asker(mostUnits, { sessionQuestions });
      for (const [{ datasetIds, key, waitMs }, { lostFundings, priceUnits, refusal }] of steps) {
        chain.clock.advance(waitMs);
        chain.lostFundings = lostFundings;
        chain.prices.set(BEES, priceUnits);
        chain.refusals.clear();
        if (refusal !== null) chain.refusals.set(FORGE, refusal);
        await askSeveral(one, several(datasetIds, { key })).catch(() => undefined);
        const { lockedUnits, paidUnits } = one.spending;
        expect(chain.spentUnits).toBeLessThanOrEqual(lockedUnits + paidUnits);
        expect(lockedUnits + paidUnits).toBeLessThanOrEqual(mostUnits);
      }
      await one.close();
      expect(chain.paidUnits).toBeLessThanOrEqual(one.spending.paidUnits);
      const doubtful = chain.spentUnits - chain.paidUnits;
      expect(doubtful).toBeLessThanOrEqual(one.spending.lockedUnits);
    });
    await fc.assert(property, { numRuns: 300 });
  });
});
