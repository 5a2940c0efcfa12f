import { refuse, UsufructError } from '@usufruct/kernel';
import type { KeyPort } from './key-port.js';
import { releaseKeys } from './release.js';
import { SessionKeys } from './session-key.js';

/** Keys from the shares of the DAO's holders, for fresh evidence and with an entry in each holder's log. */
export const heldKeysOf: KeyPort = async (context, { job, dao, wanted }) => {
  const manifests = wanted.map(({ manifest }) => manifest);
  const released = await releaseKeys(context, job, dao, manifests);
  const { evidenceDigest, refusals } = released;
  const keys = new SessionKeys(released, context.logger);
  return {
    evidenceDigest,
    sessionKeyOf: (manifest) => {
      const { contributionId } = manifest;
      try {
        return keys.keyOf(manifest);
      } catch (error) {
        const refusal = refusals.get(contributionId);
        // With too few shares, a holder's refusal says more than that there were too few.
        if (refusal !== undefined && error instanceof UsufructError && error.code === 'SHARES_INSUFFICIENT') {
          throw refuse(refusal, { contributionId }, error);
        }
        throw error;
      }
    },
  };
};
