import type { DatasetId, JobId } from '@usufruct/kernel';
import { JOB_STATES, zAmount, zHex32, zTimestampMs } from '@usufruct/protocol';
import { operation } from '@usufruct/sdk';
import { z } from 'zod';
import { pageOf, PAGE_INFO } from './page.js';

const zJob = z.object({
  jobId: zHex32<JobId>(),
  datasetId: zHex32<DatasetId>(),
  dataset: z.object({ title: z.string().nullable() }),
  purpose: z.string(),
  state: z.enum(JOB_STATES),
  pricePerQuestionUnits: zAmount,
  maxQuestions: z.int(),
  questionsSettled: z.int(),
  escrowUnits: zAmount,
  refundUnits: zAmount.nullable(),
  fundedAtMs: zTimestampMs.nullable(),
  expiresAtMs: zTimestampMs.nullable(),
});
export type JobCard = z.output<typeof zJob>;

export const JOBS = operation<{ after: string | null }>()(
  `query Jobs($after: String) { jobs(first: 50, after: $after) { ${PAGE_INFO} edges { node {
    jobId datasetId dataset { title } purpose state pricePerQuestionUnits maxQuestions questionsSettled escrowUnits
    refundUnits fundedAtMs expiresAtMs } } } }`,
  z.object({ jobs: pageOf(zJob) }),
);
