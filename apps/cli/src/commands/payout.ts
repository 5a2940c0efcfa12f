import type { DaoId, EpochId } from '@usufruct/kernel';
import { claimEndOf, epochPhase } from '@usufruct/protocol';
import { zPayoutProof } from '@usufruct/sdk';
import { formatCoins } from '../amounts.js';
import { readJsonFile } from '../files-json.js';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';
import { orNone, timeOf, wordsOf } from '../words.js';

export const addPayout: AddCommand = (program, open) => {
  const payout = program.command('payout').description('what your wallet earned and spent, and payouts to claim');
  payout
    .command('list')
    .description('every entry, newest first, and whether the API and the chain agree to the last unit')
    .action(async (_options, command) => {
      const runtime = open(command);
      const client = runtime.client();
      const [entries, reconciliation, coin] = [
        await client.payouts.entries(),
        await client.payouts.reconcile(),
        await runtime.coin(),
      ];
      const lines = entries.map(({ atMs, direction, amountUnits, reason, contributionId }) => {
        const sign = direction === 'credit' ? '+' : '-';
        const about = contributionId === null ? '' : `  for ${contributionId}`;
        return `${new Date(atMs).toISOString()}  ${sign}${formatCoins(amountUnits, coin)}  ${reason}${about}`;
      });
      const agreement = reconciliation.agrees ? 'API and chain agree to the last unit' : 'API AND CHAIN DO NOT AGREE';
      runtime.terminal.result({ entries, reconciliation }, [...lines, agreement]);
    });
  payout
    .command('epochs')
    .description("a DAO's epochs of private payout, and until when each can be claimed from")
    .argument('<dao>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const epochs = await runtime.client().payouts.epochs(idArgument<DaoId>(id, 'dao'));
      const words = await wordsOf(runtime);
      const withPhase = epochs.map((epoch) => ({ ...epoch, phase: epochPhase(epoch, runtime.clock.nowMs()) }));
      const lines = withPhase.map(
        ({ phase, ...epoch }) =>
          `${epoch.number}  ${epoch.id}  ${phase}  ${words.amount(epoch.claimedUnits)} of ${words.amount(epoch.totalUnits)} claimed, from ${timeOf(epoch.challengeEndsAtMs)} to ${timeOf(claimEndOf(epoch))}`,
      );
      runtime.terminal.result({ epochs: withPhase }, orNone(lines));
    });
  payout
    .command('claim')
    .description('claim a payout for the account that a proof file names; checked here before anything is sent')
    .argument('<file>', 'the leaf and its proof, as the settler gave them')
    .action(async (path: string, _options, command) => {
      const runtime = open(command);
      const proof = readJsonFile(path, zPayoutProof, 'proof file');
      const { epoch, sent } = await runtime.client().payouts.claim(proof);
      const { account, amountUnits } = proof.leaf;
      const words = await wordsOf(runtime);
      const said = sent ? `${words.amount(amountUnits)} paid to ${account}` : 'nothing to do: paid already, or zero';
      runtime.terminal.result({ sent, account, amountUnits, epoch }, [said]);
    });
  payout
    .command('sweep')
    .description('when the claim term is over: send what nobody claimed where the rules of the epoch say')
    .argument('<epoch>')
    .action(async (id: string, _options, command) => {
      const runtime = open(command);
      const swept = await runtime.client().payouts.sweep(idArgument<EpochId>(id, 'epoch'));
      const rest = (await wordsOf(runtime)).amount(swept.totalUnits - swept.claimedUnits);
      runtime.terminal.result({ epoch: swept }, [`${rest} went to the ${swept.unclaimedTo}`]);
    });
};
