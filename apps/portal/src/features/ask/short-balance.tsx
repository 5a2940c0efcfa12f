import { formatAmount } from '../../app/format.js';
import { usePortal } from '../../app/portal.js';
import type { Acting } from '../../app/with-account.js';
import { Notice } from '../../ui/layout.js';
import { Faucet } from '../payouts/faucet.js';

/** Says so where the wallet has less than is about to be locked. */
export function ShortBalance({ account, coin, neededUnits }: Acting & { readonly neededUnits: bigint }) {
  const { config, moneyMoved } = usePortal();
  if (account.balanceUnits === undefined || account.balanceUnits >= neededUnits) return null;
  return (
    <Notice tone="warn">
      <p>Your balance is smaller than what this locks: {formatAmount(neededUnits, coin)}.</p>
      {config.suiNetwork === 'local' && <Faucet account={account} coin={coin} onDone={moneyMoved} />}
    </Notice>
  );
}
