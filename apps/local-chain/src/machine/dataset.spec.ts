import { describe, expect, it } from '@jest/globals';
import type { DatasetId } from '@usufruct/kernel';
import { NO_ANSWER_RULES, type AnswerRules, type ChainAction } from '@usufruct/protocol';
import { DaoWorld } from '../testing/dao-world.js';
import { table } from '../testing/refusal-table.js';
import { hexOf } from '../testing/world.js';

const RULES: AnswerRules = { maxQuoteChars: 300, minContributors: 5, maxReachBps: 2_500 };
const rules = (w: DaoWorld, changes: Partial<AnswerRules> = {}): ChainAction => ({
  kind: 'setAnswerRules',
  datasetId: w.datasetId,
  answerRules: { ...RULES, ...changes },
});
const filled = async () => (await new DaoWorld().found({ votingMs: 60_000, timelockMs: 0 })).fill();

table('what answers may show', filled, [
  ['by a steward', 'ok', (w) => [w.founder, rules(w)]],
  ['the most that there is', 'ok', (w) => [w.founder, rules(w, { maxQuoteChars: 2 ** 32 - 1, maxReachBps: 10_000 })]],
  ['by who owns data', 'FORBIDDEN', (w) => [w.contributors[0]!, rules(w)]],
  ['by a stranger', 'FORBIDDEN', (w) => [w.stranger, rules(w)]],
  [
    'of no dataset',
    'NOT_FOUND',
    (w) => [w.founder, { ...rules(w), datasetId: hexOf<DatasetId>('none') } as ChainAction],
  ],
  ['in a pause', 'DAO_PAUSED', (w) => [w.founder, { kind: 'pauseDao', daoId: w.daoId }, rules(w)]],
  [
    'of a new dataset, out of bounds',
    'INVALID_ARGUMENT answerRules.maxReachBps',
    (w) => [w.founder, w.dataset({ salt: hexOf('new'), answerRules: { ...RULES, maxReachBps: 10_001 } })],
  ],
]);

describe('the answer rules of a dataset', () => {
  it('are those of its publication until a steward sets others', async () => {
    const w = await filled();
    expect(w.store.read('dataset', w.datasetId)?.answerRules).toEqual(NO_ANSWER_RULES);
    await w.run(w.founder, rules(w));
    expect(w.store.read('dataset', w.datasetId)?.answerRules).toEqual(RULES);
  });

  it('are not set for what was retired', async () => {
    const w = await filled();
    await w.decided({ kind: 'tombstoneDataset', datasetId: w.datasetId });
    expect(await w.refusal(w.founder, rules(w))).toBe('TOMBSTONED');
  });
});
