import { toHex32, type AmountUnits, type ContributionId, type GrantId, type UsufructError } from '@usufruct/kernel';
import { decide } from '@usufruct/consent';
import {
  deriveId,
  type ComputationKind,
  type GrantTerms,
  type GrantView,
  type ProtectionKind,
} from '@usufruct/protocol';
import type { ClientContext } from './context.js';
import { actOnce } from './act.js';
import { createOnce } from './create.js';

export interface GiveGrantParams {
  readonly contributionId: ContributionId;
  readonly terms: GrantTerms;
  /** Names this grant in the journal: the same key never gives a second one. Random where it is left out. */
  readonly key?: string;
}

/** Allow a use, by the owner's wallet. Grants never add up: each must cover a use by itself. */
export function giveGrant(context: ClientContext, params: GiveGrantParams): Promise<GrantView> {
  const { contributionId, terms, key = toHex32(context.random(32)) } = params;
  return createOnce({
    context,
    key: `grant/${contributionId}/${key}`,
    read: (salt) => context.chain.grant(deriveId<GrantId>('grant', contributionId, context.signer.address, salt)),
    action: (salt) => ({ kind: 'giveGrant', salt, contributionId, terms }),
  });
}

/** Stop the next release of the key. It cannot recall what was released before. Revoking twice is no error. */
export function revokeGrant(context: ClientContext, grantId: GrantId): Promise<GrantView> {
  return actOnce({
    context,
    key: `revoke/${grantId}`,
    action: { kind: 'revokeGrant', grantId },
    read: () => context.chain.grant(grantId),
    isDone: ({ revokedAtMs }) => revokedAtMs !== null,
  });
}

export interface UseToExplain {
  readonly purpose: string;
  readonly kind: ComputationKind;
  readonly protection: ProtectionKind;
  /** The DAO's current price where it is left out. */
  readonly pricePerQuestionUnits?: AmountUnits;
}
export interface ExplainedUse {
  readonly allowed: boolean;
  /** The grant that covers it. */
  readonly grant: GrantView | null;
  /** The first rule that says no, and what would satisfy it. */
  readonly refusal: UsufructError | null;
}

/** Would this use be allowed now? The decision that holders make, on this client's own view of the chain. */
export async function explainUse(
  context: ClientContext,
  contributionId: ContributionId,
  use: UseToExplain,
): Promise<ExplainedUse> {
  const { chain, clock } = context;
  const contribution = await chain.contribution(contributionId);
  const dataset = await chain.dataset(contribution.datasetId);
  const { daoId } = dataset;
  const dao = await chain.dao(daoId);
  const decision = decide({
    contribution,
    dataset,
    grants: await chain.grantsOf(contributionId),
    dao,
    use: {
      datasetId: contribution.datasetId,
      daoId,
      purpose: use.purpose,
      kind: use.kind,
      protection: use.protection,
      pricePerQuestionUnits: use.pricePerQuestionUnits ?? dao.policy.pricePerQuestionUnits,
    },
    nowMs: clock.nowMs(),
  });
  return decision.ok
    ? { allowed: true, grant: decision.value.grant, refusal: null }
    : { allowed: false, grant: null, refusal: decision.refusal };
}
