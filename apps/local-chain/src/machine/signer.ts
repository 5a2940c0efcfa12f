import { fromBase64, refuse, toHex32, type DaoId, type SignerId } from '@usufruct/kernel';
import { SIGNER_KEYS, signerIdOf, type SignerView, type UsageReceipt } from '@usufruct/protocol';
import { signerKey } from './collections.js';
import type { EffectOf, EffectRule } from './effect-rule.js';
import { requireKey } from './guards.js';
import { mustFind, type Room } from './room.js';

/** A signer that was withdrawn does not come back: its keys were withdrawn for a reason. */
export const registerSigner: EffectRule<'registerSigner'> = {
  check: requireSignerKeys,
  apply: (room, { daoId }, effect) => {
    requireSignerKeys(effect);
    const { signerKind, publicKeys, payTo } = effect;
    const keys = publicKeys.map((key) => fromBase64(key));
    const id = signerIdOf(signerKind, keys);
    if (room.draft.read('signer', signerKey(daoId, id)) !== undefined) throw refuse('ALREADY_EXISTS', { signer: id });
    const signer = { id, daoId, signerKind, publicKeys, payTo, withdrawnAtMs: null };
    room.draft.write('signer', signerKey(daoId, id), signer);
    room.emit({ type: 'SignerRegistered', signer });
  },
};

/** At once: nothing that it signed is settled from now on. */
export const withdrawSigner: EffectRule<'withdrawSigner'> = {
  check: () => undefined,
  apply: (room, { daoId }, { signerId }) => {
    const key = signerKey(daoId, signerId);
    const signer = mustFind(room, 'signer', key);
    if (signer.withdrawnAtMs !== null) throw refuse('TOMBSTONED', { signer: signerId });
    room.draft.write('signer', key, { ...signer, withdrawnAtMs: room.nowMs });
    room.emit({ type: 'SignerWithdrawn', daoId, signerId, withdrawnAtMs: room.nowMs });
  },
};

/** The set or host that a receipt names, registered and not withdrawn. */
export function requireSigner(room: Room, daoId: DaoId, receipt: UsageReceipt): SignerView {
  const id = namedSigner(receipt);
  const signer = id === null ? undefined : room.draft.read('signer', signerKey(daoId, id));
  if (signer?.signerKind !== receipt.signerKind) throw refuse('RUNNER_NOT_REGISTERED', { check: 'registered' });
  if (signer.withdrawnAtMs !== null) throw refuse('RUNNER_NOT_REGISTERED', { check: 'withdrawn' });
  return signer;
}

/** A receipt of a set names its id, that of a host its key. */
function namedSigner({ signerKind, signerPublicKey }: UsageReceipt): SignerId | null {
  if (signerPublicKey.length !== 32) return null;
  if (signerKind === 'mpc-set') return toHex32<SignerId>(signerPublicKey);
  return signerKind === 'fhe-host' ? signerIdOf(signerKind, [signerPublicKey]) : null;
}

/** What can be said of a signer before it is registered. One key in two places would let one party sign for two. */
function requireSignerKeys({ signerKind, publicKeys }: EffectOf<'registerSigner'>): void {
  const count: number | undefined = SIGNER_KEYS[signerKind];
  if (count === undefined) {
    throw refuse('INVALID_ARGUMENT', { field: 'signerKind', expected: 'mpc-set or fhe-host' });
  }
  if (publicKeys.length !== count) {
    throw refuse('INVALID_ARGUMENT', { field: 'publicKeys', expected: `${count} of them` });
  }
  for (const key of publicKeys) requireKey(fromBase64(key), 'publicKeys');
  if (new Set(publicKeys).size !== count) {
    throw refuse('INVALID_ARGUMENT', { field: 'publicKeys', expected: 'different ones' });
  }
}
