import { Injectable } from '@nestjs/common';
import type { Hex32 } from '@usufruct/kernel';
import type { ChainEvent, ChainEventData } from '@usufruct/protocol';
import { toDate, toJson, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';

/** Everything that happened in a DAO, in order. */
@Injectable()
export class HistoryProjector implements Projector {
  readonly tables = ['dao_event'];

  async apply(tx: Database, { seq, atMs, sender, transaction, data }: ChainEvent): Promise<void> {
    const place = placeOf(data);
    if (place === null) return;
    const { open, subject } = place;
    const daoId = await daoOf(tx, place.of);
    const { type } = data;
    await tx.daoEvent.create({
      data: {
        eventSeq: seq,
        daoId,
        type,
        subject,
        sender,
        transaction,
        ...(open && { data: toJson(data) }),
        at: toDate(atMs),
      },
    });
  }
}

/** How the DAO of an event is found. */
type Owner =
  | { readonly dao: Hex32 }
  | { readonly dataset: Hex32 }
  | { readonly contribution: Hex32 }
  | { readonly job: Hex32 }
  | { readonly proposal: Hex32 }
  | { readonly epoch: Hex32 };
interface Place {
  readonly of: Owner;
  /** What the event is about, if it has an id of its own. */
  readonly subject: Hex32 | null;
  /** Whether this API shows everybody what the event says. */
  readonly open: boolean;
}

const open = (of: Owner, subject: Hex32 | null = null): Place => ({ of, subject, open: true });
/** People and their money: their own fields of the API show it to those whom it concerns. */
const personal = (of: Owner, subject: Hex32): Place => ({ of, subject, open: false });

/** Null for what happens in no DAO. A new event without a place does not compile. */
function placeOf(data: ChainEventData): Place | null {
  switch (data.type) {
    case 'Minted':
    case 'Transferred':
    case 'HolderSetCreated':
    case 'HolderSetRotated':
    case 'HolderTombstoned':
    case 'TreeHeadAnchored':
    case 'UpgradesLocked':
    case 'UpgradeAnnounced':
    case 'UpgradeCancelled':
    case 'UpgradeCommitted':
    case 'PackageMadeImmutable':
      return null;
    case 'DaoCreated':
      return open({ dao: data.dao.id });
    case 'PolicySet':
    case 'GovernanceSet':
    case 'PayoutRulesSet':
    case 'DaoPaused':
    case 'DaoUnpaused':
    case 'ReceiptsWrittenOff':
      return open({ dao: data.daoId });
    case 'MembershipApplied':
    case 'MembershipDecided':
      return open({ dao: data.daoId }, data.applicant);
    case 'MemberAdded':
    case 'RolesSet':
      return open({ dao: data.daoId }, data.member);
    case 'TreasurySpent':
      return open({ dao: data.daoId }, data.to);
    case 'ProposalCreated':
      return open({ dao: data.proposal.daoId }, data.proposal.id);
    case 'VoteCast':
      return open({ proposal: data.proposalId }, data.proposalId);
    case 'ProposalExecuted':
      return open({ dao: data.daoId }, data.proposalId);
    case 'DatasetCreated':
      return open({ dao: data.dataset.daoId }, data.dataset.id);
    case 'DatasetTombstoned':
    case 'AnswerRulesSet':
      return open({ dao: data.daoId }, data.datasetId);
    case 'LicenceOffered':
      return open({ dao: data.offer.daoId }, data.offer.id);
    case 'LicenceOfferWithdrawn':
      return open({ dao: data.daoId }, data.offerId);
    case 'RunnerRegistered':
      return open({ dao: data.runner.daoId }, data.runner.id);
    case 'RunnerWithdrawn':
      return open({ dao: data.daoId }, data.runnerId);
    case 'SignerRegistered':
      return open({ dao: data.signer.daoId }, data.signer.id);
    case 'SignerWithdrawn':
      return open({ dao: data.daoId }, data.signerId);
    case 'EpochProposed':
      return open({ dao: data.epoch.daoId }, data.epoch.id);
    case 'EpochObjected':
      return open({ epoch: data.epochId }, data.epochId);
    case 'EpochRejected':
    case 'EpochSwept':
      return open({ dao: data.daoId }, data.epochId);
    default:
      return personalPlaceOf(data);
  }
}

type Personal = Extract<
  ChainEventData,
  {
    type:
      | 'ContributionRegistered'
      | 'ContributionDecided'
      | 'ContributionTombstoned'
      | 'LeaseRenewed'
      | 'GrantGiven'
      | 'GrantRevoked'
      | 'JobFunded'
      | 'ReceiptSettled'
      | 'ReceiptSettledPrivately'
      | 'JobClosed'
      | 'PayoutClaimed'
      | 'LicenceBought';
  }
>;

function personalPlaceOf(data: Personal): Place {
  switch (data.type) {
    case 'ContributionRegistered':
      return personal({ dataset: data.contribution.datasetId }, data.contribution.id);
    case 'ContributionDecided':
      return personal({ dao: data.daoId }, data.contributionId);
    case 'ContributionTombstoned':
      return personal({ dataset: data.datasetId }, data.contributionId);
    case 'LeaseRenewed':
      return personal({ contribution: data.contributionId }, data.contributionId);
    case 'GrantGiven':
      return personal({ contribution: data.grant.contributionId }, data.grant.id);
    case 'GrantRevoked':
      return personal({ contribution: data.contributionId }, data.grantId);
    case 'JobFunded':
      return personal({ dao: data.job.daoId }, data.job.id);
    case 'ReceiptSettled':
    case 'JobClosed':
      return personal({ job: data.jobId }, data.jobId);
    case 'ReceiptSettledPrivately':
      return personal({ dao: data.daoId }, data.jobId);
    case 'PayoutClaimed':
      return personal({ dao: data.daoId }, data.epochId);
    case 'LicenceBought':
      return personal({ dao: data.licence.daoId }, data.licence.id);
  }
}

/** What an event names was made by an earlier one. */
async function daoOf(tx: Database, of: Owner): Promise<string> {
  if ('dao' in of) return of.dao;
  const select = { daoId: true } as const;
  if ('job' in of) return (await tx.chainJob.findUniqueOrThrow({ where: { id: of.job }, select })).daoId;
  if ('proposal' in of) return (await tx.proposal.findUniqueOrThrow({ where: { id: of.proposal }, select })).daoId;
  if ('epoch' in of) return (await tx.epoch.findUniqueOrThrow({ where: { id: of.epoch }, select })).daoId;
  const id = 'dataset' in of ? of.dataset : await datasetOf(tx, of.contribution);
  return (await tx.dataset.findUniqueOrThrow({ where: { id }, select })).daoId;
}
const datasetOf = async (tx: Database, id: Hex32): Promise<string> =>
  (await tx.contribution.findUniqueOrThrow({ where: { id }, select: { datasetId: true } })).datasetId;
