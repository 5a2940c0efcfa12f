import { refuse } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import type { AnswerSentence, Asked, AskStep, JobSession, PendingQuestion, RefusalEvidence } from '@usufruct/sdk';
import { useState, type FormEvent } from 'react';
import { usePortal } from '../../app/portal.js';
import { useAttemptKey } from '../../app/use-attempt.js';
import { useLoaded, useTask } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import { Button } from '../../ui/button.js';
import { Field } from '../../ui/field.js';
import { Panel } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { AnswerView } from './answer-view.js';
import { NO_FILTER, readFilter } from './filter-draft.js';
import { FilterFields } from './filter-fields.js';
import { SignedRefusal } from './signed-refusal.js';
import { STEP_WORDS } from './step-words.js';

interface QuestionsProps extends Acting {
  readonly session: JobSession;
  readonly canAsk: boolean;
  readonly onAnswered: () => void;
}

export function Questions({ coin, session, canAsk, onAnswered }: QuestionsProps) {
  const { moneyMoved } = usePortal();
  const [answers, setAnswers] = useState<readonly { text: string; asked: Asked }[]>([]);
  const pending = useLoaded(session.jobId, () => session.pending());
  const shown = new Set(answers.map(({ asked }) => asked.questionId));
  const received = (text: string, asked: Asked) => {
    setAnswers((before) => [{ text, asked }, ...before.filter((one) => one.asked.questionId !== asked.questionId)]);
    moneyMoved();
    onAnswered();
    pending.reload();
  };
  const earlier = pending.data?.filter(({ questionId }) => !shown.has(questionId)) ?? [];
  return (
    <>
      {canAsk && <QuestionForm session={session} onAnswer={received} />}
      {answers.map(({ text, asked }) => (
        <AnswerView key={asked.questionId} title={text} asked={asked} coin={coin} />
      ))}
      {earlier.length > 0 && (
        <Panel
          title="Earlier questions"
          lead="Kept on this device, with the key that opens the answer, until you forget them."
        >
          <ul className="list">
            {earlier.map((question) => (
              <EarlierQuestion
                key={question.questionId}
                session={session}
                question={question}
                onAnswer={received}
                onForgotten={pending.reload}
              />
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}

interface QuestionFormProps {
  readonly session: JobSession;
  readonly onAnswer: (text: string, asked: Asked) => void;
}

function QuestionForm({ session, onAnswer }: QuestionFormProps) {
  const [text, setText] = useState('');
  const [draft, setDraft] = useState(NO_FILTER);
  const [step, setStep] = useState<AskStep>();
  const [signed, setSigned] = useState<RefusalEvidence>();
  const [pieces, setPieces] = useState<readonly AnswerSentence[]>([]);
  const keyOf = useAttemptKey();
  // Asked again after an answer, the same words are another question.
  const [round, setRound] = useState(0);
  const read = readFilter(draft);
  const ask = useTask(async () => {
    if ('problem' in read) throw refuse('INVALID_ARGUMENT', { field: read.problem });
    const { filter } = read;
    const key = keyOf(JSON.stringify([round, text, filter]));
    const question = { key, text, ...(filter !== null && { filter }) };
    setPieces([]);
    setSigned(undefined);
    for await (const event of session.askStream(question, { onRefusal: setSigned })) {
      if (event.kind === 'step') setStep(event.step);
      else if (event.kind === 'sentence') setPieces((before) => [...before, event.sentence]);
      else {
        setRound(round + 1);
        setText('');
        setPieces([]);
        onAnswer(text, event.asked);
      }
    }
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void ask.run();
  };
  return (
    <Panel title="Your question">
      <form className="stack" onSubmit={submit} aria-label="Question">
        <Field
          label="Question"
          hint="Encrypted in this browser to the runner whose evidence passed. The API relays only ciphertext."
        >
          {(props) => (
            <textarea
              {...props}
              required
              maxLength={LIMITS.questionChars}
              value={text}
              disabled={ask.busy}
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Field>
        <FilterFields draft={draft} onChange={setDraft} />
        <Refusal error={ask.error} />
        {ask.error !== undefined && signed !== undefined && <SignedRefusal evidence={signed} />}
        <div className="row" aria-live="polite">
          <Button type="submit" look="primary" busy={ask.busy}>
            Ask
          </Button>
          {ask.busy && step !== undefined && <span className="hint">{STEP_WORDS[step]}…</span>}
        </div>
        {ask.busy && pieces.length > 0 && (
          <section className="stack tight" aria-label="Arriving" data-testid="pieces">
            <p className="answer">{pieces.map(({ shown }) => shown).join(' ')}</p>
            <p className="hint">On its way: the receipt is not checked yet.</p>
          </section>
        )}
      </form>
    </Panel>
  );
}

interface EarlierQuestionProps {
  readonly session: JobSession;
  readonly question: PendingQuestion;
  readonly onAnswer: (text: string, asked: Asked) => void;
  readonly onForgotten: () => void;
}

function EarlierQuestion({ session, question, onAnswer, onForgotten }: EarlierQuestionProps) {
  const { questionId, text } = question;
  const resume = useTask(async () => onAnswer(text, await session.resume(questionId)));
  const forget = useTask(async () => {
    await session.forget(questionId);
    onForgotten();
  });
  return (
    <li className="item">
      <span className="item-title">{text}</span>
      <Refusal error={resume.error ?? forget.error} />
      <div className="row">
        <Button small busy={resume.busy} onClick={() => void resume.run()}>
          Show the answer
        </Button>
        <Button small busy={forget.busy} onClick={() => void forget.run()}>
          Forget
        </Button>
      </div>
    </li>
  );
}
