import { createWalletFile, DEV_WALLET_LABEL } from '../wallet-file.js';
import { formatCoins } from '../amounts.js';
import type { AddCommand } from '../program.js';

export const addWallet: AddCommand = (program, open) => {
  const wallet = program.command('wallet').description('the development wallet (a stand-in, for the local chain only)');
  wallet
    .command('new')
    .description('make one; its key lies in a file that only you may read')
    .action((_options, command) => {
      const runtime = open(command);
      const { address } = createWalletFile(runtime.walletPath, runtime.endpoints().suiNetwork, runtime.random);
      const path = runtime.walletPath;
      runtime.terminal.result({ address, path, label: DEV_WALLET_LABEL }, [`${address}`, DEV_WALLET_LABEL, path]);
    });
  wallet
    .command('show')
    .description('its address and balance')
    .action(async (_options, command) => {
      const runtime = open(command);
      const { address } = runtime.signer();
      const balanceUnits = await runtime.chain().balanceOf(address);
      const lines = [address, formatCoins(balanceUnits, await runtime.coin()), DEV_WALLET_LABEL];
      runtime.terminal.result({ address, balanceUnits, label: DEV_WALLET_LABEL }, lines);
    });
};
