import { InvalidKeyServerError, InvalidKeyServerVersionError, InvalidPackageError } from '@mysten/seal';
import { refuse, type ContributionId } from '@usufruct/kernel';
import type { SealedKeys } from '@usufruct/protocol';
import { sealClient, type SealAccess } from './access.js';
import { identityOf, requireEncryptedSecret, SECRET_BYTES } from './encrypted-secret.js';

/**
 * Encrypts a contribution's secret so that `threshold` of the configured key servers can open it, for the identity that
 * `grant::seal_approve` asks about. Each server must show first that it has the key that the chain names for it.
 *
 * Refuses `INVALID_ARGUMENT` (no secret of 32 bytes), `UPSTREAM_INVALID` (a server without its key, or of another
 * kind; a package that is not the first version), `UPSTREAM_UNAVAILABLE` (the chain or a server is away).
 * Draws its randomness from the platform, as Seal's client does. What comes out is public, and stays readable for ever
 * to whoever gets the keys.
 */
export const secretSealer = (access: SealAccess, threshold: number) => ({
  seal: async (contributionId: ContributionId, secret: Uint8Array): Promise<SealedKeys> => {
    if (secret.length !== SECRET_BYTES) throw refuse('INVALID_ARGUMENT', { field: 'secret', expected: '32 bytes' });
    const { packageId } = access.approvals;
    const keyServers = access.keyServers.map(({ objectId }) => objectId);
    const client = sealClient(access, keyServers, { isVerifying: true });
    try {
      const id = identityOf(contributionId);
      const { encryptedObject } = await client.encrypt({ threshold, packageId, id, data: secret });
      const keys: SealedKeys = { kind: 'seal', threshold, keyServers, encryptedSecret: encryptedObject };
      requireEncryptedSecret(keys, packageId, contributionId);
      return keys;
    } catch (error) {
      throw encryptionRefusal(error);
    }
  },
});

function encryptionRefusal(error: unknown) {
  const isWrong = [InvalidKeyServerError, InvalidKeyServerVersionError, InvalidPackageError].some(
    (kind) => error instanceof kind,
  );
  return refuse(isWrong ? 'UPSTREAM_INVALID' : 'UPSTREAM_UNAVAILABLE', { upstream: "Seal's key servers" }, error);
}
