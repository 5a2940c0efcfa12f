import { NO_ANSWER_RULES } from '@usufruct/protocol';
import { useState, type FormEvent } from 'react';
import type { ActiveAccount } from '../../app/portal.js';
import { useAttemptKey } from '../../app/use-attempt.js';
import { useTask } from '../../app/use-task.js';
import type { DaoCard } from '../../data/catalogue.js';
import { Button } from '../../ui/button.js';
import { LongTextField, TextField } from '../../ui/field.js';
import { Refusal } from '../../ui/refusal.js';
import { answerRulesDraft, readAnswerRules } from './answer-rules-draft.js';
import { AnswerRulesFields } from './data-fields.js';

interface NewDatasetProps {
  readonly account: ActiveAccount;
  readonly dao: DaoCard;
  readonly onDone: () => void;
}

export function NewDataset({ account, dao, onDone }: NewDatasetProps) {
  const [title, setTitle] = useState('');
  const [description, setDescription] = useState('');
  const [rules, setRules] = useState(() => answerRulesDraft(NO_ANSWER_RULES));
  const keyOf = useAttemptKey();
  const publish = useTask(async () => {
    const metadata = { title: title.trim(), description: description.trim() };
    const answerRules = readAnswerRules(rules);
    const key = keyOf(JSON.stringify([dao.daoId, metadata, answerRules]));
    await account.client.datasets.create({ key, daoId: dao.daoId, ...metadata, answerRules });
    onDone();
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void publish.run();
  };
  return (
    <form className="stack" onSubmit={submit} aria-label="New dataset">
      <h3>New dataset</h3>
      <TextField label="Name of the dataset" required maxLength={120} value={title} onText={setTitle} />
      <LongTextField
        label="What it holds"
        hint="Public. Say what kind of documents, from whom and since when."
        required
        maxLength={2_000}
        value={description}
        onText={setDescription}
      />
      <details>
        <summary>What answers may show of it</summary>
        <AnswerRulesFields draft={rules} onChange={(part) => setRules({ ...rules, ...part })} />
      </details>
      <Refusal error={publish.error} />
      <div>
        <Button type="submit" look="primary" busy={publish.busy}>
          Publish the dataset
        </Button>
      </div>
    </form>
  );
}
