import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { productionRoots, verifierKey, zTeePolicy } from '@usufruct/attestation';
import { generateSigningKey, signingPublicKey, type SigningKey } from '@usufruct/crypto';
import { openEndorsements } from '@usufruct/endorsements';
import {
  asId,
  fromBase64,
  fromHex,
  jsonLogger,
  systemClock,
  systemRandom,
  toBase64,
  toBase64Url,
  toHex,
  toUsufructError,
  type JobId,
  type RunnerId,
} from '@usufruct/kernel';
import { parseAnswer, runnerIdOf, zEvidenceBundle } from '@usufruct/protocol';
import { tryMainJob } from './main-job.js';
import { missingHardware, thisMachine } from './preflight.js';
import { judgeAgain } from './judge-again.js';
import { encodeEndorsements, isAccepted, readSignedReport, signReport, tableOf, type Report } from './report.js';
import { tryEvidence, type Attester } from './trials.js';

const USAGE = `usage: node infra/acceptance/run.mjs
    --runner URL            the runner in this guest, such as http://127.0.0.1:8080
    --measurement HEX       as the DAO approved it (usufruct attest measure)
    --tee-policy FILE       what the DAO asks of the hardware
    --endorsements DIR      where what the vendors sign is kept; fetched unless --offline
    --job ID --question TEXT  a funded session, and what to ask in it
    [--endpoints FILE] [--wallet FILE]  as for usufruct ask
    [--nvattest FILE] [--software NAME] [--key FILE: 32 bytes in hex] [--offline] [--out FILE]
  or:  --verify FILE --trust KEY
                            the table of a report that this key signed, its evidence judged again as of then;
                            KEY: 32 bytes in base64, or a file that holds them
`;
const ROOT = join(import.meta.dirname, '../../..');
const EVIDENCE_TIMEOUT_MS = 120_000;
const EVIDENCE_CHARS_AT_MOST = 4 * 1024 * 1024;

const text = { type: 'string' } as const;
const OPTIONS = {
  runner: text,
  measurement: text,
  'tee-policy': text,
  endorsements: text,
  job: text,
  question: text,
  endpoints: text,
  wallet: text,
  nvattest: text,
  software: text,
  key: text,
  out: text,
  verify: text,
  trust: text,
  offline: { type: 'boolean' },
} as const;
const NEEDED = ['runner', 'measurement', 'tee-policy', 'endorsements', 'job', 'question'] as const;
type Values = ReturnType<typeof valuesOf>;
const valuesOf = (args: string[]) => parseArgs({ args, options: OPTIONS }).values;

/** The exit code: 0 accepted, 1 not, 2 usage, 3 refused (no such hardware, a bad report), 4 a part does not answer. */
export async function run(args: string[]): Promise<number> {
  try {
    const values = valuesOf(args);
    if (values.verify !== undefined) {
      // Whose word counts is never taken from the file.
      return values.trust === undefined ? usage() : await verifyReport(values.verify, keyOf(values.trust));
    }
    const missing = missingHardware(thisMachine, values.nvattest ?? '/usr/bin/nvattest');
    if (missing.length > 0) return refuseMachine(missing);
    if (NEEDED.some((name) => values[name] === undefined)) return usage();
    return await accept(values);
  } catch (error) {
    if (error instanceof TypeError && 'code' in error) return usage();
    const known = toUsufructError(error);
    const reason = known.code === 'INTERNAL' && error instanceof Error ? error.message : JSON.stringify(known.details);
    process.stderr.write(`${known.code}: ${known.message} ${reason}\n`);
    return known.entry.retry === 'later' ? 4 : 3;
  }
}

function usage(): number {
  process.stderr.write(USAGE);
  return 2;
}

function refuseMachine(missing: readonly string[]): number {
  const lines = missing.map((what) => `  ${what}\n`).join('');
  process.stderr.write(`This is no machine to accept: it has not\n${lines}Nothing was proven.\n`);
  return 3;
}

async function accept(values: Values): Promise<number> {
  const given = (name: (typeof NEEDED)[number]): string => values[name] ?? '';
  const jobId = asId<JobId>(given('job').toLowerCase(), '--job');
  const roots = productionRoots();
  const log = jsonLogger('acceptance', systemClock, (line) => process.stderr.write(`${line}\n`));
  const folder = given('endorsements');
  const isOffline = values.offline === true;
  const teePolicy = zTeePolicy.parse(JSON.parse(readFileSync(given('tee-policy'), 'utf8')));
  const measurement = toHex(fromHex(given('measurement'), '--measurement'));
  const tried = await tryEvidence({
    attester: runnerAt(given('runner'), jobId),
    desk: { roots, endorsements: openEndorsements({ folder, roots, isOffline, clock: systemClock, log }) },
    teePolicy,
    measurement,
    jobId,
    clock: systemClock,
    random: systemRandom,
  });
  const mainJob = await tryMainJob({
    cli: join(ROOT, 'apps/cli/bin/usufruct.mjs'),
    job: jobId,
    runnerId: runnerIdOf<RunnerId>(fromBase64(tried.bundle.signingPublicKey)),
    question: given('question'),
    options: (['endpoints', 'wallet'] as const).flatMap((name) => {
      const value = values[name];
      return value === undefined ? [] : [`--${name}`, value];
    }),
  });
  const trials = [...tried.trials, mainJob];
  return writeReport(values, {
    v: 2,
    atMs: tried.atMs,
    software: values.software ?? 'unnamed',
    machine: { kernel: release(), cpu: cpus()[0]?.model ?? 'unknown' },
    measurement,
    teePolicy,
    endorsements: encodeEndorsements(tried.endorsements),
    gpus: [...(tried.claims?.gpu?.devices ?? [])],
    trials,
    checks: [...tried.checks],
    evidence: { nonce: toBase64(tried.nonce), bundle: tried.bundle },
    accepted: isAccepted(trials),
  });
}

async function writeReport({ key, out = 'acceptance-report.json' }: Values, report: Report): Promise<number> {
  const signed = await signReport(report, keyFrom(key));
  writeFileSync(out, `${JSON.stringify(signed)}\n`);
  process.stdout.write(tableOf(report));
  const whose = key === undefined ? 'a key made for it: say yourself that it is yours' : 'your key';
  process.stdout.write(`Signed by ${signed.publicKey}, ${whose}; written to ${out}\n`);
  return report.accepted ? 0 : 1;
}

/** The operator's own key, or one that is made for this report and forgotten. */
function keyFrom(file: string | undefined): SigningKey {
  if (file === undefined) return generateSigningKey(systemRandom);
  const secretKey = Uint8Array.from(fromHex(readFileSync(file, 'utf8').trim(), '--key'));
  return { secretKey, publicKey: signingPublicKey(secretKey) };
}

const runnerAt = (url: string, jobId: JobId): Attester => ({
  evidence: async (nonce) => {
    const query = new URLSearchParams({ nonce: toBase64Url(nonce), jobId });
    const answer = await fetch(`${url.replace(/\/+$/, '')}/v1/attestation?${query.toString()}`, {
      signal: AbortSignal.timeout(EVIDENCE_TIMEOUT_MS),
    });
    const body = await answer.text();
    if (!answer.ok || body.length > EVIDENCE_CHARS_AT_MOST) throw new Error(`the runner answered ${answer.status}`);
    return parseAnswer(zEvidenceBundle, JSON.parse(body), 'runner');
  },
});

/** Of a public key in base64, or of a file that holds one. */
const keyOf = (given: string): Uint8Array =>
  verifierKey(existsSync(given) ? readFileSync(given, 'utf8') : given, '--trust');

async function verifyReport(file: string, trusted: Uint8Array): Promise<number> {
  const report = await readSignedReport(readFileSync(file, 'utf8'), trusted);
  if (report === null) {
    process.stderr.write('Not a whole report that this key signed.\n');
    return 3;
  }
  const failed = await judgeAgain(report, productionRoots());
  const again = failed.length === 0 ? 'GOOD' : `NOT GOOD: ${failed.join(', ')}`;
  process.stdout.write(`${tableOf(report)}Signed by ${toBase64(trusted)}\n`);
  process.stdout.write(`Its evidence, judged again by what is in it, under the vendors' pinned roots: ${again}\n`);
  return report.accepted && failed.length === 0 ? 0 : 1;
}
