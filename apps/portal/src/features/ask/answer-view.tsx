import type { Answer } from '@usufruct/protocol';
import { decodeReceipt, type Asked } from '@usufruct/sdk';
import { useId, type ReactNode } from 'react';
import { formatAmount, shortId, type Coin } from '../../app/format.js';
import { Checks } from '../../ui/checks.js';
import { Chip, Notice, Panel } from '../../ui/layout.js';
import { RECEIPT_MEANINGS } from '../verify/check-meanings.js';
import { EvidenceFile } from '../verify/evidence-file.js';
import { PaidTable } from '../verify/paid-table.js';

interface AnswerViewProps {
  /** The question, or which dataset of several has answered it. */
  readonly title: string;
  readonly asked: Asked;
  readonly coin: Coin;
}

/** An answer, where each sentence comes from, whom it paid, and what was checked about all that. */
export function AnswerView({ title, asked, coin }: AnswerViewProps) {
  const { answer, verdict, evidence, questionId } = asked;
  const id = useId();
  const isKnown = answer.sentences.length > 0;
  const costUnits = decodeReceipt(evidence.receipt)?.priceUnits ?? 0n;
  return (
    <Panel
      title={title}
      actions={
        <span className="row">
          <Chip>{formatAmount(costUnits, coin)}</Chip>
          <Chip tone={verdict.ok ? 'good' : 'bad'}>{verdict.ok ? 'receipt checked' : 'receipt failed'}</Chip>
        </span>
      }
    >
      <div className="stack" data-testid="answer" data-question={questionId}>
        {isKnown ? (
          <p className="answer">
            {answer.sentences.map((sentence, index) => (
              <span key={index}>
                {sentence.text}
                {sentence.citations.map((number) => (
                  <CitationMark key={number} number={number} target={`${id}-${number}`} />
                ))}{' '}
              </span>
            ))}
          </p>
        ) : (
          <Unknown text={answer.text} isFree={costUnits === 0n} />
        )}
        {isKnown && <p className="hint">{generatorWords(answer)}</p>}
        <Citations answer={answer} idOf={(number) => `${id}-${number}`} />
        {(isKnown || costUnits > 0n) && <PaidTable evidence={evidence} coin={coin} />}
        <details>
          <summary>What was checked about the receipt</summary>
          <div className="stack">
            <Checks caption="Checked in this browser" checks={verdict.checks} meanings={RECEIPT_MEANINGS} />
            <Notice>
              The receipt proves what was signed and paid. It does not prove that the answer is right, or that the
              weights are fair.
            </Notice>
            <EvidenceFile evidence={evidence} questionId={questionId} />
          </div>
        </details>
      </div>
    </Panel>
  );
}

/** Said as it is: no answer is put together where the documents have none. */
function Unknown({ text, isFree }: { readonly text: string; readonly isFree: boolean }) {
  return (
    <Notice>
      <p className="answer" data-testid="unknown">
        {text}
      </p>
      {isFree && <p>Nothing was paid for it, and a receipt says so.</p>}
    </Notice>
  );
}

const generatorWords = ({ generator, model }: Answer): string =>
  generator === 'extractive'
    ? 'No language model wrote this: the sentences are taken from the documents as they are.'
    : `Written by a language model inside the runner, from the passages below${model === undefined ? '' : ` (${model.name}, ${shortId(model.sha256)}, as in the receipt)`}. It can be wrong where the passages are right.`;

/** The address after `#` names the page, so a citation is reached by moving the focus. */
function CitationMark({ number, target }: { readonly number: number; readonly target: string }) {
  return (
    <sup>
      <a
        href={`#${target}`}
        aria-label={`Citation ${number + 1}`}
        onClick={(event) => {
          event.preventDefault();
          document.getElementById(target)?.focus();
        }}
      >
        {number + 1}
      </a>
    </sup>
  );
}

function Citations({
  answer,
  idOf,
}: {
  readonly answer: Answer;
  readonly idOf: (number: number) => string;
}): ReactNode {
  if (answer.citations.length === 0) return null;
  return (
    <section className="stack tight" aria-label="Citations">
      <h3>Where it comes from</h3>
      <ol className="list" data-testid="citations">
        {answer.citations.map((citation, number) => (
          <li className="item" key={number} id={idOf(number)} tabIndex={-1} data-file={citation.fileName}>
            <div className="row">
              <Chip>{number + 1}</Chip>
              <span className="item-title">{citation.fileName}</span>
              <span className="hint">{citation.locator}</span>
            </div>
            <blockquote>{citation.quote}</blockquote>
          </li>
        ))}
      </ol>
    </section>
  );
}
