import { afterEach, describe, expect, it } from '@jest/globals';
import { fromBase64 } from '@usufruct/kernel';
import { decodeReshareResult, type ReshareCertificate } from '@usufruct/protocol';
import { reshare, type ReshareContext } from '@usufruct/sdk';
import * as fc from 'fast-check';
import { RotationWorld, SET } from './rotation-world.js';

let world: RotationWorld;
afterEach(() => world.close());

interface Sent {
  readonly path: string;
  readonly body: string;
}
const isPost = (init: Parameters<ReshareContext['fetch']>[1]): boolean => init?.method === 'POST';

/** The carrier's requests, some of which are lost. */
function losing(context: ReshareContext, isLost: (sent: Sent, url: string) => boolean): ReshareContext {
  return {
    ...context,
    fetch: (input, init) => {
      const sent = { path: new URL(input).pathname, body: typeof init?.body === 'string' ? init.body : '' };
      if (isPost(init) && isLost(sent, input)) return Promise.reject(new Error('lost'));
      return context.fetch(input, init);
    },
  };
}
const CERTIFICATES = '/v1/resharings/certificates';

/** Everybody has signed, and whoever carried the signatures shows them to these alone. */
async function shownTo(holders: readonly number[]): Promise<ReshareCertificate> {
  let certificate: ReshareCertificate | undefined;
  const urls = holders.map((n) => `${world.holder(n).url}${CERTIFICATES}`);
  const context = losing(world.context(), ({ path, body }, url) => {
    if (path !== CERTIFICATES) return false;
    certificate = JSON.parse(body) as ReshareCertificate;
    return !urls.includes(url);
  });
  await reshare(context, { holderSetId: SET });
  return certificate!;
}
/** A carrier that finds everything done, and how often it asked for what. */
async function carriedOn(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const context = losing(world.context(), ({ path }) => {
    counts[path] = (counts[path] ?? 0) + 1;
    return false;
  });
  const report = await reshare(context, { holderSetId: SET });
  expect(report).toMatchObject({ done: world.dealt.length, waiting: [], faults: [], oldSharesLeft: 0 });
  return counts;
}
async function allOpen(members: readonly number[]): Promise<void> {
  for (const made of world.dealt) {
    for (const [i, one] of members.entries()) {
      expect(await world.opens(made, [one, members[(i + 1) % members.length]!])).toBe(true);
      expect(await world.opens(made, [one])).toBe(false);
    }
  }
}

describe('a carrier that died with the signatures of all', () => {
  it('costs the next one no dealing: members sign again for what they have', async () => {
    world = await RotationWorld.of([1, 2, 3], 2);
    await world.start(4);
    await world.contribute(3);
    await world.rotate([1, 2, 4], 2);
    const { result } = await shownTo([]);
    const counts = await carriedOn();
    expect(counts).toEqual({ '/v1/resharings/acknowledgements': 3, [CERTIFICATES]: 4 });
    expect(
      world
        .holder(4)
        .holder.certificates.list(SET, undefined)
        .map((one) => one.result),
    ).toEqual([result]);
    await allOpen([1, 2, 4]);
  });

  it('and showed them only to holders that then had nothing and were switched off', async () => {
    world = await RotationWorld.of([1, 3, 5], 2);
    await world.start(2);
    await world.start(4);
    await world.contribute(2);
    await world.rotate([1, 2, 4], 2);
    await shownTo([3, 5]);
    await world.stop(3);
    await world.stop(5);
    await carriedOn();
    await allOpen([1, 2, 4]);
  });
});

describe('a rotation that comes before all were shown what they signed', () => {
  it.each([
    ['with the certificate at a member', false],
    ['with nobody left who has it', true],
  ])('loses nothing, %s', async (_name, isLost) => {
    world = await RotationWorld.of([1, 2, 3], 2);
    await world.start(4);
    await world.contribute(2);
    await world.rotate([1, 2, 4], 2);
    // Now 1 has a new share, 3 none, 2 its old one, and 4 none: fewer than two on every polynomial.
    await shownTo([1, 3]);
    if (isLost) world.holder(1).holder.database.exec('DELETE FROM resharing_certificates');
    await world.stop(3);
    await world.rotate([1, 2, 4], 2);
    await carriedOn();
    await allOpen([1, 2, 4]);
  });

  it('nor where it leaves out a member of the version between', async () => {
    world = await RotationWorld.of([1, 2, 3], 2);
    for (const n of [4, 5]) await world.start(n);
    await world.contribute(1);
    await world.rotate([1, 4, 5], 2);
    await shownTo([1, 2, 3]);
    for (const n of [2, 3]) await world.stop(n);
    await world.rotate([1, 6, 7], 2);
    for (const n of [6, 7]) await world.start(n);
    await carriedOn();
    await allOpen([1, 6, 7]);
  });

  it('and a certificate of it takes nothing from who received nothing for it', async () => {
    world = await RotationWorld.of([1, 2, 3], 2);
    await world.start(4);
    await world.contribute(1);
    await world.rotate([1, 2, 4], 2);
    const certificate = await shownTo([]);
    await world.rotate([1, 2, 3], 2);
    const { body } = await world.post<{ code: unknown }>(world.holder(3), CERTIFICATES, certificate);
    expect(body.code).toBe('POLICY_OUTDATED');
    expect(await world.shareOf(3, world.dealt[0]!)).not.toBeNull();
    await carriedOn();
    await allOpen([1, 2, 3]);
  });
});

/**
 * Whoever reaches the holders may be the carrier. These lose what they like, send old messages again to whom they like,
 * and stop anywhere, while the set is rotated and holders that have nothing left are switched off for good.
 */
type Event =
  | {
      readonly kind: 'carry';
      readonly lost: number;
      readonly of: string;
      readonly without: number;
      readonly seed: number;
    }
  | { readonly kind: 'replay'; readonly seed: number }
  | { readonly kind: 'rotate'; readonly members: number[] }
  | { readonly kind: 'restart'; readonly holder: number };

const HOLDERS = [1, 2, 3, 4, 5];
const anyHolder = fc.constantFrom(...HOLDERS);
const anEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('carry' as const),
      lost: fc.constantFrom(0, 0.1, 0.3, 0.6),
      // What it brings everywhere but to some: signatures above all.
      of: fc.constantFrom('', CERTIFICATES, CERTIFICATES),
      without: anyHolder,
      seed: fc.nat(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('replay' as const), seed: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('rotate' as const),
      members: fc.shuffledSubarray(HOLDERS, { minLength: 3, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), holder: anyHolder }) },
);

class History {
  readonly sent: Sent[] = [];
  members: number[] = [1, 2, 3];

  /** Also while a carrier goes on from what another left. */
  async act(event: Event): Promise<void> {
    if (event.kind === 'carry') await this.#carry(event);
    else if (event.kind === 'replay') await this.#replay(event.seed);
    else if (event.kind === 'rotate') {
      this.members = event.members;
      for (const n of event.members) if (!world.running.has(n)) await world.start(n);
      await world.rotate(event.members, 2);
    } else if (world.running.has(event.holder)) {
      await world.stop(event.holder);
      await world.start(event.holder);
    }
    await this.#switchOff();
  }

  /** One dealer does not answer, so that other groups of dealers come up; of the rest so many messages are lost. */
  async #carry({ lost, of, without, seed }: Extract<Event, { kind: 'carry' }>): Promise<void> {
    const random = numbersFrom(seed);
    const silent = world.running.has(without) ? `${world.holder(without).url}/v1/resharings/dealings` : '';
    const context = losing(world.context(), (sent, url) => {
      this.sent.push(sent);
      return url === silent || (sent.path.startsWith(of) && random() < lost);
    });
    await reshare(context, { holderSetId: SET }).catch(() => undefined);
  }

  async #replay(seed: number): Promise<void> {
    const random = numbersFrom(seed);
    for (let i = 0; i < 10 && this.sent.length > 0; i++) {
      const { path, body } = this.sent[Math.floor(random() * this.sent.length)]!;
      const to = [...world.running.values()][Math.floor(random() * world.running.size)]!;
      await world.post(to, path, JSON.parse(body));
    }
  }

  /** For good, unless a rotation names them again: nobody keeps a holder running that has nothing. */
  async #switchOff(): Promise<void> {
    for (const n of world.running.keys()) {
      if (this.members.includes(n)) continue;
      const { shares, subShares } = world.holder(n).holder;
      const isEmpty = shares.ofSet(SET, undefined, 1).length + subShares.partsOf(SET, undefined, 1).length === 0;
      if (isEmpty) await world.stop(n);
    }
  }
}
/** mulberry32: the same numbers for the same seed. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('whatever carriers do, and whenever the set is rotated', () => {
  it('nothing is lost, no two polynomials stay, and an honest carrier finishes', async () => {
    world = await RotationWorld.of([1, 2, 3], 2);
    await fc.assert(
      fc.asyncProperty(fc.array(anEvent, { minLength: 3, maxLength: 12 }), async (events) => {
        await world.close();
        world = await RotationWorld.of([1, 2, 3], 2);
        await world.contribute(1);
        const history = new History();
        for (const event of events) await history.act(event);
        const report = await reshare(world.context(), { holderSetId: SET });
        expect(report).toMatchObject({ done: 1, waiting: [], faults: [], oldSharesLeft: 0 });
        await allOpen(history.members);
      }),
      { numRuns: Number(process.env['USUFRUCT_CARRIER_RUNS'] ?? 6), endOnFailure: true },
    );
  }, 600_000);

  it('those who are shown two results of one version in any order end on the same', async () => {
    world = await RotationWorld.of([1, 2, 3], 2);
    await world.start(4);
    await world.contribute(1);
    await world.rotate([1, 2, 4], 2);
    const one = await shownTo([]);
    const silent = `${world.holder(1).url}/v1/resharings/dealings`;
    let other: ReshareCertificate | undefined;
    const context = losing(world.context(), ({ path, body }, url) => {
      if (path === CERTIFICATES) other = JSON.parse(body) as ReshareCertificate;
      return path === CERTIFICATES || path.endsWith('acknowledgements') || url === silent;
    });
    await reshare(context, { holderSetId: SET });
    expect(other!.result).not.toBe(one.result);
    const lower = [one, other!].map((each) => decodeReshareResult(fromBase64(each.result))!.entries[0]!.to).sort()[0];
    for (const [n, order] of [
      [1, [one, other!, one]],
      [2, [other!, one]],
      [4, [one, one, other!]],
    ] as const) {
      for (const certificate of order) await world.post(world.holder(n), CERTIFICATES, certificate);
      expect(world.holdingsOf(n)).toEqual([lower]);
    }
    await allOpen([1, 2, 4]);
  });
});
