import { fromBase64, fromHex, type DaoId } from '@usufruct/kernel';
import { SIGNER_KEYS, type OtherSignerKind, type SignerView } from '@usufruct/protocol';
import type { Play } from '../play/actor.js';
import { SIGNER_KEY_PAIRS } from '../play/cast.js';

interface SignerKeys {
  readonly signerKind: OtherSignerKind;
  readonly publicKeys: Uint8Array[];
}
/** Under which protection which signer is needed. */
const KIND_OF = { mpc: 'mpc-set', fhe: 'fhe-host' } as const;

export const signersOf = ({ ledger }: Play, daoId: DaoId): SignerView[] =>
  ledger.all('signer').filter((one) => one.daoId === daoId);

/** What a receipt says of who signed it: a set's id, a host's key. */
export const nameOf = ({ id, signerKind, publicKeys }: SignerView): Uint8Array =>
  signerKind === 'mpc-set' ? fromHex(id) : fromBase64(publicKeys[0]!);

/** For a signer that is to be registered: mostly keys that were not before. */
export function signerKeysOf(play: Play, daoId: DaoId, way: string | null): SignerKeys {
  const { random, needs } = play;
  const known = signersOf(play, daoId).filter(
    ({ withdrawnAtMs }) => (withdrawnAtMs !== null) === (way === 'signer back'),
  );
  if ((way === 'signer twice' || way === 'signer back') && known.length > 0) {
    const { signerKind, publicKeys } = random.pick(known);
    return { signerKind, publicKeys: publicKeys.map((key) => fromBase64(key)) };
  }
  // Nobody who keeps to the types can say this.
  if (way === 'signer kind') return { signerKind: 'tee' as 'fhe-host', publicKeys: keysFrom(0, 1) };
  const { protection } = needs;
  const needed = protection === 'mpc' || protection === 'fhe' ? KIND_OF[protection] : null;
  const signerKind = way === 'key twice' ? 'mpc-set' : (needed ?? random.pick(['mpc-set', 'fhe-host'] as const));
  const publicKeys = keysFrom(random.int(0, 1), SIGNER_KEYS[signerKind]);
  if (way === 'too few keys') publicKeys.pop();
  if (way === 'zero key') publicKeys[0] = new Uint8Array(32);
  if (way === 'key twice') publicKeys[1] = publicKeys[0]!;
  return { signerKind, publicKeys };
}

const keysFrom = (start: number, count: number): Uint8Array[] =>
  SIGNER_KEY_PAIRS.slice(start, start + count).map(({ publicKey }) => publicKey);
