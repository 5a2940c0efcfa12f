import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  asAmount,
  asTimestampMs,
  toHex,
  systemRandom,
  type AmountUnits,
  type ContributionId,
  type DatasetId,
  type GrantId,
} from '@usufruct/kernel';
import { DEFAULT_DATA_RULES, LIMITS, type DaoPolicy, type DaoView, type Payout } from '@usufruct/protocol';
import type { Asked, JobSession } from '@usufruct/sdk';
import { CONTRIBUTORS, FAUCET_UNITS, PRICE_UNITS, PURPOSE, SPLIT, type Role } from './cast.js';
import type { Endpoints } from './endpoints.js';
import type { Party } from './party.js';
import { units, type Teller } from './teller.js';

const DAY_MS = 24 * 60 * 60_000;
const MIB = 1024 ** 2;

/** One file of one contributor. */
export interface Contributed {
  readonly owner: Party;
  readonly fileName: string;
  readonly contributionId: ContributionId;
  readonly grantId: GrantId;
}
export interface Commons {
  readonly dao: DaoView;
  readonly datasetId: DatasetId;
}

/** A fresh key for every run: the demo plays anew each time, whatever was played before. */
const runKey = toHex(systemRandom(8));

export async function found(founder: Party, { runnerMeasurement }: Endpoints, teller: Teller): Promise<Commons> {
  const holderSet = await founder.client.daos.createHolderSet({ key: runKey, threshold: 2 });
  teller.line(`Key holders: ${holderSet.members.length}, of which ${holderSet.threshold} are needed to open anything.`);
  const policy: DaoPolicy = {
    pricePerQuestionUnits: asAmount(PRICE_UNITS),
    purposes: [PURPOSE],
    kinds: ['rag'],
    protections: ['tee'],
    split: SPLIT,
    holderSetId: holderSet.id,
    appraisal: {
      version: 1,
      profiles: ['software-dev'],
      measurements: [runnerMeasurement],
      resultTermMs: LIMITS.jobTermMs,
    },
    verifierThreshold: 2,
    maxJobTermMs: LIMITS.jobTermMs,
    ...DEFAULT_DATA_RULES,
    // The story goes on in the session in which somebody revokes.
    onRevocation: 'finish',
  };
  const dao = await founder.client.daos.create({
    key: runKey,
    policy,
    title: 'Highland Data Commons',
    description: 'Records of small rural institutions, for research and development.',
  });
  teller.line(`DAO      ${dao.id}`);
  const dataset = await founder.client.datasets.create({
    key: runKey,
    daoId: dao.id,
    title: 'Field records',
    description: 'Logs, handbooks and reports, as they were kept.',
  });
  teller.line(`Dataset  ${dataset.id}`);
  teller.line(`A question costs ${units(PRICE_UNITS)} units; of that 80 % goes to contributors, 10 % to the treasury,`);
  teller.line('8 % to the runner and 2 % to the protocol.');
  return { dao, datasetId: dataset.id };
}

/** Encrypt and upload, accept, grant. */
export async function contributeAll(
  founder: Party,
  contributors: readonly Party[],
  { datasetId }: Commons,
  root: string,
  teller: Teller,
): Promise<Contributed[]> {
  const all: Contributed[] = [];
  for (const [i, owner] of contributors.entries()) {
    teller.line(`${owner.name} (${owner.address})`);
    for (const file of (CONTRIBUTORS[i] as Role).files) {
      const contributionId = await contributeFile(owner, datasetId, join(root, file), teller);
      await founder.client.datasets.accept(contributionId);
      const grant = await owner.client.grants.give({ contributionId, key: runKey, terms: terms() });
      all.push({ owner, fileName: basename(file), contributionId, grantId: grant.id });
    }
  }
  teller.line();
  teller.line(`All are accepted by ${founder.name} and granted by their owners: questions, in a TEE,`);
  teller.line('for research and development, for 90 days or until revoked.');
  return all;
}

async function contributeFile(
  owner: Party,
  datasetId: DatasetId,
  path: string,
  teller: Teller,
): Promise<ContributionId> {
  const { size: sizeBytes } = await stat(path);
  const fileName = basename(path);
  let uploadedBytes = 0;
  let shares = 0;
  const done = await owner.client.contributions.contribute({
    key: `${runKey}/${fileName}`,
    datasetId,
    fileName,
    sizeBytes,
    source: () => createReadStream(path),
    onProgress: (progress) => {
      uploadedBytes = progress.uploadedBytes;
      shares = progress.sharesDeposited;
    },
  });
  const size = sizeBytes < MIB ? `${(sizeBytes / 1024).toFixed(1)} KiB` : `${(sizeBytes / MIB).toFixed(1)} MiB`;
  teller.line(
    `  ${fileName.padEnd(24)} ${size.padStart(9)} encrypted here, ${uploadedBytes} bytes of ciphertext stored, ${shares} of ${shares} shares deposited`,
  );
  return done.contributionId;
}

const terms = () => ({
  purposes: [PURPOSE],
  kinds: ['rag' as const],
  protections: ['tee' as const],
  priceFloorUnits: asAmount(500_000n),
  budgetMicroEpsilon: 0n,
  expiresAtMs: asTimestampMs(Date.now() + 90 * DAY_MS),
});

export async function fund(enterprise: Party, { datasetId }: Commons, teller: Teller): Promise<JobSession> {
  const { client, signer, address } = enterprise;
  await client.chain.execute([{ kind: 'mint', to: address, amountUnits: asAmount(FAUCET_UNITS) }], signer);
  const terms = { datasetId, purpose: PURPOSE, maxQuestions: 3, termMs: 30 * 60_000 };
  const quote = await client.jobs.quote(terms);
  teller.line(
    `Quote: ${units(quote.pricePerQuestionUnits)} units a question; ${quote.usableContributions} files may be used.`,
  );
  const job = await client.jobs.fund({ ...terms, key: runKey, escrowAtMostUnits: quote.escrowUnits });
  teller.line(`${units(job.escrowUnits)} units are locked for ${job.maxQuestions} questions. Job ${job.id}`);
  return client.jobs.session(job.id);
}

export async function ask(session: JobSession, text: string, key: string, teller: Teller): Promise<Asked> {
  teller.quote(text);
  teller.line();
  const startedMs = Date.now();
  const asked = await session.ask({ key: `${runKey}/${key}`, text }, { onStep: (step) => teller.line(STEPS[step]) });
  teller.line(`(${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  teller.line();
  return asked;
}

const STEPS = {
  waiting: 'waiting for a runner …',
  attesting: 'checking the evidence of the runner, for a nonce of our own …',
  asking: 'sealing the question to its key, sending it through the API …',
  computing: 'the runner works …',
  settling: 'the chain settles the receipt …',
  verifying: 'opening the answer, checking its receipt …',
  done: 'done',
} as const;

export function tellAnswer({ answer }: Asked, files: readonly Contributed[], teller: Teller): void {
  teller.quote(answer.text);
  teller.line();
  for (const [i, { fileName, locator, contributionId }] of answer.citations.entries()) {
    const owner = files.find((file) => file.contributionId === contributionId)?.owner.name ?? 'unknown';
    teller.line(`[${i + 1}] ${fileName}${locator === '' ? '' : `, ${locator}`} (${owner})`);
  }
  if (answer.generator === 'extractive') {
    teller.line('The sentences are taken word for word from the documents; no language model wrote this.');
  }
}

const MARKS = { passed: 'ok', failed: 'FAILED', skipped: 'skipped' } as const;
export function tellReceipt({ verdict }: Asked, teller: Teller): void {
  teller.table(verdict.checks.map(({ name, status, detail }) => [MARKS[status], name, detail]));
}

export const payoutsOf = ({ evidence, questionId }: Asked): Payout[] =>
  (evidence.settlement?.events ?? []).flatMap(({ data }) =>
    data.type === 'ReceiptSettled' && data.questionId === questionId ? data.payouts : [],
  );

export const paidTo = (payouts: readonly Payout[], ids: readonly ContributionId[]): AmountUnits =>
  asAmount(
    payouts
      .filter(({ contributionId }) => contributionId !== null && ids.includes(contributionId))
      .reduce((sum, { amountUnits }) => sum + amountUnits, 0n),
  );
