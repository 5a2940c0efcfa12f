import { fromBase64, parseJson, refuse, toBase64, UsufructError, type JobId } from '@usufruct/kernel';
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
  clientChallenge,
  parseAnswer,
  zEvidenceBundle,
  type AttestationResult,
  type DaoView,
} from '@usufruct/protocol';
import { valueOrThrow } from './api/graphql.js';
import type { AttestedRunner, InspectedRunner } from './attest.js';
import type { ClientContext } from './context.js';
import { ATTESTATION } from './jobs/operations.js';
import { registeredRunner } from './registered-runner.js';

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
export async function appraiseRunner(
  context: ClientContext,
  jobId: JobId,
  nonce: Uint8Array,
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
