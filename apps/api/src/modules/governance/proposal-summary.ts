import { roleNames, type LicenceTerms, type ProposalView, type RevenueSplit } from '@usufruct/protocol';

type Effect = ProposalView['effect'];

/** An effect in plain words, for people who vote on it. Ids are given whole: a shortened one could be another's. */
export function summaryOf(effect: Effect): string {
  switch (effect.kind) {
    case 'setPrice':
      return `Set the price of a question to ${effect.pricePerQuestionUnits} units.`;
    case 'setPurposes':
      return `Allow these purposes and no others: ${effect.purposes.join(', ')}.`;
    case 'setSplit':
      return `Divide each payment anew: ${split(effect.split)}.`;
    case 'approveMeasurement':
      return `Approve the runner measurement ${effect.measurement}.`;
    case 'withdrawMeasurement':
      return `Withdraw the runner measurement ${effect.measurement}: runners of it stop at once.`;
    case 'setVerifiers':
      return `Let ${effect.verifierThreshold} members of the holder set ${effect.holderSetId} verify runners and epochs.`;
    case 'setTerms':
      return (
        `Allow the computations ${effect.kinds.join(', ')} under the protections ${effect.protections.join(', ')}, ` +
        `with evidence of ${effect.profiles.join(', ')}; a runner’s registration lasts at most ` +
        `${duration(effect.resultTermMs)}, a job at most ${duration(effect.maxJobTermMs)}.`
      );
    case 'setGovernance':
    case 'setPayoutRules':
      return rules(effect);
    case 'spendTreasury':
      return `Pay ${effect.amountUnits} units from the treasury to ${effect.to}.`;
    case 'setRoles':
      return `Give ${effect.member} ${roles(effect.roles)}.`;
    case 'unpause':
      return 'End the pause: new members, contributions and jobs are possible again.';
    case 'registerSigner':
      return `Accept receipts of the ${signer(effect.signerKind)} with the keys ${effect.publicKeys.join(', ')}, and pay its part to ${effect.payTo}.`;
    case 'withdrawSigner':
      return `Accept no more receipts of the signer ${effect.signerId}.`;
    case 'tombstoneDataset':
      return `Retire the dataset ${effect.datasetId} for good: nothing new may be done with it.`;
    case 'offerLicence':
      return `Offer licences: ${licence(effect.terms)}.`;
    case 'withdrawLicenceOffer':
      return `Sell no more licences of the offer ${effect.offerId}. Those that were sold go on.`;
    case 'writeOffReceipts':
      return `Give up what is set aside for the contributors of the private receipts ${effect.fromReceipt} to ${effect.toReceipt}, which nobody could divide: it goes to the treasury.`;
    case 'setDataRules':
      return dataRules(effect);
  }
}

function dataRules({ onRevocation, blobs, selfQueriesPay }: Extract<Effect, { kind: 'setDataRules' }>): string {
  const revoked = onRevocation === 'cancel' ? 'end the jobs that use it' : 'let the jobs that use it go on without it';
  const stored =
    blobs === 'deletable' ? 'their owners can delete them' : 'nobody can delete them before the leases end';
  return (
    `When data is no longer allowed, ${revoked}; store contributions so that ${stored}; ` +
    `${selfQueriesPay ? 'pay' : 'do not pay'} contributors for their own questions.`
  );
}

function rules(effect: Extract<Effect, { kind: 'setGovernance' | 'setPayoutRules' }>): string {
  if (effect.kind === 'setGovernance') {
    const { voting, quorumBps, approvalBps, votingMs, timelockMs, executionMs, policyByVoteOnly } = effect.governance;
    const votes =
      voting === 'member'
        ? 'each member has one vote'
        : 'each unit that a member has earned is one vote, once somebody has earned any';
    return (
      `Decide by other rules: ${votes}; ${percent(quorumBps)} must vote and ${percent(approvalBps)} of yes and no ` +
      `must be yes; voting takes ${duration(votingMs)}, the timelock ${duration(timelockMs)}, and execution is ` +
      `possible for ${duration(executionMs)}. ` +
      (policyByVoteOnly ? 'Only votes may change the policy.' : 'Policy makers may change the policy without a vote.')
    );
  }
  const { mode, challengeMs, claimTermMs, unclaimedTo } = effect.payoutRules;
  const how = mode === 'direct' ? 'by each receipt, with public weights' : 'by epochs, with private weights';
  return (
    `Pay the contributors of new jobs ${how}; an epoch can be objected to for ${duration(challengeMs)}, then claimed ` +
    `from for ${duration(claimTermMs)}, and what is left goes to the ${unclaimedTo}.`
  );
}

const percent = (bps: number): string => `${Math.floor(bps / 100)}.${String(bps % 100).padStart(2, '0')} %`;

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
  ['millisecond', 1],
] as const;
/** Exact: in the largest unit that divides it. */
function duration(ms: number): string {
  const [name, length] = UNITS.find(([, each]) => ms >= each && ms % each === 0) ?? ['millisecond', 1];
  const count = ms / length;
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

function roles(bits: number): string {
  const names = roleNames(bits);
  return names.length === 0 ? 'no role' : `the ${names.length === 1 ? 'role' : 'roles'} ${names.join(', ')}, no others`;
}
const signer = (kind: string): string => (kind === 'mpc-set' ? 'three MPC parties' : 'FHE host');
const split = ({ contributorsBps, treasuryBps, runnerBps, protocolBps }: RevenueSplit): string =>
  `${percent(contributorsBps)} to contributors, ${percent(treasuryBps)} to the treasury, ` +
  `${percent(runnerBps)} to the runner, ${percent(protocolBps)} to the protocol`;
const licence = ({ datasetId, purpose, computation, protection, priceUnits, termMs }: LicenceTerms): string =>
  `${computation} under ${protection} for ${purpose} on the dataset ${datasetId}, for ${duration(termMs)} and ` +
  `${priceUnits} units`;
