import { equalBytes, fromBase64, refuse, type DaoId, type RunnerId } from '@usufruct/kernel';
import { appraisalPolicyDigest, runnerIdOf, type Claims, type DaoView, type RunnerView } from '@usufruct/protocol';
import type { ClientContext } from './context.js';
import { orNull } from './create.js';

/** The chain's registration of this key, where it is in force under the DAO's policy. Refuses `RUNNER_NOT_REGISTERED`. */
export async function registeredRunner(
  { chain, clock }: Pick<ClientContext, 'chain' | 'clock'>,
  dao: DaoView | Promise<DaoView>,
  { daoId, claims }: { readonly daoId: DaoId; readonly claims: Claims },
): Promise<RunnerView> {
  const read = orNull(chain.runner(daoId, runnerIdOf<RunnerId>(claims.signingPublicKey)));
  const [runner, { policy }] = await Promise.all([read, dao]);
  if (runner === null) throw refuse('RUNNER_NOT_REGISTERED', { check: 'registered' });
  const isSame = (text: string, key: Uint8Array): boolean => equalBytes(fromBase64(text), key);
  const failed =
    (!isSame(runner.signingPublicKey, claims.signingPublicKey) && 'signing key') ||
    (!isSame(runner.hpkePublicKey, claims.hpkePublicKey) && 'HPKE key') ||
    (runner.measurement !== claims.measurement && 'measurement') ||
    (runner.appraisalPolicyDigest !== appraisalPolicyDigest(policy.appraisal) && 'policy') ||
    (runner.expiresAtMs <= clock.nowMs() && 'expired');
  if (failed !== false) throw refuse('RUNNER_NOT_REGISTERED', { check: failed });
  return runner;
}
