import { counted, formatAmount } from '../../../app/format.js';
import type { Acting } from '../../../app/with-account.js';
import { Button } from '../../../ui/button.js';
import { Facts, Notice } from '../../../ui/layout.js';
import { Refusal } from '../../../ui/refusal.js';
import { datasetLabels } from '../../datasets/dataset-labels.js';
import { KeyModes } from '../../datasets/key-modes.js';
import { LeftOut } from '../left-out.js';
import { ShortBalance } from '../short-balance.js';
import { askedOf, togetherOf, type OfferPart, type SeveralOffer } from './offer.js';

interface SeveralOfferProps extends Acting {
  readonly offer: SeveralOffer;
  readonly busy: boolean;
  readonly onConfirm: () => void;
}

/** What each costs and may use, and the sum that is confirmed. */
export function SeveralOfferView({ account, coin, offer, busy, onConfirm }: SeveralOfferProps) {
  const togetherUnits = togetherOf(offer);
  const count = askedOf(offer).length;
  const labels = datasetLabels(offer.parts.map(({ dataset }) => dataset));
  return (
    <section className="stack" aria-label="What it costs" data-testid="several-offer">
      <ul className="list">
        {offer.parts.map((part) => (
          <OfferItem
            key={part.dataset.datasetId}
            account={account}
            coin={coin}
            part={part}
            label={labels.get(part.dataset.datasetId)}
          />
        ))}
      </ul>
      <Facts
        entries={[
          [
            'Together',
            <strong key="together" data-testid="together">
              {formatAmount(togetherUnits, coin)}
            </strong>,
          ],
        ]}
      />
      <ShortBalance account={account} coin={coin} neededUnits={togetherUnits} />
      {count === 0 ? (
        <Notice tone="warn">None of them can be asked for this purpose now.</Notice>
      ) : (
        <div className="row">
          <Button look="primary" busy={busy} onClick={onConfirm}>
            Lock {formatAmount(togetherUnits, coin)} and ask {count === 1 ? 'one dataset' : `${count} datasets`}
          </Button>
          <span className="hint">
            All are asked for this sum, or none. Only answers are paid: the share of one that refuses comes back.
          </span>
        </div>
      )}
    </section>
  );
}

interface OfferItemProps extends Acting {
  readonly part: OfferPart;
  readonly label: string | undefined;
}

function OfferItem({ account, coin, part, label }: OfferItemProps) {
  const { dataset, quote, error } = part;
  const { datasetId } = dataset;
  return (
    <li className="item" data-dataset={datasetId}>
      <span className="item-title">{label}</span>
      {quote === null ? (
        <>
          <Refusal error={error} />
          <p className="hint">It is not asked, and not in the sum.</p>
        </>
      ) : (
        <Facts
          entries={[
            ['Price', formatAmount(quote.escrowUnits, coin)],
            ['Usable now', counted(quote.usableContributions, 'contribution')],
            ['Keys', <KeyModes key="keys" account={account} datasetId={datasetId} />],
            ['Left out', <LeftOut key="left-out" leftOut={quote.leftOut} />],
          ]}
        />
      )}
    </li>
  );
}
