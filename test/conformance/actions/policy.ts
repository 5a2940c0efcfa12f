import { asAmount, type HolderSetId } from '@usufruct/kernel';
import {
  BLOB_LIFETIMES,
  ON_REVOCATION,
  type ComputationKind,
  type DaoPolicy,
  type DataRules,
  type ProtectionKind,
  type RevenueSplit,
} from '@usufruct/protocol';
import type { Play } from '../play/actor.js';
import { MINUTE_MS, word } from '../play/cast.js';
import * as move from '../play/move-text.js';

/** The last one is lower-case hex of another length: 32 bytes instead of 48. */
export const MEASUREMENTS = ['ab'.repeat(48), 'cd'.repeat(48), 'ef'.repeat(32)];
export const PROFILES = ['tdx', 'snp', 'tdx+nv', 'nitro'] as const;
/** Broader and narrower ones, one that covers all, one that restricts, one that covers nothing. */
export const PURPOSES = ['DUO:0000042', 'DUO:0000006', 'dpv:ResearchAndDevelopment', 'dpv:AcademicResearch'];
export const KINDS: readonly ComputationKind[] = ['rag', 'train', 'stats'];
export const PROTECTIONS: readonly ProtectionKind[] = ['tee', 'mpc', 'fhe'];
/** Prices that leave remainders, the smallest that there are, and one that few can pay. */
const PRICES = [1_000_001n, 7n, 1n, 0n, 999_983n, 333_333_333_333n];
const LAST_VERSION = 2 ** 32 - 1;
const SPLITS: readonly RevenueSplit[] = [
  { contributorsBps: 7_000, treasuryBps: 2_000, runnerBps: 800, protocolBps: 200 },
  { contributorsBps: 3_333, treasuryBps: 3_333, runnerBps: 3_333, protocolBps: 1 },
  { contributorsBps: 10_000, treasuryBps: 0, runnerBps: 0, protocolBps: 0 },
  { contributorsBps: 2_500, treasuryBps: 2_500, runnerBps: 2_500, protocolBps: 2_500 },
];

/** Ways to make a policy that both sides refuse. */
export const POLICY_TWISTS = [
  'split',
  'no purposes',
  'purpose twice',
  'purpose code',
  'no kinds',
  'protection twice',
  'no verifiers',
  'too many verifiers',
  'no job term',
  'long job term',
  'no profiles',
  'no measurements',
  'zero measurement',
  'short measurement',
  'no result term',
  'long result term',
  'unknown holder set',
] as const;

export function policyOf(
  { random, needs }: Play,
  holderSetId: HolderSetId,
  members: number,
  twist: string | null,
): DaoPolicy {
  const policy: DaoPolicy = {
    pricePerQuestionUnits: asAmount(random.pick(PRICES)),
    purposes: random.some(PURPOSES),
    kinds: random.some(KINDS),
    protections: needs.protection ? [needs.protection] : random.chance(0.7) ? ['tee'] : random.some(PROTECTIONS),
    split: random.pick(SPLITS),
    holderSetId,
    appraisal: {
      version: needs.lastAppraisalVersion === true ? LAST_VERSION : random.int(1, 3),
      profiles: random.some(PROFILES, 2),
      measurements: random.some(MEASUREMENTS),
      resultTermMs: random.pick([5, 60, 24 * 60]) * MINUTE_MS,
    },
    verifierThreshold: random.int(1, Math.min(members, 2)),
    maxJobTermMs: random.pick([1, 30, 60]) * MINUTE_MS,
    onRevocation: random.pick(ON_REVOCATION),
    blobs: random.pick(BLOB_LIFETIMES),
    selfQueriesPay: random.chance(0.5),
  };
  return twist === null ? policy : twisted(policy, twist, members);
}

function twisted(policy: DaoPolicy, twist: string, members: number): DaoPolicy {
  const { appraisal, split } = policy;
  const changes: Readonly<Record<string, Partial<DaoPolicy>>> = {
    split: { split: { ...split, protocolBps: split.protocolBps + 1 } },
    'no purposes': { purposes: [] },
    'purpose twice': { purposes: ['DUO:0000042', 'DUO:0000042'] },
    'purpose code': { purposes: ['DUO:42'] },
    'no kinds': { kinds: [] },
    'protection twice': { protections: ['tee', 'tee'] },
    'no verifiers': { verifierThreshold: 0 },
    'too many verifiers': { verifierThreshold: members + 1 },
    'verifiers by vote only': { verifierThreshold: policy.verifierThreshold + 1 },
    'no job term': { maxJobTermMs: 0 },
    'long job term': { maxJobTermMs: 60 * MINUTE_MS + 1 },
    'no profiles': { appraisal: { ...appraisal, profiles: [] } },
    'no measurements': { appraisal: { ...appraisal, measurements: [] } },
    'zero measurement': { appraisal: { ...appraisal, measurements: ['00'.repeat(48)] } },
    'short measurement': { appraisal: { ...appraisal, measurements: ['ab'.repeat(31)] } },
    'no result term': { appraisal: { ...appraisal, resultTermMs: 0 } },
    'long result term': { appraisal: { ...appraisal, resultTermMs: 24 * 60 * MINUTE_MS + 1 } },
    'unknown holder set': { holderSetId: word('nobody knows this holder set') },
  };
  return { ...policy, ...changes[twist] };
}

/** The abort for each refusal of a policy. */
export const POLICY_REFUSALS: Readonly<Record<string, readonly string[]>> = {
  SPLIT_INVALID: ['policy::ESplit'],
  'INVALID_ARGUMENT purposes as a set': ['checks::ENotASet'],
  'INVALID_ARGUMENT purposes': ['checks::EPurposeCode'],
  'INVALID_ARGUMENT kinds as a set': ['checks::ENotASet'],
  'INVALID_ARGUMENT protections as a set': ['checks::ENotASet'],
  // None is refused when the policy is made, too many when it meets its holder set.
  'INVALID_ARGUMENT verifierThreshold': ['policy::EVerifierThreshold', 'data_dao::EVerifierThreshold'],
  'INVALID_ARGUMENT maxJobTermMs': ['policy::EJobTerm'],
  'INVALID_ARGUMENT appraisal.profiles as a set': ['checks::ENotASet'],
  'INVALID_ARGUMENT appraisal.measurements as a set': ['checks::ENotASet'],
  'INVALID_ARGUMENT appraisal.measurements': ['policy::EMeasurement'],
  'INVALID_ARGUMENT appraisal.resultTermMs': ['policy::EResultTerm'],
  // The contracts are given a set, which is then another one than the policy's.
  'NOT_FOUND holder-set': ['data_dao::EWrongHolderSet'],
};

export const splitText = (split: RevenueSplit): string => {
  const parts = [split.contributorsBps, split.treasuryBps, split.runnerBps, split.protocolBps];
  return `stage_daos::split(${parts.map(move.number).join(', ')})`;
};

/** As the contracts have them. */
export const dataRulesTexts = ({ onRevocation, blobs, selfQueriesPay }: DataRules): string[] =>
  [onRevocation === 'cancel', blobs === 'permanent', selfQueriesPay].map(move.flag);

export function policyText(policy: DaoPolicy): string {
  const { split, appraisal } = policy;
  const args = [
    move.number(policy.pricePerQuestionUnits),
    move.list(policy.purposes.map(move.text)),
    move.list(policy.kinds.map(move.kind)),
    move.list(policy.protections.map(move.protection)),
    splitText(split),
    move.address(policy.holderSetId),
    move.number(appraisal.version),
    move.list(appraisal.profiles.map(move.text)),
    move.list(appraisal.measurements.map(move.text)),
    move.number(appraisal.resultTermMs),
    move.number(policy.verifierThreshold),
    move.number(policy.maxJobTermMs),
    ...dataRulesTexts(policy),
  ];
  return `stage_daos::policy(${args.join(', ')})`;
}
