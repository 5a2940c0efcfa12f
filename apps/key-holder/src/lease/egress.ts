import type { GrantSet } from '@usufruct/consent';
import { sign } from '@usufruct/crypto';
import { refuse, toBase64, type ContributionId, type UsufructError } from '@usufruct/kernel';
import {
  COMPUTATION_OUTPUTS,
  EgressLeafBcs,
  EgressTokenBcs,
  egressTokenDigest,
  TAGS,
  type EgressAnswer,
  type EgressRequest,
  type EgressToken,
  type JobView,
} from '@usufruct/protocol';
import type { Holder, Seat } from '../holder.js';
import type { LastLook } from '../last-look.js';
import { currentGrants } from './grants-seen.js';
import { askerOf, openLeaseSession, readAgain, restsOn, standingRefusal, type LeaseSession } from './session.js';

/**
 * Sign that one output may leave a job: the first that an attested runner names, and no other. The same output again
 * gives the same signature; another is refused with `EGRESS_SPENT` and logged. Entry and signature are one durable
 * transaction, before the signature leaves.
 *
 * It does not look at the output. What a running job may still do when data that it has used is no longer allowed is for
 * the DAO's policy: under `finish` nothing changes, under `cancel` the output stays inside. Refuses what
 * `openLeaseSession` and `useRefusal` refuse, `SCOPE_MISMATCH` (a job whose answers leave by receipts, or that makes
 * another kind of output), `DATA_WITHDRAWN` and `EGRESS_SPENT`.
 */
export async function grantEgress(holder: Holder, request: EgressRequest): Promise<EgressAnswer> {
  const asked = { ...request, action: 'egress' } as const;
  const opened = await openLeaseSession(holder, {
    ...asked,
    about: (job, seat) => egressTokenDigest(tokenOf(request, job, seat)),
  });
  const token = tokenOf(request, opened.job, opened.seat);
  // One at a time, so that of two outputs that are asked for at once one is signed.
  return holder.letOut.exclusively(() => holder.lastLooks.decide((look) => decide(holder, opened, token, look)));
}

const tokenOf = ({ jobId, outputKind, outputDigest }: EgressRequest, { daoId }: JobView, seat: Seat): EgressToken => ({
  chainId: seat.info.chainId,
  packageId: seat.info.packageId,
  daoId,
  holderSetId: seat.holderSetId,
  jobId,
  outputKind,
  outputDigest,
});

async function decide(holder: Holder, opened: LeaseSession, token: EgressToken, look: LastLook): Promise<EgressAnswer> {
  const tokenDigest = egressTokenDigest(token);
  const known = holder.egress.find(token.jobId);
  if (known?.tokenDigest === tokenDigest) return { signature: toBase64(known.signature) };
  const session = await readAgain(holder, opened);
  const rests = known === undefined ? await restOf(holder, session) : null;
  const refusal =
    known === undefined
      ? (egressRefusal(session, token) ?? withdrawalRefusal(session, rests))
      : refuse('EGRESS_SPENT', { jobId: token.jobId });
  const leaf = EgressLeafBcs.serialize({
    ...askerOf(session),
    member: session.seat.member,
    datasetId: session.job.datasetId,
    outputKind: token.outputKind,
    outputDigest: token.outputDigest,
    decision: refusal?.code ?? 'GRANTED',
    atMs: holder.clock.nowMs(),
  }).toBytes();
  const entries = [{ subject: session.job.datasetId, leaf }];
  holder.logger.info('egress.decided', { jobId: token.jobId, decision: refusal?.code ?? 'GRANTED' });
  if (refusal !== null) {
    await holder.log.append(entries, session.seat);
    throw refusal;
  }
  const message = EgressTokenBcs.serialize(token).toBytes();
  const { secretKey } = holder.keys.signing;
  const signature = await sign({ secretKey, domainTag: TAGS.egressToken, message });
  await holder.log.append(entries, session.seat, () => {
    look.requireCurrent(restsOn(session, rests === null ? [] : [...rests.given, ...rests.grants.inForce]));
    holder.withdrawnRunners.requireOther(session.dao.id, session.claims.signingPublicKey);
    holder.egress.insert(token.jobId, { tokenDigest, signature });
  });
  return { signature: toBase64(signature) };
}

interface Rests {
  /** What the runner has had of this holder for the job. */
  readonly given: readonly ContributionId[];
  readonly grants: GrantSet;
}

/** What the output rests on, where the policy asks for it, as the chain has it last. Refuses `CHAIN_UNAVAILABLE`. */
async function restOf(holder: Holder, session: LeaseSession): Promise<Rests | null> {
  if (session.dao.policy.onRevocation !== 'cancel') return null;
  return { given: holder.givenForJobs.of(session.job), grants: await currentGrants(holder, session) };
}

function withdrawalRefusal({ job }: LeaseSession, rests: Rests | null): UsufructError | null {
  const usable = new Set(rests?.grants.usable);
  const contributionId = rests?.given.find((id) => !usable.has(id));
  return contributionId === undefined ? null : refuse('DATA_WITHDRAWN', { jobId: job.id, contributionId });
}

function egressRefusal(session: LeaseSession, { outputKind }: EgressToken): UsufructError | null {
  const { kind } = session.job;
  const expected = kind === 'rag' ? null : COMPUTATION_OUTPUTS[kind];
  if (outputKind !== expected) return refuse('SCOPE_MISMATCH', { kind, asked: outputKind });
  return standingRefusal(session);
}
