import { asTimestampMs, type Digest, type Hex32, type ProposalId, type TimestampMs } from '@usufruct/kernel';
import { deriveId, proposalState, VOTE_CHOICES, type ProposalView } from '@usufruct/protocol';
import { saltOf, type Actor, type Play } from '../play/actor.js';
import { word } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { EFFECT_REFUSALS, EFFECT_TWISTS } from './effect-refusals.js';
import { effectText } from './effect-text.js';
import { effectOf } from './effects.js';
import { membersOf, outsiderOf } from './members.js';
import { VOTED } from './voting.js';

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
    const call = move.call('stage_daos::propose', ...ids, effectText(effect), move.address(descriptionHash));
    return { sender, action: { kind: 'propose', salt, daoId: dao.id, effect, descriptionHash }, call };
  },
  refusals: {
    ...EFFECT_REFUSALS,
    'FORBIDDEN member': ['data_dao::ERoleRequired'],
    'ALREADY_EXISTS proposal': ['data_dao::EIdTaken'],
  },
};

/** What has become of a proposal whose voting has ended. */
const ENDED = ['rejected', 'timelocked', 'executable', 'lapsed', 'executed'] as const;

export const vote: Actor = {
  kind: 'vote',
  weight: 6,
  twists: ['no member', 'joined later', 'earned nothing', 'again', ...ENDED],
  meets: Object.fromEntries(ENDED.map((state) => [state, `PROPOSAL_STATE ${state}`])),
  before: {
    'joined later': ['propose', 'applyForMembership', 'decideApplication'],
    again: ['propose', 'vote'],
    rejected: ['propose'],
    timelocked: VOTED,
    executable: VOTED,
    lapsed: VOTED,
    executed: [...VOTED, 'executeProposal'],
  },
  prepare: ['propose'],
  attempt(play, twist) {
    const { ledger, random } = play;
    const proposals = ledger.all('proposal').filter((one) => votingTime(one, ledger.nowMs, twist) !== null);
    if (proposals.length === 0) return null;
    const proposal = random.pick(proposals);
    const voter = voterOf(play, proposal, twist);
    if (voter === null) return null;
    ledger.nowMs = votingTime(proposal, ledger.nowMs, twist)!;
    // Mostly for it; always where that is what somebody waits for.
    const choice = random.chance(play.needs.effects === undefined ? 0.8 : 0.97) ? 'yes' : random.pick(VOTE_CHOICES);
    const ids = [voter, proposal.id, proposal.daoId].map(move.address);
    const call = move.call('stage_daos::vote', ...ids, move.number(VOTE_CHOICES.indexOf(choice)));
    return { sender: voter, action: { kind: 'vote', proposalId: proposal.id, choice }, call };
  },
  refusals: {
    ...Object.fromEntries(ENDED.map((state) => [`PROPOSAL_STATE ${state}`, ['proposal::EVotingEnded']])),
    NO_VOTE: ['proposal::ENoVote'],
    ALREADY_VOTED: ['proposal::EAlreadyVoted'],
  },
};

/** Now, or the very moment at which the proposal comes to the state that is the twist; null where it does not. */
function votingTime(proposal: ProposalView, nowMs: TimestampMs, twist: string | null): TimestampMs | null {
  const { voting, votingEndsAtMs, executableFromMs, executableUntilMs } = proposal;
  const state = ENDED.find((one) => one === twist);
  if (state === undefined) {
    return nowMs < votingEndsAtMs && (twist !== 'earned nothing' || voting === 'contribution') ? nowMs : null;
  }
  const begins: readonly number[] = [nowMs, votingEndsAtMs, executableFromMs, executableUntilMs];
  const times = begins.filter((atMs) => atMs >= nowMs).map((atMs) => asTimestampMs(atMs));
  return times.find((atMs) => proposalState(proposal, atMs) === state) ?? null;
}

function voterOf(play: Play, proposal: ProposalView, twist: string | null): ProposalView['proposer'] | null {
  const { ledger, random } = play;
  if (twist === 'no member') return outsiderOf(play, proposal.daoId);
  if (ENDED.some((state) => state === twist)) return random.pick(membersOf(play, proposal.daoId)).address;
  const hasVoted = (voter: string): boolean => ledger.read('vote', `${proposal.id}/${voter}`) !== undefined;
  const members = membersOf(play, proposal.daoId).filter(({ address, ordinal, earnedUnits }) => {
    if ((twist === 'again') !== hasVoted(address)) return false;
    if ((twist === 'joined later') !== ordinal >= proposal.memberCount) return false;
    if (twist === 'earned nothing') return earnedUnits === 0n;
    return proposal.voting === 'member' || earnedUnits > 0n || twist !== null;
  });
  return members.length === 0 ? null : random.pick(members).address;
}
