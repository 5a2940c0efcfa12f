import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import {
  ReadonlyWalletAccount,
  SUI_LOCALNET_CHAIN,
  type StandardConnectFeature,
  type StandardEventsFeature,
  type StandardEventsListeners,
  type SuiSignPersonalMessageFeature,
  type Wallet,
} from '@mysten/wallet-standard';
import { refuse } from '@usufruct/kernel';
import { z } from 'zod';

/**
 * DEVELOPMENT WALLET, a stand-in. It speaks the wallet standard as an extension would, but it signs without asking
 * and keeps its keys unencrypted in the browser's storage. It exists for the local chain alone: with any other
 * network its constructor refuses.
 */
export const DEV_WALLET_NAME = 'Development wallet';

/** The accounts of the story that README and demo tell; more can be added by name. */
export const FIRST_ACCOUNTS = ['Founder', 'Ada', 'Ben', 'Chloe', 'Enterprise'] as const;

/** The part of `localStorage` that is used. */
export interface KeyStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const STORAGE_KEY = 'usufruct.dev-wallet.v1';
const zStored = z.array(z.object({ name: z.string().min(1).max(40), secret: z.string().startsWith('suiprivkey') }));

type Features = StandardConnectFeature & StandardEventsFeature & SuiSignPersonalMessageFeature;
type ChangeListener = StandardEventsListeners['change'];

interface Account {
  readonly name: string;
  readonly keypair: Ed25519Keypair;
  readonly shown: ReadonlyWalletAccount;
}

export class DevWallet implements Wallet {
  readonly version = '1.0.0' as const;
  readonly name = DEV_WALLET_NAME;
  readonly icon = 'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=' as const;
  readonly chains = [SUI_LOCALNET_CHAIN] as const;
  readonly #storage: KeyStorage;
  readonly #listeners = new Set<ChangeListener>();
  #accounts: readonly Account[];

  /** Refuses with `STAND_IN_FORBIDDEN` unless the network is `local` and the configuration allows it. */
  constructor({ suiNetwork, devWallet }: { suiNetwork: string; devWallet: boolean }, storage: KeyStorage) {
    if (suiNetwork !== 'local' || !devWallet) throw refuse('STAND_IN_FORBIDDEN', { standIn: 'development wallet' });
    this.#storage = storage;
    this.#accounts = readAccounts(storage);
    if (this.#accounts.length === 0) this.#save(FIRST_ACCOUNTS.map((name) => newAccount(name)));
  }

  get accounts(): readonly ReadonlyWalletAccount[] {
    return this.#accounts.map((account) => account.shown);
  }

  get features(): Features {
    return {
      'standard:connect': { version: '1.0.0', connect: async () => ({ accounts: this.accounts }) },
      'standard:events': { version: '1.0.0', on: (_event, listener) => this.#listen(listener) },
      'sui:signPersonalMessage': {
        version: '1.1.0',
        signPersonalMessage: ({ message, account }) => this.#sign(message, account.address),
      },
    };
  }

  /** Refuses with `ALREADY_EXISTS` where the name is taken, `INVALID_ARGUMENT` where it is empty or too long. */
  addAccount(name: string): void {
    const trimmed = name.trim();
    if (trimmed === '' || trimmed.length > 40) {
      throw refuse('INVALID_ARGUMENT', { field: 'name', expected: '1 to 40 characters' });
    }
    if (this.#accounts.some((account) => account.name === trimmed)) throw refuse('ALREADY_EXISTS', { field: 'name' });
    this.#save([...this.#accounts, newAccount(trimmed)]);
    for (const listener of this.#listeners) listener({ accounts: this.accounts });
  }

  async #sign(message: Uint8Array, address: string): Promise<{ bytes: string; signature: string }> {
    const account = this.#accounts.find((candidate) => candidate.shown.address === address);
    if (account === undefined) throw refuse('WRONG_WALLET');
    return account.keypair.signPersonalMessage(message);
  }

  #listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Stored before it is shown: an account that was used must still be there after a reload. */
  #save(accounts: readonly Account[]): void {
    const stored = accounts.map(({ name, keypair }) => ({ name, secret: keypair.getSecretKey() }));
    this.#storage.setItem(STORAGE_KEY, JSON.stringify(stored));
    this.#accounts = accounts;
  }
}

function readAccounts(storage: KeyStorage): Account[] {
  const text = storage.getItem(STORAGE_KEY);
  if (text === null) return [];
  try {
    return zStored
      .parse(JSON.parse(text))
      .map(({ name, secret }) => accountOf(name, Ed25519Keypair.fromSecretKey(secret)));
  } catch (cause) {
    // Overwriting would destroy keys that somebody may still want to save by hand.
    throw refuse('CONFIG_INVALID', { setting: `localStorage ${STORAGE_KEY}` }, cause);
  }
}

const newAccount = (name: string): Account => accountOf(name, Ed25519Keypair.generate());

function accountOf(name: string, keypair: Ed25519Keypair): Account {
  const shown = new ReadonlyWalletAccount({
    address: keypair.toSuiAddress(),
    publicKey: keypair.getPublicKey().toRawBytes(),
    chains: [SUI_LOCALNET_CHAIN],
    features: ['sui:signPersonalMessage'],
    label: name,
  });
  return { name, keypair, shown };
}
