import type { DaoId } from '@usufruct/kernel';
import { daoPolicyDigest, withAppraisal, type DaoPolicy, type DaoView, type Metadata } from '@usufruct/protocol';
import type { ClientContext } from '../context.js';
import { executeOnce } from '../transactions.js';
import { propose, type ProposalStatus } from './proposals.js';

/**
 * Replace the policy, by a policy maker: `expectedVersion` is the one that the signer has read. Refuses
 * `POLICY_OUTDATED`, and `BY_VOTE_ONLY` where the DAO's governance says so.
 */
export async function setPolicy(
  context: ClientContext,
  daoId: DaoId,
  expectedVersion: number,
  policy: DaoPolicy,
): Promise<DaoView> {
  // The digest is part of the key: another policy for the same version is another act, not a repetition.
  const key = `policy/${daoId}/${expectedVersion}/${daoPolicyDigest(policy)}`;
  await executeOnce({ ...context, key, actions: [{ kind: 'setPolicy', daoId, expectedVersion, policy }] });
  const dao = await context.chain.dao(daoId);
  await context.journal.delete(key);
  return dao;
}

export interface MeasurementChange {
  readonly daoId: DaoId;
  /** 32 to 64 bytes, lower-case hex. */
  readonly measurement: string;
  readonly change: 'approve' | 'withdraw';
}
/** The signer's role suffices, or the members are asked. */
export type Way = { readonly by: 'policy' } | ({ readonly by: 'proposal'; readonly key: string } & Metadata);
export type MeasurementOutcome =
  { readonly by: 'policy'; readonly dao: DaoView } | { readonly by: 'proposal'; readonly status: ProposalStatus };

/**
 * Approve code that may get keys, or withdraw it: its runners then stop at once. By policy it happens now, and asking
 * again for what is so changes nothing; by proposal the members vote on it first.
 */
export async function changeMeasurement(
  context: ClientContext,
  { daoId, measurement, change }: MeasurementChange,
  way: Way,
): Promise<MeasurementOutcome> {
  if (way.by === 'proposal') {
    const { key, title, description } = way;
    const kind = change === 'approve' ? 'approveMeasurement' : 'withdrawMeasurement';
    const effect = { kind, measurement } as const;
    return { by: 'proposal', status: await propose(context, { key, daoId, effect, title, description }) };
  }
  const dao = await context.chain.dao(daoId);
  const { policy, policyVersion } = dao;
  const { measurements } = policy.appraisal;
  const isDone = measurements.includes(measurement) === (change === 'approve');
  if (isDone) return { by: 'policy', dao };
  const next =
    change === 'approve' ? [...measurements, measurement] : measurements.filter((each) => each !== measurement);
  return {
    by: 'policy',
    dao: await setPolicy(context, daoId, policyVersion, withAppraisal(policy, { measurements: next })),
  };
}
