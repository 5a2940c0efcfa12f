import { sign } from '@usufruct/crypto';
import { fromBase64, toHex } from '@usufruct/kernel';
import type { HolderSetView, StatementSignature } from '@usufruct/protocol';
import type { Play } from '../play/actor.js';
import { HOLDER_KEYS, wordBytes, type KeyPair } from '../play/cast.js';

const KEY_BY_TEXT = new Map(HOLDER_KEYS.map((key) => [toHex(key.publicKey), key]));
/** The key pair of a member; the cast has all of them. */
export function keyOf(set: HolderSetView, member: number): KeyPair {
  const key = KEY_BY_TEXT.get(toHex(fromBase64(set.members[member]?.signingPublicKey ?? '')));
  if (key === undefined) throw new RangeError('a holder whose key nobody has');
  return key;
}

/** The places of members who were retired, or of the others. */
export const placesOf = ({ members, tombstonedKeys }: HolderSetView, isRetired: boolean): number[] =>
  members.flatMap(({ signingPublicKey }, i) => (tombstonedKeys.includes(signingPublicKey) === isRetired ? [i] : []));

interface Signing {
  readonly set: HolderSetView;
  readonly message: Uint8Array;
  readonly domainTag: string;
  /** How many must sign. */
  readonly needed: number;
}
/** Ways to sign something that needs the signatures of several members. */
export const MEMBER_TWISTS = ['too few', 'member twice', 'no such member', 'signature', 'retired signer'] as const;

/** As many as are needed or more, beginning anywhere; of those who were retired only where that is the twist. */
export async function signaturesOf(
  { random }: Play,
  { set, message, domainTag, needed }: Signing,
  twist: string | null,
): Promise<StatementSignature[]> {
  const living = placesOf(set, false);
  const by = async (member: number, secretKey: Uint8Array): Promise<StatementSignature> => ({
    member,
    signature: await sign({ secretKey, domainTag, message }),
  });
  const byAll = (members: readonly number[]): Promise<StatementSignature[]> =>
    Promise.all(members.map((member) => by(member, keyOf(set, member).secretKey)));
  if (twist === 'retired signer') return byAll([...placesOf(set, true), ...living]);
  const enough = living.length > needed ? random.int(needed, living.length) : living.length;
  const count = twist === 'too few' ? Math.min(needed - 1, living.length) : enough;
  const start = random.int(0, Math.max(0, living.length - 1));
  const signatures = await byAll([...living.slice(start), ...living.slice(0, start)].slice(0, count));
  const last = signatures.at(-1);
  if (last === undefined) return signatures;
  if (twist === 'member twice') return [...signatures, last];
  if (twist === 'no such member') return [...signatures, { ...last, member: set.members.length }];
  if (twist === 'signature') return [...signatures.slice(0, -1), await by(last.member, wordBytes('nobody'))];
  return signatures;
}
