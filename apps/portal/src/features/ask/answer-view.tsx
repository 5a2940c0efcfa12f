import type { Answer } from '@usufruct/protocol';
import type { Asked } from '@usufruct/sdk';
import { useId, type ReactNode } from 'react';
import type { Coin } from '../../app/format.js';
import { Checks } from '../../ui/checks.js';
import { Chip, Notice, Panel } from '../../ui/layout.js';
import { RECEIPT_MEANINGS } from '../verify/check-meanings.js';
import { EvidenceFile } from '../verify/evidence-file.js';
import { PaidTable } from '../verify/paid-table.js';

interface AnswerViewProps {
  readonly question: string;
  readonly asked: Asked;
  readonly coin: Coin;
}

/** An answer, where each sentence comes from, whom it paid, and what was checked about all that. */
export function AnswerView({ question, asked, coin }: AnswerViewProps) {
  const { answer, verdict, evidence, questionId } = asked;
  const id = useId();
  return (
    <Panel
      title={question}
      actions={<Chip tone={verdict.ok ? 'good' : 'bad'}>{verdict.ok ? 'receipt checked' : 'receipt failed'}</Chip>}
    >
      <div className="stack" data-testid="answer" data-question={questionId}>
        {answer.sentences.length === 0 && <p className="answer">{answer.text}</p>}
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
        {answer.generator === 'extractive' && (
          <p className="hint">No language model wrote this: the sentences are taken from the documents as they are.</p>
        )}
        <Citations answer={answer} idOf={(number) => `${id}-${number}`} />
        <PaidTable evidence={evidence} coin={coin} />
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
