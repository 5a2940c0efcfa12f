import { refuse, type Address } from '@usufruct/kernel';
import { formatCoins, parseCoins } from '../amounts.js';
import type { AddCommand } from '../program.js';
import { idArgument } from '../runtime.js';

export const addFaucet: AddCommand = (program, open) => {
  program
    .command('faucet')
    .description('coins from nowhere; the local chain only')
    .argument('<amount>', 'in coins, as 25 or 2.5')
    .option('--to <address>', 'default: your wallet')
    .action(async (amount: string, options: { to?: string }, command) => {
      const runtime = open(command);
      const chain = runtime.chain();
      const { standIn, coin } = await chain.info();
      if (!standIn) throw refuse('STAND_IN_FORBIDDEN', { part: 'faucet' });
      const signer = runtime.signer();
      const to = options.to === undefined ? signer.address : idArgument<Address>(options.to, 'to');
      const amountUnits = parseCoins(amount, coin, 'amount');
      await chain.execute([{ kind: 'mint', to, amountUnits }], signer);
      const balanceUnits = await chain.balanceOf(to);
      runtime.terminal.result({ to, amountUnits, balanceUnits }, [`${to} now has ${formatCoins(balanceUnits, coin)}`]);
    });
};
