import { describe, expect, it } from '@jest/globals';
import { asTimestampMs } from '@usufruct/kernel';
import { aJob, TEST_NOW_MS } from '@usufruct/testing';
import { anomalyOf, type RequestFacts } from './anomaly.js';

const MINUTE_MS = 60_000;
/** A job of one session: ten minutes. */
const facts: RequestFacts = {
  job: aJob({ fundedAtMs: TEST_NOW_MS, expiresAtMs: asTimestampMs(TEST_NOW_MS + 10 * MINUTE_MS) }),
  dataset: { contributionCount: 5 },
  askedFor: 5,
  requestsBefore: 0,
  otherRunners: 0,
};
const hour = { job: { ...facts.job, expiresAtMs: asTimestampMs(TEST_NOW_MS + 60 * MINUTE_MS) } };

describe('what a job cannot need', () => {
  const rows: [string, Partial<RequestFacts>, ReturnType<typeof anomalyOf>][] = [
    ['the whole dataset', {}, null],
    ['one more than it has', { askedFor: 6 }, 'more-than-dataset'],
    ['the 48th request of a session', { requestsBefore: 47 }, null],
    ['the 49th', { requestsBefore: 48 }, 'too-often'],
    ['the 49th of a job of six sessions', { ...hour, requestsBefore: 48 }, null],
    ['the 289th of it', { ...hour, requestsBefore: 288 }, 'too-often'],
    ['the 16th runner', { otherRunners: 15 }, null],
    ['the 17th', { otherRunners: 16 }, 'too-many-runners'],
    ['one of the first 16, when there are more', { otherRunners: 16, requestsBefore: 1 }, null],
    ['a job without a term', { job: { fundedAtMs: TEST_NOW_MS, expiresAtMs: TEST_NOW_MS } }, null],
  ];
  it.each(rows)('%s', (_name, changes, anomaly) => expect(anomalyOf({ ...facts, ...changes })).toBe(anomaly));
});
