import type { Payout } from '@usufruct/protocol';
import type { ReceiptEvidence } from '@usufruct/sdk';
import { formatAmount, shortId, type Coin } from '../../app/format.js';
import { Empty } from '../../ui/layout.js';
import { ROLE_WORDS } from '../../ui/status.js';

/** Who was paid what for one question, as the settling transaction on the chain says. */
export function PaidTable({ evidence, coin }: { readonly evidence: ReceiptEvidence; readonly coin: Coin }) {
  const settled = settledIn(evidence);
  if (settled === undefined) return <Empty>Nothing was paid for this question yet.</Empty>;
  const uses = settled.type === 'ReceiptSettled' ? settled.uses : [];
  const total = uses.reduce((sum, { weight }) => sum + weight, 0n);
  const shareOf = ({ contributionId }: Payout): string => {
    const use = uses.find((candidate) => candidate.contributionId === contributionId);
    return use === undefined || total === 0n
      ? ''
      : `${(Number((use.weight * 1_000n + total / 2n) / total) / 10).toFixed(1)} %`;
  };
  const fileOf = ({ contributionId }: Payout): string =>
    evidence.answer?.citations.find((citation) => citation.contributionId === contributionId)?.fileName ?? '';
  return (
    <div className="table-wrap">
      <table className="cards" data-testid="paid">
        <caption>Who was paid for this answer</caption>
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col">For</th>
            <th scope="col" className="number">
              Weight of use
            </th>
            <th scope="col" className="number">
              Amount
            </th>
          </tr>
        </thead>
        <tbody>
          {settled.payouts.map((payout) => (
            <tr
              key={`${payout.role}/${payout.account}/${payout.contributionId ?? ''}`}
              data-role={payout.role}
              data-account={payout.account}
              data-units={payout.amountUnits.toString()}
            >
              <th scope="row">
                {ROLE_WORDS[payout.role]} <span className="hint">{shortId(payout.account)}</span>
              </th>
              <td data-label="For">{fileOf(payout)}</td>
              <td data-label="Weight" className="number">
                {shareOf(payout)}
              </td>
              <td data-label="Amount" className="number">
                {formatAmount(payout.amountUnits, coin)}
              </td>
            </tr>
          ))}
          {settled.type === 'ReceiptSettledPrivately' && (
            <tr data-role="set-aside" data-units={settled.pooledUnits.toString()}>
              <th scope="row">
                Contributors <span className="hint">set aside; divided in private, with the next epoch</span>
              </th>
              <td data-label="For" />
              <td data-label="Weight" className="number" />
              <td data-label="Amount" className="number">
                {formatAmount(settled.pooledUnits, coin)}
              </td>
            </tr>
          )}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row" colSpan={3}>
              Price
            </th>
            <td data-label="Price" className="number">
              <strong>{formatAmount(settled.priceUnits, coin)}</strong>
            </td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

function settledIn({ settlement }: ReceiptEvidence) {
  for (const { data } of settlement?.events ?? []) {
    if (data.type === 'ReceiptSettled' || data.type === 'ReceiptSettledPrivately') return data;
  }
  return undefined;
}
