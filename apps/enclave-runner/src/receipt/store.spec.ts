import { describe, expect, it } from '@jest/globals';
import {
  asId,
  asTimestampMs,
  asWeight,
  type ContributionId,
  type Digest,
  type GrantId,
  type Hex32,
  type JobId,
} from '@usufruct/kernel';
import { RunnerStore, type NewAnswer, type Settlement } from './store.js';

const hex = <T extends Hex32>(digit: string): T => asId<T>(`0x${digit.repeat(64)}`, 'id');
const bytes = (value: number, length: number) => new Uint8Array(length).fill(value);
const transaction = { digest: hex<Digest>('c'), bytes: bytes(6, 100), signature: 'signed' };

const newAnswer = (settlement: Settlement): NewAnswer => ({
  jobId: hex<JobId>('a'),
  questionId: hex('b'),
  sealedQuestionSha256: hex<Digest>('d'),
  signerPublicKey: bytes(1, 32),
  sealedAnswer: bytes(2, 1_000),
  receipt: bytes(3, 300),
  signature: bytes(4, 64),
  issuedAtMs: asTimestampMs(1_700_000_000_000),
  settlement,
  transaction: settlement.kind === 'direct' ? transaction : null,
  preparedAtMs: asTimestampMs(1_700_000_000_001),
});

describe("the runner's store", () => {
  it.each<[string, Settlement]>([
    [
      'in public',
      {
        kind: 'direct',
        usesSalt: hex('e'),
        uses: [{ contributionId: hex<ContributionId>('1'), grantId: hex<GrantId>('2'), weight: asWeight(7n) }],
      },
    ],
    [
      'in private',
      {
        kind: 'private',
        holders: null,
        deliveries: [{ holderKey: 'AA==', sealedOpening: bytes(5, 80), acknowledgement: null }],
      },
    ],
  ])('gives an answer that is settled %s as it keeps it, and the first one when another comes', (_how, settlement) => {
    const store = new RunnerStore(':memory:');
    const answer = newAnswer(settlement);
    const added = store.add(answer);
    expect(added).toEqual({ ...answer, state: 'settling', error: null });
    expect(store.find(answer.jobId, answer.questionId)).toEqual(added);
    expect(store.add({ ...answer, sealedAnswer: bytes(9, 10) })).toEqual(added);
    store.close();
  });
});
