import {
  asTimestampMs,
  type DatasetId,
  type Digest,
  type Hex32,
  type HolderSetId,
  type ProposalId,
} from '@usufruct/kernel';
import { deriveId, isPassed, VOTE_CHOICES, type ProposalView } from '@usufruct/protocol';
import { saltOf, type Actor, type Play } from '../play/actor.js';
import { STRANGER, word } from '../play/cast.js';
import type { Ledger } from '../play/ledger.js';
import * as move from '../play/move-text.js';
import { EFFECT_REFUSALS, EFFECT_TWISTS, effectOf, effectText, EXECUTION_REFUSALS } from './effects.js';
import { membersOf, outsiderOf } from './members.js';

export const propose: Actor = {
  kind: 'propose',
  weight: 3,
  twists: [...Object.keys(EFFECT_TWISTS), 'no member', 'taken'],
  before: { taken: ['propose'] },
  attempt(play, twist) {
    const { ledger, random } = play;
    const daos = ledger.all('dao');
    if (daos.length === 0) return null;
    const dao = random.pick(daos);
    const proposers = ledger.all('proposal').map(({ proposer }) => proposer);
    const members = membersOf(play, dao.id).map(({ address }) => address);
    const from = twist === 'taken' ? members.filter((member) => proposers.includes(member)) : members;
    if (from.length === 0) return null;
    const sender = twist === 'no member' ? outsiderOf(play, dao.id) : random.pick(from);
    const idOf = (salt: Hex32): ProposalId => deriveId<ProposalId>('proposal', dao.id, sender, salt);
    const salt = saltOf(twist === 'taken', (one) => ledger.read('proposal', idOf(one)) !== undefined);
    if (salt === null) return null;
    const effect = effectOf(play, dao, twist);
    const descriptionHash = word<Digest>('description');
    const ids = [sender, dao.id, idOf(salt), salt].map(move.address);
    const call = move.call('propose', ...ids, effectText(effect), move.address(descriptionHash));
    return { sender, action: { kind: 'propose', salt, daoId: dao.id, effect, descriptionHash }, call };
  },
  refusals: {
    ...EFFECT_REFUSALS,
    'FORBIDDEN member': ['data_dao::ERoleRequired'],
    'ALREADY_EXISTS proposal': ['data_dao::EIdTaken'],
  },
};

export const vote: Actor = {
  kind: 'vote',
  weight: 6,
  twists: ['no member', 'joined later', 'earned nothing', 'again', 'late'],
  before: {
    'joined later': ['propose', 'applyForMembership', 'decideApplication'],
    again: ['propose', 'vote'],
  },
  prepare: ['propose'],
  attempt(play, twist) {
    const { ledger, random } = play;
    const votingOn = ({ votingEndsAtMs, voting }: ProposalView): boolean => {
      if (twist === 'earned nothing' && voting !== 'contribution') return false;
      return ledger.nowMs < votingEndsAtMs;
    };
    const proposals = ledger.all('proposal').filter(votingOn);
    if (proposals.length === 0) return null;
    const proposal = random.pick(proposals);
    const voter = voterOf(play, proposal, twist);
    if (voter === null) return null;
    if (twist === 'late') ledger.nowMs = proposal.votingEndsAtMs;
    const choice = random.chance(0.8) ? 'yes' : random.pick(VOTE_CHOICES);
    const ids = [voter, proposal.id, proposal.daoId].map(move.address);
    const call = move.call('vote', ...ids, move.number(VOTE_CHOICES.indexOf(choice)));
    return { sender: voter, action: { kind: 'vote', proposalId: proposal.id, choice }, call };
  },
  refusals: {
    'PROPOSAL_STATE rejected': ['proposal::EVotingEnded'],
    'PROPOSAL_STATE timelocked': ['proposal::EVotingEnded'],
    'PROPOSAL_STATE executable': ['proposal::EVotingEnded'],
    NO_VOTE: ['proposal::ENoVote'],
    ALREADY_VOTED: ['proposal::EAlreadyVoted'],
  },
};

function voterOf(play: Play, proposal: ProposalView, twist: string | null): ProposalView['proposer'] | null {
  const { ledger, random } = play;
  if (twist === 'no member') return outsiderOf(play, proposal.daoId);
  const hasVoted = (voter: string): boolean => ledger.read('vote', `${proposal.id}/${voter}`) !== undefined;
  const members = membersOf(play, proposal.daoId).filter(({ address, ordinal, earnedUnits }) => {
    if ((twist === 'again') !== hasVoted(address)) return false;
    if ((twist === 'joined later') !== ordinal >= proposal.memberCount) return false;
    if (twist === 'earned nothing') return earnedUnits === 0n;
    return proposal.voting === 'member' || earnedUnits > 0n || twist !== null;
  });
  return members.length === 0 ? null : random.pick(members).address;
}

export const executeProposal: Actor = {
  kind: 'executeProposal',
  weight: 4,
  twists: ['voting', 'rejected', 'timelocked', 'lapsed', 'executed'],
  before: {
    voting: ['propose'],
    rejected: ['propose'],
    executed: ['propose', 'vote', 'vote', 'vote', 'executeProposal'],
  },
  prepare: ['propose', 'vote', 'vote', 'vote', 'vote'],
  attempt({ ledger, random }, twist) {
    const proposals = ledger
      .all('proposal')
      .filter((proposal) => atTheRightTime(proposal, ledger.nowMs, twist) !== null);
    if (proposals.length === 0) return null;
    const proposal = random.pick(proposals);
    const { id: proposalId, daoId, effect } = proposal;
    ledger.nowMs = asTimestampMs(Math.max(ledger.nowMs, atTheRightTime(proposal, ledger.nowMs, twist)!));
    const needed = isOnDataset(effect)
      ? (['execute_on_dataset', datasetFor(ledger, proposal)] as const)
      : (['execute_proposal', holderSetFor(ledger, proposal)] as const);
    const [name, object] = needed;
    if (object === null) return null;
    const call = move.call(name, ...[STRANGER, proposalId, daoId, object].map(move.address));
    return { sender: STRANGER, action: { kind: 'executeProposal', proposalId }, call };
  },
  refusals: {
    ...EXECUTION_REFUSALS,
    'PROPOSAL_STATE voting': ['proposal::EStillVoting'],
    'PROPOSAL_STATE rejected': ['proposal::ENotPassed'],
    'PROPOSAL_STATE timelocked': ['proposal::ETimelocked'],
    'PROPOSAL_STATE lapsed': ['proposal::ELapsed'],
    'PROPOSAL_STATE executed': ['proposal::EExecuted'],
  },
};

/** Effects that the contracts execute with the dataset that they are about. */
const isOnDataset = ({ kind }: ProposalView['effect']): boolean =>
  kind === 'offerLicence' || kind === 'withdrawLicenceOffer';

/** The set that the policy names once the effect has been applied; another one where nobody has that. */
function holderSetFor(ledger: Ledger, { daoId, effect }: ProposalView): HolderSetId {
  const current = ledger.read('dao', daoId)!.policy.holderSetId;
  const named = effect.kind === 'setVerifiers' ? effect.holderSetId : current;
  return ledger.read('holder-set', named) === undefined ? current : named;
}

/** The dataset that the effect names; another one of the DAO where nobody has that, or null where it has none. */
function datasetFor(ledger: Ledger, { daoId, effect }: ProposalView): DatasetId | null {
  const own = ledger.all('dataset').find((one) => one.daoId === daoId)?.id ?? null;
  if (effect.kind === 'offerLicence') return ledger.read('dataset', effect.terms.datasetId)?.id ?? own;
  const offer = effect.kind === 'withdrawLicenceOffer' ? ledger.read('licence-offer', effect.offerId) : undefined;
  return offer?.daoId === daoId ? offer.terms.datasetId : own;
}

/** The moment at which the execution is what the twist says; null where there is none from now on. */
function atTheRightTime(proposal: ProposalView, nowMs: number, twist: string | null): number | null {
  const { votingEndsAtMs, executableFromMs, executableUntilMs, executedAtMs } = proposal;
  const at = (fromMs: number, untilMs: number): number | null => (nowMs < untilMs ? Math.max(nowMs, fromMs) : null);
  if (twist === 'executed') return executedAtMs === null ? null : nowMs;
  if (executedAtMs !== null) return null;
  if (twist === 'voting') return at(votingEndsAtMs - 1, votingEndsAtMs);
  if (isPassed(proposal) === (twist === 'rejected')) return null;
  if (twist === 'rejected') return Math.max(nowMs, votingEndsAtMs);
  if (twist === 'lapsed') return Math.max(nowMs, executableUntilMs);
  if (twist === 'timelocked') {
    return executableFromMs > votingEndsAtMs ? at(executableFromMs - 1, executableFromMs) : null;
  }
  return at(executableFromMs, executableUntilMs);
}
