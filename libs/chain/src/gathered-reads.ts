import { fromWire, refuse } from '@usufruct/kernel';
import { LIMITS, parseAnswer } from '@usufruct/protocol';
import { z } from 'zod';
import type { HttpRequest } from './http.js';

/** A GET of this path, or with a query the POST of it. */
export type Read = Pick<HttpRequest, 'path' | 'body'>;

interface Waiting {
  readonly read: Read;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

const UPSTREAM = 'local chain';
const zAnswers = z.array(
  z.union([
    z.strictObject({ ok: z.literal(true), value: z.unknown() }),
    z.strictObject({ ok: z.literal(false), error: z.unknown() }),
  ]),
);

/**
 * Reads that are asked for in the same turn go to the chain in one request, which answers all of them as of one moment.
 * Each has its own answer or refusal; what keeps the request from being answered is told to all.
 */
export class GatheredReads {
  readonly #request: (request: HttpRequest) => Promise<unknown>;
  #waiting: Waiting[] = [];

  constructor(request: (request: HttpRequest) => Promise<unknown>) {
    this.#request = request;
  }

  read(read: Read): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ read, resolve, reject }) === 1) queueMicrotask(() => this.#send());
    });
  }

  #send(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (const page of pagesOf(all)) {
      void this.#answer(page).catch((error: unknown) => {
        for (const { reject } of page) reject(error);
      });
    }
  }

  async #answer(page: readonly Waiting[]): Promise<void> {
    const [only] = page;
    if (only !== undefined && page.length === 1) return only.resolve(await this.#request(only.read));
    // Each query is JSON already.
    const reads = page.map(({ read: { path, body } }) => `{"path":${JSON.stringify(path)},"query":${body ?? null}}`);
    const answer = await this.#request({ path: '/v1/reads', body: `{"reads":[${reads.join()}]}` });
    const answers = parseAnswer(zAnswers, answer, UPSTREAM);
    if (answers.length !== page.length) throw refuse('UPSTREAM_INVALID', { upstream: UPSTREAM, field: 'length' });
    for (const [i, one] of answers.entries()) {
      const { resolve, reject } = page[i]!;
      if (one.ok) resolve(one.value);
      else reject(fromWire(one.error, UPSTREAM));
    }
  }
}

/** None has more reads, or more of what they ask, than the chain takes; a read is never longer than that by itself. */
function pagesOf(all: readonly Waiting[]): Waiting[][] {
  const pages: Waiting[][] = [];
  let leftChars = 0;
  for (const waiting of all) {
    const { path, body = '' } = waiting.read;
    const chars = path.length + body.length;
    const last = pages.at(-1);
    leftChars -= chars;
    if (last !== undefined && last.length < LIMITS.readsPerRequest && leftChars >= 0) {
      last.push(waiting);
      continue;
    }
    pages.push([waiting]);
    leftChars = LIMITS.transactionBytes - chars;
  }
  return pages;
}
