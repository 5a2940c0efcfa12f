import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sign } from '@usufruct/crypto';
import { asTimestampMs, fromBase64, toBase64, type Hex32 } from '@usufruct/kernel';
import {
  decodeSealingKey,
  encodeSealingKey,
  LIMITS,
  TAGS,
  type DealAnswer,
  type SealingKeyStatement,
  type SignedSealingKey,
  type SubSharesRequest,
} from '@usufruct/protocol';
import { reshare, type ReshareContext } from '@usufruct/sdk';
import { idOf, ManualClock } from '@usufruct/testing';
import { SEALING_TERMS } from '../../apps/key-holder/src/sealing/subkeys.js';
import { RotationWorld, SET } from './rotation-world.js';

/** Two of three holders stay, the fourth comes; the third has left. */
let world: RotationWorld;
beforeEach(async () => {
  world = await RotationWorld.of([1, 2, 3], 2);
  await world.start(4);
  await world.contribute(2);
  await world.rotate([1, 2, 4], 2);
});
afterEach(() => world.close());

const keyOf = (n: number): string => toBase64(world.holder(n).holder.keys.signing.publicKey);
const deal = async (dealer: number, receivers: readonly SignedSealingKey[]) =>
  world.post<DealAnswer & { code?: string; details?: Record<string, string> }>(
    world.holder(dealer),
    '/v1/resharings/dealings',
    { holderSetId: SET, toVersion: 2, manifestDigests: world.dealt.map(({ digest }) => digest), receivers },
  );
/** What holder n says, with other things in it, signed by itself or somebody else. */
async function word(n: number, changes: Partial<SealingKeyStatement>, by = n): Promise<SignedSealingKey> {
  const [own] = await world.receivers([n]);
  const message = encodeSealingKey({ ...decodeSealingKey(fromBase64(own!.statement))!, ...changes });
  const { secretKey } = world.holder(by).holder.keys.signing;
  return {
    statement: toBase64(message),
    signature: toBase64(await sign({ secretKey, domainTag: TAGS.sealingKey, message })),
  };
}
const now = (): number => world.clock.nowMs();
const allOpen = async (): Promise<boolean> => {
  for (const made of world.dealt) if (!(await world.opens(made, [1, 4]))) return false;
  return true;
};

describe('a dealer seals', () => {
  it('to what each member said, for those whose word was brought, and deals the same whoever is there', async () => {
    const [all, one] = [await deal(1, await world.receivers([1, 2, 4])), await deal(1, await world.receivers([4]))];
    expect(all.body.sealed.map(({ receiver }) => receiver)).toEqual([1, 2, 4].map(keyOf));
    expect(one.body.sealed.map(({ receiver }) => receiver)).toEqual([keyOf(4)]);
    expect(one.body.dealing).toBe(all.body.dealing);
    const { publicKey } = await world.holder(4).holder.subkeys.current();
    expect(one.body.sealed[0]!.sealedTo).toBe(toBase64(publicKey));
  });

  it.each<[string, string, () => Promise<SignedSealingKey>]>([
    ['signature', 'signed by another member', () => word(4, {}, 2)],
    ['chain', 'of another chain', () => word(4, { chainId: 'sui:mainnet' })],
    ['package', 'of another package', () => word(4, { packageId: idOf<Hex32>('another') })],
    [
      'on-chain-key',
      'the key on the chain',
      async () => word(4, { publicKey: world.holder(4).holder.keys.sealing.publicKey }),
    ],
    ['not-yet', 'not in force yet', () => word(4, { notBeforeMs: asTimestampMs(now() + LIMITS.clockSkewMs + 1) })],
    [
      'expired',
      'expired',
      () => word(4, { notBeforeMs: asTimestampMs(now() - 1e6), notAfterMs: asTimestampMs(now() - LIMITS.clockSkewMs) }),
    ],
    [
      'term',
      'for longer than a week',
      () => word(4, { notAfterMs: asTimestampMs(now() + LIMITS.sealingKeyTermMs + 1) }),
    ],
  ])('nothing by a statement that fails %s: %s', async (check, _name, made) => {
    const { body } = await deal(1, [...(await world.receivers([1, 2])), await made()]);
    expect(body).toMatchObject({ code: 'SEALING_KEY_INVALID', details: { holder: keyOf(4), check } });
  });

  it('nothing where a statement is of a stranger, of a member twice, or none', async () => {
    const [own] = await world.receivers([4]);
    const cases = [await world.receivers([3]), [own!, own!], [{ ...own!, statement: 'AAAA' }]];
    for (const receivers of cases) expect((await deal(1, receivers)).body.code).toBe('INVALID_ARGUMENT');
  });
});

describe('a re-sharing', () => {
  it('asks each member for its key, and ends with shares that open', async () => {
    expect(await reshare(world.context(), { holderSetId: SET })).toMatchObject({ done: 2, faults: [], waiting: [] });
    expect(await allOpen()).toBe(true);
  });

  it('names a member whose word is not its own, seals it nothing, and waits for it', async () => {
    const stranger = await world.receivers([2]);
    const url = `${world.holder(4).url}/v1/sealing-key`;
    const report = await reshare(answering(world.context(), url, stranger[0]), { holderSetId: SET });
    expect(report).toMatchObject({ done: 0, waiting: [{ reason: 'MEMBERS_MISSING', needed: 3, given: 2 }] });
    expect(report.faults).toEqual([
      { dealer: keyOf(4), saidBy: null, reason: 'SEALING_KEY_INVALID', manifestDigest: null },
    ]);
    expect(await reshare(world.context(), { holderSetId: SET })).toMatchObject({ done: 2, faults: [] });
    expect(await allOpen()).toBe(true);
  });

  it('goes on without a member whose word the carrier takes and the dealers do not', async () => {
    await world.rotate([1, 2, 3, 4], 2);
    const term = { notBeforeMs: asTimestampMs(now() - 1e6), notAfterMs: asTimestampMs(now() - LIMITS.clockSkewMs) };
    const url = `${world.holder(4).url}/v1/sealing-key`;
    // A moment ago it was still in force, as far as clocks may differ.
    const context = {
      ...answering(world.context(), url, await word(4, term)),
      clock: new ManualClock(asTimestampMs(now() - 1)),
    };
    const report = await reshare(context, { holderSetId: SET, leaveOutAbsent: true });
    expect(report.waiting).toEqual([]);
    expect(report.faults).toContainEqual({
      dealer: keyOf(4),
      saidBy: null,
      reason: 'SEALING_KEY_INVALID',
      manifestDigest: null,
    });
    for (const made of world.dealt) {
      expect(await world.opens(made, [2, 3])).toBe(true);
      expect(await world.shareOf(4, made)).toBeNull();
    }
    expect(await reshare(world.context(), { holderSetId: SET })).toMatchObject({
      waiting: [{ reason: 'DEALERS_MISSING' }],
    });
  });

  /** The carrier is held up for so long between the dealers and the receivers. */
  const heldUp = (context: ReshareContext, ms: number): ReshareContext => {
    let isOver = false;
    return {
      ...context,
      fetch: async (input, init) => {
        if (!isOver && input.endsWith('/sub-shares')) {
          isOver = true;
          world.clock.advance(ms);
          for (const { holder } of world.running.values()) await holder.subkeys.tend();
        }
        return context.fetch(input, init);
      },
    };
  };
  const { maxAgeMs, graceMs } = SEALING_TERMS;

  it('that a new key overtakes within the grace is none the worse for it', async () => {
    world.clock.advance(maxAgeMs - 1);
    const context = heldUp(world.context(), graceMs);
    expect(await reshare(context, { holderSetId: SET })).toMatchObject({ done: 2, faults: [] });
    expect(await allOpen()).toBe(true);
  });

  it('that stood still for longer opens nowhere; whoever carries it again gets it done', async () => {
    world.clock.advance(maxAgeMs - 1);
    let late: SubSharesRequest | undefined;
    const context = heldUp(world.context(), graceMs + 1);
    const report = await reshare(
      {
        ...context,
        fetch: (input, init) => {
          if (input === `${world.holder(4).url}/v1/resharings/sub-shares`)
            late ??= JSON.parse(init?.body as string) as SubSharesRequest;
          return context.fetch(input, init);
        },
      },
      { holderSetId: SET },
    );
    expect(new Set(report.faults.map(({ reason }) => reason))).toEqual(new Set(['SEALING_KEY']));
    expect(await reshare(world.context(), { holderSetId: SET })).toMatchObject({ done: 2, faults: [], waiting: [] });
    expect(await allOpen()).toBe(true);
    const again = await world.post<{ faults: { reason: string }[] }>(
      world.holder(4),
      '/v1/resharings/sub-shares',
      late,
    );
    expect(again.body.faults.map(({ reason }) => reason)).toEqual(['SEALING_KEY', 'SEALING_KEY']);
  });
});

function answering(context: ReshareContext, url: string, body: unknown): ReshareContext {
  return {
    ...context,
    fetch: async (input, init) => (input === url ? Response.json(body) : context.fetch(input, init)),
  };
}
