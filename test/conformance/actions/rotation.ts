import { sign } from '@usufruct/crypto';
import { toBase64, type HolderSetId } from '@usufruct/kernel';
import {
  HolderRotationBcs,
  TAGS,
  type HolderMember,
  type HolderRotation,
  type HolderSetView,
  type StatementSignature,
} from '@usufruct/protocol';
import type { Actor, Play } from '../play/actor.js';
import { CHAIN, STRANGER, word, wordBytes } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { HOLDERS, keyOf } from './holder-set.js';

/** So many members stay, if there were as many: more than one verifier no policy here asks for. */
const MEMBERS_AT_LEAST = 2;

export const rotateHolderSet: Actor = {
  kind: 'rotateHolderSet',
  weight: 0.7,
  twists: [
    'malformed',
    'other chain',
    'other set',
    'version',
    'key twice',
    'zero key',
    'high threshold',
    'retired member',
    'too few',
    'member twice',
    'no such member',
    'signature',
    'retired signer',
  ],
  before: { 'retired member': ['tombstoneHolder'], 'retired signer': ['tombstoneHolder'] },
  async attempt(play, twist) {
    const isRetiring = twist === 'retired signer' || twist === 'retired member';
    const sets = play.ledger.all('holder-set').filter((one) => !isRetiring || retiredOf(one).length > 0);
    if (sets.length === 0) return null;
    const set = play.random.pick(sets);
    const rotation = rotationOf(play, set, twist);
    const signatures = rotation && (await signaturesOf(play, { set, rotation }, twist));
    if (rotation === null || signatures === null) return null;
    const call = move.call(
      'stage_daos::rotate_holder_set',
      ...[STRANGER, set.id].map(move.address),
      move.bytes(rotation),
      ...move.signatures(signatures),
    );
    return { sender: STRANGER, action: { kind: 'rotateHolderSet', rotation, signatures }, call };
  },
  refusals: {
    'INVALID_ARGUMENT rotation': ['holder_set::ERotationMalformed'],
    'INVALID_ARGUMENT rotation.chainId': ['holder_set::ERotationElsewhere'],
    'NOT_FOUND holder-set': ['holder_set::ERotationElsewhere'],
    'INVALID_ARGUMENT rotation.version': ['holder_set::ERotationVersion'],
    'INVALID_ARGUMENT members.N.signingPublicKey': ['checks::EKeyInvalid'],
    'INVALID_ARGUMENT members as a set': ['checks::ENotASet'],
    'INVALID_ARGUMENT threshold': ['holder_set::EThreshold'],
    'INVALID_ARGUMENT signatures': ['holder_set::ESignerTwice'],
    'FORBIDDEN holders of the set': ['holder_set::ETooFewSigners'],
    'INVALID_ARGUMENT signatures.member': ['holder_set::ENoSuchMember'],
    'TOMBSTONED holder': ['holder_set::EHolderTombstoned'],
    SIGNATURE_INVALID: ['holder_set::ERotationSignature'],
  },
};

/** The places of members who were retired. */
const retiredOf = ({ members, tombstonedKeys }: HolderSetView): number[] =>
  members.flatMap(({ signingPublicKey }, i) => (tombstonedKeys.includes(signingPublicKey) ? [i] : []));

/** The next version: some of those who may be in it, in another order. */
function rotationOf({ random }: Play, set: HolderSetView, twist: string | null): Uint8Array | null {
  const isRetired = ({ signingPublicKey }: HolderMember): boolean =>
    set.tombstonedKeys.includes(toBase64(signingPublicKey));
  const living = HOLDERS.filter((one) => !isRetired(one));
  const least = Math.min(MEMBERS_AT_LEAST, set.members.length);
  if (living.length < least) return null;
  const start = random.int(0, living.length - 1);
  const count = random.int(least, living.length);
  const chosen = Array.from({ length: count }, (_, i) => living[(start + i) % living.length]!);
  const members = membersOf(chosen, HOLDERS.filter(isRetired), twist);
  const rotation: HolderRotation = {
    chainId: twist === 'other chain' ? 'another chain' : CHAIN.chainId,
    holderSetId: twist === 'other set' ? word<HolderSetId>('another set') : set.id,
    version: twist === 'version' ? random.pick([set.version, set.version + 2]) : set.version + 1,
    members,
    threshold: twist === 'high threshold' ? members.length + 1 : random.int(1, members.length),
  };
  const bytes = HolderRotationBcs.serialize({ ...rotation, members: [...members] }).toBytes();
  return twist === 'malformed' ? Uint8Array.of(...bytes, 0) : bytes;
}

function membersOf(chosen: HolderMember[], retired: readonly HolderMember[], twist: string | null): HolderMember[] {
  const [first, ...others] = chosen;
  if (first === undefined) return chosen;
  switch (twist) {
    case 'key twice':
      return [...chosen, { ...first, sealingPublicKey: wordBytes('other') }];
    case 'zero key':
      return [{ ...first, signingPublicKey: new Uint8Array(32) }, ...others];
    case 'retired member':
      return [...retired.slice(0, 1), ...others];
    default:
      return chosen;
  }
}

interface Signing {
  readonly set: HolderSetView;
  readonly rotation: Uint8Array;
}

/** Null where too few are left who could. */
async function signaturesOf(
  { random }: Play,
  { set, rotation }: Signing,
  twist: string | null,
): Promise<StatementSignature[] | null> {
  const bySigner = async (member: number, secretKey: Uint8Array): Promise<StatementSignature> => ({
    member,
    signature: await sign({ secretKey, domainTag: TAGS.holderRotation, message: rotation }),
  });
  const byMember = (member: number): Promise<StatementSignature> => bySigner(member, keyOf(set, member).secretKey);
  const retired = retiredOf(set);
  const living = [...set.members.keys()].filter((member) => !retired.includes(member));
  if (twist === 'retired signer') return Promise.all([...retired, ...living].map(byMember));
  if (living.length < set.threshold) return null;
  const count = twist === 'too few' ? set.threshold - 1 : random.int(set.threshold, living.length);
  const start = random.int(0, living.length - 1);
  const signing = Array.from({ length: count }, (_, i) => living[(start + i) % living.length]!);
  const signatures = await Promise.all(signing.map(byMember));
  const last = signatures[signatures.length - 1];
  if (last === undefined) return signatures;
  if (twist === 'member twice') return [...signatures, last];
  if (twist === 'no such member') return [...signatures, { ...last, member: set.members.length }];
  if (twist === 'signature') return [...signatures.slice(0, -1), await bySigner(last.member, wordBytes('nobody'))];
  return signatures;
}
