import type { Address, AmountUnits, DaoId, DatasetId, EpochId, ProposalId } from '@usufruct/kernel';
import {
  LIMITS,
  policyDiff,
  type ChainEvent,
  type ChainEventData,
  type DaoPolicy,
  type PolicyChange,
} from '@usufruct/protocol';
import type { ClientContext } from '../context.js';

/** Every event of the chain, in order, up to the last one that is there now. */
export async function* allEvents(context: Pick<ClientContext, 'chain'>): AsyncGenerator<ChainEvent> {
  for (let after = 0; ;) {
    const page = await context.chain.events(after, { limit: LIMITS.eventsPage });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < LIMITS.eventsPage) return;
    after = last.seq;
  }
}

/** Which events are about how one DAO governs itself. Fed in order: it remembers what belongs to the DAO. */
export function aboutDao(daoId: DaoId): (data: ChainEventData) => boolean {
  const proposals = new Set<ProposalId>();
  const epochs = new Set<EpochId>();
  const datasets = new Set<DatasetId>();
  const note = <T>(known: Set<T>, id: T, isMine: boolean): boolean => {
    if (isMine) known.add(id);
    return isMine;
  };
  return (data) => {
    switch (data.type) {
      case 'DaoCreated':
        return data.dao.id === daoId;
      case 'DatasetCreated':
        return note(datasets, data.dataset.id, data.dataset.daoId === daoId);
      case 'ProposalCreated':
        return note(proposals, data.proposal.id, data.proposal.daoId === daoId);
      case 'EpochProposed':
        return note(epochs, data.epoch.id, data.epoch.daoId === daoId);
      case 'VoteCast':
        return proposals.has(data.proposalId);
      case 'EpochObjected':
        return epochs.has(data.epochId);
      case 'ContributionTombstoned':
        return datasets.has(data.datasetId);
      case 'SignerRegistered':
        return data.signer.daoId === daoId;
      case 'LicenceOffered':
        return data.offer.daoId === daoId;
      case 'LicenceBought':
        return data.licence.daoId === daoId;
      default:
        return 'daoId' in data && data.daoId === daoId && !isPaid(data);
    }
  };
}

/** What a DAO earns by use is shown as payouts and receipts, not as its history. */
const isPaid = ({ type }: ChainEventData): boolean => type === 'ReceiptSettledPrivately' || type === 'PayoutClaimed';

/**
 * How a DAO came to be what it is: members, policies, proposals, votes, spending, signers, epochs, licences. Oldest
 * first, from the client's own view of the chain; it reads every event there is.
 */
export async function historyOf(context: ClientContext, daoId: DaoId): Promise<ChainEvent[]> {
  const isMine = aboutDao(daoId);
  const found: ChainEvent[] = [];
  for await (const event of allEvents(context)) if (isMine(event.data)) found.push(event);
  return found;
}

export interface PolicyVersion {
  readonly version: number;
  readonly policy: DaoPolicy;
  /** Who sent the transaction that made it: a policy maker, or whoever executed a proposal. */
  readonly by: Address;
  readonly atMs: ChainEvent['atMs'];
  /** What it changed of the version before; empty for the first. */
  readonly changes: readonly PolicyChange[];
}

/** Every version that a DAO's policy has had, oldest first. Reads every event. */
export async function policyVersionsOf(context: ClientContext, daoId: DaoId): Promise<PolicyVersion[]> {
  const versions: PolicyVersion[] = [];
  const add = (version: number, policy: DaoPolicy, { sender: by, atMs }: ChainEvent): void => {
    const before = versions.at(-1)?.policy ?? policy;
    versions.push({ version, policy, by, atMs, changes: policyDiff(before, policy) });
  };
  for await (const event of allEvents(context)) {
    const { data } = event;
    if (data.type === 'DaoCreated' && data.dao.id === daoId) add(data.dao.policyVersion, data.dao.policy, event);
    if (data.type === 'PolicySet' && data.daoId === daoId) add(data.version, data.policy, event);
  }
  return versions;
}

export interface TreasurySpending {
  readonly to: Address;
  readonly amountUnits: AmountUnits;
  readonly atMs: ChainEvent['atMs'];
  readonly transaction: ChainEvent['transaction'];
}
export interface Treasury {
  /** No key exists for it: only a vote spends from it. */
  readonly account: Address;
  readonly balanceUnits: AmountUnits;
  /** Oldest first. */
  readonly spending: readonly TreasurySpending[];
}

export async function treasuryOf(context: ClientContext, daoId: DaoId): Promise<Treasury> {
  const { treasury: account } = await context.chain.dao(daoId);
  const spending: TreasurySpending[] = [];
  for await (const { data, atMs, transaction } of allEvents(context)) {
    if (data.type === 'TreasurySpent' && data.daoId === daoId) {
      spending.push({ to: data.to, amountUnits: data.amountUnits, atMs, transaction });
    }
  }
  return { account, balanceUnits: await context.chain.balanceOf(account), spending };
}
