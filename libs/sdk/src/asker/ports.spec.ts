import { describe, expect, it } from '@jest/globals';
import type { Digest, JobId, QuestionId } from '@usufruct/kernel';
import { FakeChain, FakeGraphql, idOf, ManualClock, TEST_NOW_MS, testWallet } from '@usufruct/testing';
import { ApiSession } from '../api/session.js';
import type { ClientContext } from '../context.js';
import { memoryJournal } from '../journal.js';
import { askerPorts } from './ports.js';

const [JOB, QUESTION] = [idOf<JobId>('job'), idOf<QuestionId>('question')];
const RECEIPT = {
  jobId: JOB,
  questionId: QUESTION,
  receipt: null,
  signature: null,
  receiptDigest: idOf<Digest>('receipt'),
  transaction: idOf<Digest>('transaction'),
  priceUnits: '3',
  settledAtMs: TEST_NOW_MS,
  uses: [],
  payouts: [],
};

function isPaid(isOnChain: boolean, isToldByApi: boolean): Promise<boolean> {
  const chain = new FakeChain();
  if (isOnChain) chain.setSettled(JOB, QUESTION, idOf<Digest>('receipt'));
  const graphql = new FakeGraphql().on('Receipt', () => ({ receipt: isToldByApi ? RECEIPT : null }));
  const [signer, clock, journal] = [testWallet('lab'), new ManualClock(), memoryJournal()];
  const chainId = async () => 'local:test';
  const api = new ApiSession({ apiUrl: graphql.url, fetch: graphql.fetch, signer, clock, journal, chainId });
  const context: Partial<ClientContext> = { chain, api, signer, clock, journal };
  return askerPorts(context as ClientContext).isPaid(JOB, QUESTION);
}

describe('whether a question was paid', () => {
  it.each([
    ['the chain, whatever the API hides', true, false, true],
    ['the API, where the node is behind', false, true, true],
    ['neither', false, false, false],
  ])('is said by %s', async (_who, isOnChain, isToldByApi, expected) =>
    expect(await isPaid(isOnChain, isToldByApi)).toBe(expected),
  );
});
