import type { ReactNode } from 'react';
import { Button } from '../ui/button.js';
import { Empty, Loading } from '../ui/layout.js';
import { Refusal } from '../ui/refusal.js';
import { usePortal, type ActiveAccount } from './portal.js';
import type { Coin } from './format.js';
import { useLoaded } from './use-task.js';

export interface Acting {
  readonly account: ActiveAccount;
  readonly coin: Coin;
}

/** For pages that act for somebody: asks for a wallet, signs in at the API once, then shows what it was given. */
export function WithAccount({ children }: { readonly children: (acting: Acting) => ReactNode }) {
  const { account, chainError, coin } = usePortal();
  const signedIn = useLoaded(account?.address ?? null, async () => {
    if (account !== null && !(await account.client.api.isSignedIn())) await account.client.api.signIn();
    return true;
  });
  if (account === null) return <Empty>Choose a wallet at the top of the page to go on.</Empty>;
  if (signedIn.error !== undefined) {
    return (
      <div className="stack">
        <Refusal error={signedIn.error} />
        <div>
          <Button onClick={signedIn.reload}>Sign in again</Button>
        </div>
      </div>
    );
  }
  if (chainError !== undefined) return <Refusal error={chainError} />;
  if (signedIn.data !== true || coin === undefined) return <Loading what="your account" />;
  return children({ account, coin });
}
