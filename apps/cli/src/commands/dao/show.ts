import { toBase64, type DaoId } from '@usufruct/kernel';
import { explainGovernance, explainPayoutRules, type HolderAnomalies, type Walkers } from '@usufruct/sdk';
import type { AddCommand } from '../../program.js';
import { idArgument } from '../../runtime.js';
import { orNone, timeOf, wordsOf } from '../../words.js';
import { eventLine } from './event-line.js';
import { policyLines } from './policy-lines.js';

export const addShow: AddCommand = (dao, open) => {
  dao
    .command('show')
    .description('everything that the chain says of a DAO')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const view = await runtime.chain().dao(idArgument<DaoId>(id, 'dao'));
      const words = await wordsOf(runtime);
      const balanceUnits = await runtime.chain().balanceOf(view.treasury);
      runtime.terminal.result({ dao: view, treasury: { account: view.treasury, balanceUnits } }, [
        `DAO ${view.id}, founded by ${view.founder}`,
        ...(view.paused ? ['PAUSED: only a vote unpauses it'] : []),
        `members: ${view.members.length}, proposals: ${view.proposalCount}, in the treasury: ${words.amount(balanceUnits)}`,
        `policy version ${view.policyVersion}`,
        ...policyLines(view.policy, words),
        ...explainGovernance(view.governance),
        ...explainPayoutRules(view.payoutRules),
      ]);
    });
  dao
    .command('treasury')
    .description('what a DAO has, and what its members voted to spend')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const treasury = await runtime.client().daos.treasury(idArgument<DaoId>(id, 'dao'));
      const words = await wordsOf(runtime);
      runtime.terminal.result({ treasury }, [
        `${words.amount(treasury.balanceUnits)} (${treasury.account}; no key exists for it)`,
        ...treasury.spending.map(
          ({ atMs, to, amountUnits }) => `${timeOf(atMs)}  -${words.amount(amountUnits)}  to ${to}`,
        ),
      ]);
    });
  dao
    .command('storage')
    .description("the lease keeper's book: what the DAO paid it for storage, and what whose contributions cost")
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const storage = await runtime.client().daos.storage(idArgument<DaoId>(id, 'dao'));
      const words = await wordsOf(runtime);
      runtime.terminal.result({ storage }, [
        storage.renews
          ? `the keeper ${storage.keeper} renews leases for ${storage.renewEpochs} epochs`
          : `the keeper ${storage.keeper} renews nothing here, and warns owners`,
        `${words.amount(storage.unitsPerMibEpoch)} for each begun MiB and epoch`,
        `paid in ${words.amount(storage.fundedUnits)}, spent ${words.amount(storage.spentUnits)}, under way ${words.amount(storage.reservedUnits)}, left ${words.amount(storage.availableUnits)}`,
        ...storage.costs.map(({ owner, costUnits }) => `${words.amount(costUnits)}  for contributions of ${owner}`),
      ]);
    });
  dao
    .command('invite-keeper')
    .description(
      'have the lease keeper apply for membership; accept it, make it a steward, and vote for what the treasury pays it',
    )
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const keeper = await runtime.client().daos.inviteLeaseKeeper(idArgument<DaoId>(id, 'dao'));
      runtime.terminal.result({ keeper }, [`${keeper} has applied`]);
    });
  dao
    .command('verifiers')
    .description('the holder set whose members hold the keys and register runners')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const { policy } = await runtime.chain().dao(idArgument<DaoId>(id, 'dao'));
      const holderSet = await runtime.chain().holderSet(policy.holderSetId);
      const { verifierThreshold } = policy;
      runtime.terminal.result({ verifierThreshold, holderSet }, [
        `${verifierThreshold} of ${holderSet.members.length} register a runner; ${holderSet.threshold} release a key`,
        `holder set ${holderSet.id}, version ${holderSet.version}`,
      ]);
    });
  dao
    .command('anomalies')
    .description('asks every key holder which runners it refused because no job can need what they asked for')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const holders = await runtime.client().daos.anomalies(idArgument<DaoId>(id, 'dao'));
      runtime.terminal.result({ holders }, holders.flatMap(anomalyLines));
    });
  dao
    .command('walkers')
    .description('asks the runners, through the API, which askers seem to walk through a dataset; a sign, and no proof')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const walkers = await runtime.client().daos.walkers(idArgument<DaoId>(id, 'dao'));
      runtime.terminal.result({ walkers: publicOf(walkers) }, walkerLines(walkers));
    });
  dao
    .command('signers')
    .description('who signs receipts without being a runner: MPC sets and FHE hosts')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const signers = await runtime.client().daos.signers(idArgument<DaoId>(id, 'dao'));
      const lines = signers.map(
        ({ id: signerId, signerKind, payTo, withdrawnAtMs }) =>
          `${signerId}  ${signerKind}  ${withdrawnAtMs === null ? `paid to ${payTo}` : `withdrawn ${timeOf(withdrawnAtMs)}`}`,
      );
      runtime.terminal.result({ signers }, orNone(lines));
    });
  dao
    .command('history')
    .description('how a DAO came to be what it is, from the events of the chain, oldest first')
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const events = await runtime.client().daos.history(idArgument<DaoId>(id, 'dao'));
      const words = await wordsOf(runtime);
      const lines = events.map(({ atMs, data }) => `${timeOf(atMs)}  ${eventLine(data, words)}`);
      runtime.terminal.result({ events }, lines);
    });
};

function anomalyLines({ member, anomalies, unproven, error }: HolderAnomalies): string[] {
  const head = `key holder ${member + 1}`;
  if (error !== null) return [`${head}: ${error.code}`];
  return [
    `${head}: ${anomalies.length}${unproven > 0 ? `, and ${unproven} that no runner signed` : ''}`,
    ...anomalies.map(
      ({ reason, times, lastAtMs, jobId, runnerSigningKey, measurement }) =>
        `  ${timeOf(lastAtMs)}  ${reason}, ${times} times  job ${jobId}  by ${runnerSigningKey}, ` +
        `measurement ${measurement.slice(0, 16)}…`,
    ),
  ];
}

const publicOf = ({ notices, ...rest }: Walkers) => ({
  ...rest,
  notices: notices.map((one) => ({ ...one, runnerSigningKey: toBase64(one.runnerSigningKey) })),
});

function walkerLines({ notices, unproven, complete }: Walkers): string[] {
  return [
    ...orNone(
      notices.map(
        ({ noticedAtMs, asker, datasetId, answers, covered, passages }) =>
          `${timeOf(noticedAtMs)}  ${asker}  dataset ${datasetId}: the last ${answers} answers showed ${covered} new passages of ${passages}`,
      ),
    ),
    ...(unproven > 0 ? [`and ${unproven} that no registered runner signed`] : []),
    ...(complete ? [] : ['not every runner answered']),
  ];
}
