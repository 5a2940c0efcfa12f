import { AsyncLocalStorage } from 'node:async_hooks';
import { LocalChainClient, type Chain } from '@usufruct/chain';
import { systemRandom, toUsufructError, type Clock } from '@usufruct/kernel';
import type { LocalChain } from '../../apps/local-chain/src/local-chain.js';
import { isQuery, readAll, readNow, submit } from '../../apps/local-chain/src/server/routes.js';
import type { Injector } from './injector.js';
import type { Life } from './life.js';

/** How many events the chain had when the answer was made, by what was asked: the last reading of each counts. */
export type Readings = Map<string, number>;
export const readings = new AsyncLocalStorage<Readings>();

interface Memory {
  readonly text: string;
  readonly seq: number;
}
export interface ChainLineOptions {
  readonly name: string;
  readonly chain: LocalChain;
  readonly clock: Clock;
  readonly injector: Injector;
  /** Of one message. */
  readonly faultProbability: number;
}

/** One party's way to the chain: messages get lost, and its node may be behind for a while. */
export class ChainLine {
  /** As long as it is, what was read before is read again, as by a node that is behind. */
  isBehind = false;
  readonly #memory = new Map<string, Memory>();

  constructor(private readonly options: ChainLineOptions) {}

  /** As one process uses it. */
  open(life: Life): Chain {
    const { clock, name, injector, faultProbability } = this.options;
    const over: typeof fetch = (input, init) =>
      life.ask(() =>
        injector.carry(`${name} → chain`, faultProbability, () => this.#exchange(new URL(String(input)), init)),
      );
    return new LocalChainClient({ url: 'http://chain', fetch: over, clock, random: systemRandom, lookUpAfterMs: [1] });
  }

  async #exchange(url: URL, init: RequestInit | undefined): Promise<Response> {
    try {
      return new Response(await this.#answer(url, init));
    } catch (thrown) {
      const error = toUsufructError(thrown);
      return new Response(JSON.stringify(error.toWire()), { status: error.entry.http });
    }
  }

  async #answer(url: URL, init: RequestInit | undefined): Promise<string> {
    const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : null;
    if (url.pathname === '/v1/reads') return readAll(body, (path, query) => this.#read(path, query));
    if (body !== null && !isQuery(url.pathname)) return submit(this.options.chain, body);
    return this.#read(url.pathname + url.search, body);
  }

  async #read(path: string, query: unknown): Promise<string> {
    const { chain } = this.options;
    const key = `${path} ${JSON.stringify(query)}`;
    const known = this.#memory.get(key);
    const fresh = async (): Promise<Memory> => {
      // Both are of one moment: the reading is done before the first wait.
      const seq = chain.store.lastSeq;
      return { text: await readNow(chain, path, query), seq };
    };
    const answer = this.isBehind && known !== undefined ? known : await fresh();
    this.#memory.set(key, answer);
    readings.getStore()?.set(subjectOf(path.replace(/\?.*/, '')), answer.seq);
    return answer.text;
  }
}

/** `jobs`, `daos`, `contributions/query`, … */
const subjectOf = (path: string): string =>
  path
    .split('/')
    .slice(2)
    .filter((part) => !part.startsWith('0x'))
    .join('/');
