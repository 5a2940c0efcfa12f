import { makeEvidence } from '@usufruct/attestation';
import { sign, verify } from '@usufruct/crypto';
import {
  asTimestampMs,
  equalBytes,
  fromBase64,
  refuse,
  toBase64,
  toUsufructError,
  UsufructError,
  type TimestampMs,
} from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  LIMITS,
  registrationTermMs,
  RunnerStatementBcs,
  TAGS,
  type DaoView,
  type HolderSetView,
  type RegistrationRequest,
  type RunnerView,
  type StatementSignature,
} from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import type { HolderPort } from '../keys/holder-port.js';
import { challengeMembers, onePerPlace, placesOf, type ChallengedMember } from '../keys/members.js';

/**
 * See to it that this runner's key is registered on the chain for the DAO's current appraisal policy, for longer than
 * a session lasts, and say until when: answer the challenges of the DAO's holders with one bundle, collect their signatures over one
 * statement, send it with the runner's own wallet. Does nothing when that is done already.
 *
 * When fewer holders signed than the DAO's policy demands, it refuses what one of them refused (`ATTESTATION_REFUSED`,
 * …), or `UPSTREAM_UNAVAILABLE` when they were only away; also what the chain refuses.
 */
export async function ensureRegistered(context: RunnerContext, dao: DaoView): Promise<TimestampMs> {
  const registered = await registrationOf(context, dao);
  if (registered !== null && isGood(context, dao, registered)) return registered.expiresAtMs;
  const { statement, signatures, expiresAtMs } = await signedStatement(context, dao);
  await context.chain.execute([{ kind: 'registerRunner', statement, signatures }], context.wallet);
  context.logger.info('runner.registered', { daoId: dao.id, runnerId: context.keys.runnerId });
  return expiresAtMs;
}

interface SignedStatement {
  readonly statement: Uint8Array;
  readonly signatures: StatementSignature[];
  readonly expiresAtMs: TimestampMs;
}

/**
 * The whole term at first. Holders whose endorsements are good for less say until when they would sign; the next round
 * proposes the latest end that enough of them would, each time with fresh challenges.
 */
async function signedStatement(context: RunnerContext, dao: DaoView): Promise<SignedStatement> {
  const { chainId } = await context.chain.info();
  const set = await context.chain.holderSet(dao.policy.holderSetId);
  const needed = Math.max(1, dao.policy.verifierThreshold);
  let termMs = registrationTermMs(dao.policy.appraisal);
  const request = { for: 'registration', daoId: dao.id } as const;
  let isPatient = false;
  for (let round = 1; ; round++) {
    const { challenged, isWhole } = await challengeMembers(context, { set, chainId, request, needed, isPatient });
    const issuedAtMs = context.clock.nowMs();
    const expiresAtMs = asTimestampMs(issuedAtMs + termMs);
    const statement = await expectedStatement(context, dao, chainId, { issuedAtMs, expiresAtMs });
    const collected = await collectSignatures({ context, dao, set, challenged, issuedAtMs, expiresAtMs, statement });
    if ('signatures' in collected) return { statement, signatures: collected.signatures, expiresAtMs };
    if (!isWhole && !isPatient) {
      // Who was quick to claim a place may have none, and a member may not have been waited for.
      isPatient = true;
      round -= 1;
      continue;
    }
    const shorterMs = collected.latestMs === null ? 0 : collected.latestMs - context.clock.nowMs() - ROUND_MS;
    if (round === ROUNDS || shorterMs <= 0 || shorterMs >= termMs) throw collected.refusal;
    termMs = shorterMs;
  }
}

const ROUNDS = 3;
/** What passes until the holders judge the next statement, and what their clocks may be behind ours by then. */
const ROUND_MS = 2_000;

function isGood(context: RunnerContext, dao: DaoView, runner: RunnerView): boolean {
  // Where the DAO's term is shorter than a session, it is renewed when half of it is over.
  const neededMs = Math.min(LIMITS.sessionTermMs + LIMITS.clockSkewMs, registrationTermMs(dao.policy.appraisal) / 2);
  const untilMs = context.clock.nowMs() + neededMs;
  return (
    runner.expiresAtMs > untilMs &&
    runner.payTo === context.wallet.address &&
    runner.appraisalPolicyDigest === appraisalPolicyDigest(dao.policy.appraisal) &&
    equalBytes(fromBase64(runner.hpkePublicKey), context.keys.bound.hpkePublicKey)
  );
}

/** Null for none, and for one that was withdrawn. */
export async function registrationOf(
  { chain, keys }: Pick<RunnerContext, 'chain' | 'keys'>,
  dao: DaoView,
): Promise<RunnerView | null> {
  try {
    return await chain.runner(dao.id, keys.runnerId);
  } catch (error) {
    if (error instanceof UsufructError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

/** What every holder has to sign, byte for byte, so that nobody can slip other keys or another term in. */
async function expectedStatement(
  { device, keys, wallet }: RunnerContext,
  dao: DaoView,
  chainId: string,
  times: { readonly issuedAtMs: TimestampMs; readonly expiresAtMs: TimestampMs },
): Promise<Uint8Array> {
  return RunnerStatementBcs.serialize({
    chainId,
    daoId: dao.id,
    profile: device.profile,
    measurement: await device.measurement(),
    ...keys.bound,
    appraisalPolicyDigest: appraisalPolicyDigest(dao.policy.appraisal),
    payTo: wallet.address,
    ...times,
  }).toBytes();
}

interface Collecting {
  readonly context: RunnerContext;
  readonly dao: DaoView;
  readonly set: HolderSetView;
  readonly challenged: readonly ChallengedMember[];
  readonly issuedAtMs: TimestampMs;
  readonly expiresAtMs: TimestampMs;
  readonly statement: Uint8Array;
}
type Collected =
  | { readonly signatures: StatementSignature[] }
  /** The latest end that enough of them would sign; null where that is not what they refused. */
  | { readonly refusal: UsufructError; readonly latestMs: number | null };

async function collectSignatures(params: Collecting): Promise<Collected> {
  const { context, dao, challenged } = params;
  const needed = Math.max(1, dao.policy.verifierThreshold);
  const reachable = placesOf(challenged);
  const insufficient = { upstream: 'key holders', needed: String(needed), reachable: String(reachable) };
  if (reachable < needed) return { refusal: refuse('UPSTREAM_UNAVAILABLE', insufficient), latestMs: null };
  const bundle = await makeEvidence(context.device, {
    challenges: challenged.map(({ challenge }) => challenge),
    jobId: dao.id,
    keys: context.keys.bound,
  });
  const { wallet, keys } = context;
  const signature = toBase64(
    await sign({ secretKey: keys.signing.secretKey, domainTag: TAGS.runnerStatement, message: params.statement }),
  );
  const request = { bundle, payTo: wallet.address, signature };
  const answers = await Promise.allSettled(
    challenged.map(({ holder, member, challenge }) =>
      signatureOf(params, holder, member, { challenge: toBase64(challenge), ...request }),
    ),
  );
  const signatures = onePerPlace(answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])));
  if (signatures.length >= needed) return { signatures };
  const refusals = answers.flatMap((answer, i) => {
    if (answer.status === 'fulfilled') return [];
    const refused = toUsufructError(answer.reason);
    const { holder, member } = challenged[i]!;
    context.logger.warn('registration.member_passed_over', { member, holder: holder.name, code: refused.code });
    return [refused];
  });
  const lasting = refusals.find((refusal) => refusal.entry.retry !== 'later');
  const signed = String(signatures.length);
  const refusal = lasting ?? refuse('UPSTREAM_UNAVAILABLE', { ...insufficient, signed }, refusals[0]);
  const ends = [...signatures.map(() => params.expiresAtMs), ...refusals.flatMap(latestEnd)].sort((a, b) => b - a);
  return { refusal, latestMs: ends[needed - 1] ?? null };
}

/** What a holder says that it would sign. */
function latestEnd({ code, details }: UsufructError): number[] {
  const latestMs = Number(details['latestMs']);
  return code === 'INVALID_ARGUMENT' && Number.isSafeInteger(latestMs) ? [latestMs] : [];
}

async function signatureOf(
  { dao, set, issuedAtMs, expiresAtMs, statement }: Collecting,
  holder: HolderPort,
  member: number,
  request: Omit<RegistrationRequest, 'daoId' | 'issuedAtMs' | 'expiresAtMs'>,
): Promise<StatementSignature> {
  const answer = await holder.register({ daoId: dao.id, issuedAtMs, expiresAtMs, ...request });
  const signature = fromBase64(answer.signature);
  const publicKey = fromBase64(set.members[member]!.signingPublicKey);
  const isSame = equalBytes(fromBase64(answer.statement), statement);
  if (!isSame || !(await verify({ publicKey, domainTag: TAGS.runnerStatement, message: statement, signature }))) {
    throw refuse('UPSTREAM_INVALID', { upstream: holder.name, field: isSame ? 'signature' : 'statement' });
  }
  return { member, signature };
}
