import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { LocalSystemError } from './errors.js';

const LOOPBACK = '127.0.0.1';
const TRIES = 200;

export function isPortFree(port: number, host = LOOPBACK): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => done(true)));
  });
}

/** Below the ports that systems give to whoever asks for any (Linux from 32,768 on, others from 49,152 on). */
const [LOWEST, HIGHEST] = [30_000, 32_767];

/**
 * Any free port. Not one of those that the system gives away by itself: each connection and each listener gets one of
 * these, and could take it between this look and whoever listens there, which may be seconds.
 */
export async function anyFreePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (await isPortFree(port)) return port;
  }
  throw new LocalSystemError(`no free port from ${LOWEST} to ${HIGHEST}`);
}

/**
 * Gives each part of the system its port. One given explicitly is taken or refused; otherwise `preferred`, else the
 * next free one. Nothing is given twice.
 */
export class PortPlan {
  private readonly given = new Set<number>();

  async take(part: string, preferred: number, explicit?: number): Promise<number> {
    if (explicit !== undefined) {
      if (this.given.has(explicit))
        throw new LocalSystemError(`port ${explicit} is asked for twice, the second time for: ${part}`);
      if (!(await isPortFree(explicit)))
        throw new LocalSystemError(`port ${explicit} (${part}) is taken by another program`);
      return this.note(explicit);
    }
    for (let port = preferred; port < Math.min(preferred + TRIES, 65_536); port++) {
      if (!this.given.has(port) && (await isPortFree(port))) return this.note(port);
    }
    throw new LocalSystemError(`no free port for ${part} from ${preferred} on`);
  }

  private note(port: number): number {
    this.given.add(port);
    return port;
  }
}
