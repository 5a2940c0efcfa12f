import { CHECK_MEANINGS, CHECK_SECTIONS, checkSection, type Appraisal, type CheckSection } from '@usufruct/attestation';
import type { MissingEndorsement } from '@usufruct/endorsements';
import type { Check } from '@usufruct/kernel';
import { quoted, timeOf } from '../../words.js';

const TITLES: Readonly<Record<CheckSection, string>> = {
  verifier: 'Policy and clock',
  processor: 'Processor, and the code that it runs',
  gpus: 'Graphics processors',
  bond: 'Bond between them, the keys, the challenge and the job',
};
const MARKS = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' } as const;
const WHETHER = { passed: '', failed: 'Does not hold: ', skipped: 'Not checked: ' } as const;

export interface Judged {
  readonly profile: string;
  readonly atMs: number;
  readonly result: Appraisal;
  readonly missing: readonly MissingEndorsement[];
  /** Roots or evidence of a stand-in. */
  readonly isStandIn: boolean;
  /** Whoever asks named the challenge that they made; otherwise the file says which it was. */
  readonly isFresh: boolean;
  /** Whoever asks named the job; otherwise it is the one that the evidence names. */
  readonly isOwnJob: boolean;
}

const STAND_IN =
  'DEV ONLY: judged under generated roots, or made by software that imitates hardware. It proves nothing about hardware.';
const UNPROVEN_FRESHNESS =
  'FRESHNESS UNPROVEN: the file says which challenge was its verifier’s. Give yours with --challenge, or take this for a recording.';
const UNASKED_JOB = 'The job is the one that the evidence names: --job says which it must be.';

/** A table that a person can read: each check with its result, its meaning and its reason, apart by what it is about. */
export function tableOf({ profile, atMs, result, missing, isStandIn, isFresh, isOwnJob }: Judged): string[] {
  const width = Math.max(...result.checks.map(({ name }) => name.length));
  const sections = CHECK_SECTIONS.flatMap((section) => {
    const checks = result.checks.filter(({ name }) => checkSection(name) === section);
    return checks.length === 0 ? [] : ['', TITLES[section], ...checks.map((check) => lineOf(check, width))];
  });
  return [
    `Evidence of the profile ${profile}, judged at ${timeOf(atMs)} under the policy ${result.policyDigest}`,
    ...(isStandIn ? [STAND_IN] : []),
    ...(isFresh ? [] : [UNPROVEN_FRESHNESS]),
    ...(isOwnJob ? [] : [UNASKED_JOB]),
    ...sections,
    ...claimLines(result),
    ...(missing.length === 0 ? [] : ['', 'Endorsements that are not at hand']),
    ...missing.map(({ name, reason }) => `  ${name}: ${reason}`),
    '',
    verdictLine(result, { isStandIn, isFresh }),
  ];
}

function lineOf({ name, status, detail }: Check, width: number): string {
  const reason = detail === '' ? '' : ` (${detail})`;
  return `  ${MARKS[status]} ${name.padEnd(width)}  ${WHETHER[status]}${CHECK_MEANINGS[name] ?? ''}${reason}`;
}

/** What the evidence says of itself is quoted: an attester chose it. */
function claimLines({ claims }: Appraisal): string[] {
  if (claims === undefined) return [];
  const { cpu, gpu, binding } = claims;
  return [
    '',
    'What was proven',
    `  processor  ${cpu.tee}, code ${cpu.measurement}, ${[...cpu.tcbStatuses, ...cpu.advisories].join(', ') || 'no firmware status'}`,
    ...(gpu?.devices ?? []).map(
      ({ model, driverVersion, vbiosVersion }) =>
        `  gpu        ${quoted(model)}, driver ${driverVersion}, firmware ${vbiosVersion}`,
    ),
    `  bond       challenge ${binding.challenge}, job ${binding.jobId}, ${binding.gpu ? 'with' : 'without'} graphics processors`,
  ];
}

/** The last line says all that the first ones do: some read only that one. */
function verdictLine(
  { ok, checks, expiresAtMs }: Appraisal,
  { isStandIn, isFresh }: Pick<Judged, 'isStandIn' | 'isFresh'>,
): string {
  const count = (status: Check['status']): number => checks.filter((check) => check.status === status).length;
  const counts = `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} not checked`;
  const doubts = [...(isStandIn ? ['DEV ONLY'] : []), ...(isFresh ? [] : ['FRESHNESS UNPROVEN'])];
  const good = ['GOOD', ...doubts].join(', ');
  return ok
    ? `${good}${doubts.length === 0 ? '' : ','} until ${timeOf(expiresAtMs)}: ${counts}`
    : `NOT GOOD: ${counts}; every required check must pass`;
}
