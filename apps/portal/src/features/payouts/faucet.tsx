import { asAmount } from '@usufruct/kernel';
import { formatAmount, type Coin } from '../../app/format.js';
import type { ActiveAccount } from '../../app/portal.js';
import { useTask } from '../../app/use-task.js';
import { Button } from '../../ui/button.js';
import { Chip } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';

interface FaucetProps {
  readonly account: ActiveAccount;
  readonly coin: Coin;
  readonly onDone: () => void;
}

/** Local chain only: a real coin has an issuer, and its chain refuses to mint. */
export function Faucet({ account, coin, onDone }: FaucetProps) {
  const amountUnits = asAmount(100n * 10n ** BigInt(coin.decimals));
  const mint = useTask(async () => {
    const { chain, address } = account.client;
    await chain.execute([{ kind: 'mint', to: address, amountUnits }], account.signer);
    onDone();
  });
  return (
    <div className="stack tight">
      <div className="row">
        <Button small busy={mint.busy} onClick={() => void mint.run()}>
          Get {formatAmount(amountUnits, coin)} to play with
        </Button>
        <Chip tone="warn">local chain: worth nothing</Chip>
      </div>
      <Refusal error={mint.error} />
    </div>
  );
}
