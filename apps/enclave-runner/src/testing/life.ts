import type { Chain } from '@usufruct/chain';
import { jsonLogger, refuse, systemRandom } from '@usufruct/kernel';
import { generateRunnerKeys } from '../attest/runner-keys.js';
import { QuestionDesk } from '../compute/questions/question-desk.js';
import { Sessions } from '../compute/session/sessions.js';
import type { RunnerContext } from '../context.js';
import { Settler } from '../receipt/settler.js';
import { RunnerStore } from '../receipt/store.js';
import { TestClock, wallet } from './values.js';
import type { World } from './world.js';

/** The chain, but what sending a prepared transaction does is up to the test. `execute` (registration) works as ever. */
export const chainThatSends = (chain: Chain, send: Chain['send']): Chain =>
  new Proxy(chain, {
    get: (target, name) => {
      const member: unknown = name === 'send' ? send : Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });

/** One life of the runner's process. */
export class Life {
  readonly sessions: Sessions;
  readonly settler: Settler;
  readonly desk: QuestionDesk;

  private constructor(
    readonly context: RunnerContext,
    readonly lines: readonly string[],
  ) {
    this.sessions = new Sessions(context);
    this.settler = new Settler(context);
    this.desk = new QuestionDesk(context, this.sessions, this.settler);
  }

  static async begin(world: World, directory: string, changes: Partial<RunnerContext> = {}): Promise<Life> {
    const lines: string[] = [];
    const clock = changes.clock ?? new TestClock();
    const context: RunnerContext = {
      chain: world.chain,
      device: world.device,
      keys: await generateRunnerKeys(systemRandom),
      holders: world.holders,
      seal: null,
      blobs: {
        get: async (blobId) => {
          const bytes = world.blobs.get(blobId);
          if (bytes === undefined) throw refuse('BLOB_UNAVAILABLE', { blobId });
          return bytes;
        },
        getPatch: async () => Promise.reject(refuse('BLOB_UNAVAILABLE')),
      },
      wallet: wallet(),
      store: RunnerStore.openIn(directory),
      clock,
      random: systemRandom,
      logger: jsonLogger('runner', clock, (line) => lines.push(line)),
      ...changes,
    };
    return new Life(context, lines);
  }

  end(): void {
    this.sessions.endAll();
    this.context.store.close();
  }
}
