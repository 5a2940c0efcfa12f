import type { Address, ContributionId } from '@usufruct/kernel';
import {
  zAnswer,
  zBase64,
  zChainInfo,
  zDaoView,
  zHex32,
  zJobView,
  zRunnerView,
  zTransactionOutcome,
} from '@usufruct/protocol';
import { z } from 'zod';
import { zAskedFor } from './asked.js';

/**
 * Everything that a receipt is judged by, as JSON: what the chain said (views and the settling transaction) and, for
 * who asked, the opened answer. With it `verifyReceipt` needs no network; who does not trust the collector reads the
 * same views from the chain.
 */
export const zReceiptEvidence = z.object({
  receipt: zBase64(2048),
  signature: zBase64(64),
  chain: zChainInfo,
  job: zJobView,
  dao: zDaoView,
  runner: zRunnerView.nullable(),
  /** The transaction that settled it; null while the chain has none. */
  settlement: zTransactionOutcome.nullable(),
  /** Owners of the contributions that were used. */
  owners: z.array(z.object({ contributionId: zHex32<ContributionId>(), owner: zHex32<Address>() })),
  /** Null for who did not ask: the commitments then stay closed. */
  answer: zAnswer.nullable(),
  /** As the asker says. Missing for who did not ask: then nothing is said of it. */
  asked: zAskedFor.optional(),
});
export type ReceiptEvidence = z.output<typeof zReceiptEvidence>;
