import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { RunningSystem } from '#local/system.js';
import { contributor, found, fundedSession, type Founded } from '../../support/players.ts';
import { cpuSeconds } from '../processes.ts';
import { percentile, progress, target, type BenchPart } from '../report.ts';
import { filesOf, questionAbout } from './paragraphs.ts';
import { untilUsable } from './until-usable.ts';

const SIZES = [100, 1_000, 10_000, 100_000];
const WARM_UP = 10;
const QUESTIONS = 60;
const CLIENTS = 100;
const QUESTIONS_PER_CLIENT = 4;
/** Each session holds its own index, so that the largest dataset is asked in one. */
const sessionsFor = (paragraphs: number): number => (paragraphs <= 10_000 ? 4 : 1);
const PREPARING_MS = 540_000;

type Session = Awaited<ReturnType<typeof fundedSession>>['session'];
interface Prepared {
  readonly paragraphs: number;
  readonly dao: Founded;
  readonly sessions: readonly Session[];
}

/**
 * Latency of a question without a language model on a warm index, as a client sees it: seal, relay through the API,
 * decide by the chain's grants, retrieve, answer, sign and settle the receipt on the chain, open the answer and verify
 * every check of the receipt. Clients, API, PostgreSQL, chain and runner share this machine's cores.
 */
export async function benchLatency(system: RunningSystem): Promise<BenchPart> {
  const results: object[] = [];
  const targets: BenchPart['targets'][number][] = [];
  for (const paragraphs of sizes()) {
    const prepared = await prepare(system, paragraphs, results);
    const alone = await oneClient(prepared, system);
    const crowd = await manyClients(prepared, system);
    results.push(alone, crowd);
    if (paragraphs === 10_000) {
      targets.push(target('ask.p50_ms.10000', alone.p50_ms, 'ms', '<=', 60));
      targets.push(target('ask.rps.100clients.10000', crowd.questions_per_s, '1/s', '>=', 30));
    }
    if (paragraphs === 100_000) targets.push(target('ask.p50_ms.100000', alone.p50_ms, 'ms', '<=', 150));
  }
  return { results, targets };
}

/** `BENCH_RAG_SIZES=100,10000` measures fewer. */
const sizes = (): readonly number[] => process.env['BENCH_RAG_SIZES']?.split(',').map(Number) ?? SIZES;

async function prepare(system: RunningSystem, paragraphs: number, results: object[]): Promise<Prepared> {
  progress(`ask: ${paragraphs} paragraphs`);
  // Seconds in which this process answers nobody: a connection that is open meanwhile is closed by the other side.
  const files = filesOf(paragraphs);
  const dao = await found(system.endpoints);
  const startedMs = performance.now();
  for (const { fileName, text } of files) await contributor(system.endpoints, dao, fileName, text);
  const uploadedMs = performance.now();
  await untilUsable(dao, files.length);
  const maxQuestions = WARM_UP + QUESTIONS + CLIENTS * QUESTIONS_PER_CLIENT + 1;
  const sessions: Session[] = [];
  for (let i = 0; i < sessionsFor(paragraphs); i++) {
    const { session } = await fundedSession(system.endpoints, dao.dataset.id, maxQuestions);
    const fundedMs = performance.now();
    await session.ask({ key: 'first', text: questionAbout(paragraphs, 1) }, { timeoutMs: PREPARING_MS });
    const ready_s = (performance.now() - fundedMs) / 1_000;
    results.push({ name: 'session.ready', paragraphs, session: i, ready_s });
    progress(`  session ${i} answers after ${ready_s.toFixed(1)} s`);
    sessions.push(session);
  }
  const { chunks } = await sessions[0]!.progress();
  const memory = memoryMb(pidOf(system, 'runner'));
  const upload_s = (uploadedMs - startedMs) / 1_000;
  results.push({ name: 'dataset', paragraphs, chunks, upload_s, sessions: sessions.length, runner: memory });
  return { paragraphs, dao, sessions };
}

async function oneClient({ paragraphs, sessions }: Prepared, system: RunningSystem) {
  const session = sessions[0]!;
  const timesMs: number[] = [];
  let before = cpuOf(system);
  for (let i = 0; i < WARM_UP + QUESTIONS; i++) {
    if (i === WARM_UP) before = cpuOf(system);
    const startedMs = performance.now();
    await answered(session, `alone-${i}`, questionAbout(paragraphs, i));
    if (i >= WARM_UP) timesMs.push(performance.now() - startedMs);
  }
  const [p50_ms, p99_ms] = [percentile(timesMs, 50), percentile(timesMs, 99)];
  progress(`  1 client: p50 ${p50_ms.toFixed(1)} ms, p99 ${p99_ms.toFixed(1)} ms`);
  const cpu_ms_per_question = perQuestion(before, cpuOf(system), QUESTIONS);
  return { name: 'ask', paragraphs, clients: 1, questions: QUESTIONS, p50_ms, p99_ms, cpu_ms_per_question };
}

/** A closed loop: each client asks its next question when it has its answer. An error of any of them ends the bench. */
async function manyClients({ paragraphs, sessions }: Prepared, system: RunningSystem) {
  const timesMs: number[] = [];
  const before = cpuOf(system);
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      for (let i = 0; i < QUESTIONS_PER_CLIENT; i++) {
        const askedMs = performance.now();
        const text = questionAbout(paragraphs, 1_000 + client * QUESTIONS_PER_CLIENT + i);
        await answered(sessions[client % sessions.length]!, `client-${client}-${i}`, text);
        timesMs.push(performance.now() - askedMs);
      }
    }),
  );
  const questions = timesMs.length;
  const questions_per_s = questions / ((performance.now() - startedMs) / 1_000);
  const [p50_ms, p99_ms] = [percentile(timesMs, 50), percentile(timesMs, 99)];
  const cpu_ms_per_question = perQuestion(before, cpuOf(system), questions);
  progress(`  ${CLIENTS} clients: ${questions_per_s.toFixed(1)} questions/s, p50 ${p50_ms.toFixed(0)} ms`);
  return {
    name: 'ask.clients',
    paragraphs,
    clients: CLIENTS,
    sessions: sessions.length,
    questions,
    questions_per_s,
    p50_ms,
    p99_ms,
    cpu_ms_per_question,
    runner: memoryMb(pidOf(system, 'runner')),
  };
}

async function answered(session: Session, key: string, text: string): Promise<void> {
  const { answer } = await session.ask({ key, text }, { timeoutMs: PREPARING_MS });
  if (answer.citations.length === 0) throw new Error(`question ${key} found nothing`);
}

export const pidOf = (system: RunningSystem, name: string): number | undefined =>
  system.parts().find((part) => part.name === name)?.pid;

type Cpu = Readonly<Record<string, number | null>>;
/** Processor seconds of each part, as Linux counts them. PostgreSQL answers in processes of its own, which are not in it. */
function cpuOf(system: RunningSystem): Cpu {
  const own = process.cpuUsage();
  const parts = ['api', 'runner', 'chain'].map((name) => {
    const pid = pidOf(system, name);
    return [name, pid === undefined ? null : cpuSeconds(pid)] as const;
  });
  return { clients: (own.user + own.system) / 1e6, ...Object.fromEntries(parts) };
}
const perQuestion = (before: Cpu, after: Cpu, questions: number): Cpu =>
  Object.fromEntries(
    Object.entries(after).map(([name, seconds]) => {
      const earlier = before[name];
      const isKnown = seconds !== null && earlier !== null && earlier !== undefined;
      return [name, isKnown ? Number(((1_000 * (seconds - earlier)) / questions).toFixed(2)) : null];
    }),
  );

/** Of another process, in MB, where Linux says so: what it holds now, and the most that it ever held. */
function memoryMb(pid: number | undefined): { readonly rss_mb: number; readonly peak_mb: number } | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const mb = (field: string): number =>
      Math.round((Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / 1e6);
    return { rss_mb: mb('VmRSS'), peak_mb: mb('VmHWM') };
  } catch {
    return null;
  }
}
