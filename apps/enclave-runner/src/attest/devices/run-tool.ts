import { refuse } from '@usufruct/kernel';
import { spawn } from 'node:child_process';

export interface ToolRun {
  /** Absolute, so that nobody's search path decides what runs. */
  readonly file: string;
  readonly args: readonly string[];
  /** What it finds on its standard input; missing: nothing. */
  readonly input?: Uint8Array;
  readonly timeoutMs: number;
  readonly outputBytesAtMost: number;
}

/** Nothing of ours is for the tool to see: settings of the runner hold its wallet's key. */
const CLEAN_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C' } as const;

/**
 * What a tool of this machine prints on its standard output: started without a shell and without our environment, killed
 * when it takes too long or prints too much. Refuses `UPSTREAM_UNAVAILABLE` with the tool's file and the reason, never
 * with what it printed.
 */
export function runTool({ file, args, input, timeoutMs, outputBytesAtMost }: ToolRun): Promise<Uint8Array> {
  const failure = (reason: string): Error => refuse('UPSTREAM_UNAVAILABLE', { upstream: file, reason });
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: '/',
      env: CLEAN_ENVIRONMENT,
      shell: false,
      stdio: ['pipe', 'pipe', 'ignore'],
      // A group of its own, so that what the tool started ends with it.
      detached: true,
    });
    // A tool that does not read all of it ends as it likes: its answer is what counts.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? new Uint8Array());
    const parts: Buffer[] = [];
    let size = 0;
    let verdict: Error | undefined;
    const kill = (reason: string): void => {
      verdict ??= failure(reason);
      killGroup(child.pid);
      // What escaped into another group may hold the pipe open; nobody waits for it.
      child.stdout.destroy();
    };
    const timer = setTimeout(() => kill(`no answer after ${timeoutMs} ms`), timeoutMs);
    child.stdout.on('data', (part: Buffer) => {
      size += part.length;
      if (size > outputBytesAtMost) kill(`more than ${outputBytesAtMost} bytes`);
      else parts.push(part);
    });
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(refuse('UPSTREAM_UNAVAILABLE', { upstream: file, reason: 'cannot be started' }, cause));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (verdict !== undefined) reject(verdict);
      else if (code === 0) resolve(new Uint8Array(Buffer.concat(parts)));
      else reject(failure(`ended with ${code === null ? 'a signal' : `status ${code}`}`));
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
