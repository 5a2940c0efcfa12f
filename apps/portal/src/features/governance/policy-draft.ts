import { BASIS_POINTS_WHOLE, refuse } from '@usufruct/kernel';
import { LIMITS, type DaoPolicy, type DataRules, type EvidenceProfile, type RevenueSplit } from '@usufruct/protocol';
import { parseAmountInput, type Coin } from '../../app/format.js';

export interface SplitDraft {
  readonly contributorsPercent: string;
  readonly treasuryPercent: string;
  readonly runnerPercent: string;
  readonly protocolPercent: string;
}

/** A policy as it stands in a form: text that may be anything. */
export interface PolicyDraft extends SplitDraft {
  readonly price: string;
  readonly purposes: readonly string[];
  readonly profiles: readonly EvidenceProfile[];
  /** One a line. */
  readonly measurements: string;
  readonly dataRules: DataRules;
}

/** More than half: no two groups of that size can be without a member in common. */
export const majorityOf = (count: number): number => Math.floor(count / 2) + 1;

/**
 * The policy that a draft describes, without its holder set. Refuses `INVALID_ARGUMENT` with the field's name, and
 * `SPLIT_INVALID` where the parts do not add up to the whole.
 */
export function readPolicy(draft: PolicyDraft, coin: Coin, verifierThreshold: number): Omit<DaoPolicy, 'holderSetId'> {
  if (draft.purposes.length === 0) throw refuse('INVALID_ARGUMENT', { field: 'purposes', expected: 'at least one' });
  if (draft.profiles.length === 0) throw refuse('INVALID_ARGUMENT', { field: 'evidence', expected: 'at least one' });
  return {
    pricePerQuestionUnits: parseAmountInput(draft.price, coin, 'price'),
    purposes: [...draft.purposes],
    kinds: ['rag'],
    protections: ['tee'],
    split: readSplit(draft),
    appraisal: {
      version: 1,
      profiles: [...draft.profiles],
      measurements: readMeasurements(draft.measurements),
      resultTermMs: LIMITS.jobTermMs,
    },
    verifierThreshold,
    maxJobTermMs: LIMITS.jobTermMs,
    ...draft.dataRules,
  };
}

/** Refuses `SPLIT_INVALID` where the parts do not add up to the whole. */
export function readSplit(draft: SplitDraft): RevenueSplit {
  const split = {
    contributorsBps: readPercent(draft.contributorsPercent, 'contributors'),
    treasuryBps: readPercent(draft.treasuryPercent, 'treasury'),
    runnerBps: readPercent(draft.runnerPercent, 'runner'),
    protocolBps: readPercent(draft.protocolPercent, 'protocol'),
  };
  const sum = split.contributorsBps + split.treasuryBps + split.runnerBps + split.protocolBps;
  if (sum !== BASIS_POINTS_WHOLE) throw refuse('SPLIT_INVALID', { sumPercent: String(sum / 100) });
  return split;
}

/** Percent with at most two decimals, as parts of ten thousand. */
export function readPercent(text: string, field: string): number {
  const match = /^(\d{1,3})(?:[.,](\d{1,2}))?$/.exec(text.trim());
  if (match === null) throw refuse('INVALID_ARGUMENT', { field, expected: 'a percentage with at most two decimals' });
  return Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'));
}

export function readMeasurements(text: string): string[] {
  const lines = text.split(/\s+/).filter((line) => line !== '');
  if (lines.length === 0 || lines.some((line) => !/^[0-9a-f]{96}$/.test(line))) {
    throw refuse('INVALID_ARGUMENT', { field: 'approved code', expected: '96 lower-case hexadecimal digits a line' });
  }
  return lines;
}
