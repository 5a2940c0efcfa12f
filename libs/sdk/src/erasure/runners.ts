import { fromBase64, toBase64, UsufructError, type ContributionId } from '@usufruct/kernel';
import {
  RunnerErasureBcs,
  zErasureAnswer,
  zHex32,
  type ErasureAnswer,
  type ErasurePart,
  type ErasureReceipt,
} from '@usufruct/protocol';
import { z } from 'zod';
import { operation, REFUSAL_FIELDS, resultOf, valueOrThrow } from '../api/graphql.js';
import type { ClientContext } from '../context.js';
import { isRunners, type ErasureSubject } from './judge.js';

const ERASE = operation<{ contributionId: ContributionId }>()(
  `mutation EraseAtRunners($contributionId: Hex32!) { result: eraseAtRunners(contributionId: $contributionId) {
    __typename ... on RunnerErasures { contributionId complete runners { statement signature } } ${REFUSAL_FIELDS} } }`,
  z.object({
    result: resultOf(
      z.object({
        contributionId: zHex32<ContributionId>(),
        complete: z.boolean(),
        runners: z.array(zErasureAnswer).max(64),
      }),
    ),
  }),
);

/**
 * Ask the runners, through the API, to drop it from open sessions. Without them nothing is lost: each reads the chain
 * before every answer and leaves it out. What a runner signed before is kept.
 */
export async function runnerParts(
  context: ClientContext,
  subject: ErasureSubject,
  before: readonly ErasurePart[],
): Promise<Pick<ErasureReceipt, 'runners' | 'runnersComplete'>> {
  const parts = new Map(before.map((part) => [part.signingPublicKey, part]));
  let runnersComplete = false;
  try {
    const { contributionId } = subject;
    const answers = valueOrThrow((await context.api.request(ERASE, { contributionId })).result);
    runnersComplete = answers.complete;
    for (const answer of answers.runners) {
      const part = partOf(answer);
      if (part !== null && (await isRunners(subject, part))) parts.set(part.signingPublicKey, part);
      else runnersComplete = false;
    }
  } catch (error) {
    if (!(error instanceof UsufructError)) throw error;
  }
  return { runners: [...parts.values()], runnersComplete };
}

function partOf(signed: ErasureAnswer): ErasurePart | null {
  try {
    const { runnerSigningKey } = RunnerErasureBcs.parse(fromBase64(signed.statement));
    return { signingPublicKey: toBase64(runnerSigningKey), state: 'done', signed, error: null };
  } catch {
    return null;
  }
}
