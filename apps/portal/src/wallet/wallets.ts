import {
  getWallets,
  isWalletWithRequiredFeatureSet,
  type StandardConnectFeature,
  type SuiSignPersonalMessageFeature,
  type SuiSignTransactionFeature,
  type WalletAccount,
  type WalletWithFeatures,
} from '@mysten/wallet-standard';
import type { WalletSigner } from '@usufruct/chain';
import { asId, refuse, type Address } from '@usufruct/kernel';

/** All that the portal asks of a wallet: accounts, and signatures of messages that say in words what they are for. */
export type UsableWallet = WalletWithFeatures<
  StandardConnectFeature & SuiSignPersonalMessageFeature & Partial<SuiSignTransactionFeature>
>;

export interface ChosenAccount {
  readonly wallet: UsableWallet;
  readonly account: WalletAccount;
}

export const usableWallets = (): readonly UsableWallet[] =>
  getWallets()
    .get()
    .filter((wallet): wallet is UsableWallet => isWalletWithRequiredFeatureSet(wallet, ['sui:signPersonalMessage']));

/** Calls back when a wallet appears or goes; returns how to stop. */
export function onWalletsChange(changed: () => void): () => void {
  const stops = [getWallets().on('register', changed), getWallets().on('unregister', changed)];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Ask the wallet for its accounts; `silent` asks only for what was allowed earlier. */
export async function accountsOf(wallet: UsableWallet, silent: boolean): Promise<readonly WalletAccount[]> {
  const { accounts } = await wallet.features['standard:connect'].connect({ silent });
  return accounts.filter((account) => account.features.includes('sui:signPersonalMessage'));
}

export const addressOf = ({ account }: ChosenAccount): Address => asId<Address>(account.address, 'address');

/** The network in the wallet standard's words, so that the wallet shows and simulates on the right one. */
function chainOf(account: WalletAccount, suiNetwork: string) {
  const named = account.chains.find((chain) => chain === `sui:${suiNetwork}`) ?? account.chains[0];
  if (named === undefined) throw refuse('FORBIDDEN', { reason: 'the wallet is for another network' });
  return named;
}

const signed = <T>(asked: Promise<T>): Promise<T> =>
  asked.catch((cause: unknown) => {
    throw refuse('FORBIDDEN', { reason: 'the wallet did not sign' }, cause);
  });

/** The wallet's account as the SDK's signer. A wallet that says no refuses with `FORBIDDEN`. */
export function signerOf(chosen: ChosenAccount, suiNetwork: string): WalletSigner {
  const { wallet, account } = chosen;
  return {
    address: addressOf(chosen),
    async signPersonalMessage(message) {
      const { signPersonalMessage } = wallet.features['sui:signPersonalMessage'];
      return (await signed(signPersonalMessage({ message, account }))).signature;
    },
    async signTransaction(bytes) {
      const feature = wallet.features['sui:signTransaction'];
      if (feature === undefined) throw refuse('FORBIDDEN', { reason: 'the wallet signs no transactions' });
      // Only what a Sui network needs loads the code that reads its transactions.
      const { Transaction } = await import('@mysten/sui/transactions');
      const transaction = { toJSON: () => Transaction.from(bytes).toJSON() };
      return (await signed(feature.signTransaction({ transaction, account, chain: chainOf(account, suiNetwork) })))
        .signature;
    },
  };
}
