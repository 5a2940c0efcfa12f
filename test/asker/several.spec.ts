import { beforeEach, describe, expect, it } from '@jest/globals';
import { asAmount, type DatasetId } from '@usufruct/kernel';
import { askSeveral } from '@usufruct/sdk';
import { idOf } from '@usufruct/testing';
import { AskedChain, BEES, codeOf, codes, FORGE, SEA, several } from './asked-chain.js';

let chain: AskedChain;
beforeEach(() => {
  chain = new AskedChain();
});

describe('one question to several datasets', () => {
  it('pays each by its own price and receipt, and answers in the order in which they were named', async () => {
    const answers = await askSeveral(chain.asker(), several([FORGE, BEES]));
    expect(answers.parts.map(({ datasetId, paid }) => [datasetId, paid?.costUnits])).toEqual([
      [FORGE, 5n],
      [BEES, 3n],
    ]);
    expect(answers.costUnits).toBe(8n);
    const [forge, bees] = answers.parts.map(({ paid }) => paid!);
    expect(forge!.receiptId).not.toBe(bees!.receiptId);
    expect(new Map(chain.paid)).toEqual(new Map([[FORGE, 5n], [BEES, 3n]])); // prettier-ignore
    expect(chain.paid).toHaveLength(2);
  });

  it('fuses what they cite by places: what both hold comes first, then the first of each', async () => {
    const { passages } = await askSeveral(chain.asker(), several([BEES, FORGE, SEA]));
    // Said by both: 1/62 + 1/62 = 0.0323; the first of each: 1/61 = 0.0164, in the order named; bees three: 1/63.
    expect(passages.map(({ quote }) => quote)).toEqual(['said by both', 'bees one', 'forge one', 'bees three']);
    expect(passages[0]!.places).toEqual([
      { datasetId: BEES, citation: 1 },
      { datasetId: FORGE, citation: 1 },
    ]);
  });

  it('tells of one that refuses, with what its runner has signed, and pays the others', async () => {
    chain.refusals.set(FORGE, 'PURPOSE_DENIED');
    const answers = await askSeveral(chain.asker(), several([BEES, FORGE, SEA]));
    expect(codes(answers)).toEqual([null, 'PURPOSE_DENIED', null]);
    expect(answers.parts[1]).toMatchObject({ paid: null, refusal: { refusal: FORGE } });
    expect(answers.costUnits).toBe(10n);
    expect(new Set(chain.paid.map(([datasetId]) => datasetId))).toEqual(new Set([BEES, SEA]));
    expect(answers.passages.flatMap(({ places }) => places).every(({ datasetId }) => datasetId === BEES)).toBe(true);
  });

  it('says so of each where all refuse', async () => {
    for (const datasetId of [BEES, FORGE]) chain.refusals.set(datasetId, 'NO_USABLE_DATA');
    const answers = await askSeveral(chain.asker(), several([BEES, FORGE]));
    expect(codes(answers)).toEqual(['NO_USABLE_DATA', 'NO_USABLE_DATA']);
    expect([answers.costUnits, answers.passages]).toEqual([0n, []]);
  });

  it('asks and pays none again under the same key, and only what is new of a longer list', async () => {
    await askSeveral(chain.asker(), several([BEES, FORGE]));
    const again = await askSeveral(chain.asker(), several([FORGE, BEES], { maxPriceUnits: asAmount(0n) }));
    expect(again.costUnits).toBe(0n);
    expect(again.parts.every(({ paid }) => paid?.isRepeat)).toBe(true);
    const longer = await askSeveral(chain.asker(), several([FORGE, SEA, BEES], { maxPriceUnits: asAmount(7n) }));
    expect(longer.costUnits).toBe(7n);
    expect(chain.paid).toHaveLength(3);
  });

  it.each([
    ['none', []],
    ['one twice', [BEES, FORGE, BEES]],
    ['too many', Array.from({ length: 17 }, (_, i) => idOf<DatasetId>(`dataset ${i}`))],
  ])('refuses %s, before anything is asked', async (_what, datasetIds) => {
    expect(await codeOf(askSeveral(chain.asker(), several(datasetIds)))).toBe('INVALID_ARGUMENT');
    expect(chain.jobs.size).toBe(0);
  });

  it('refuses all where one is not there', async () => {
    expect(await codeOf(askSeveral(chain.asker(), several([BEES, idOf<DatasetId>('none')])))).toBe('NOT_FOUND');
    expect(chain.jobs.size).toBe(0);
  });
});
