import { refuse, toUsufructError } from '@usufruct/kernel';
import { KEY_MODES, NO_EVIDENCE, type KeyMode } from '@usufruct/protocol';
import { heldKeysOf } from './held-keys.js';
import type { KeyPort, ReleasedKeys } from './key-port.js';
import { sealedKeysOf } from './sealed-keys.js';

const PORTS: Readonly<Record<KeyMode, KeyPort>> = { holders: heldKeysOf, seal: sealedKeysOf };

/**
 * Each key by the mode that its manifest names, and by no other. Where one mode fails as a whole, its keys are refused
 * with why, and those of the other mode are used. The evidence is the holders', if any.
 */
export const releaseByMode: KeyPort = async (context, request) => {
  const byMode = new Map<KeyMode, ReleasedKeys>();
  await Promise.all(
    KEY_MODES.map(async (mode) => {
      const wanted = request.wanted.filter(({ manifest }) => manifest.keys.kind === mode);
      if (wanted.length === 0) return;
      const released = PORTS[mode](context, { ...request, wanted });
      byMode.set(mode, await released.catch((error: unknown) => noKeys(error)));
    }),
  );
  return {
    evidenceDigest: byMode.get('holders')?.evidenceDigest ?? NO_EVIDENCE,
    sessionKeyOf: (manifest) => {
      const released = byMode.get(manifest.keys.kind);
      if (released === undefined) throw refuse('NOT_FOUND', { contributionId: manifest.contributionId });
      return released.sessionKeyOf(manifest);
    },
  };
};

const noKeys = (error: unknown): ReleasedKeys => ({
  evidenceDigest: NO_EVIDENCE,
  sessionKeyOf: () => {
    throw toUsufructError(error);
  },
});
