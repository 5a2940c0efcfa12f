import {
  ExpiredSessionKeyError,
  InvalidParameterError,
  NoAccessError,
  SealAPIError,
  UnsupportedPackageIdError,
} from '@mysten/seal';
import { refuse, UsufructError } from '@usufruct/kernel';

const UPSTREAM = { upstream: "Seal's key servers" };

/**
 * What most servers said, as a refusal of the catalogue, without their words. Whoever did not answer, or answered with
 * a key that is not the one of its public key, is passed over: what is left is that too few did.
 */
export function keyServerRefusal(error: unknown, threshold: number): UsufructError {
  if (error instanceof UsufructError) return error;
  if (error instanceof NoAccessError) return refuse('KEY_SERVERS_REFUSED', {}, error);
  if (error instanceof InvalidParameterError) {
    return refuse('KEY_SERVERS_REFUSED', { reason: 'their nodes do not know an object yet' }, error);
  }
  if (error instanceof UnsupportedPackageIdError) {
    return refuse('KEY_MODE_UNAVAILABLE', { mode: 'seal', reason: 'the key servers do not serve our package' }, error);
  }
  if (error instanceof ExpiredSessionKeyError) {
    return refuse('UPSTREAM_INVALID', { ...UPSTREAM, reason: 'the certificate is over, or clocks differ' }, error);
  }
  if (error instanceof SealAPIError && !(error.status !== undefined && error.status >= 500)) {
    return refuse('UPSTREAM_INVALID', { ...UPSTREAM, reason: error.constructor.name }, error);
  }
  return refuse('SHARES_INSUFFICIENT', { needed: String(threshold), of: 'key servers' }, error);
}
