import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, seal, sign } from '@usufruct/crypto';
import { fromBase64, toBase64, type Digest } from '@usufruct/kernel';
import {
  dealingDigest,
  decodeDealing,
  decodeReshareResult,
  encodeDealing,
  encodeReshareResult,
  SealedSubSharesBcs,
  subSharesInfo,
  TAGS,
  zCertificateAnswer,
  zDealAnswer,
  zHoldings,
  zSubSharesAnswer,
  type DealAnswer,
  type Dealing,
  type DealingFaultReason,
} from '@usufruct/protocol';
import { reshare, type ReshareContext, type ReshareReport } from '@usufruct/sdk';
import { idOf } from '@usufruct/testing';
import { RotationWorld, SET } from './rotation-world.js';

/** Who is named for what in a re-sharing from 1, 2, 3 to 1, 2, 4, and whether it ends well without who did it. */
let world: RotationWorld;
beforeEach(async () => {
  world = await RotationWorld.of([1, 2, 3], 2);
  await world.start(4);
  await world.contribute(2);
  await world.rotate([1, 2, 4], 2);
});
afterEach(() => world.close());

const keyOf = (n: number): string => toBase64(world.holder(n).holder.keys.signing.publicKey);
type Change = (answer: unknown, request: unknown) => unknown;

/** What holder `n` answers to a path is what it would answer, changed by it: it lies, or signs something else. */
async function lying(n: number, path: string, change: Change, of = {}): Promise<ReshareReport> {
  const context = world.context();
  const url = `${world.holder(n).url}/v1/resharings/${path}`;
  const changed: ReshareContext = {
    ...context,
    fetch: async (input, init) => {
      const response = await context.fetch(input, init);
      if (input.split('?')[0] !== url || !response.ok) return response;
      const request: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined;
      return Response.json(await change(await response.json(), request));
    },
  };
  return reshare(changed, { holderSetId: SET, ...of });
}
const allOpen = async (members: readonly number[]): Promise<boolean> => {
  const open = await Promise.all(world.dealt.map((made) => world.opens(made, members)));
  return open.every(Boolean);
};

/** The same dealing with another text, sealed (unless it is not) and signed by its dealer for everybody again. */
async function signedAnew(
  n: number,
  given: unknown,
  change: (dealing: Dealing) => Dealing,
  isSealed = true,
): Promise<DealAnswer> {
  const { dealing: text, sealed } = zDealAnswer.parse(given);
  const dealing = encodeDealing(change(decodeDealing(fromBase64(text))!));
  const { secretKey } = world.holder(n).holder.keys.signing;
  const parts = sealed.map(async (part) => {
    const about = { dealing: dealingDigest(dealing), receiver: fromBase64(part.receiver) };
    const sealedTo = fromBase64(part.sealedTo);
    const plaintext = new Uint8Array(64).fill(1);
    const bytes = isSealed
      ? await seal({ recipientPublicKey: sealedTo, info: subSharesInfo(about), aad: new Uint8Array(), plaintext })
      : fromBase64(part.sealed);
    const message = SealedSubSharesBcs.serialize({ ...about, sealedTo, sealed: digestOf(bytes) }).toBytes();
    return {
      ...part,
      sealed: toBase64(bytes),
      signature: toBase64(await sign({ secretKey, domainTag: TAGS.sealedSubShares, message })),
    };
  });
  return { dealing: toBase64(dealing), sealed: await Promise.all(parts) };
}
const firstEntry =
  (change: Partial<Dealing['entries'][number]> | ((entry: Dealing['entries'][number]) => object)) =>
  (dealing: Dealing): Dealing => ({
    ...dealing,
    entries: dealing.entries.map((entry, i) =>
      i === 0 ? { ...entry, ...(typeof change === 'function' ? change(entry) : change) } : entry,
    ),
  });

describe('a dealer', () => {
  const rows: [string, DealingFaultReason | 'WITHHELD', 'all' | null, (answer: unknown) => unknown][] = [
    [
      'that commits to too few coefficients',
      'COMMITMENTS',
      'all',
      (a) =>
        signedAnew(
          1,
          a,
          firstEntry(({ commitments }) => ({ commitments: commitments.slice(1) })),
        ),
    ],
    [
      'that commits to what is no point',
      'COMMITMENTS',
      'all',
      (a) =>
        signedAnew(
          1,
          a,
          firstEntry(({ commitments: [c] }) => ({ commitments: [c, new Uint8Array(32).fill(9)] })),
        ),
    ],
    [
      'that commits to another value than its share',
      'CONSTANT_TERM',
      'all',
      (a) =>
        signedAnew(
          1,
          a,
          firstEntry(({ commitments }) => ({ commitments: commitments.toReversed() })),
        ),
    ],
    [
      'that sealed what does not open for this dealing',
      'UNSEALABLE',
      'all',
      (a) =>
        signedAnew(
          1,
          a,
          firstEntry(({ fromVersion }) => ({ fromVersion: fromVersion + 1 })),
          false,
        ),
    ],
    ['that claims another place', 'ENTRIES', null, (a) => signedAnew(1, a, firstEntry({ index: 3 }))],
    [
      'that deals for another manifest',
      'ENTRIES',
      null,
      (a) => signedAnew(1, a, firstEntry({ manifestDigest: idOf<Digest>('another') })),
    ],
    ['that deals for another version', 'ENTRIES', null, (a) => signedAnew(1, a, (one) => ({ ...one, toVersion: 3 }))],
    [
      'that gives another’s dealing for its own',
      'SIGNATURE',
      null,
      (a) => signedAnew(1, a, (one) => ({ ...one, dealer: fromBase64(keyOf(2)) })),
    ],
    ['whose dealing is no dealing', 'MALFORMED', null, (a) => ({ ...zDealAnswer.parse(a), dealing: 'AAAA' })],
    [
      'that withholds what is for one receiver',
      'WITHHELD',
      null,
      (a) => {
        const { dealing, sealed } = zDealAnswer.parse(a);
        return { dealing, sealed: sealed.filter(({ receiver }) => receiver !== keyOf(4)) };
      },
    ],
  ];
  it.each(rows)('%s is named (%s), and the others deal instead', async (_name, reason, by, change) => {
    const report = await lying(1, 'dealings', change);
    expect(report).toMatchObject({ done: 2, waiting: [] });
    expect(new Set(report.faults.map((one) => `${one.dealer} ${one.reason}`))).toEqual(
      new Set([`${keyOf(1)} ${reason}`]),
    );
    expect(report.faults.map(({ saidBy }) => saidBy).sort()).toEqual(by === null ? [null] : [0, 1, 2]);
    expect(await allOpen([1, 4])).toBe(true);
  });

  it('that shows two dealings to two carriers is named by whoever had the first', async () => {
    const lost = new Error('lost');
    const { fetch } = world.context();
    const toOne = `${world.holder(1).url}/v1/resharings/sub-shares`;
    const onlyOne: ReshareContext = {
      ...world.context(),
      fetch: (input, init) =>
        input.endsWith('/sub-shares') && input !== toOne ? Promise.reject(lost) : fetch(input, init),
    };
    await reshare(onlyOne, { holderSetId: SET });
    world.holder(2).holder.database.exec('DELETE FROM dealing_seeds');
    const report = await reshare(world.context(), { holderSetId: SET });
    expect(report.faults).toEqual([
      { dealer: keyOf(2), saidBy: 0, reason: 'EQUIVOCATION', manifestDigest: expect.any(String) },
    ]);
    expect(report).toMatchObject({ done: 2, waiting: [] });
    expect(await allOpen([2, 4])).toBe(true);
  });
});

describe('a member', () => {
  it.each([['SIGNATURE'], ['ENTRIES'], ['COMMITMENTS'], ['CONSTANT_TERM']] as const)(
    'that says %s of a dealing that is good is named itself, and no dealer is replaced',
    async (reason) => {
      const manifestDigest = world.dealt[0]!.digest;
      const lie = { ok: false, faults: [{ dealing: 0, dealer: keyOf(1), reason, manifestDigest }] };
      const report = await lying(4, 'sub-shares', () => lie);
      expect(report.faults).toEqual([{ dealer: keyOf(4), saidBy: null, reason: 'FALSE_ACCUSATION', manifestDigest }]);
      expect(report).toMatchObject({ done: 0, waiting: [{ reason: 'MEMBERS_MISSING', needed: 3, given: 2 }] });
      expect(await allOpen([1, 3])).toBe(true);
    },
  );

  it('that says of every dealer what only it can know is named as who says so, beside the dealers', async () => {
    const lie: Change = (_answer, request) => ({
      ok: false,
      faults: (request as { dealings: unknown[] }).dealings.map((_, dealing) => ({
        dealing,
        dealer: null,
        reason: 'SUB_SHARE',
        manifestDigest: world.dealt[0]!.digest,
      })),
    });
    const report = await lying(4, 'sub-shares', lie);
    expect(new Set(report.faults.map(({ saidBy }) => saidBy))).toEqual(new Set([2]));
    expect(report).toMatchObject({ done: 0, waiting: [{ reason: 'MEMBERS_MISSING', given: 2 }] });
    expect(await allOpen([1, 3])).toBe(true);
  });

  const another = async (n: number, given: unknown): Promise<unknown> => {
    const answer = zSubSharesAnswer.parse(given);
    if (!answer.ok) throw new Error('refused');
    const result = decodeReshareResult(fromBase64(answer.result))!;
    const entries = result.entries.map((entry) => ({ ...entry, to: idOf<Digest>('another polynomial') }));
    const message = encodeReshareResult({ ...result, entries });
    const { secretKey } = world.holder(n).holder.keys.signing;
    const signature = toBase64(await sign({ secretKey, domainTag: TAGS.reshareResult, message }));
    return { ok: true, result: toBase64(message), signature };
  };
  const acknowledgements: [string, Change][] = [
    ['with a signature that is none', (answer) => ({ ...(answer as object), signature: toBase64(new Uint8Array(64)) })],
    ['for other polynomials', (answer) => another(4, answer)],
  ];
  it.each(acknowledgements)('that acknowledges %s is named', async (_name, change) => {
    const report = await lying(4, 'sub-shares', change);
    const seen = { dealer: keyOf(4), saidBy: null, reason: 'FALSE_ACKNOWLEDGEMENT', manifestDigest: null };
    expect(report.faults).toEqual([seen]);
    expect(report).toMatchObject({ done: 0, waiting: [{ reason: 'MEMBERS_MISSING', given: 2 }] });
    expect(await allOpen([1, 3])).toBe(true);
  });

  it('that signed and has not what it signed for is named, whether it says so or only shows no share', async () => {
    const { subShares } = world.holder(4).holder;
    const forgotten = await lying(4, 'sub-shares', (answer) => {
      for (const { digest } of world.dealt) subShares.destroy(SET, digest);
      return answer;
    });
    const seen = { dealer: keyOf(4), saidBy: null, reason: 'FALSE_ACKNOWLEDGEMENT', manifestDigest: null };
    expect(forgotten).toMatchObject({ done: 0, faults: [seen] });
    // Two honest ones of three have theirs, which is enough.
    expect(await allOpen([1, 2])).toBe(true);
  });

  it('that says it has its share and shows none is named by what it shows', async () => {
    const context = world.context();
    const at = `${world.holder(4).url}/v1/resharings/`;
    const silent: ReshareContext = {
      ...context,
      fetch: async (input, init) => {
        if (input === `${at}certificates` && init?.method === 'POST') {
          return Response.json(zCertificateAnswer.parse({ active: 2, destroyed: 0, missing: 0 }));
        }
        return input.startsWith(`${at}holdings`)
          ? Response.json(zHoldings.parse({ holdings: [] }))
          : context.fetch(input, init);
      },
    };
    const seen = { dealer: keyOf(4), saidBy: null, reason: 'FALSE_ACKNOWLEDGEMENT', manifestDigest: null };
    expect(await reshare(silent, { holderSetId: SET })).toMatchObject({ done: 0, faults: [seen] });
    expect(await allOpen([1, 2])).toBe(true);
  });

  it('that signed and could not be shown the certificate is not said to lie', async () => {
    const context = world.context();
    const lost = `${world.holder(4).url}/v1/resharings/certificates`;
    const losing: ReshareContext = {
      ...context,
      fetch: (input, init) =>
        input === lost && init?.method === 'POST' ? Promise.reject(new Error('lost')) : context.fetch(input, init),
    };
    const { faults } = await reshare(losing, { holderSetId: SET });
    expect(faults).toEqual([{ dealer: keyOf(4), saidBy: 2, reason: 'UPSTREAM_UNAVAILABLE', manifestDigest: null }]);
  });
});
