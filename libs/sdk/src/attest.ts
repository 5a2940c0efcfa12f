import {
  equalBytes,
  fromBase64,
  parseJson,
  refuse,
  toBase64,
  UsufructError,
  type DaoId,
  type JobId,
  type RunnerId,
} from '@usufruct/kernel';
import {
  appraisalRefusal,
  appraiseEvidence,
  isStandInJudgement,
  NVIDIA_ENDORSEMENTS,
  productionRoots,
  rootSetWithDevRoot,
  zTeePolicy,
  type Endorsements,
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
  type EvidenceBundle,
  type EvidenceProfile,
  type RunnerView,
} from '@usufruct/protocol';
import { valueOrThrow } from './api/graphql.js';
import type { ClientContext } from './context.js';
import { orNull } from './create.js';
import { ATTESTATION } from './jobs/operations.js';

/** A runner whose evidence this client has appraised itself, and whose key the chain has registered. */
export interface AttestedRunner {
  readonly claims: Claims;
  readonly result: AttestationResult;
  readonly runner: RunnerView;
}

/** What came of looking at a runner, good or bad. */
export interface InspectedRunner {
  readonly profile: EvidenceProfile;
  /** The evidence itself, for who judges it anew. */
  readonly bundle: EvidenceBundle;
  /** Software stands in for the hardware, or its root for a vendor's: nothing is proven of hardware, even where it is refused. */
  readonly standIn: boolean;
  /** Every check, whether it held or not. */
  readonly result: AttestationResult;
  /** What the evidence needs and nobody had. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
  /** Either the runner, which may be asked, or why it may not. */
  readonly attested: AttestedRunner | UsufructError;
}

/**
 * Fetch evidence for our own nonce, 32 bytes (the API only relays it), appraise it against the policy that the DAO has on the
 * chain, and find the same keys in the chain's registry of runners.
 *
 * What the vendors say of the hardware and what the DAO asks of it come from the API, too, and are not taken at its word:
 * a pinned root stands for the first, and the measurement that the DAO approved on the chain for the second. An API could
 * withhold them, or hand out an older list of revocations whose signed validity is not over yet. The keys of NVIDIA's
 * attestation service are signed by nobody, so they are not taken from it: that second opinion is left to the key holders.
 *
 * What it proves is what `appraiseEvidence` proves; with `standIn`, nothing about hardware.
 */
export async function inspectRunner(
  context: ClientContext,
  jobId: JobId,
  nonce: Uint8Array = context.random(32),
): Promise<InspectedRunner> {
  const { chain, clock } = context;
  const { daoId } = await chain.job(jobId);
  const answer = await context.api.request(ATTESTATION, { jobId, nonce: toBase64(nonce) });
  const { bundle: text, appraisal: relayed } = valueOrThrow(answer.attestation);
  const bundle = parseAnswer(zEvidenceBundle, parseJson(text), 'runner');
  const dao = await chain.dao(daoId);
  const roots = await trustedRoots(context);
  const result = await appraiseEvidence(bundle, {
    ownChallenge: clientChallenge(nonce),
    jobId,
    nowMs: clock.nowMs(),
    policy: dao.policy.appraisal,
    roots,
    isTokenLeftToOthers: true,
    endorsements: signedEndorsements(relayed.endorsements),
    ...(relayed.teePolicy === null ? {} : { teePolicy: parseAnswer(zTeePolicy, parseJson(relayed.teePolicy), 'api') }),
  });
  const { missing } = relayed;
  const standIn = isStandInJudgement(bundle, roots);
  const attested = await judge(context, dao, result, missing);
  return { profile: bundle.profile, bundle, standIn, result, missing, attested };
}

/** Of what an API relays, base64, what a vendor has signed: for the rest there would be nothing but the API's word. */
export const signedEndorsements = (
  relayed: readonly { readonly name: string; readonly bytes: string }[],
): Endorsements =>
  Object.fromEntries(
    relayed
      .filter(({ name }) => name !== NVIDIA_ENDORSEMENTS.nrasKeys)
      .map(({ name, bytes }) => [name, fromBase64(bytes)]),
  );

/** `inspectRunner`, for who wants to go on only with a good one. Refuses why it is none. */
export async function attestRunner(context: ClientContext, jobId: JobId): Promise<AttestedRunner> {
  const { attested } = await inspectRunner(context, jobId);
  if (attested instanceof UsufructError) throw attested;
  return attested;
}

async function judge(
  context: ClientContext,
  dao: DaoView,
  result: AttestationResult,
  missing: InspectedRunner['missing'],
): Promise<AttestedRunner | UsufructError> {
  const { claims } = result;
  if (!result.ok || claims === undefined) return appraisalRefusal({ result, missing });
  try {
    return { claims, result, runner: await registeredRunner(context, dao, { daoId: dao.id, claims }) };
  } catch (error) {
    if (error instanceof UsufructError && error.code === 'RUNNER_NOT_REGISTERED') return error;
    throw error;
  }
}

/** The root of a software TEE counts on the local chain only. */
async function trustedRoots({ chain, teeDevRoot }: ClientContext): Promise<RootSet> {
  if (teeDevRoot === undefined) return productionRoots();
  const { standIn } = await chain.info();
  if (!standIn) throw refuse('STAND_IN_FORBIDDEN', { part: 'root of the software TEE' });
  return rootSetWithDevRoot(teeDevRoot);
}

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
