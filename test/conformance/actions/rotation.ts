import { toBase64, type HolderSetId } from '@usufruct/kernel';
import {
  HolderRotationBcs,
  TAGS,
  type HolderMember,
  type HolderRotation,
  type HolderSetView,
} from '@usufruct/protocol';
import type { Actor, Play } from '../play/actor.js';
import { CHAIN, STRANGER, word, wordBytes } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { HOLDERS } from './holder-set.js';
import { MEMBER_TWISTS, placesOf, signaturesOf } from './member-signatures.js';

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
    ...MEMBER_TWISTS,
  ],
  meets: { 'retired member': 'TOMBSTONED holder', 'retired signer': 'TOMBSTONED holder' },
  before: { 'retired member': ['tombstoneHolder'], 'retired signer': ['tombstoneHolder'] },
  async attempt(play, twist) {
    const isRetiring = twist === 'retired signer' || twist === 'retired member';
    const sets = play.ledger.all('holder-set').filter((one) => !isRetiring || placesOf(one, true).length > 0);
    if (sets.length === 0) return null;
    const set = play.random.pick(sets);
    const rotation = rotationOf(play, set, twist);
    if (rotation === null) return null;
    const signing = { set, message: rotation, domainTag: TAGS.holderRotation, needed: set.threshold };
    const signatures = await signaturesOf(play, signing, twist);
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
