import { fromBase64, type DatasetId, type RunnerId } from '@usufruct/kernel';
import {
  CHAIN_JOB_STATES,
  EPOCH_STATES,
  epochAccountOf,
  receiptPoolAccountOf,
  runnerIdOf,
  SIGNER_KINDS,
  type ContributionView,
  type EpochView,
  type HolderSetView,
  type JobView,
  type LicenceView,
  type ProposalView,
} from '@usufruct/protocol';
import type { DaoRecord } from '../../../apps/local-chain/src/machine/collections.js';
import type { Ledger } from './ledger.js';
import { answerRulesText } from '../actions/dataset.js';
import { nameOf } from '../actions/signers.js';
import { CHAIN, EVERYBODY } from './cast.js';
import * as move from './move-text.js';

/** Everything that the ledger holds in the end, as assertions of the stage. */
export function finalState(ledger: Ledger): move.Call[] {
  const wallets = [...EVERYBODY, CHAIN.protocolAccount].map((account) =>
    move.call('stage_findings::assert_wallet', move.address(account), move.number(ledger.balanceOf(account))),
  );
  return [
    move.call('stage::look'),
    ...wallets,
    ...ledger.all('dao').flatMap((dao) => [daoCall(ledger, dao), signersCall(ledger, dao)]),
    ...ledger.all('dataset').map(({ id }) => datasetCall(ledger, id)),
    ...ledger.all('licence').map(licenceCall),
    ...ledger.all('proposal').map(proposalCall),
    ...ledger.all('epoch').map((epoch) => epochCall(ledger, epoch)),
    ...ledger.all('job').map((job) => jobCall(ledger, job)),
    ...ledger.all('holder-set').map((set) => headsCall(ledger, set)),
  ];
}

function daoCall(ledger: Ledger, dao: DaoRecord): move.Call {
  const { id, treasury, policyVersion, policyDigest, policy, paused, proposalCount } = dao;
  const memberOf = (account: string) => ledger.read('member', `${id}/${account}`);
  const members = EVERYBODY.flatMap((account) => memberOf(account) ?? []);
  const { measurements, profiles } = policy.appraisal;
  const runners = ledger.all('runner').filter(
    // Of one that the policy does not approve now the contracts say nothing.
    (one) => one.daoId === id && measurements.includes(one.measurement) && profiles.some((p) => p === one.profile),
  );
  const runnerIds = runners.map((one) => runnerIdOf<RunnerId>(fromBase64(one.signingPublicKey)));
  return move.call(
    'stage_findings::assert_dao',
    move.address(id),
    move.number(ledger.balanceOf(treasury)),
    move.number(policyVersion),
    move.address(policyDigest),
    move.flag(paused),
    move.number(proposalCount),
    move.number(ledger.balanceOf(receiptPoolAccountOf(id))),
    move.number(ledger.read('receipt-pool', id)?.coveredReceipts ?? 0n),
    move.list(members.map(({ address }) => move.address(address))),
    move.list(members.map(({ roles }) => move.number(roles))),
    move.list(members.map(({ earnedUnits }) => move.number(earnedUnits))),
    move.list(runnerIds.map(move.address)),
    move.list(runners.map(({ expiresAtMs }) => move.number(expiresAtMs - 1))),
    move.list(runners.map(({ payTo }) => move.address(payTo))),
  );
}

/** Those who may sign receipts now. Of one that was withdrawn the contracts say nothing but refusals. */
function signersCall(ledger: Ledger, { id }: DaoRecord): move.Call {
  const signers = ledger.all('signer').filter(({ daoId, withdrawnAtMs }) => daoId === id && withdrawnAtMs === null);
  return move.call(
    'stage_findings::assert_signers',
    move.address(id),
    move.list(signers.map(({ signerKind }) => `${SIGNER_KINDS.indexOf(signerKind)}u8`)),
    move.list(signers.map((one) => move.bytes(nameOf(one)))),
    move.list(signers.map(({ payTo }) => move.address(payTo))),
  );
}

function proposalCall({ id, yesVotes, noVotes, abstainVotes, totalVotes, executedAtMs }: ProposalView): move.Call {
  const votes = [yesVotes, noVotes, abstainVotes, totalVotes].map(move.number);
  return move.call('stage_findings::assert_proposal', move.address(id), ...votes, move.flag(executedAtMs !== null));
}

const licenceCall = ({ id, offerId, licensee, terms, boughtAtMs, expiresAtMs }: LicenceView): move.Call =>
  move.call(
    'stage_findings::assert_licence',
    ...[licensee, id, offerId, terms.datasetId].map(move.address),
    ...[boughtAtMs, expiresAtMs].map(move.number),
  );

function epochCall(ledger: Ledger, { id, leafCount, state }: EpochView): move.Call {
  const isClaimed = (index: number): boolean => ledger.read('claim', `${id}/${index}`) !== undefined;
  return move.call(
    'stage_findings::assert_epoch',
    move.address(id),
    move.number(EPOCH_STATES.indexOf(state)),
    move.number(ledger.balanceOf(epochAccountOf(id))),
    move.list(Array.from({ length: leafCount }, (_, index) => move.flag(isClaimed(index)))),
  );
}

function datasetCall(ledger: Ledger, id: DatasetId): move.Call {
  const dataset = ledger.read('dataset', id)!;
  const contributions = ledger.all('contribution').filter(({ datasetId }) => datasetId === id);
  const offers = ledger.all('licence-offer').filter(({ terms }) => terms.datasetId === id);
  const here = new Set(contributions.map((one) => one.id));
  const grants = ledger.all('grant').filter(({ contributionId }) => here.has(contributionId));
  const spent = grants.map((grant) => ledger.read('grant-budget', grant.id)?.spentMicroEpsilon ?? 0n);
  return move.call(
    'stage_findings::assert_dataset',
    move.address(id),
    move.list(contributions.map((one) => move.address(one.id))),
    move.list(contributions.map(({ owner }) => move.address(owner))),
    move.list(contributions.map(({ state }) => move.flag(state === 'accepted'))),
    move.list(contributions.map(({ state }) => move.flag(state === 'declined'))),
    move.list(contributions.map(({ tombstonedAtMs }) => times(tombstonedAtMs))),
    move.list(contributions.map((one) => move.list(endEpochs(one)))),
    move.list(grants.map((grant) => move.address(grant.id))),
    move.list(grants.map(({ revokedAtMs }) => times(revokedAtMs))),
    move.list(spent.map(move.number)),
    move.list(offers.map((offer) => move.address(offer.id))),
    move.list(offers.map(({ withdrawnAtMs }) => move.flag(withdrawnAtMs === null))),
    times(dataset.tombstonedAtMs),
    answerRulesText(dataset.answerRules),
  );
}

/** None or one. */
const times = (atMs: number | null): string => move.list(atMs === null ? [] : [move.number(atMs)]);

/** When the leases of the manifest and of the parts end. */
const endEpochs = ({ manifestBlob, parts }: ContributionView): string[] =>
  [manifestBlob, ...parts].map(({ endEpoch }) => move.number(endEpoch));

function jobCall(ledger: Ledger, { id, state, escrowUnits, expiresAtMs }: JobView): move.Call {
  const numbers = [CHAIN_JOB_STATES.indexOf(state), escrowUnits, expiresAtMs].map(move.number);
  const keys = ledger.entries('receipt').map(([key]) => key);
  const questions = keys.flatMap((key) => (key.startsWith(`${id}/`) ? [move.address(key.slice(id.length + 1))] : []));
  return move.call('stage_findings::assert_job', move.address(id), ...numbers, move.list(questions));
}

function headsCall(ledger: Ledger, { id, members, version, threshold }: HolderSetView): move.Call {
  const heads = members.flatMap(({ signingPublicKey }, member) => {
    const head = ledger.read('tree-head', `${id}/${signingPublicKey}`);
    return head === undefined ? [] : [{ member, ...head }];
  });
  return move.call(
    'stage_findings::assert_holder_set',
    move.address(id),
    ...[version, members.length, threshold].map(move.number),
    move.list(heads.map(({ member }) => move.number(member))),
    move.list(heads.map(({ treeSize }) => move.number(treeSize))),
    move.list(heads.map(({ rootHash }) => move.address(rootHash))),
  );
}
