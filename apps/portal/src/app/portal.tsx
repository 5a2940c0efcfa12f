import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import type { Address, AmountUnits, UsufructError } from '@usufruct/kernel';
import type { WalletSigner } from '@usufruct/chain';
import type { ChainInfo } from '@usufruct/protocol';
import { DEV_WALLET_NAME, type DevWallet } from '../wallet/dev-wallet.js';
import {
  accountsOf,
  addressOf,
  onWalletsChange,
  signerOf,
  usableWallets,
  type ChosenAccount,
  type UsableWallet,
} from '../wallet/wallets.js';
import { connectPortal, type PortalClient } from './client.js';
import { Uploads } from '../work/uploads.js';
import type { PortalConfig } from './config.js';
import { shortId, type Coin } from './format.js';
import { useLoaded } from './use-task.js';

export interface ActiveAccount {
  readonly name: string;
  readonly address: Address;
  readonly chosen: ChosenAccount;
  readonly signer: WalletSigner;
  readonly client: PortalClient;
  /** What this account contributes in this tab. */
  readonly uploads: Uploads;
  /** Undefined until it was read. */
  readonly balanceUnits: AmountUnits | undefined;
}

export interface Portal {
  readonly config: PortalConfig;
  readonly standIns: readonly string[];
  readonly devWallet: DevWallet | null;
  readonly wallets: readonly UsableWallet[];
  readonly account: ActiveAccount | null;
  /** Undefined until the chain has answered. */
  readonly chain: ChainInfo | undefined;
  readonly coin: Coin | undefined;
  readonly chainError: UsufructError | undefined;
  readonly choose: (chosen: ChosenAccount) => void;
  readonly leave: () => void;
  /** Something was paid or received: read the balance again. */
  readonly moneyMoved: () => void;
}

const Context = createContext<Portal | null>(null);

export function usePortal(): Portal {
  const portal = useContext(Context);
  if (portal === null) throw new Error('usePortal outside of PortalProvider');
  return portal;
}

const CHOICE_KEY = 'usufruct.account.v1';
const BALANCE_INTERVAL_MS = 15_000;

interface PortalProviderProps {
  readonly config: PortalConfig;
  readonly devWallet: DevWallet | null;
  readonly children: ReactNode;
}

export function PortalProvider({ config, devWallet, children }: PortalProviderProps) {
  const wallets = useWallets();
  const [chosen, setChosen] = useChosenAccount(wallets);
  const acting = useActing(config, chosen);
  const client = acting?.client ?? null;
  const chain = useLoaded(client === null ? null : 'chain', () => requireClient(client).chain.info());
  const address = chosen === null ? null : addressOf(chosen);
  const balance = useLoaded(address, () => requireClient(client).chain.balanceOf(requireClient(client).address));
  const { reload } = balance;
  useEffect(() => {
    const timer = setInterval(reload, BALANCE_INTERVAL_MS);
    return () => clearInterval(timer);
  }, [reload]);

  const account = useMemo<ActiveAccount | null>(() => {
    if (chosen === null || acting === null || address === null) return null;
    const name = chosen.account.label ?? shortId(address);
    return { name, address, chosen, ...acting, balanceUnits: balance.data };
  }, [chosen, acting, address, balance.data]);
  const portal = useMemo<Portal>(
    () => ({
      config,
      standIns: standInsOf(config),
      devWallet,
      wallets,
      account,
      chain: chain.data,
      coin: chain.data?.coin,
      chainError: chain.error,
      choose: setChosen,
      leave: () => setChosen(null),
      moneyMoved: reload,
    }),
    [config, devWallet, wallets, account, chain.data, chain.error, setChosen, reload],
  );
  return <Context value={portal}>{children}</Context>;
}

interface ActingParts {
  readonly signer: WalletSigner;
  readonly client: PortalClient;
  readonly uploads: Uploads;
}

/** One client and one list of uploads per account for as long as the tab lives: an upload goes on behind a change. */
function useActing(config: PortalConfig, chosen: ChosenAccount | null): ActingParts | null {
  const [known] = useState(() => new Map<Address, ActingParts>());
  return useMemo(() => {
    if (chosen === null) return null;
    const signer = signerOf(chosen, config.suiNetwork);
    const parts = known.get(signer.address) ?? {
      signer,
      client: connectPortal(config, signer),
      uploads: new Uploads(config, signer),
    };
    known.set(signer.address, parts);
    return parts;
  }, [config, chosen, known]);
}

function requireClient(client: PortalClient | null): PortalClient {
  if (client === null) throw new Error('no account is chosen');
  return client;
}

function standInsOf(config: PortalConfig): string[] {
  if (config.suiNetwork !== 'local') return [];
  return [
    'local chain instead of Sui',
    ...(config.devWallet ? [DEV_WALLET_NAME.toLowerCase()] : []),
    ...(config.teeDevRoot === undefined ? [] : ['software TEE instead of confidential hardware']),
  ];
}

function useWallets(): readonly UsableWallet[] {
  const [wallets, setWallets] = useState(usableWallets);
  useEffect(() => {
    setWallets(usableWallets());
    return onWalletsChange(() => setWallets(usableWallets()));
  }, []);
  return wallets;
}

/** The choice outlives a reload, as far as the wallet allows without asking again. */
function useChosenAccount(
  wallets: readonly UsableWallet[],
): [ChosenAccount | null, (chosen: ChosenAccount | null) => void] {
  const [chosen, setChosen] = useState<ChosenAccount | null>(null);
  useEffect(() => {
    const [walletName, address] = (localStorage.getItem(CHOICE_KEY) ?? '').split('\n');
    const wallet = wallets.find((candidate) => candidate.name === walletName);
    if (wallet === undefined) return;
    let current = true;
    const restore = async () => {
      const account = (await accountsOf(wallet, true)).find((candidate) => candidate.address === address);
      if (current && account !== undefined) setChosen((before) => before ?? { wallet, account });
    };
    restore().catch(() => undefined); // a locked wallet: the user chooses again
    return () => {
      current = false;
    };
  }, [wallets]);
  const choose = useCallback((next: ChosenAccount | null) => {
    if (next === null) localStorage.removeItem(CHOICE_KEY);
    else localStorage.setItem(CHOICE_KEY, `${next.wallet.name}\n${next.account.address}`);
    setChosen(next);
  }, []);
  return [chosen, choose];
}
