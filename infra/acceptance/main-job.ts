import { spawn } from 'node:child_process';
import { parseJson, type RunnerId } from '@usufruct/kernel';
import { z } from 'zod';
import type { Trial } from './trials.js';

/** Name of this trial. */
export const MAIN_JOB = 'MAIN_JOB';
const TIMEOUT_MS = 10 * 60_000;
const OUTPUT_BYTES_AT_MOST = 1024 * 1024;

/** What `usufruct --json ask` prints. */
const zAsked = z.object({
  standIn: z.boolean(),
  /** Who signed the receipt; null where the chain knows no such runner. */
  runnerId: z.string().nullable(),
  checks: z.array(z.object({ name: z.string(), status: z.enum(['passed', 'failed', 'skipped']) })).min(1),
});

export interface MainJob {
  /** The command line, so that what is tried is what users use. */
  readonly cli: string;
  readonly job: string;
  /** Whose evidence was judged: another machine's answer says nothing about this one. */
  readonly runnerId: RunnerId;
  readonly question: string;
  /** Further options of the command line, such as --endpoints. */
  readonly options: readonly string[];
}

/** One private question through the whole system: sealed to the attested runner, answered, paid, its receipt verified. */
export async function tryMainJob({ cli, job, runnerId, question, options }: MainJob): Promise<Trial> {
  const name = MAIN_JOB;
  const { code, printed } = await run(cli, ['--json', ...options, 'ask', question, '--job', job]);
  if (code !== 0) return { name, ok: false, detail: `usufruct ask ended with status ${code}` };
  const asked = zAsked.safeParse(parseJson(printed)).data;
  if (asked === undefined) return { name, ok: false, detail: 'usufruct ask printed no answer' };
  const failed = asked.checks.filter(({ status }) => status === 'failed').map((check) => check.name);
  if (failed.length > 0) return { name, ok: false, detail: `of the receipt: ${failed.join(', ')}` };
  if (asked.runnerId !== runnerId) return { name, ok: false, detail: 'another runner answered' };
  if (asked.standIn) return { name, ok: false, detail: 'a stand-in answered' };
  return { name, ok: true, detail: '' };
}

/** Without a shell; the answer, which may be private, goes nowhere but through here. */
function run(cli: string, args: readonly string[]): Promise<{ code: number; printed: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    child.stdout.on('data', (part: Buffer) => {
      printed += part.toString('utf8');
      if (printed.length > OUTPUT_BYTES_AT_MOST) child.kill('SIGKILL');
    });
    child.on('error', () => resolve({ code: -1, printed: '' }));
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, printed });
    });
  });
}
