import { verify } from '@usufruct/crypto';
import { refuse, type Digest } from '@usufruct/kernel';
import {
  COMPUTATION_OUTPUTS,
  egressQuorum,
  egressTokenDigest,
  isLetOut,
  type EgressSignature,
  type EgressToken,
} from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import { askHolders } from './ask-holders.js';
import { holderFlaw } from './holder-flaw.js';
import type { LeaseWork } from './leased-key.js';

/**
 * Leave for the one output of a job, from enough of the DAO's holders that no second output can have it too
 * (`egressQuorum`). To be had before anything of the output is outside the TEE; asked again for the same output, it is
 * the same leave. The output's digest must commit to all that leaves.
 *
 * Refuses `EGRESS_SPENT` (another output of this job was let out), `SCOPE_MISMATCH` (questions are answered by
 * receipts), what else the holders refuse, and `SHARES_INSUFFICIENT` while too few answer.
 */
export async function askForEgress(
  context: RunnerContext,
  { job, dao }: LeaseWork,
  outputDigest: Digest,
): Promise<{ readonly token: EgressToken; readonly signatures: readonly EgressSignature[] }> {
  if (job.kind === 'rag') throw refuse('SCOPE_MISMATCH', { kind: job.kind });
  const [{ chainId, packageId }, set] = await Promise.all([
    context.chain.info(),
    context.chain.holderSet(dao.policy.holderSetId),
  ]);
  const outputKind = COMPUTATION_OUTPUTS[job.kind];
  const token = { chainId, packageId, daoId: dao.id, holderSetId: set.id, jobId: job.id, outputKind, outputDigest };
  const question = {
    job,
    dao,
    set,
    action: 'egress',
    about: egressTokenDigest(token),
    needed: egressQuorum(set),
  } as const;
  const signatures = await askHolders(
    context,
    question,
    async ({ holder, member, proof }): Promise<EgressSignature> => {
      const { signature } = await holder.grantEgress({ jobId: job.id, outputKind, outputDigest, ...proof });
      const alone = { ...set, threshold: 1, members: set.members.slice(member, member + 1) };
      if (!(await isLetOut(token, [{ member: 0, signature }], alone, verify))) {
        throw holderFlaw('signature');
      }
      return { member, signature };
    },
  );
  if (!(await isLetOut(token, signatures, set, verify))) throw refuse('SHARES_INSUFFICIENT');
  return { token, signatures };
}
