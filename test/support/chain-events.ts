import {
  asAmount,
  asTimestampMs,
  toBase64,
  type Address,
  type EpochId,
  type Hex32,
  type LicenceId,
  type RunnerId,
} from '@usufruct/kernel';
import {
  DEFAULT_GOVERNANCE,
  DEFAULT_PAYOUT_RULES,
  EMPTY_RECEIPT_CHAIN,
  nextReceiptChain,
  runnerIdOf,
  zChainEventData,
  type ChainEvent,
  type ChainEventData,
  type EpochView,
} from '@usufruct/protocol';
import { PRICE, PURPOSE, type DaoWorld } from '../../apps/local-chain/src/testing/dao-world.js';
import { bytesOf, digestOf, hexOf } from '../../apps/local-chain/src/testing/world.js';

export const EVENT_TYPES: readonly ChainEventData['type'][] = zChainEventData.options.map(
  ({ shape }) => shape.type.value,
);

const DAY_MS = 86_400_000;
const key = (name: string): string => toBase64(bytesOf(name));
const address = (name: string): Address => hexOf<Address>(name);

/** Two receipts of 1,000,000: 70 % set aside, 20 % to the treasury, 8 % to the runner, 2 % to the protocol. */
const POOLED = 700_000n;

/**
 * What a chain tells after `DaoWorld.open` and one settled receipt, something of every further kind: facts of the
 * protocol's types, which no ledger has checked.
 */
export function furtherEvents(dao: DaoWorld): ChainEventData[] {
  return [
    ...membershipEvents(dao),
    ...proposalEvents(dao),
    ...payoutEvents(dao),
    ...erasureEvents(dao),
    ...upgradeEvents(dao),
  ];
}

/** The same as a stream, from `after` on. */
export const asStream = (dao: DaoWorld, data: readonly ChainEventData[], after: number): ChainEvent[] =>
  data.map((each, i) => ({
    seq: after + 1 + i,
    transaction: digestOf(`transaction ${after + 1 + i}`),
    sender: dao.founder.address,
    atMs: asTimestampMs(dao.clock.nowMs() - 1_000 + i),
    data: each,
  }));

function membershipEvents({ daoId, founder, stranger, requester }: DaoWorld): ChainEventData[] {
  const [applicant, other] = [stranger.address, requester.address];
  return [
    { type: 'MembershipApplied', daoId, applicant, statementHash: digestOf('statement') },
    { type: 'MembershipApplied', daoId, applicant: other, statementHash: digestOf('other statement') },
    { type: 'MembershipDecided', daoId, applicant, accepted: true },
    { type: 'MemberAdded', daoId, member: applicant, roles: 0, ordinal: 4 },
    { type: 'MembershipDecided', daoId, applicant: other, accepted: false },
    { type: 'RolesSet', daoId, member: founder.address, roles: 5 },
    { type: 'DaoPaused', daoId },
  ];
}

function proposalEvents(dao: DaoWorld): ChainEventData[] {
  const { daoId, founder, contributors } = dao;
  const nowMs = dao.clock.nowMs();
  const proposalId = hexOf<never>('proposal');
  const executedAtMs = asTimestampMs(nowMs + 3_000);
  const signerId = hexOf<never>('signer');
  const { voting, quorumBps, approvalBps } = DEFAULT_GOVERNANCE;
  return [
    {
      type: 'ProposalCreated',
      proposal: {
        id: proposalId,
        daoId,
        number: 1,
        proposer: founder.address,
        effect: { kind: 'unpause' },
        descriptionHash: digestOf('reasons'),
        voting,
        quorumBps,
        approvalBps,
        memberCount: 5,
        totalVotes: 5n,
        yesVotes: 0n,
        noVotes: 0n,
        abstainVotes: 0n,
        createdAtMs: nowMs,
        votingEndsAtMs: asTimestampMs(nowMs + 1_000),
        executableFromMs: asTimestampMs(nowMs + 2_000),
        executableUntilMs: asTimestampMs(nowMs + 9_000),
        executedAtMs: null,
      },
    },
    { type: 'VoteCast', proposalId, voter: founder.address, choice: 'yes', votes: 1n },
    { type: 'VoteCast', proposalId, voter: contributors[0]!.address, choice: 'no', votes: 2n ** 64n - 2n },
    { type: 'DaoUnpaused', daoId },
    { type: 'ProposalExecuted', proposalId, daoId, executedAtMs },
    { type: 'PolicySet', daoId, version: 2, policy: view(dao), policyDigest: digestOf('policy 2') },
    { type: 'GovernanceSet', daoId, governance: { ...DEFAULT_GOVERNANCE, voting: 'contribution' } },
    { type: 'PayoutRulesSet', daoId, payoutRules: { ...DEFAULT_PAYOUT_RULES, mode: 'epoch' } },
    { type: 'TreasurySpent', daoId, to: address('payee'), amountUnits: asAmount(7n) },
    {
      type: 'SignerRegistered',
      signer: {
        id: signerId,
        daoId,
        signerKind: 'mpc-set',
        publicKeys: ['a', 'b', 'c'].map((party) => key(`party ${party}`)),
        payTo: address('parties'),
        withdrawnAtMs: null,
      },
    },
    { type: 'SignerWithdrawn', daoId, signerId, withdrawnAtMs: executedAtMs },
  ];
}

type PolicySet = Extract<ChainEventData, { type: 'PolicySet' }>;
/** Another measurement instead of the first one. */
function view(dao: DaoWorld): PolicySet['policy'] {
  const policy = dao.policy();
  const appraisal = { ...policy.appraisal, profiles: [...policy.appraisal.profiles], measurements: ['ef'.repeat(48)] };
  return {
    ...policy,
    purposes: [...policy.purposes],
    kinds: [...policy.kinds],
    protections: [...policy.protections],
    appraisal,
  };
}

const CHAIN_1 = nextReceiptChain(EMPTY_RECEIPT_CHAIN, digestOf('receipt 1'));
const CHAIN_2 = nextReceiptChain(CHAIN_1, digestOf('receipt 2'));

function payoutEvents(dao: DaoWorld): ChainEventData[] {
  const { daoId, contributors } = dao;
  const [rejected, epoch] = [epochOf(dao, 1), epochOf(dao, 2)];
  const { account, amountUnits } = { account: contributors[0]!.address, amountUnits: asAmount(500_000n) };
  return [
    settledPrivately(dao, 1),
    settledPrivately(dao, 2),
    {
      type: 'JobClosed',
      jobId: dao.jobId,
      state: 'succeeded',
      refundedTo: dao.requester.address,
      refundUnits: asAmount(0n),
    },
    { type: 'EpochProposed', epoch: rejected },
    {
      type: 'EpochObjected',
      epochId: rejected.id,
      operator: dao.operators[2]!.address,
      challengeEndsAtMs: asTimestampMs(rejected.challengeEndsAtMs + 5),
    },
    { type: 'EpochRejected', epochId: rejected.id, daoId, amountUnits: rejected.totalUnits },
    { type: 'RunnerWithdrawn', daoId, runnerId: runnerIdOfWorld(dao) },
    { type: 'EpochProposed', epoch },
    { type: 'PayoutClaimed', epochId: epoch.id, daoId, index: 4_294_967_294, account, amountUnits },
    {
      type: 'EpochSwept',
      epochId: epoch.id,
      daoId,
      unclaimedTo: 'treasury',
      account: address('treasury of the sweep'),
      amountUnits: asAmount(POOLED - amountUnits),
    },
    // The second receipt, which nobody could divide.
    { type: 'ReceiptsWrittenOff', daoId, fromReceipt: 2n, toReceipt: 2n, amountUnits: asAmount(POOLED) },
  ];
}

function settledPrivately(dao: DaoWorld, n: 1 | 2): ChainEventData {
  const pay = (name: string, role: 'treasury' | 'runner' | 'protocol', units: bigint) => ({
    account: address(name),
    role,
    contributionId: null,
    amountUnits: asAmount(units),
  });
  return {
    type: 'ReceiptSettledPrivately',
    jobId: dao.jobId,
    questionId: hexOf<never>(`private question ${n}`),
    daoId: dao.daoId,
    receiptDigest: digestOf(`receipt ${n}`),
    priceUnits: asAmount(PRICE),
    payouts: [
      pay('treasury', 'treasury', 200_000n),
      pay('runner pay', 'runner', 80_000n),
      pay('protocol', 'protocol', 20_000n),
    ],
    pooledUnits: asAmount(POOLED),
    receiptNumber: BigInt(n),
    receiptChain: n === 1 ? CHAIN_1 : CHAIN_2,
    questionsSettled: n + 1,
    escrowLeftUnits: asAmount(BigInt(2 - n) * PRICE),
  };
}

/** The first attempt is rejected; the second has the largest tree that there may be. */
const epochOf = (dao: DaoWorld, attempt: 1 | 2): EpochView => ({
  id: hexOf<EpochId>(`epoch ${attempt}`),
  daoId: dao.daoId,
  number: 1n,
  attempt,
  settler: runnerIdOfWorld(dao),
  fromReceipt: 1n,
  toReceipt: 1n,
  totalUnits: asAmount(POOLED),
  root: digestOf(`root ${attempt}`),
  leafCount: attempt === 1 ? 3 : 4_294_967_295,
  claimedUnits: asAmount(0n),
  state: 'open',
  objections: [],
  proposedAtMs: dao.clock.nowMs(),
  challengeEndsAtMs: asTimestampMs(dao.clock.nowMs() + DAY_MS),
  claimTermMs: 365 * DAY_MS,
  unclaimedTo: 'treasury',
});

const runnerIdOfWorld = (dao: DaoWorld) => runnerIdOf<RunnerId>(dao.runnerKey.publicKey);

function erasureEvents(dao: DaoWorld): ChainEventData[] {
  const { daoId, datasetId, contributionIds, holderSetId } = dao;
  const atMs = dao.clock.nowMs();
  const members = ['new', 'old'].map((name) => ({
    operator: address(`${name} operator`),
    signingPublicKey: key(`${name} signing`),
    sealingPublicKey: key(`${name} sealing`),
  }));
  const offerId = hexOf<LicenceId>('offer');
  const terms = {
    datasetId,
    purpose: PURPOSE,
    computation: 'rag' as const,
    protection: 'tee' as const,
    priceUnits: asAmount(1_000n),
    termMs: 400 * DAY_MS,
  };
  const rest = { account: address('treasury'), contributionId: null, amountUnits: asAmount(980n) };
  const protocol = { account: address('protocol'), contributionId: null, amountUnits: asAmount(20n) };
  return [
    {
      type: 'AnswerRulesSet',
      datasetId,
      daoId,
      answerRules: { maxQuoteChars: 300, minContributors: 5, maxReachBps: 2_500 },
    },
    { type: 'LeaseRenewed', contributionId: contributionIds[0]!, renewals: [{ blob: hexOf('part'), endEpoch: 99 }] },
    {
      type: 'ContributionTombstoned',
      contributionId: contributionIds[1]!,
      datasetId,
      tombstonedAtMs: atMs,
    },
    { type: 'HolderSetRotated', holderSetId, version: 2, members, threshold: 1 },
    { type: 'HolderTombstoned', holderSetId, member: 1, signingPublicKey: key('old signing') },
    { type: 'TreeHeadAnchored', holderSetId, member: 0, treeSize: 3, rootHash: digestOf('tree') },
    { type: 'LicenceOffered', offer: { id: offerId, daoId, terms, withdrawnAtMs: null } },
    {
      type: 'LicenceBought',
      licence: {
        id: hexOf<LicenceId>('licence'),
        offerId,
        daoId,
        licensee: dao.requester.address,
        terms,
        boughtAtMs: atMs,
        expiresAtMs: asTimestampMs(atMs + terms.termMs),
      },
      payouts: [
        { ...rest, role: 'treasury' },
        { ...protocol, role: 'protocol' },
      ],
    },
    { type: 'LicenceOfferWithdrawn', offerId, daoId, withdrawnAtMs: atMs },
    { type: 'DatasetTombstoned', datasetId, daoId, tombstonedAtMs: atMs },
    { type: 'GrantRevoked', grantId: dao.grantIds[2]!, contributionId: contributionIds[2]!, revokedAtMs: atMs },
    { type: 'Transferred', from: dao.requester.address, to: address('friend'), amountUnits: asAmount(1n) },
  ];
}

/** Two versions of the contracts are announced, one of them is used; a third never will be. */
function upgradeEvents(dao: DaoWorld): ChainEventData[] {
  const timelockId = hexOf<Hex32>('timelock');
  const readyAtMs = asTimestampMs(dao.clock.nowMs() + 7 * DAY_MS);
  const times = { readyAtMs, lapsesAtMs: asTimestampMs(readyAtMs + 30 * DAY_MS) };
  const [first, second, third] = ['first', 'second', 'third'].map((name) => digestOf(`${name} upgrade`));
  const next = { packageId: hexOf<Hex32>('package 2'), version: 2 };
  return [
    { type: 'UpgradesLocked', timelockId, packageId: hexOf('package 1'), version: 1, delayMs: 7 * DAY_MS },
    { type: 'UpgradeAnnounced', timelockId, digest: first!, ...times },
    { type: 'UpgradeCancelled', timelockId, digest: first! },
    { type: 'UpgradeAnnounced', timelockId, digest: second!, ...times },
    { type: 'UpgradeCommitted', timelockId, ...next },
    { type: 'UpgradeAnnounced', timelockId, digest: third!, ...times },
    { type: 'PackageMadeImmutable', timelockId, ...next },
  ];
}
