import { refuse, toBase64, type JobId, type RunnerId, equalBytes, fromBase64 } from '@usufruct/kernel';
import {
  appraiseEvidence,
  failedChecks,
  productionRoots,
  rootSetWithDevRoot,
  type RootSet,
} from '@usufruct/attestation';
import {
  appraisalPolicyDigest,
  clientChallenge,
  parseAnswer,
  runnerIdOf,
  zEvidenceBundle,
  type AttestationResult,
  type Claims,
  type DaoView,
  type RunnerView,
} from '@usufruct/protocol';
import { valueOrThrow } from './api/graphql.js';
import type { ClientContext } from './context.js';
import { orNull } from './create.js';
import { parseJson } from './json.js';
import { ATTESTATION } from './jobs/operations.js';

/** A runner whose evidence this client has appraised itself, and whose key the chain has registered. */
export interface AttestedRunner {
  readonly claims: Claims;
  readonly result: AttestationResult;
  readonly runner: RunnerView;
}

/**
 * Fetch evidence for our own nonce (the API only relays it), appraise it against the policy that the DAO has on the
 * chain, and find the same keys in the chain's registry of runners.
 *
 * Refuses `ATTESTATION_REFUSED` with the names of the failed checks, `RUNNER_NOT_REGISTERED` with the one that failed.
 * What it proves is what `appraiseEvidence` proves; with `claims.standIn`, nothing about hardware.
 */
export async function attestRunner(context: ClientContext, jobId: JobId): Promise<AttestedRunner> {
  const { chain, clock } = context;
  const { daoId } = await chain.job(jobId);
  const nonce = context.random(32);
  const answer = await context.api.request(ATTESTATION, { jobId, nonce: toBase64(nonce) });
  const bundle = parseAnswer(zEvidenceBundle, parseJson(valueOrThrow(answer.attestation).bundle), 'runner');
  const dao = await chain.dao(daoId);
  const result = await appraiseEvidence(bundle, {
    ownChallenge: clientChallenge(nonce),
    jobId,
    nowMs: clock.nowMs(),
    policy: dao.policy.appraisal,
    roots: await trustedRoots(context),
  });
  if (!result.ok || result.claims === undefined) {
    throw refuse('ATTESTATION_REFUSED', { checks: failedChecks(result).join(', ') });
  }
  return { claims: result.claims, result, runner: await registeredRunner(context, dao, result.claims) };
}

/** The root of a software TEE counts on the local chain only. */
async function trustedRoots({ chain, teeDevRoot }: ClientContext): Promise<RootSet> {
  if (teeDevRoot === undefined) return productionRoots();
  const { standIn } = await chain.info();
  if (!standIn) throw refuse('STAND_IN_FORBIDDEN', { part: 'root of the software TEE' });
  return rootSetWithDevRoot(teeDevRoot);
}

async function registeredRunner({ chain, clock }: ClientContext, dao: DaoView, claims: Claims): Promise<RunnerView> {
  const runner = await orNull(chain.runner(dao.id, runnerIdOf<RunnerId>(claims.signingPublicKey)));
  if (runner === null) throw refuse('RUNNER_NOT_REGISTERED', { check: 'registered' });
  const isSame = (text: string, key: Uint8Array): boolean => equalBytes(fromBase64(text), key);
  const failed =
    (!isSame(runner.signingPublicKey, claims.signingPublicKey) && 'signing key') ||
    (!isSame(runner.hpkePublicKey, claims.hpkePublicKey) && 'HPKE key') ||
    (runner.measurement !== claims.measurement && 'measurement') ||
    (runner.appraisalPolicyDigest !== appraisalPolicyDigest(dao.policy.appraisal) && 'policy') ||
    (runner.expiresAtMs <= clock.nowMs() && 'expired');
  if (failed !== false) throw refuse('RUNNER_NOT_REGISTERED', { check: failed });
  return runner;
}
