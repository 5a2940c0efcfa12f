import { refuse } from '@usufruct/kernel';

/** The value of `SUI_NETWORK` that means the local chain; anything else is a real network. */
export const LOCAL_NETWORK = 'local';

/**
 * Every process calls this before it does anything, naming the stand-ins that it would use (software TEE, local
 * chain, local store, development wallet). With a real network and any stand-in it refuses `STAND_IN_FORBIDDEN`.
 */
export function refuseStandIns({ suiNetwork, standIns }: { suiNetwork: string; standIns: readonly string[] }): void {
  if (suiNetwork !== LOCAL_NETWORK && standIns.length > 0) {
    throw refuse('STAND_IN_FORBIDDEN', { suiNetwork, standIns: standIns.join(', ') });
  }
}
