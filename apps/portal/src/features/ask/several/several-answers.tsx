import type { DatasetId } from '@usufruct/kernel';
import type { AskedPart, CitedPassage } from '@usufruct/sdk';
import { useEffect, useRef } from 'react';
import { formatAmount, shortId, type Coin } from '../../../app/format.js';
import { Chip, Notice, Panel } from '../../../ui/layout.js';
import { Refusal } from '../../../ui/refusal.js';
import { datasetLabels } from '../../datasets/dataset-labels.js';
import { AnswerView } from '../answer-view.js';
import { SignedRefusal } from '../signed-refusal.js';
import type { SeveralAsked } from './use-several.js';

interface SeveralAnswersProps {
  readonly asked: SeveralAsked;
  readonly coin: Coin;
  readonly onAgain: () => void;
}

/** Each answer by itself, under the receipt that it was paid by; one that refused says why among them. */
export function SeveralAnswersView({ asked, coin, onAgain }: SeveralAnswersProps) {
  const { offer, answers, paidUnits } = asked;
  const { parts, passages } = answers;
  const answered = parts.filter(({ paid }) => paid !== null).length;
  const labels = datasetLabels(offer.parts.map(({ dataset }) => dataset));
  const titled = (datasetId: DatasetId): string => labels.get(datasetId) ?? shortId(datasetId);
  const section = useRef<HTMLElement>(null);
  // The button that was pressed is gone: whoever works with the keyboard goes on at the answers.
  useEffect(() => {
    if (document.activeElement === document.body) section.current?.focus();
  }, [answers]);
  return (
    <section
      ref={section}
      tabIndex={-1}
      className="stack"
      aria-label={`Answers: ${offer.text}`}
      data-testid="several-answers"
    >
      <Panel title={offer.text}>
        <Notice tone={answered === parts.length ? 'good' : 'warn'}>
          <p>
            {answered} of {parts.length} datasets answered; together it cost {formatAmount(paidUnits, coin)}.
          </p>
        </Notice>
        <Passages passages={passages} titled={titled} />
      </Panel>
      {parts.map((part) => (
        <div key={part.datasetId} data-dataset={part.datasetId} data-answered={part.paid !== null}>
          <Part part={part} title={titled(part.datasetId)} coin={coin} onAgain={onAgain} />
        </div>
      ))}
      <p className="hint">
        Each dataset was asked in a session of its own. The page Sessions lists them, and opens the answers again on
        this device, for a day at least.
      </p>
    </section>
  );
}

interface PartProps extends Pick<SeveralAnswersProps, 'coin' | 'onAgain'> {
  readonly part: AskedPart;
  readonly title: string;
}

function Part({ part, title, coin, onAgain }: PartProps) {
  if (part.paid !== null) return <AnswerView title={title} asked={part.paid} coin={coin} />;
  return (
    <Panel title={title} actions={<Chip tone="bad">refused</Chip>}>
      <Refusal error={part.error} onRetry={onAgain} />
      {part.refusal !== null && <SignedRefusal evidence={part.refusal} />}
    </Panel>
  );
}

interface PassagesProps {
  readonly passages: readonly CitedPassage[];
  readonly titled: (datasetId: DatasetId) => string;
}

function Passages({ passages, titled }: PassagesProps) {
  if (passages.length === 0) return null;
  return (
    <details>
      <summary>What they cite, the best first</summary>
      <ol className="list">
        {passages.map(({ quote, places }) => (
          <li className="item" key={quote}>
            <blockquote>{quote}</blockquote>
            <p className="hint">
              {places.map(({ datasetId, citation }) => `${titled(datasetId)} [${citation + 1}]`).join(', ')}
            </p>
          </li>
        ))}
      </ol>
      <p className="hint">By their places in the answers: scores of different datasets cannot be compared.</p>
    </details>
  );
}
