import { describe, expect, it } from '@jest/globals';
import { sign } from '@usufruct/crypto';
import { asTimestampMs, toBase64, UsufructError, type Address, type HolderSetId } from '@usufruct/kernel';
import { TAGS, TreeHeadBcs, type ChainAction } from '@usufruct/protocol';
import fc from 'fast-check';
import { DaoWorld } from '../testing/dao-world.js';
import { table, type Row } from '../testing/refusal-table.js';
import { holderKey, holderMember, rotate, rotationBytes, ROTATED } from '../testing/rotations.js';
import { bytesOf, digestOf, hexOf, walletOf } from '../testing/world.js';
import { Draft } from './collections.js';
import { rotateHolderSet, tombstoneHolder } from './holder-rotation.js';
import type { Room } from './room.js';

const founded = () => new DaoWorld().found();
const rotated = async () => {
  const w = await founded();
  await w.run(w.stranger, await rotate(w));
  return w;
};
/** The second holder is no more. */
const bereft = async () => {
  const w = await founded();
  await w.run(w.operators[1]!, retire(w, 1));
  return w;
};
const retire = (w: DaoWorld, member: number): ChainAction => ({
  kind: 'tombstoneHolder',
  holderSetId: w.holderSetId,
  member,
});
const sent =
  (...args: Parameters<typeof rotate> extends [DaoWorld, ...infer R] ? R : never): Row[2] =>
  async (w) => [w.stranger, await rotate(w, ...args)];
const zeros = new Uint8Array(32);
const of = (...holders: number[]) => holders.map((i) => holderMember(i));
const longName = (bytes: number) => ({ chainId: 'x'.repeat(bytes) });
/** Without its chain's id, and two bytes for the length of a longer one: 32 + 4 + 1 + 3 × 98 + 1 + 2 = 334. */
const OTHERS = 334;

table('rotations', founded, [
  ['two of three', 'ok', sent()],
  [
    'all three in any order',
    'ok',
    sent({}, [
      [2, 2],
      [0, 0],
      [1, 1],
    ]),
  ],
  ['one of three', 'FORBIDDEN', sent({}, [[0, 0]])],
  ['nobody', 'FORBIDDEN', sent({}, [])],
  [
    'one holder twice',
    'INVALID_ARGUMENT signatures',
    sent({}, [
      [0, 0],
      [0, 0],
    ]),
  ],
  [
    'one in the name of another',
    'SIGNATURE_INVALID',
    sent({}, [
      [0, 0],
      [1, 2],
    ]),
  ],
  [
    'enough, and a wrong one',
    'SIGNATURE_INVALID',
    sent({}, [
      [0, 0],
      [1, 1],
      [2, 3],
    ]),
  ],
  [
    'a member that does not exist',
    'INVALID_ARGUMENT signatures.member',
    sent({}, [
      [0, 0],
      [3, 3],
    ]),
  ],
  ['for another chain', 'INVALID_ARGUMENT rotation.chainId', sent({ chainId: 'local:00000000' })],
  ['of a set that does not exist', 'NOT_FOUND', sent({ holderSetId: hexOf<HolderSetId>('nobody') })],
  ['of the version that is', 'INVALID_ARGUMENT rotation.version', sent({ version: 1 })],
  ['of a version too far', 'INVALID_ARGUMENT rotation.version', sent({ version: 3 })],
  ['without members', 'INVALID_ARGUMENT members', sent({ members: [] })],
  ['with 33 members', 'INVALID_ARGUMENT members', sent({ members: of(...Array.from({ length: 33 }, (_, i) => i)) })],
  ['with 32 members', 'ok', sent({ members: of(...Array.from({ length: 32 }, (_, i) => i)) })],
  ['with a threshold of none', 'INVALID_ARGUMENT threshold', sent({ threshold: 0 })],
  ['with a threshold above all', 'INVALID_ARGUMENT threshold', sent({ threshold: 4 })],
  ['with a threshold of all', 'ok', sent({ threshold: 3 })],
  [
    'with one signing key twice',
    'INVALID_ARGUMENT members',
    sent({ members: [...of(0, 2), holderMember(3, { signingPublicKey: holderKey(0).publicKey })] }),
  ],
  [
    'with one sealing key twice',
    'INVALID_ARGUMENT members',
    sent({ members: [...of(0, 2), holderMember(3, { sealingPublicKey: bytesOf('sealing 0') })] }),
  ],
  [
    'with a zero key',
    'INVALID_ARGUMENT members.0.signingPublicKey',
    sent({ members: [holderMember(0, { signingPublicKey: zeros }), ...of(2, 3)] }),
  ],
  ['with a byte too many', 'INVALID_ARGUMENT rotation', (w) => sent(Uint8Array.of(...rotationBytes(w), 0))(w)],
  [
    'of 4,096 bytes, which are read',
    'INVALID_ARGUMENT rotation.chainId',
    (w) => sent(rotationBytes(w, longName(4_096 - OTHERS)))(w),
  ],
  [
    'of 4,097 bytes, which are not',
    'INVALID_ARGUMENT rotation',
    (w) => sent(rotationBytes(w, longName(4_097 - OTHERS)))(w),
  ],
]);

const NEXT = { version: 3, members: of(...ROTATED, 1) };
table('after a rotation', rotated, [
  [
    'by the places of the new version',
    'ok',
    sent(NEXT, [
      [2, 3],
      [0, 2],
    ]),
  ],
  [
    'by one who has left',
    'SIGNATURE_INVALID',
    sent(NEXT, [
      [1, 1],
      [0, 2],
    ]),
  ],
  [
    'the same again',
    'INVALID_ARGUMENT rotation.version',
    sent({}, [
      [0, 2],
      [1, 0],
    ]),
  ],
  [
    'a runner by one who has left',
    'SIGNATURE_INVALID',
    async (w) => [w.runnerWallet, await w.registration(w.statement(), [0, 1], [2, 1])],
  ],
  [
    'a runner by the members of now',
    'ok',
    async (w) => [w.runnerWallet, await w.registration(w.statement(), [0, 1], [2, 0])],
  ],
]);

const head = async (w: DaoWorld, member: number, holder: number, treeSize: number): Promise<ChainAction> => {
  const { holderSetId } = w;
  const rootHash = digestOf(`root ${treeSize}`);
  const atMs = asTimestampMs(w.clock.nowMs());
  const treeHead = TreeHeadBcs.serialize({ holderSetId, member, treeSize, rootHash, atMs }).toBytes();
  const { secretKey } = holderKey(holder);
  const signature = await sign({ secretKey, domainTag: TAGS.treeHead, message: treeHead });
  return { kind: 'anchorTreeHead', holderSetId, member, treeHead, signature };
};
table('retired holders', bereft, [
  ['again', 'TOMBSTONED', (w) => [w.operators[1]!, retire(w, 1)]],
  ['by another operator', 'WRONG_WALLET', (w) => [w.operators[1]!, retire(w, 0)]],
  [
    'of no set',
    'NOT_FOUND',
    (w) => [w.operators[0]!, { ...retire(w, 0), holderSetId: hexOf('nobody') } as ChainAction],
  ],
  ['of no place', 'INVALID_ARGUMENT member', (w) => [w.operators[0]!, retire(w, 3)]],
  ['a second one', 'ok', (w) => [w.operators[0]!, retire(w, 0)]],
  [
    'do not rotate',
    'TOMBSTONED',
    sent({}, [
      [0, 0],
      [2, 2],
      [1, 1],
    ]),
  ],
  [
    'are left out',
    'ok',
    sent({}, [
      [0, 0],
      [2, 2],
    ]),
  ],
  [
    'do not stay on',
    'TOMBSTONED',
    sent({ members: of(0, 1, 2) }, [
      [0, 0],
      [2, 2],
    ]),
  ],
  [
    'do not vouch for runners',
    'TOMBSTONED',
    async (w) => [w.runnerWallet, await w.registration(w.statement(), [0, 2, 1])],
  ],
  ['anchor nothing', 'TOMBSTONED', async (w) => [w.operators[1]!, await head(w, 1, 1, 5)]],
  ['do not stop the others', 'ok', async (w) => [w.operators[0]!, await head(w, 0, 0, 5)]],
]);

describe('a log', () => {
  it('follows its holder to another place and does not shrink on its way', async () => {
    const w = await founded();
    await w.run(w.operators[0]!, await head(w, 0, 0, 5));
    await w.run(w.stranger, await rotate(w));
    expect(await w.refusal(w.operators[0]!, await head(w, 1, 0, 4))).toBe('INVALID_ARGUMENT treeSize');
    expect(await w.refusal(w.operators[0]!, await head(w, 1, 0, 6))).toBe('ok');
    // Holder 2 is in its old place now, and begins with none.
    expect(await w.refusal(w.operators[2]!, await head(w, 0, 2, 1))).toBe('ok');
  });
});

/**
 * Any sequence of rotations and retirements, signed by anybody for anybody's place. Whatever is accepted had the good
 * signatures of `threshold` different members of the version before, none of them retired; no retired key is ever in a
 * version that was made after it was retired.
 */
const HOLDERS = 6;
const someHolders = (maxLength: number) => fc.uniqueArray(fc.nat(HOLDERS - 1), { minLength: 1, maxLength });
const step = fc.oneof(
  fc.record({
    do: fc.constant('rotate' as const),
    members: someHolders(4),
    threshold: fc.integer({ min: 1, max: 3 }),
    /** Places whose holders sign, where there is one; and one more signature, by anybody for any place. */
    places: fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 4 }),
    odd: fc.oneof(
      { weight: 4, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.record({ member: fc.nat(3), holder: fc.nat(HOLDERS - 1) }) },
    ),
  }),
  fc.record({ do: fc.constant('retire' as const), holder: fc.nat(HOLDERS - 1) }),
);

/** The set alone, without the blocks of a chain around it. */
async function bareSet() {
  const w = await founded();
  const draft = new Draft(w.store);
  const as = (sender: Address): Room => ({
    draft,
    chain: w.chain.info,
    sender,
    nowMs: w.clock.nowMs(),
    emit: () => undefined,
  });
  const now = () => draft.read('holder-set', w.holderSetId)!;
  const placeOf = (holder: number) =>
    now().members.findIndex(({ signingPublicKey }) => signingPublicKey === keyOf(holder));
  return { w, as, now, placeOf };
}
const keyOf = (holder: number) => toBase64(holderKey(holder).publicKey);
const isDone = async (run: () => void | Promise<void>): Promise<boolean> => {
  try {
    await run();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(UsufructError);
    return false;
  }
};

describe('who decides', () => {
  it('is always `threshold` of those who are in and were not retired', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 6 }), async (steps) => {
        const { w, as, now, placeOf } = await bareSet();
        for (const s of steps) {
          const before = now();
          if (s.do === 'retire') {
            const member = Math.max(0, placeOf(s.holder));
            const { address } = walletOf(`operator ${s.holder}`);
            await isDone(() => tombstoneHolder(as(address), { holderSetId: w.holderSetId, member }));
            continue;
          }
          const holderAt = (place: number) =>
            Array.from({ length: HOLDERS }, (_, i) => i).find(
              (i) => keyOf(i) === before.members[place]?.signingPublicKey,
            );
          const own = s.places.flatMap((place) => {
            const holder = holderAt(place);
            return holder === undefined ? [] : [[place, holder] as const];
          });
          const signers = s.odd === null ? own : [...own, [s.odd.member, s.odd.holder] as const];
          const { threshold } = s;
          const action = await rotate(
            w,
            { version: before.version + 1, members: of(...s.members), threshold },
            signers,
          );
          const rotated = await isDone(() => rotateHolderSet(as(w.stranger.address), action));
          const after = now();
          if (!rotated) {
            expect(after).toEqual(before);
            continue;
          }
          accepted += 1;
          const good = signers.filter(
            ([place, holder]) =>
              before.members[place]?.signingPublicKey === keyOf(holder) &&
              !before.tombstonedKeys.includes(keyOf(holder)),
          );
          expect(new Set(good.map(([, holder]) => holder)).size).toBeGreaterThanOrEqual(before.threshold);
          expect(after.version).toBe(before.version + 1);
          expect(after.members.map((member) => member.signingPublicKey)).toEqual(s.members.map(keyOf));
          expect(s.members.map(keyOf).some((key) => before.tombstonedKeys.includes(key))).toBe(false);
          expect(after.tombstonedKeys).toEqual(before.tombstonedKeys);
        }
      }),
      { numRuns: 50, seed: 7 },
    );
    // Not a test of nothing but refusals.
    expect(accepted).toBeGreaterThan(10);
  });
});
