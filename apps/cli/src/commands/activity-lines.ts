import { toHex, type AmountUnits } from '@usufruct/kernel';
import { explainKeyMode, type Activity, type JobRequests, type Words } from '@usufruct/sdk';
import { checkLines } from '../verdict.js';

/** Keys as hexadecimal digits, as people compare them. */
export const activityOnWire = ({ holders, ...rest }: Activity): object => ({
  ...rest,
  holders: holders.map(({ entries, ...holder }) => ({
    ...holder,
    entries: entries.map(({ runnerSigningKey, ...entry }) => ({ ...entry, runnerSigningKey: toHex(runnerSigningKey) })),
  })),
});

export function activityLines(activity: Activity, words: Words): string[] {
  const { contribution, keyMode, requests, uses, paidUnits, threshold } = activity;
  const state = contribution.tombstonedAtMs === null ? contribution.state : 'retired for good';
  return [
    `${contribution.id}  ${state}`,
    explainKeyMode(keyMode),
    ...(keyMode === 'seal'
      ? []
      : [`${requests.length} jobs asked for its key, or that of an index with it; ${threshold} key holders open it`]),
    ...requests.flatMap((request) => requestLines(request, words)),
    `${uses.length} uses on the chain, ${words.amount(paidUnits)} paid for them`,
    ...uses.map(
      ({ atMs, paidUnits: paid, jobId, questionId, isExplained }) =>
        `  ${words.time(atMs)}  ${words.amount(paid)}  question ${questionId} of job ${jobId}` +
        (isExplained ? '' : '  USED, THOUGH TOO FEW KEY HOLDERS SAY THAT THEY RELEASED ITS KEY'),
    ),
    ...privateLines(activity, words.amount),
    ...missingLines(activity),
  ];
}

const requestLines = ({ jobId, purpose, opened, decisions }: JobRequests, { time }: Words): string[] => [
  `  job ${jobId} for ${purpose}: ${OPENED[opened]}`,
  ...decisions.map(
    ({ member, of, decision, atMs }) =>
      `    ${time(atMs)}  key holder ${member + 1}: ${decision}${of === 'index' ? " (the dataset's index)" : ''}`,
  ),
];
const OPENED = {
  yes: 'opened',
  no: 'not opened',
  unknown: 'perhaps opened, by key holders that did not answer',
} as const;

function privateLines(
  { privatePayouts: found, privatePayoutsError: error }: Activity,
  amount: (units: AmountUnits) => string,
) {
  if (error !== null) return [`private payouts: not known now (${error.code})`];
  if (found === null) return [];
  return [
    'private payouts of this wallet in this DAO, of all its contributions together:',
    ...found.payouts.map(
      ({ epoch, proof, isClaimed }) =>
        `  epoch ${epoch.number}  ${amount(proof.leaf.amountUnits)}${isClaimed ? '  claimed' : ''}`,
    ),
  ];
}

const missingLines = ({ holders, unanswered, untrusted }: Activity): string[] => [
  ...unanswered.map((member) => `key holder ${member + 1} did not answer: ${holders[member]!.error?.code ?? ''}`),
  ...untrusted.flatMap((member) => [
    `THE LOG OF KEY HOLDER ${member + 1} DOES NOT CHECK OUT`,
    ...checkLines(holders[member]!.verdict.checks).map((line) => `  ${line}`),
  ]),
];
