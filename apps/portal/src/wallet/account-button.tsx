import { useEffect, useId, useRef, useState, type FormEvent } from 'react';
import type { WalletAccount } from '@mysten/wallet-standard';
import { formatAmount, shortId } from '../app/format.js';
import { usePortal } from '../app/portal.js';
import { useLoaded, useTask } from '../app/use-task.js';
import { Button } from '../ui/button.js';
import { Id } from '../ui/id.js';
import { Chip, Empty } from '../ui/layout.js';
import { Refusal } from '../ui/refusal.js';
import { DEV_WALLET_NAME } from './dev-wallet.js';
import { accountsOf, type UsableWallet } from './wallets.js';

export const nameOf = (account: Pick<WalletAccount, 'label' | 'address'>): string =>
  account.label ?? shortId(account.address);

/** Who acts, and with how much money; opens the choice of wallet and account. */
export function AccountButton() {
  const { account, coin } = usePortal();
  const [open, setOpen] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  const balance = account?.balanceUnits;
  return (
    <>
      <button
        type="button"
        className="button account-button"
        data-testid="account"
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        {account === null ? 'Choose a wallet' : account.name}
        {balance !== undefined && coin !== undefined && (
          <span className="hint number" data-testid="balance">
            {formatAmount(balance, coin)}
          </span>
        )}
      </button>
      <dialog ref={dialog} aria-labelledby="wallet-title" onClose={() => setOpen(false)}>
        {open && <WalletChoice onDone={() => setOpen(false)} />}
      </dialog>
    </>
  );
}

function WalletChoice({ onDone }: { readonly onDone: () => void }) {
  const { wallets, account, leave } = usePortal();
  return (
    <div className="stack">
      <div className="row apart">
        <h2 id="wallet-title">Your wallet</h2>
        <Button small onClick={onDone}>
          Close
        </Button>
      </div>
      <p className="hint">
        Your wallet is your account. It signs what you publish, allow and pay; nothing is done in your name without it.
      </p>
      {wallets.length === 0 && (
        <Empty>No wallet was found in this browser. Install a Sui wallet that supports the wallet standard.</Empty>
      )}
      {wallets.map((wallet) => (
        <WalletAccounts key={wallet.name} wallet={wallet} onDone={onDone} />
      ))}
      {account !== null && (
        <div className="row apart">
          <span className="hint">
            {account.name}: <Id value={account.address} what="address" />
          </span>
          <Button small onClick={leave}>
            Leave this account
          </Button>
        </div>
      )}
    </div>
  );
}

function WalletAccounts({ wallet, onDone }: { readonly wallet: UsableWallet; readonly onDone: () => void }) {
  const { account: current, choose, devWallet } = usePortal();
  const [asked, setAsked] = useState(0);
  const isDev = wallet.name === DEV_WALLET_NAME && devWallet !== null;
  const accounts = useLoaded(isDev || asked > 0 ? `${wallet.name}/${asked}` : null, () => accountsOf(wallet, false));
  return (
    <section className="item" aria-label={wallet.name}>
      <div className="row apart">
        <h3>{wallet.name}</h3>
        {isDev ? (
          <Chip tone="warn">stand-in: keys unencrypted</Chip>
        ) : (
          <Button small busy={accounts.loading && asked > 0} onClick={() => setAsked(asked + 1)}>
            Connect
          </Button>
        )}
      </div>
      <Refusal error={accounts.error} />
      <ul className="row" style={{ padding: 0, margin: 0, listStyle: 'none' }}>
        {accounts.data?.map((account) => (
          <li key={account.address}>
            <Button
              small
              look={account.address === current?.address ? 'primary' : 'plain'}
              aria-pressed={account.address === current?.address}
              onClick={() => {
                choose({ wallet, account });
                onDone();
              }}
            >
              {nameOf(account)}
            </Button>
          </li>
        ))}
      </ul>
      {isDev && <NewAccount onAdded={accounts.reload} />}
    </section>
  );
}

function NewAccount({ onAdded }: { readonly onAdded: () => void }) {
  const { devWallet } = usePortal();
  const id = useId();
  const [name, setName] = useState('');
  const add = useTask(async () => {
    devWallet?.addAccount(name);
    setName('');
    onAdded();
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void add.run();
  };
  return (
    <form className="stack tight" onSubmit={submit}>
      <label className="hint" htmlFor={id}>
        Another account for development
      </label>
      <div className="row" style={{ flexWrap: 'nowrap' }}>
        <input id={id} value={name} maxLength={40} onChange={(event) => setName(event.target.value)} />
        <Button type="submit" small>
          Add
        </Button>
      </div>
      <Refusal error={add.error} />
    </form>
  );
}
