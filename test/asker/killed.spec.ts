import { describe, expect, it } from '@jest/globals';
import { askSeveral, type AskerPorts } from '@usufruct/sdk';
import { AskedChain, BEES, codes, FORGE, SEA, several } from './asked-chain.js';

/** One question to each, in sessions of one. */
const ALL = several([BEES, FORGE, SEA]);
const SUM = 15n;

class Killed extends Error {}

/** Dies at its n-th step, before it is taken or before its end is heard of; whatever is under way takes no other. */
class Mortal {
  steps = 0;
  constructor(
    private readonly last: number,
    private readonly isTaken: boolean,
  ) {}

  ports(ports: AskerPorts): AskerPorts {
    const { journal } = ports;
    return {
      ...ports,
      journal: {
        get: (key) => this.step(() => journal.get(key)),
        put: (key, value) => this.step(() => journal.put(key, value)),
        delete: (key) => this.step(() => journal.delete(key)),
        keys: (prefix) => this.step(() => journal.keys(prefix)),
      },
      termsOf: (datasetId) => this.step(() => ports.termsOf(datasetId)),
      fund: (params) => this.step(() => ports.fund(params)),
      isPaid: (jobId, questionId) => this.step(() => ports.isPaid(jobId, questionId)),
      session: (jobId) => {
        const session = ports.session(jobId);
        return {
          jobId,
          ask: (question, options) => this.step(() => session.ask(question, options)),
          forget: (questionId) => this.step(() => session.forget(questionId)),
          close: () => this.step(() => session.close()),
          onChain: () => this.step(() => session.onChain()),
        };
      },
    };
  }

  private async step<T>(work: () => Promise<T>): Promise<T> {
    const own = ++this.steps;
    if (own > this.last || (own === this.last && !this.isTaken)) throw new Killed();
    const value = await work();
    if (this.steps >= this.last) throw new Killed();
    return value;
  }
}

/** Gives how many steps the first one took. */
async function killedAt(last: number, isTaken: boolean): Promise<number> {
  const when = [last, isTaken];
  const chain = new AskedChain();
  const mortal = new Mortal(last, isTaken);
  const first = chain.askerOver(mortal.ports(chain.ports()), SUM);
  const asking = askSeveral(first, ALL).then(() => first.close());
  await asking.catch(() => undefined);
  expect([when, chain.spentUnits <= SUM]).toEqual([when, true]);

  const second = chain.asker(SUM);
  expect([when, codes(await askSeveral(second, ALL))]).toEqual([when, [null, null, null]]);
  await second.close();
  expect([when, new Map(chain.paid), chain.paid.length]).toEqual([when, new Map([[BEES, 3n], [FORGE, 5n], [SEA, 7n]]), 3]); // prettier-ignore

  chain.clock.advance(31 * 60_000);
  await chain.asker(SUM).recover();
  const open = [...chain.jobs.values()].filter(({ state }) => state === 'funded');
  const known = (await chain.journal.keys('asker/')).filter((key) => key.includes('/session/'));
  expect([when, open, known, chain.spentUnits]).toEqual([when, [], [], SUM]);
  return mortal.steps;
}

describe('one question to several datasets', () => {
  it('killed between any two steps, is asked again, paid once for each, and leaves nothing locked', async () => {
    const steps = await killedAt(Infinity, true);
    expect(steps).toBeGreaterThan(40);
    for (let last = 1; last <= steps; last++) for (const isTaken of [false, true]) await killedAt(last, isTaken);
  });
});
