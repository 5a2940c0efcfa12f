import {
  appraiseEvidence,
  exportEat,
  failedChecks,
  isStandInJudgement,
  readEvidenceFile,
  readPolicyFile,
  type EvidenceFile,
  type RootSet,
} from '@usufruct/attestation';
import { openEndorsements, type EndorsementSource } from '@usufruct/endorsements';
import { fromBase64, fromHex, refuse, type Clock, type JobId, type TimestampMs } from '@usufruct/kernel';
import type { AddCommand } from '../../program.js';
import { idArgument, type Runtime } from '../../runtime.js';
import { readBounded } from './read-bounded.js';
import { writeRecord } from './result.js';
import { rootsOf } from './roots.js';
import { tableOf } from './table.js';

interface VerifyOptions {
  readonly policy: string;
  readonly at?: string;
  readonly endorsements?: string;
  readonly offline?: boolean;
  readonly challenge?: string;
  readonly job?: string;
  readonly devRoot?: readonly string[];
  readonly sign?: string;
  readonly record?: string;
}

const VERIFY_HELP = `
Exit code 0 only if every required check passed; 3 if not, 2 if a file is not what it must be.
Without --challenge, 0 does not say that the evidence is fresh: the file says which challenge was its verifier's, and
whoever wrote it could have played back old evidence. Without --job, it is for the job that the evidence itself names.
The output says so in words, and with --json as freshness and jobFrom.`;

export const addVerify: AddCommand = (attest, open) => {
  attest
    .command('verify')
    .description('judge evidence from a file: every check, passed, failed or skipped, with its reason')
    .argument('<bundle>', 'the evidence, as a verifier keeps it or as a runner sends it')
    .requiredOption('--policy <file>', "the DAO's appraisal policy and its documents for the hardware")
    .option('--at <time>', 'judge as of this time, such as 2026-06-01T00:00:00Z; asks nobody')
    .option('--endorsements <dir>', 'where endorsements are kept (default: endorsements in the home)')
    .option('--offline', 'ask nobody: what is kept must do')
    .option('--challenge <text>', 'the 32 bytes that you made, hex or base64 (default: as the file says)')
    .option('--job <id>', 'the job that the evidence must be for (default: the one that it names)')
    .option('--dev-root <name=file...>', 'DEV ONLY: generated roots in place of the vendors’')
    .option(
      '--sign <file>',
      'with --challenge: sign the result with this key, 32 bytes in hex, so that others may rely on it',
    )
    .option('--record <file>', 'with --sign: where to write the signed result, for usufruct attest result')
    .addHelpText('after', VERIFY_HELP)
    .action(async (path: string, options: VerifyOptions, command) => verify(open(command), path, options));
};

async function verify(runtime: Runtime, path: string, options: VerifyOptions): Promise<void> {
  const evidence = readEvidenceFile(readBounded(path, 'evidence file'));
  const { policy, teePolicy } = readPolicyFile(readBounded(options.policy, 'policy file'));
  if (options.sign !== undefined && options.challenge === undefined) {
    // Others would take for fresh what this verifier itself could not.
    throw refuse('INVALID_ARGUMENT', { field: '--challenge', expected: 'yours, where you sign with --sign' });
  }
  const roots = rootsOf(options.devRoot);
  const nowMs = options.at === undefined ? runtime.clock.nowMs() : timeArgument(options.at);
  const { bundle } = evidence;
  const { endorsements, missing } = await sourceOf(runtime, options, roots, nowMs).endorsementsFor(bundle);
  const result = await appraiseEvidence(bundle, {
    ownChallenge: challengeOf(evidence, options.challenge),
    jobId: options.job === undefined ? bundle.jobId : idArgument<JobId>(options.job, 'job'),
    nowMs,
    policy,
    ...(teePolicy === undefined ? {} : { teePolicy }),
    endorsements,
    roots,
  });
  const signed = await writeRecord(options, { result, endorsements }, nowMs);
  const { checks, policyDigest, expiresAtMs } = result;
  const isStandIn = isStandInJudgement(bundle, roots);
  const isFresh = options.challenge !== undefined;
  const isOwnJob = options.job !== undefined;
  const value = {
    profile: bundle.profile,
    atMs: nowMs,
    standIn: isStandIn,
    freshness: isFresh ? 'own-challenge' : 'unproven',
    jobFrom: isOwnJob ? 'argument' : 'evidence',
    checks,
    policyDigest,
    expiresAtMs,
    missing,
  };
  const failed = failedChecks(result);
  const refusal = result.ok
    ? null
    : refuse('ATTESTATION_REFUSED', { checks: failed.join(', ') || 'a required check is missing' });
  const lines = [
    ...tableOf({ profile: bundle.profile, atMs: nowMs, result, missing, isStandIn, isFresh, isOwnJob }),
    ...(signed === null ? [] : [`Signed by the verifier ${signed.verifier}; written to ${signed.record}`]),
  ];
  const eat = exportEat(result, nowMs, endorsements);
  runtime.terminal.judgement({ ...value, eat, ...(signed === null ? {} : { signed }) }, lines, refusal);
}

/** At another time than now nobody is asked: what vendors say today is not what they said then. */
function sourceOf(runtime: Runtime, options: VerifyOptions, roots: RootSet, nowMs: TimestampMs): EndorsementSource {
  const folder = options.endorsements ?? runtime.endorsementsPath;
  const clock: Clock = { nowMs: () => nowMs };
  const isOffline = options.offline === true || options.at !== undefined;
  return openEndorsements({ folder, roots, clock, isOffline });
}

function challengeOf({ ownChallenge }: EvidenceFile, given: string | undefined): Uint8Array {
  const challenge = given === undefined ? ownChallenge : bytesOf(given);
  if (challenge?.length === 32) return challenge;
  throw refuse('INVALID_ARGUMENT', {
    field: 'challenge',
    expected: '32 bytes; a bundle alone does not say which one was yours',
  });
}

const bytesOf = (text: string): Uint8Array =>
  /^(0x)?[0-9a-fA-F]{64}$/.test(text) ? fromHex(text.toLowerCase(), 'challenge') : fromBase64(text, 'challenge');

function timeArgument(text: string): TimestampMs {
  const atMs = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(atMs))
    throw refuse('INVALID_ARGUMENT', { field: 'at', expected: 'a time such as 2026-06-01T00:00:00Z' });
  return atMs as TimestampMs;
}
