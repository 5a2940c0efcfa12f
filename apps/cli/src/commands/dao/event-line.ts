import type { ChainEventData } from '@usufruct/protocol';
import { explainAnswerRules, explainEffect, roleWords, type Words } from '@usufruct/sdk';

/** One event of a DAO's history in a line: its name, and what it is about. */
export function eventLine(data: ChainEventData, words: Words): string {
  const about = aboutEvent(data, words);
  return about === '' ? data.type : `${data.type}  ${about}`;
}

function aboutEvent(data: ChainEventData, words: Words): string {
  switch (data.type) {
    case 'DaoCreated':
      return `by ${data.dao.founder}`;
    case 'PolicySet':
      return `version ${data.version}`;
    case 'MembershipApplied':
      return data.applicant;
    case 'MembershipDecided':
      return `${data.applicant} ${data.accepted ? 'accepted' : 'declined'}`;
    case 'MemberAdded':
    case 'RolesSet':
      return `${data.member}, roles: ${roleWords(data.roles)}`;
    case 'ProposalCreated':
      return `${data.proposal.number} (${data.proposal.id}): ${explainEffect(data.proposal.effect, words)[0] ?? ''}`;
    case 'VoteCast':
      return `${data.choice} by ${data.voter} on ${data.proposalId}`;
    case 'ProposalExecuted':
      return data.proposalId;
    case 'TreasurySpent':
      return `${words.amount(data.amountUnits)} to ${data.to}`;
    case 'SignerRegistered':
      return `${data.signer.signerKind} ${data.signer.id}`;
    case 'SignerWithdrawn':
      return data.signerId;
    case 'DatasetCreated':
      return data.dataset.id;
    case 'DatasetTombstoned':
      return data.datasetId;
    case 'AnswerRulesSet':
      return `${data.datasetId}: ${explainAnswerRules(data.answerRules).join(' ')}`;
    case 'ContributionTombstoned':
      return data.contributionId;
    default:
      return aboutMoney(data, words);
  }
}

function aboutMoney(data: ChainEventData, words: Words): string {
  switch (data.type) {
    case 'EpochProposed':
      return `${data.epoch.number}: ${words.amount(data.epoch.totalUnits)} for ${data.epoch.leafCount} accounts (${data.epoch.id})`;
    case 'EpochObjected':
      return `${data.epochId} by the key holder’s operator ${data.operator}`;
    case 'EpochRejected':
      return data.epochId;
    case 'EpochSwept':
      return `${words.amount(data.amountUnits)} to the ${data.unclaimedTo} (${data.epochId})`;
    case 'ReceiptsWrittenOff':
      return `${data.fromReceipt} to ${data.toReceipt}: ${words.amount(data.amountUnits)} to the treasury`;
    case 'LicenceOffered':
      return `${words.amount(data.offer.terms.priceUnits)} (${data.offer.id})`;
    case 'LicenceOfferWithdrawn':
      return data.offerId;
    case 'LicenceBought':
      return `${data.licence.id} by ${data.licence.licensee}`;
    default:
      return '';
  }
}
