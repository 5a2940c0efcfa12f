import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { execPath } from 'node:process';
import { fromBase64 } from '@usufruct/kernel';
import type { RunningSystem } from '#local/system.js';
import { contributor, found, fundedSession } from '../../support/players.ts';
import { percentile, progress, target, type BenchPart } from '../report.ts';
import { directAsker, post, type Steps } from './direct-asker.ts';
import { filesOf, questionAbout } from './paragraphs.ts';
import { untilUsable } from './until-usable.ts';

const PARAGRAPHS = 10_000;
const WARM_UP = 15;
const PAIRS = 80;
const TOP_K = 8;

/**
 * What sealing, the session's check against the chain, the receipt and its settlement and verification add to a question,
 * against the same retrieval in the clear: pairs of questions, one to each, in turns; the difference of their medians. Both
 * are asked over HTTP without the API between.
 */
export async function benchOverhead(system: RunningSystem): Promise<BenchPart> {
  progress(`overhead: ${PARAGRAPHS} paragraphs`);
  const files = filesOf(PARAGRAPHS);
  const dao = await found(system.endpoints);
  for (const { fileName, text } of files) await contributor(system.endpoints, dao, fileName, text);
  await untilUsable(dao, files.length);
  const { player, session, jobId } = await fundedSession(system.endpoints, dao.dataset.id, WARM_UP + PAIRS + 1);
  await session.ask({ key: 'first', text: questionAbout(PARAGRAPHS, 1) }, { timeoutMs: 300_000 });
  const clear = await clearServer(files);
  try {
    const secretKey = await clientKeyOf(player.journal, jobId);
    const ask = await directAsker(player, jobId, system.endpoints.runnerUrls[0]!, secretKey);
    const clearMs: number[] = [];
    const confidential: Steps[] = [];
    for (let i = 0; i < WARM_UP + PAIRS; i++) {
      const text = questionAbout(PARAGRAPHS, i + 2);
      const startedMs = performance.now();
      await post(clear.url, { text, topK: TOP_K });
      const tookMs = performance.now() - startedMs;
      const steps = await ask(text, TOP_K);
      if (i < WARM_UP) continue;
      clearMs.push(tookMs);
      confidential.push(steps);
    }
    return judged(clearMs, confidential);
  } finally {
    await clear.stop();
  }
}

function judged(clearMs: readonly number[], confidential: readonly Steps[]): BenchPart {
  const totalMs = confidential.map(({ sealMs, runnerMs, openMs, verifyMs }) => sealMs + runnerMs + openMs + verifyMs);
  const clear_p50_ms = percentile(clearMs, 50);
  const confidential_p50_ms = percentile(totalMs, 50);
  const p50 = (step: keyof Steps): number =>
    percentile(
      confidential.map((steps) => steps[step]),
      50,
    );
  const steps = {
    seal_ms: p50('sealMs'),
    runner_ms: p50('runnerMs'),
    open_ms: p50('openMs'),
    verify_ms: p50('verifyMs'),
  };
  const addedMs = confidential_p50_ms - clear_p50_ms;
  progress(`  ${addedMs.toFixed(1)} ms on top of ${clear_p50_ms.toFixed(1)} ms: ${JSON.stringify(steps)}`);
  return {
    results: [{ name: 'overhead', paragraphs: PARAGRAPHS, pairs: PAIRS, clear_p50_ms, confidential_p50_ms, ...steps }],
    targets: [target('overhead.ms.10000', addedMs, 'ms', '<=', 15)],
  };
}

async function clearServer(files: ReturnType<typeof filesOf>) {
  const folder = mkdtempSync(join(tmpdir(), 'usufruct-clear-'));
  const paths = files.map(({ fileName, text }) => {
    const path = join(folder, fileName);
    writeFileSync(path, text);
    return path;
  });
  const script = new URL('clear-server.ts', import.meta.url).pathname;
  const child = spawn(execPath, ['--no-warnings', script, ...paths], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('the clear server ended'))),
  ])) as [Buffer];
  return {
    url: line.toString('utf8').trim(),
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function clientKeyOf(journal: { get(key: string): Promise<string | null> }, jobId: string): Promise<Uint8Array> {
  const record = await journal.get(`client-key/${jobId}`);
  if (record === null) throw new Error('no client key');
  return fromBase64((JSON.parse(record) as { secretKey: string }).secretKey);
}
