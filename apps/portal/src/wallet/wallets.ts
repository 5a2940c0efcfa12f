import {
  getWallets,
  isWalletWithRequiredFeatureSet,
  type StandardConnectFeature,
  type SuiSignPersonalMessageFeature,
  type WalletAccount,
  type WalletWithFeatures,
} from '@mysten/wallet-standard';
import type { WalletSigner } from '@usufruct/chain';
import { asId, refuse, type Address } from '@usufruct/kernel';

/** All that the portal asks of a wallet: accounts, and signatures of messages that say in words what they are for. */
export type UsableWallet = WalletWithFeatures<StandardConnectFeature & SuiSignPersonalMessageFeature>;

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

/** The wallet's account as the SDK's signer. A wallet that says no refuses with `FORBIDDEN`. */
export function signerOf(chosen: ChosenAccount): WalletSigner {
  const { wallet, account } = chosen;
  return {
    address: addressOf(chosen),
    async signPersonalMessage(message) {
      try {
        const signed = await wallet.features['sui:signPersonalMessage'].signPersonalMessage({ message, account });
        return signed.signature;
      } catch (cause) {
        throw refuse('FORBIDDEN', { reason: 'the wallet did not sign' }, cause);
      }
    },
  };
}
