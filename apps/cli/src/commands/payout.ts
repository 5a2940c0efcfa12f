import { formatCoins } from '../amounts.js';
import type { AddCommand } from '../program.js';

export const addPayout: AddCommand = (program, open) => {
  const payout = program.command('payout').description('what your wallet earned and spent');
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
};
