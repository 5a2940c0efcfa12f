import { keypairSigner, type WalletSigner } from '@usufruct/chain';
import { fromHex } from '@usufruct/kernel';
import { idOf } from './values.js';

/** A wallet that is always the same for the same name. */
export const testWallet = (name: string): WalletSigner => keypairSigner(fromHex(idOf(`wallet-${name}`)));
