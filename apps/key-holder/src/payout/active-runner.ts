import { refuse, type RunnerId } from '@usufruct/kernel';
import { runnerIdOf, type DaoView, type RunnerView } from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import { orNull } from '../reads.js';

/**
 * The runner with this key, if the chain has it registered past `atMs`, with a measurement and a profile that the DAO's
 * policy approves now. Refuses `RUNNER_NOT_REGISTERED` naming what is not so.
 */
export async function activeRunner(
  { chain }: Holder,
  dao: DaoView,
  signingPublicKey: Uint8Array,
  atMs: number,
): Promise<RunnerView> {
  const runner = await orNull(chain.runner(dao.id, runnerIdOf<RunnerId>(signingPublicKey)));
  if (runner === null) throw notRegistered('registered');
  const { measurements, profiles } = dao.policy.appraisal;
  if (runner.expiresAtMs <= atMs) throw notRegistered('expired');
  if (!measurements.includes(runner.measurement)) throw notRegistered('measurement');
  if (!profiles.some((profile) => profile === runner.profile)) throw notRegistered('profile');
  return runner;
}

const notRegistered = (check: string) => refuse('RUNNER_NOT_REGISTERED', { check });
