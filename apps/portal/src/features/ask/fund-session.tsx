import { askablePurposes } from '@usufruct/consent';
import type { DatasetId } from '@usufruct/kernel';
import type { JobTerms, Quote } from '@usufruct/sdk';
import { useState, type FormEvent } from 'react';
import { counted, formatAmount } from '../../app/format.js';
import { usePortal } from '../../app/portal.js';
import { routeTo } from '../../app/route.js';
import { useTask } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import type { DatasetCard } from '../../data/catalogue.js';
import { Button } from '../../ui/button.js';
import { Field } from '../../ui/field.js';
import { Facts, Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { DatasetSelect, startingDataset } from '../datasets/dataset-select.js';
import { KeyModes } from '../datasets/key-modes.js';
import { LeftOut } from './left-out.js';
import { ShortBalance } from './short-balance.js';

interface FundSessionProps extends Acting {
  readonly datasets: readonly DatasetCard[];
  readonly named: string | null;
}

/** Choose what is asked of whom, see what it costs and what it may use, and lock the price. */
export function FundSession({ account, coin, datasets, named }: FundSessionProps) {
  const [picked, setPicked] = useState<DatasetId>();
  const chosen = datasets.find(({ datasetId }) => datasetId === picked) ?? startingDataset(datasets, named);
  return (
    <Panel title="Begin a session">
      <DatasetSelect datasets={datasets} chosen={chosen?.datasetId} onChange={setPicked} />
      {chosen !== undefined && <TermsForm key={chosen.datasetId} account={account} coin={coin} dataset={chosen} />}
    </Panel>
  );
}

interface Offer {
  readonly terms: JobTerms;
  readonly quote: Quote;
  /** Names the job that this offer leads to: pressing twice, or again after a lost answer, funds it once. */
  readonly key: string;
}

function TermsForm({ account, coin, dataset }: Acting & { readonly dataset: DatasetCard }) {
  const { policy } = dataset.dao;
  const purposes = askablePurposes(policy.purposes);
  const [purpose, setPurpose] = useState(policy.purposes[0] ?? '');
  const [questions, setQuestions] = useState(5);
  const [offer, setOffer] = useState<Offer>();
  const quote = useTask(async () => {
    setOffer(undefined);
    const { datasetId } = dataset;
    const terms = { datasetId, purpose, maxQuestions: questions, termMs: policy.maxJobTermMs };
    setOffer({ terms, quote: await account.client.jobs.quote(terms), key: crypto.randomUUID() });
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void quote.run();
  };
  return (
    <>
      <form className="stack" onSubmit={submit} aria-label="Terms of the session">
        <div className="columns">
          <Field
            label="Purpose"
            hint="What you will use the answers for. Owners allow purposes, and key holders check."
          >
            {(props) => (
              <select {...props} value={purpose} onChange={(event) => setPurpose(event.target.value)}>
                {purposes.map(({ code, label }) => (
                  <option key={code} value={code}>
                    {label}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label="Questions at most" hint={`${formatAmount(policy.pricePerQuestionUnits, coin)} each.`}>
            {(props) => (
              <input
                {...props}
                type="number"
                min={1}
                max={1_000}
                value={questions}
                onChange={(event) => setQuestions(event.target.valueAsNumber || 1)}
              />
            )}
          </Field>
        </div>
        <Refusal error={quote.error} />
        <div>
          <Button type="submit" look={offer === undefined ? 'primary' : 'plain'} busy={quote.busy}>
            See what it costs
          </Button>
        </div>
      </form>
      {offer !== undefined && <OfferView account={account} coin={coin} offer={offer} />}
    </>
  );
}

function OfferView({ account, coin, offer }: Acting & { readonly offer: Offer }) {
  const { moneyMoved } = usePortal();
  const { quote, terms, key } = offer;
  const fund = useTask(async () => {
    const job = await account.client.jobs.fund({ ...terms, key, escrowAtMostUnits: quote.escrowUnits });
    moneyMoved();
    window.location.hash = routeTo('ask', { job: job.id });
  });
  return (
    <section className="stack" aria-label="Offer" data-testid="offer">
      <Facts
        entries={[
          ['Locked now', <strong key="escrow">{formatAmount(quote.escrowUnits, coin)}</strong>],
          ['Per answer', formatAmount(quote.pricePerQuestionUnits, coin)],
          ['Usable now', counted(quote.usableContributions, 'contribution')],
          ['Keys', <KeyModes key="keys" account={account} datasetId={terms.datasetId} />],
          ['Left out', <LeftOut key="left-out" leftOut={quote.leftOut} />],
        ]}
      />
      <ShortBalance account={account} coin={coin} neededUnits={quote.escrowUnits} />
      <Refusal error={fund.error} />
      <div className="row">
        <Button look="primary" busy={fund.busy} onClick={() => void fund.run()}>
          Lock {formatAmount(quote.escrowUnits, coin)} and begin
        </Button>
        <span className="hint">Only answers are paid. The rest comes back when you close the session.</span>
      </div>
    </section>
  );
}
