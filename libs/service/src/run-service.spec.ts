import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '../../..');
const SECRET = 'the plaintext of a patient file';
const children: ChildProcess[] = [];

beforeAll(async () => {
  const { build } = await import(join(ROOT, 'tools/build.mjs'));
  for (const only of ['libs/kernel', 'libs/protocol', 'libs/service']) await build({ only });
}, 60_000);
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Ended {
  readonly code: number | null;
  readonly events: string[];
  readonly said: string;
}

/** Runs a process whose start is `body`; sends `signals` when it has said `ready`, and waits for its end. */
async function run(body: string, ...signals: NodeJS.Signals[]): Promise<Ended> {
  const program = `import { runService } from '@usufruct/service';
    await runService('kit', async (logger) => { ${body} });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { cwd: ROOT, stdio: 'pipe' });
  children.push(child);
  let said = '';
  child.stdout.on('data', (piece) => {
    said += String(piece);
    if (!said.includes('"ready"')) return;
    for (const signal of signals.splice(0)) child.kill(signal);
  });
  child.stderr.on('data', (piece) => (said += String(piece)));
  const [code] = (await once(child, 'close')) as [number | null];
  const events = said
    .trimEnd()
    .split('\n')
    .map((line) => String((JSON.parse(line) as { event: string }).event));
  return { code, events, said };
}
/** Something open, as a server is: the process does not end by itself. */
const OPEN = 'const open = setInterval(() => undefined, 1_000); logger.info("ready");';

describe('a process', () => {
  it.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])('closes on %s and ends with 0', async (signal) => {
    const body = `${OPEN} return { close: async () => { logger.info("closed"); clearInterval(open); } };`;
    expect(await run(body, signal)).toMatchObject({ code: 0, events: ['ready', 'closed', 'stopped'] });
  });

  it('that is told to stop while it starts, does so when it has', async () => {
    const pause = 'await new Promise((done) => setTimeout(done, 300));';
    const body = `${OPEN} ${pause} logger.info("started"); return { close: async () => clearInterval(open) };`;
    expect(await run(body, 'SIGTERM')).toMatchObject({ code: 0, events: ['ready', 'started', 'stopped'] });
  });

  it('lets no debugger in, which any process of its user could ask for by a signal', async () => {
    const asked = `process.kill(process.pid, 'SIGUSR1'); await new Promise((done) => setTimeout(done, 500));
      logger.info((await import('node:inspector')).url() === undefined ? 'shut' : 'open');`;
    const ended = await run(`${asked} ${OPEN} return { close: async () => clearInterval(open) };`, 'SIGTERM');
    expect(ended.events).toEqual(['signal.ignored', 'shut', 'ready', 'stopped']);
  });

  it('closes once, however often it is told to', async () => {
    const pause = 'await new Promise((done) => setTimeout(done, 300));';
    const body = `${OPEN} return { close: async () => { logger.info("closed"); ${pause} clearInterval(open); } };`;
    const ended = await run(body, 'SIGTERM', 'SIGINT', 'SIGTERM');
    expect(ended).toMatchObject({ code: 0, events: ['ready', 'closed', 'stopped'] });
  });

  it('ends although something is left open', async () => {
    const ended = await run(`${OPEN} return { close: async () => undefined };`, 'SIGTERM');
    expect(ended).toMatchObject({ code: 0, events: ['ready', 'stopped'] });
  });

  it.each([
    ['its start fails', `setInterval(() => undefined, 1_000); throw new Error('${SECRET}');`, ['start.failed']],
    [
      'its close fails',
      `${OPEN} return { close: async () => { throw new Error('${SECRET}'); } };`,
      ['ready', 'stop.failed'],
    ],
    [
      'nobody catches an error',
      `setTimeout(() => { throw new Error('${SECRET}'); }, 10); return { close: async () => undefined };`,
      ['crashed'],
    ],
    [
      'nobody catches a rejection',
      `setTimeout(async () => { throw new Error('${SECRET}'); }, 10); return { close: async () => undefined };`,
      ['crashed'],
    ],
  ])('ends with 1 when %s, and says so without its words', async (_name, body, events) => {
    const ended = await run(body, 'SIGTERM');
    expect(ended).toMatchObject({ code: 1, events });
    expect(ended.said).not.toContain('patient');
    expect(ended.said).toContain('"kind":"Error"');
  });

  it('says which setting is wrong', async () => {
    const ended = await run(`
      const { readSettings, zSharedSettings } = await import('@usufruct/service');
      readSettings(zSharedSettings, { PORT: '${SECRET}' });`);
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.said)).toMatchObject({
      event: 'start.failed',
      code: 'CONFIG_INVALID',
      details: { setting: 'PORT' },
    });
    expect(ended.said).not.toContain('patient');
  });
});
