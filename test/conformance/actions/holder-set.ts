import { sign } from '@usufruct/crypto';
import { asTimestampMs, type Digest, type HolderSetId } from '@usufruct/kernel';
import { deriveId, TAGS, TreeHeadBcs, type HolderMember, type HolderSetView } from '@usufruct/protocol';
import { saltOf, type Actor, type Play } from '../play/actor.js';
import { FOUNDERS, HOLDER_KEYS, MINUTE_MS, OPERATORS, STRANGER, word, wordBytes } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { keyOf } from './member-signatures.js';

const memberOf = (i: number): HolderMember => ({
  operator: OPERATORS[i]!,
  signingPublicKey: HOLDER_KEYS[i]!.publicKey,
  sealingPublicKey: wordBytes(`sealing key ${i}`),
});

/** Everybody who may be a member. */
export const HOLDERS: readonly HolderMember[] = HOLDER_KEYS.map((_, i) => memberOf(i));

export const createHolderSet: Actor = {
  kind: 'createHolderSet',
  weight: 1,
  twists: [
    'no members',
    'key twice',
    'sealing key twice',
    'zero key',
    'short key',
    'no threshold',
    'high threshold',
    'taken',
  ],
  before: { taken: ['createHolderSet'] },
  attempt({ ledger, random }, twist) {
    const sender = random.pick([...FOUNDERS, ...OPERATORS]);
    const exists = (salt: `0x${string}`): boolean =>
      ledger.read('holder-set', deriveId<HolderSetId>('holder-set', null, sender, salt)) !== undefined;
    const salt = saltOf(twist === 'taken', exists);
    if (salt === null) return null;
    const members = twistedMembers(random.some([0, 1, 2, 3]).map(memberOf), twist);
    const least = random.int(1, Math.max(1, members.length));
    const threshold = twist === 'no threshold' ? 0 : twist === 'high threshold' ? members.length + 1 : least;
    const call = move.call(
      'stage_daos::create_holder_set',
      move.address(sender),
      move.address(deriveId('holder-set', null, sender, salt)),
      move.address(salt),
      move.list(members.map(({ operator }) => move.address(operator))),
      move.list(members.map((member) => move.bytes(member.signingPublicKey))),
      move.list(members.map((member) => move.bytes(member.sealingPublicKey))),
      move.number(threshold),
    );
    return { sender, action: { kind: 'createHolderSet', salt, members, threshold }, call };
  },
  refusals: {
    'ALREADY_EXISTS holder-set': ['registry::EIdTaken'],
    'INVALID_ARGUMENT members.N.signingPublicKey': ['checks::EKeyInvalid'],
    'INVALID_ARGUMENT members.N.sealingPublicKey': ['checks::EKeyInvalid'],
    'INVALID_ARGUMENT members as a set': ['checks::ENotASet'],
    'INVALID_ARGUMENT threshold': ['holder_set::EThreshold'],
  },
};

function twistedMembers(members: HolderMember[], twist: string | null): HolderMember[] {
  const [first, ...others] = members;
  if (first === undefined || twist === 'no members') return [];
  const another = { ...memberOf(0), operator: STRANGER };
  switch (twist) {
    case 'key twice':
      return [
        ...members,
        { ...another, signingPublicKey: first.signingPublicKey, sealingPublicKey: wordBytes('other') },
      ];
    case 'sealing key twice':
      return [
        ...members,
        { ...another, signingPublicKey: wordBytes('other'), sealingPublicKey: first.sealingPublicKey },
      ];
    case 'zero key':
      return [{ ...first, signingPublicKey: new Uint8Array(32) }, ...others];
    case 'short key':
      return [{ ...first, sealingPublicKey: first.sealingPublicKey.slice(0, 31) }, ...others];
    default:
      return members;
  }
}

interface HeadPlan {
  readonly set: HolderSetView;
  readonly index: number;
  readonly known: { readonly treeSize: number; readonly rootHash: Digest } | undefined;
}

export const anchorTreeHead: Actor = {
  kind: 'anchorTreeHead',
  weight: 2,
  twists: [
    'no such member',
    'wrong operator',
    'malformed',
    'of another set',
    'of another member',
    'signature',
    'future',
    'shrinks',
    'forks',
    'tombstoned',
  ],
  before: { tombstoned: ['tombstoneHolder'], shrinks: ['anchorTreeHead'], forks: ['anchorTreeHead'] },
  async attempt(play, twist) {
    const { ledger, random } = play;
    const sets = ledger.all('holder-set');
    if (sets.length === 0) return null;
    const heads = sets.flatMap((set) =>
      set.members.map(({ signingPublicKey }, index) => {
        const known = ledger.read('tree-head', `${set.id}/${signingPublicKey}`);
        return { set, index, known };
      }),
    );
    const isRetired = ({ set, index }: HeadPlan): boolean =>
      set.tombstonedKeys.includes(set.members[index]!.signingPublicKey);
    const isGrown = ({ known }: HeadPlan): boolean =>
      twist === 'shrinks' ? (known?.treeSize ?? 0) > 0 : twist !== 'forks' || known !== undefined;
    const chosen = heads.filter((plan) => isGrown(plan) && isRetired(plan) === (twist === 'tombstoned'));
    if (chosen.length === 0) return null;
    const { set, known, ...at } = random.pick(chosen);
    const index = twist === 'no such member' ? set.members.length : at.index;
    const treeHead = headOf(play, { set, index, known }, twist);
    const key = keyOf(set, Math.min(index, set.members.length - 1));
    const signer = twist === 'signature' ? wordBytes('nobody') : key.secretKey;
    const signature = await sign({ secretKey: signer, domainTag: TAGS.treeHead, message: treeHead });
    const operator = set.members[index]?.operator ?? STRANGER;
    const sender = twist === 'wrong operator' ? STRANGER : operator;
    const call = move.call(
      'stage_daos::anchor_tree_head',
      move.address(sender),
      move.address(set.id),
      move.number(index),
      move.bytes(treeHead),
      move.bytes(signature),
    );
    return {
      sender,
      action: { kind: 'anchorTreeHead', holderSetId: set.id, member: index, treeHead, signature },
      call,
    };
  },
  refusals: {
    'INVALID_ARGUMENT member': ['holder_set::ENoSuchMember'],
    WRONG_WALLET: ['holder_set::EWrongOperator'],
    'INVALID_ARGUMENT treeHead': ['holder_set::ETreeHeadMalformed'],
    'TOMBSTONED holder': ['holder_set::EHolderTombstoned'],
    SIGNATURE_INVALID: ['holder_set::ETreeHeadSignature'],
    'INVALID_ARGUMENT treeHead.atMs': ['holder_set::ETreeHeadTime'],
    'INVALID_ARGUMENT treeSize': ['holder_set::ETreeHeadShrinks'],
    'INVALID_ARGUMENT rootHash': ['holder_set::ETreeHeadForks'],
  },
};

function headOf({ ledger, random }: Play, { set, index, known }: HeadPlan, twist: string | null): Uint8Array {
  const size = known?.treeSize ?? 0;
  const grown = size + random.pick([0, 1, 7]);
  const treeSize = twist === 'shrinks' ? size - 1 : twist === 'forks' ? size : grown;
  const same = known !== undefined && treeSize === size && twist !== 'forks';
  const ahead = twist === 'future' ? MINUTE_MS + 1 : random.pick([0, MINUTE_MS, -MINUTE_MS]);
  const bytes = TreeHeadBcs.serialize({
    holderSetId: twist === 'of another set' ? word<HolderSetId>('another set') : set.id,
    member: twist === 'of another member' ? index + 1 : index,
    treeSize,
    rootHash: same ? known.rootHash : word<Digest>(`root ${treeSize} ${twist ?? ''}`),
    atMs: asTimestampMs(ledger.nowMs + ahead),
  }).toBytes();
  return twist === 'malformed' ? bytes.slice(1) : bytes;
}
