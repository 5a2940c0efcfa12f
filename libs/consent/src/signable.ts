import { asTimestampMs, granted, refused, type Result, type TimestampMs } from '@usufruct/kernel';
import { PURPOSE_CODE } from '@usufruct/protocol';
import { PURPOSES, purposeCovers, unverifiableCodes } from './purposes.js';
import { duoModifier, MORE_PURPOSES, withBroader } from './vocabulary.js';

/** Purposes in one list that the contract takes (`checks::set_at_most`). */
const PURPOSES_AT_MOST = 32;
const NON_COMMERCIAL = 'dpv:NonCommercialPurpose';
const [NO_RESTRICTION, BIOMEDICAL, ANCESTRY, ANY_RESEARCH] = [
  'DUO:0000004',
  'DUO:0000006',
  'DUO:0000011',
  'DUO:0000042',
] as const;

/** What somebody chose, in the words of the vocabularies: permissions, purposes and modifiers in one list. */
export interface Chosen {
  readonly purposes: readonly string[];
  readonly expiresAtMs: TimestampMs;
  /** For the modifier "time limit on use" (DUO:0000025): the grant ends by then. */
  readonly timeLimitMs?: TimestampMs;
}
export interface Signable {
  readonly purposes: readonly string[];
  readonly expiresAtMs: TimestampMs;
}

/**
 * The purposes and the end of a grant that says, to the chain and to every holder, what somebody chose: nothing is
 * decided by a wider reading of it later.
 *
 * - A modifier that other terms can say is said by them: a time limit by the grant's end, "no ancestry research" and
 *   "non-commercial use only" by narrower purposes. What cannot be narrowed to known purposes is left out.
 * - Narrower purposes that the chain's table does not have are listed beside the broader one.
 *
 * Refuses `PURPOSE_DENIED` for a modifier that nothing here can keep, or when no purpose is left (`unverifiable` names
 * the modifiers), and `INVALID_ARGUMENT` for what is no code, for no choice, for a list that is longer than the
 * contract takes, and for a time limit that is not stated.
 */
export function signable({ purposes, expiresAtMs, timeLimitMs }: Chosen): Result<Signable> {
  if (purposes.length === 0 || !purposes.every((code) => PURPOSE_CODE.test(code))) {
    return refused('INVALID_ARGUMENT', { field: 'purposes', expected: 'DUO or DPV codes' });
  }
  const modifiers = unverifiableCodes(purposes);
  const unkept = modifiers.filter((code) => duoModifier(code)?.keeping !== 'by-terms');
  if (unkept.length > 0) return denied('grant.modifiers', purposes, unkept);
  if (modifiers.includes('DUO:0000025') && timeLimitMs === undefined) {
    return refused('INVALID_ARGUMENT', { field: 'timeLimitMs', expected: 'the end that DUO:0000025 speaks of' });
  }
  let kept = purposes.filter((code) => !modifiers.includes(code));
  if (modifiers.includes('DUO:0000044')) kept = withoutAncestry(kept);
  if (modifiers.includes('DUO:0000046')) kept = nonCommercial(kept);
  if (kept.length === 0) return denied('grant.purposes', purposes, modifiers);
  const listed = unique([...kept, ...kept.flatMap(notInTheTable)]);
  if (listed.length > PURPOSES_AT_MOST) {
    return refused('INVALID_ARGUMENT', {
      field: 'purposes',
      expected: `at most ${PURPOSES_AT_MOST} with narrower ones`,
    });
  }
  const end = timeLimitMs === undefined ? expiresAtMs : asTimestampMs(Math.min(expiresAtMs, timeLimitMs));
  return granted({ purposes: listed, expiresAtMs: end });
}

const denied = (rule: string, asked: readonly string[], codes: readonly string[]): ReturnType<typeof refused> =>
  refused('PURPOSE_DENIED', { rule, asked: asked.join(', '), unverifiable: codes.join(', ') });

const unique = (codes: readonly string[]): string[] => [...new Set(codes)];

/**
 * DUO:0000044. DUO:0000006 excludes ancestry by its own definition, so it is what remains of "any research" and of "no
 * restriction"; of a DPV purpose nothing remains, because DPV says nothing about ancestry.
 */
const withoutAncestry = (codes: readonly string[]): string[] =>
  unique(
    codes.flatMap((code) => {
      if (code === NO_RESTRICTION || code === ANY_RESEARCH) return [BIOMEDICAL];
      return code.startsWith('DUO:') && code !== ANCESTRY ? [code] : [];
    }),
  );

/**
 * DUO:0000046. The broadest purposes that are both what was chosen and non-commercial by DPV. DUO itself does not say
 * of any purpose whether it is commercial: of "any research" DPV's non-commercial research remains.
 */
function nonCommercial(codes: readonly string[]): string[] {
  const within = codes.map((code) => {
    if (code === NO_RESTRICTION) return 'dpv:Purpose';
    return code === ANY_RESEARCH ? 'dpv:ResearchAndDevelopment' : code;
  });
  const both = PURPOSES.map(({ code }) => code).filter((code) => {
    const broader = withBroader(code);
    return broader.has(NON_COMMERCIAL) && within.some((one) => broader.has(one));
  });
  return both.filter((code) => !both.some((other) => other !== code && withBroader(code).has(other)));
}

/** Narrower by the vocabulary, but not by the chain's table. */
const notInTheTable = (code: string): string[] =>
  MORE_PURPOSES.map((purpose) => purpose.code).filter(
    (narrower) => withBroader(narrower).has(code) && !purposeCovers(code, narrower),
  );
