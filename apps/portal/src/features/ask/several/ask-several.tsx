import { refuse, type DatasetId } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { MOST_DATASETS } from '@usufruct/sdk';
import { useState, type FormEvent } from 'react';
import { formatAmount } from '../../../app/format.js';
import { usePortal } from '../../../app/portal.js';
import { useTask } from '../../../app/use-task.js';
import type { Acting } from '../../../app/with-account.js';
import type { DatasetCard } from '../../../data/catalogue.js';
import { Button } from '../../../ui/button.js';
import { Choices, Field, LongTextField } from '../../../ui/field.js';
import { Notice, Panel } from '../../../ui/layout.js';
import { Refusal } from '../../../ui/refusal.js';
import { datasetLabels } from '../../datasets/dataset-labels.js';
import { NO_FILTER, readFilter } from '../filter-draft.js';
import { FilterFields } from '../filter-fields.js';
import { STEP_WORDS } from '../step-words.js';
import { askedOf, commonPurposes, offerOf, type SeveralOffer } from './offer.js';
import { SeveralAnswersView } from './several-answers.js';
import { SeveralOfferView } from './several-offer.js';
import { useSeveral, type Several } from './use-several.js';

interface AskSeveralProps extends Acting {
  readonly datasets: readonly DatasetCard[];
}

/** One question to several datasets: choose, see what each costs and the sum, confirm, read each answer by itself. */
export function AskSeveral({ account, coin, datasets }: AskSeveralProps) {
  const { moneyMoved } = usePortal();
  const [offer, setOffer] = useState<SeveralOffer>();
  const several = useSeveral(account.client, moneyMoved);
  const { ask, asked } = several;
  const isAnswered = asked.some((one) => one.offer.key === offer?.key);
  return (
    <>
      <Panel
        title="Ask several datasets at once"
        lead="One question, asked of each dataset in a session of its own, so each is paid and proven by itself. You see what each costs before anything is locked."
      >
        <SeveralForm
          account={account}
          coin={coin}
          datasets={datasets}
          isAsking={ask.busy}
          hasOffer={offer !== undefined && !isAnswered}
          onOffer={setOffer}
        />
        {offer !== undefined && !isAnswered && (
          <SeveralOfferView
            account={account}
            coin={coin}
            offer={offer}
            busy={ask.busy}
            onConfirm={() => void ask.run(offer)}
          />
        )}
        <Refusal error={ask.error} />
        {ask.busy && offer !== undefined && <Progress offer={offer} steps={several.steps} />}
      </Panel>
      {asked.map((one) => (
        <SeveralAnswersView
          key={one.offer.key}
          asked={one}
          coin={coin}
          onAgain={() => {
            setOffer(one.offer);
            void ask.run(one.offer);
          }}
        />
      ))}
    </>
  );
}

interface SeveralFormProps extends AskSeveralProps {
  readonly isAsking: boolean;
  readonly hasOffer: boolean;
  readonly onOffer: (offer: SeveralOffer | undefined) => void;
}

function SeveralForm({ account, coin, datasets, isAsking, hasOffer, onOffer }: SeveralFormProps) {
  const [picked, setPicked] = useState<readonly DatasetId[]>([]);
  const [wanted, setWanted] = useState('');
  const [text, setText] = useState('');
  const [filter, setFilter] = useState(NO_FILTER);
  const chosen = datasets.filter(({ datasetId }) => picked.includes(datasetId));
  const purposes = commonPurposes(chosen);
  const purpose = (purposes.find(({ code }) => code === wanted) ?? purposes[0])?.code;
  const labels = datasetLabels(datasets);
  const isSome = chosen.length > 1;
  const quote = useTask(async () => {
    if (!isSome || purpose === undefined) return;
    const read = readFilter(filter);
    if ('problem' in read) throw refuse('INVALID_ARGUMENT', { field: read.problem });
    onOffer(undefined);
    onOffer(await offerOf(account.client.jobs.quote, chosen, { text, purpose, filter: read.filter }));
  });
  /** An offer is of what stands in the form. */
  const changing =
    <T,>(change: (value: T) => void) =>
    (value: T) => {
      onOffer(undefined);
      change(value);
    };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void quote.run();
  };
  return (
    <form onSubmit={submit} aria-label="Question to several datasets">
      <fieldset className="stack" disabled={isAsking || quote.busy}>
        <Choices
          legend={`Datasets, two to ${MOST_DATASETS}`}
          options={datasets.map((dataset) => ({
            value: dataset.datasetId,
            label: labels.get(dataset.datasetId)!,
            hint: `${formatAmount(dataset.dao.policy.pricePerQuestionUnits, coin)} a question`,
            disabled: chosen.length >= MOST_DATASETS && !picked.includes(dataset.datasetId),
          }))}
          chosen={picked}
          onChange={changing(setPicked)}
        />
        {isSome && purposes.length === 0 && (
          <Notice tone="warn">There is no purpose that all of them allow. Choose fewer, or ask each by itself.</Notice>
        )}
        <Field label="Purpose" hint="What you will use the answers for: one that all of the chosen datasets allow.">
          {(props) => (
            <select
              {...props}
              required
              value={purpose ?? ''}
              onChange={(event) => changing(setWanted)(event.target.value)}
            >
              {purpose === undefined && <option value="">Choose datasets first…</option>}
              {purposes.map(({ code, label }) => (
                <option key={code} value={code}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </Field>
        <LongTextField
          label="Question to all of them"
          hint="Encrypted in this browser, for each to the runner whose evidence passed. The API relays only ciphertext."
          required
          maxLength={LIMITS.questionChars}
          value={text}
          onText={changing(setText)}
        />
        <FilterFields draft={filter} onChange={changing(setFilter)} />
        <Refusal error={quote.error} />
        <div>
          <Button
            type="submit"
            look={hasOffer ? 'plain' : 'primary'}
            busy={quote.busy}
            disabled={!isSome || purpose === undefined}
          >
            See what it costs
          </Button>
        </div>
      </fieldset>
    </form>
  );
}

function Progress({ offer, steps }: { readonly offer: SeveralOffer } & Pick<Several, 'steps'>) {
  const labels = datasetLabels(offer.parts.map(({ dataset }) => dataset));
  return (
    <ul className="list" aria-live="polite" aria-label="How far each is" data-testid="several-progress">
      {askedOf(offer).map((dataset) => {
        const step = steps.get(dataset.datasetId);
        return (
          <li className="row" key={dataset.datasetId} data-step={step ?? 'locking'}>
            {step !== 'done' && <span className="spinner" aria-hidden="true" />}
            <span>{labels.get(dataset.datasetId)}</span>
            <span className="hint">{step === undefined ? 'locking its price' : STEP_WORDS[step]}</span>
          </li>
        );
      })}
    </ul>
  );
}
