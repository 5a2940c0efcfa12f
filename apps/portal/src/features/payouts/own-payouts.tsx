import { claimEndOf, type EpochPhase } from '@usufruct/protocol';
import type { PrivatePayout, PrivatePayouts } from '@usufruct/sdk';
import { useState } from 'react';
import { formatAmount, formatTime } from '../../app/format.js';
import { useTask } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import { Button } from '../../ui/button.js';
import { Id } from '../../ui/id.js';
import { Empty, Notice, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';

/** Private payouts, from the key holders: only the account itself is told its parts, so nothing is asked by itself. */
export function OwnPayouts({ account, coin, onClaimed }: Acting & { readonly onClaimed: () => void }) {
  const { payouts } = account.client;
  const [found, setFound] = useState<PrivatePayouts>();
  const fetch = useTask(async () => setFound(await payouts.fetch()));
  const claim = useTask(async () => {
    await payouts.claimAll();
    setFound(await payouts.fetch());
    onClaimed();
  });
  const open = (found?.payouts ?? []).filter(({ phase, isClaimed }) => phase === 'claimable' && !isClaimed);
  return (
    <Panel
      title="Your parts of epochs"
      lead="A DAO that pays in epochs keeps the weights of use private. The key holders tell you your own parts, and nobody else; each is checked against the chain on this device."
    >
      <div className="row">
        <Button busy={fetch.busy} onClick={() => void fetch.run()}>
          Ask the key holders
        </Button>
        {open.length > 0 && (
          <Button look="primary" busy={claim.busy} onClick={() => void claim.run()}>
            Claim all that is open
          </Button>
        )}
      </div>
      <Refusal error={fetch.error ?? claim.error} />
      {found?.payouts.length === 0 && <Empty>You have no part of an epoch that is open.</Empty>}
      {found !== undefined && found.unanswered.length > 0 && (
        <Notice tone="warn">
          Of {found.unanswered.length} of the open epochs not every key holder has said that you have no part: ask again
          later.
        </Notice>
      )}
      {found !== undefined && found.payouts.length > 0 && <Parts payouts={found.payouts} coin={coin} />}
    </Panel>
  );
}

const STATE_WORDS: Readonly<Record<EpochPhase, string>> = {
  challenge: 'key holders may still object',
  claimable: 'can be claimed',
  ended: 'the time to claim is over',
  rejected: 'rejected',
  swept: 'the time to claim is over',
};

function Parts({ payouts, coin }: Pick<Acting, 'coin'> & { readonly payouts: readonly PrivatePayout[] }) {
  return (
    <div className="table-wrap">
      <table className="cards" data-testid="own-parts">
        <thead>
          <tr>
            <th scope="col">Epoch</th>
            <th scope="col">Time to claim</th>
            <th scope="col">State</th>
            <th scope="col" className="number">
              Amount
            </th>
          </tr>
        </thead>
        <tbody>
          {payouts.map(({ epoch, phase, proof, isClaimed }) => (
            <tr key={epoch.id} data-claimed={isClaimed} data-units={proof.leaf.amountUnits.toString()}>
              <th scope="row">
                {epoch.number.toString()} of <Id value={epoch.daoId} what="DAO" />
              </th>
              <td data-label="Time to claim">
                {formatTime(epoch.challengeEndsAtMs)} to {formatTime(claimEndOf(epoch))}
              </td>
              <td data-label="State">{isClaimed ? 'paid' : STATE_WORDS[phase]}</td>
              <td data-label="Amount" className="number">
                {formatAmount(proof.leaf.amountUnits, coin)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
