import { asTimestampMs, type DatasetId, type HolderSetId } from '@usufruct/kernel';
import { isPassed, type ChainActionKind, type ProposalEffectKind, type ProposalView } from '@usufruct/protocol';
import type { Actor } from '../play/actor.js';
import { STRANGER } from '../play/cast.js';
import type { Ledger } from '../play/ledger.js';
import * as move from '../play/move-text.js';
import {
  BEFORE_WRITING_OFF,
  EXECUTION_REFUSALS,
  EXECUTION_TWISTS,
  executionNeeds,
  WRITTEN_OFF,
} from './effect-refusals.js';
import { nextNeeded } from './effects.js';
import { DECIDED, effects, VOTED } from './voting.js';

const REFUSED_EFFECTS = Object.keys(EXECUTION_TWISTS);

export const executeProposal: Actor = {
  kind: 'executeProposal',
  weight: 4,
  twists: ['voting', 'rejected', 'timelocked', 'lapsed', 'executed', ...REFUSED_EFFECTS],
  ways: [WRITTEN_OFF],
  meets: Object.fromEntries(REFUSED_EFFECTS.map((twist) => [twist, EXECUTION_TWISTS[twist]!.refusal])),
  before: {
    voting: ['propose'],
    rejected: ['propose'],
    executed: ['propose', 'vote', 'vote', 'vote', 'executeProposal'],
    [WRITTEN_OFF]: [...BEFORE_WRITING_OFF, ...VOTED],
    ...Object.fromEntries(REFUSED_EFFECTS.map(beforeRefusal)),
  },
  needs(twist) {
    if (twist === WRITTEN_OFF) return { mode: 'epoch', effects: effects('writeOffReceipts') };
    return twist !== null && twist in EXECUTION_TWISTS ? executionNeeds(twist) : {};
  },
  prepare: ['propose', 'vote', 'vote', 'vote', 'vote'],
  attempt(play, twist) {
    const { ledger, random } = play;
    const isNeeded = ({ daoId, effect }: ProposalView): boolean =>
      nextNeeded(play, { id: daoId })?.kind === effect.kind || play.needs.effects === undefined;
    const proposals = ledger
      .all('proposal')
      .filter((proposal) => atTheRightTime(proposal, ledger.nowMs, twist) !== null)
      .filter((proposal) => twist !== WRITTEN_OFF || canBeWrittenOff(ledger, proposal));
    const proposal = random.mostly(proposals, isNeeded, 0.9);
    if (proposal === null) return null;
    const { id: proposalId, daoId, effect } = proposal;
    ledger.nowMs = asTimestampMs(Math.max(ledger.nowMs, atTheRightTime(proposal, ledger.nowMs, twist)!));
    const needed = ON_DATASETS.includes(effect.kind)
      ? (['stage_daos::execute_on_dataset', datasetFor(ledger, proposal)] as const)
      : (['stage_daos::execute_proposal', holderSetFor(ledger, proposal)] as const);
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

/** What is voted for first, every effect in turn, and what is to be of another DAO. */
function beforeRefusal(twist: string): [string, ChainActionKind[]] {
  const { effects: owed, before = [] } = EXECUTION_TWISTS[twist]!;
  const decided: ChainActionKind[] = owed.slice(1).flatMap(() => DECIDED);
  const others: ChainActionKind[] = twist.endsWith('of another') ? ['createDao', 'createDataset'] : [];
  return [twist, [...others, ...decided, ...before, ...VOTED]];
}

/** What is set aside and wanted, all of it: so the scenario sees money that is written off. */
function canBeWrittenOff(ledger: Ledger, { daoId, effect }: ProposalView): boolean {
  if (effect.kind !== 'writeOffReceipts') return false;
  const pool = ledger.read('receipt-pool', daoId);
  return pool !== undefined && effect.fromReceipt === pool.coveredReceipts + 1n && pool.receiptCount > 1n;
}

/** Effects that the contracts execute with the dataset that they are about. */
const ON_DATASETS: readonly ProposalEffectKind[] = ['tombstoneDataset', 'offerLicence', 'withdrawLicenceOffer'];

/** The set that the policy names once the effect has been applied; another one where nobody has that. */
function holderSetFor(ledger: Ledger, { daoId, effect }: ProposalView): HolderSetId {
  const current = ledger.read('dao', daoId)!.policy.holderSetId;
  const named = effect.kind === 'setVerifiers' ? effect.holderSetId : current;
  return ledger.read('holder-set', named) === undefined ? current : named;
}

/** The dataset that the effect names; another one of the DAO where nobody has that, or null where it has none. */
function datasetFor(ledger: Ledger, { daoId, effect }: ProposalView): DatasetId | null {
  const own = ledger.all('dataset').find((one) => one.daoId === daoId)?.id ?? null;
  if (effect.kind === 'tombstoneDataset') return ledger.read('dataset', effect.datasetId)?.id ?? own;
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
