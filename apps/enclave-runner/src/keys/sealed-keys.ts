import { refuse } from '@usufruct/kernel';
import { NO_EVIDENCE, type JobView } from '@usufruct/protocol';
import { openSecrets, type SealAccess, type SecretWanted } from '@usufruct/seal';
import type { KeyPort } from './key-port.js';
import { keyOfSecret } from './session-key.js';

/**
 * Keys from Seal's key servers. WEAKER than holders: for what runs here now there is no challenge and no evidence, only
 * that this key is registered; and no log says that the keys were given out. Where the mode cannot be had, each key is
 * refused with `KEY_MODE_UNAVAILABLE`, and nobody else is asked for it.
 */
export const sealedKeysOf: KeyPort = async ({ seal, keys, logger }, { job, wanted }) => {
  const access = usable(seal, job);
  const { secrets, refusals } = await openSecrets(access, {
    jobId: job.id,
    runnerId: keys.runnerId,
    signingSecretKey: keys.signing.secretKey,
    wanted: wanted.flatMap(({ manifest, grantId }): SecretWanted[] => {
      const { contributionId, keys: sealed } = manifest;
      return sealed.kind === 'seal' ? [{ contributionId, grantId, keys: sealed }] : [];
    }),
  });
  logger.info('keys.by_key_servers', { jobId: job.id, opened: secrets.size, refused: refusals.size });
  return {
    evidenceDigest: NO_EVIDENCE,
    sessionKeyOf: (manifest) => {
      const secret = secrets.get(manifest.contributionId);
      if (secret !== undefined) return keyOfSecret(manifest, secret);
      throw refusals.get(manifest.contributionId) ?? refuse('KEY_MODE_UNAVAILABLE', { mode: 'seal' });
    },
  };
};

function usable(seal: SealAccess | null, job: JobView): SealAccess {
  if (seal === null) throw refuse('KEY_MODE_UNAVAILABLE', { mode: 'seal', needs: 'SEAL_KEY_SERVERS of the runner' });
  // Holders vouch for uses of contributions whose keys they released themselves, so nobody could divide the pay.
  if (job.payoutMode === 'epoch') throw refuse('KEY_MODE_UNAVAILABLE', { mode: 'seal', reason: 'paid in epochs' });
  return seal;
}
