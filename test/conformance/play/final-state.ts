import { fromBase64, type DatasetId, type RunnerId } from '@usufruct/kernel';
import { CHAIN_JOB_STATES, runnerIdOf, type HolderSetView, type JobView } from '@usufruct/protocol';
import type { DaoRecord } from '../../../apps/local-chain/src/machine/collections.js';
import type { Ledger } from './ledger.js';
import { CHAIN, EVERYBODY } from './cast.js';
import * as move from './move-text.js';

/** Everything that the ledger holds in the end, as assertions of the stage. */
export function finalState(ledger: Ledger): move.Call[] {
  const wallets = [...EVERYBODY, CHAIN.protocolAccount].map((account) =>
    move.call('assert_wallet', move.address(account), move.number(ledger.balanceOf(account))),
  );
  return [
    move.call('look'),
    ...wallets,
    ...ledger.all('dao').map((dao) => daoCall(ledger, dao)),
    ...ledger.all('dataset').map(({ id }) => datasetCall(ledger, id)),
    ...ledger.all('job').map((job) => jobCall(ledger, job)),
    ...ledger.all('holder-set').map((set) => headsCall(ledger, set)),
  ];
}

function daoCall(ledger: Ledger, { id, treasury, policyVersion, policyDigest, policy }: DaoRecord): move.Call {
  const isMember = (account: string): boolean => ledger.read('member', `${id}/${account}`) !== undefined;
  const { measurements, profiles } = policy.appraisal;
  const runners = ledger.all('runner').filter(
    // Of one that the policy does not approve now the contracts say nothing.
    (one) => one.daoId === id && measurements.includes(one.measurement) && profiles.some((p) => p === one.profile),
  );
  const runnerIds = runners.map((one) => runnerIdOf<RunnerId>(fromBase64(one.signingPublicKey)));
  return move.call(
    'assert_dao',
    move.address(id),
    move.number(ledger.balanceOf(treasury)),
    move.number(policyVersion),
    move.address(policyDigest),
    move.list(EVERYBODY.filter(isMember).map(move.address)),
    move.list(EVERYBODY.filter((account) => !isMember(account)).map(move.address)),
    move.list(runnerIds.map(move.address)),
    move.list(runners.map(({ expiresAtMs }) => move.number(expiresAtMs - 1))),
    move.list(runners.map(({ payTo }) => move.address(payTo))),
  );
}

function datasetCall(ledger: Ledger, id: DatasetId): move.Call {
  const contributions = ledger.all('contribution').filter(({ datasetId }) => datasetId === id);
  const here = new Set(contributions.map((one) => one.id));
  const grants = ledger.all('grant').filter(({ contributionId }) => here.has(contributionId));
  const spent = grants.map((grant) => ledger.read('grant-budget', grant.id)?.spentMicroEpsilon ?? 0n);
  return move.call(
    'assert_dataset',
    move.address(id),
    move.list(contributions.map((one) => move.address(one.id))),
    move.list(contributions.map(({ owner }) => move.address(owner))),
    move.list(contributions.map(({ state }) => move.flag(state === 'accepted'))),
    move.list(contributions.map(({ state }) => move.flag(state === 'declined'))),
    move.list(grants.map((grant) => move.address(grant.id))),
    move.list(grants.map(({ revokedAtMs: at }) => move.list(at === null ? [] : [move.number(at)]))),
    move.list(spent.map(move.number)),
  );
}

function jobCall(ledger: Ledger, { id, state, escrowUnits, expiresAtMs }: JobView): move.Call {
  const numbers = [CHAIN_JOB_STATES.indexOf(state), escrowUnits, expiresAtMs].map(move.number);
  const keys = ledger.entries('receipt').map(([key]) => key);
  const questions = keys.flatMap((key) => (key.startsWith(`${id}/`) ? [move.address(key.slice(id.length + 1))] : []));
  return move.call('assert_job', move.address(id), ...numbers, move.list(questions));
}

function headsCall(ledger: Ledger, { id, members }: HolderSetView): move.Call {
  const heads = members.flatMap(({ signingPublicKey }, member) => {
    const head = ledger.read('tree-head', `${id}/${signingPublicKey}`);
    return head === undefined ? [] : [{ member, ...head }];
  });
  return move.call(
    'assert_heads',
    move.address(id),
    move.list(heads.map(({ member }) => move.number(member))),
    move.list(heads.map(({ treeSize }) => move.number(treeSize))),
    move.list(heads.map(({ rootHash }) => move.address(rootHash))),
  );
}
