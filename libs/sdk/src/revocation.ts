import { allowsAnyOf, withoutPurpose } from '@usufruct/consent';
import { refuse, toHex32, type ContributionId, type DatasetId, type GrantId, type Hex32 } from '@usufruct/kernel';
import {
  deriveId,
  LIMITS,
  PURPOSE_CODE,
  type ChainAction,
  type ContributionView,
  type GrantTerms,
  type GrantView,
} from '@usufruct/protocol';
import type { ClientContext } from './context.js';
import { allEvents } from './governance/history.js';
import { requireOwner } from './releases.js';
import { executeOnce } from './transactions.js';

/** What is to stop: of one contribution, of one dataset, or of everything that this wallet ever granted. */
export interface RevocationScope {
  readonly contributionId?: ContributionId;
  readonly datasetId?: DatasetId;
  /** Only this purpose, with all that is a part of it; every purpose where it is left out. */
  readonly purpose?: string;
}
export interface RevocationStep {
  readonly contributionId: ContributionId;
  readonly datasetId: DatasetId;
  readonly grantId: GrantId;
  readonly before: GrantTerms;
  /** Given in the same transaction in its place: the same terms without the purpose. Null where nothing is left. */
  readonly after: GrantTerms | null;
  /** Names the new grant. */
  readonly salt: Hex32;
}
/** What will be signed, to be shown before it is. */
export interface RevocationPlan {
  readonly scope: RevocationScope;
  readonly steps: readonly RevocationStep[];
  /** Signatures that the wallet will be asked for. */
  readonly transactions: number;
}
export interface Revocation {
  readonly revoked: readonly GrantId[];
  readonly given: readonly GrantView[];
  /** Grants that somebody else had revoked in the meantime: nothing is given in their place. */
  readonly skipped: readonly GrantId[];
}

/**
 * A grant is in force by the chain's time. What this client's clock alone calls expired is revoked all the same, unless
 * that was so long ago that no clock differs as much; nothing is given in its place.
 */
const SLOWEST_CHAIN_MS = 86_400_000;
/** A step is two actions at most. */
const STEPS_PER_TRANSACTION = LIMITS.actionsPerTransaction / 2;

/**
 * Which grants have to go so that nothing in the scope is allowed any more, from this client's own view of the chain;
 * for "everything" it reads every event. Signs nothing. A plan that was carried out in part is made again: what is done
 * is not in the new one.
 *
 * Refuses `INVALID_ARGUMENT`, `NOT_FOUND`, `WRONG_WALLET`.
 */
export async function planRevocation(context: ClientContext, scope: RevocationScope): Promise<RevocationPlan> {
  const { purpose } = scope;
  if (purpose !== undefined && !PURPOSE_CODE.test(purpose)) {
    throw refuse('INVALID_ARGUMENT', { field: 'purpose', expected: 'a DUO or DPV code' });
  }
  const nowMs = context.clock.nowMs();
  const steps: RevocationStep[] = [];
  for (const contribution of await contributionsIn(context, scope)) {
    const { id: contributionId, datasetId } = contribution;
    for (const { id: grantId, terms, revokedAtMs } of await context.chain.grantsOf(contributionId)) {
      if (revokedAtMs !== null || terms.expiresAtMs + SLOWEST_CHAIN_MS <= nowMs) continue;
      if (purpose !== undefined && !allowsAnyOf(terms.purposes, purpose)) continue;
      const isLiving = contribution.tombstonedAtMs === null && terms.expiresAtMs > nowMs;
      const after = isLiving ? narrowed(terms, purpose) : null;
      const salt = toHex32<Hex32>(context.random(32));
      steps.push({ contributionId, datasetId, grantId, before: terms, after, salt });
    }
  }
  return { scope, steps, transactions: Math.ceil(steps.length / STEPS_PER_TRANSACTION) };
}

function narrowed(terms: GrantTerms, purpose: string | undefined): GrantTerms | null {
  const purposes = purpose === undefined ? [] : withoutPurpose(terms.purposes, purpose);
  return purposes.length === 0 ? null : { ...terms, purposes };
}

/**
 * Carry out a plan. A grant is revoked and its narrower successor given in one transaction: at no moment is more
 * allowed than before it or than after it. Calling again with the same plan, or with a new one, goes on where it
 * stopped and changes nothing that is done.
 *
 * It stops the next release of the key; what was released before cannot be recalled.
 */
export async function revokeByPlan(context: ClientContext, { steps }: RevocationPlan): Promise<Revocation> {
  const skipped: GrantId[] = [];
  for (let from = 0; from < steps.length; from += STEPS_PER_TRANSACTION) {
    const chunk = steps.slice(from, from + STEPS_PER_TRANSACTION);
    const key = `revocation/${chunk[0]!.grantId}/${context.signer.address}`;
    // An earlier call may have sent it without learning what became of it: that is settled first.
    if ((await context.journal.get(key)) !== null) await executeDue(context, key, chunk);
    await executeDue(context, key, chunk);
  }
  const given: GrantView[] = [];
  const revoked: GrantId[] = [];
  for (const step of steps) {
    const { revokedAtMs } = await context.chain.grant(step.grantId);
    if (revokedAtMs === null) throw refuse('UPSTREAM_INVALID', { upstream: 'chain', field: 'grant' });
    const successor = step.after === null ? null : await successorOf(context, step);
    if (step.after !== null && successor === null) skipped.push(step.grantId);
    else revoked.push(step.grantId);
    if (successor !== null) given.push(successor);
  }
  return { revoked, given, skipped };
}

async function executeDue(context: ClientContext, key: string, chunk: readonly RevocationStep[]): Promise<void> {
  const due = await dueOf(context, chunk);
  if (due.length > 0) await executeOnce({ ...context, key, actions: due.flatMap(actionsOf) });
  await context.journal.delete(key);
}

const dueOf = async ({ chain }: ClientContext, steps: readonly RevocationStep[]): Promise<RevocationStep[]> => {
  const grants = await Promise.all(steps.map(({ grantId }) => chain.grant(grantId)));
  return steps.filter((_, i) => grants[i]!.revokedAtMs === null);
};

const actionsOf = ({ grantId, contributionId, after, salt }: RevocationStep): ChainAction[] => [
  { kind: 'revokeGrant', grantId },
  ...(after === null ? [] : [{ kind: 'giveGrant', salt, contributionId, terms: after } as const]),
];

async function successorOf(
  { chain, signer }: ClientContext,
  { contributionId, salt }: RevocationStep,
): Promise<GrantView | null> {
  const id = deriveId<GrantId>('grant', contributionId, signer.address, salt);
  return (await chain.grantsOf(contributionId)).find((grant) => grant.id === id) ?? null;
}

async function contributionsIn(context: ClientContext, scope: RevocationScope): Promise<ContributionView[]> {
  const { chain, signer } = context;
  const { contributionId, datasetId } = scope;
  if (contributionId !== undefined) {
    const contribution = await chain.contribution(contributionId);
    requireOwner(context, contribution);
    if (datasetId !== undefined && contribution.datasetId !== datasetId) {
      throw refuse('DATASET_MISMATCH', { contributionId });
    }
    return [contribution];
  }
  if (datasetId !== undefined) {
    return (await chain.contributionsOf(datasetId)).filter(({ owner }) => owner === signer.address);
  }
  const granted = new Set<ContributionId>();
  for await (const { data } of allEvents(context)) {
    if (data.type === 'GrantGiven' && data.grant.grantor === signer.address) granted.add(data.grant.contributionId);
  }
  return Promise.all([...granted].map((id) => chain.contribution(id)));
}
