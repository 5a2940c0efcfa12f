import { toUsufructError, type UsufructError } from '@usufruct/kernel';
import {
  policyAfter,
  policyDiff,
  type DaoView,
  type ProposalEffect,
  type ProposalEffectKind,
} from '@usufruct/protocol';
import { effectTitle, explainChange, explainEffect } from '@usufruct/sdk';
import { useState, type FormEvent } from 'react';
import { useAttemptKey } from '../../app/use-attempt.js';
import { useTask } from '../../app/use-task.js';
import type { Acting } from '../../app/with-account.js';
import type { DatasetCard } from '../../data/catalogue.js';
import { Button } from '../../ui/button.js';
import { LongTextField } from '../../ui/field.js';
import { Notice } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { EffectFields } from './effect-fields.js';
import { firstProposalDraft, readProposal, type ProposalDraft } from './proposal-draft.js';
import { SelectField } from './rule-fields.js';
import { EFFECT_LABELS, wordsIn } from './words.js';

interface NewProposalProps extends Acting {
  readonly dao: DaoView;
  readonly datasets: readonly DatasetCard[];
  readonly onDone: () => void;
}

/** One decision for the members. What it would do is said in words before the wallet signs it. */
export function NewProposal({ account, coin, dao, datasets, onDone }: NewProposalProps) {
  const [draft, setDraft] = useState(() => firstProposalDraft(dao, coin));
  const [reason, setReason] = useState('');
  const change = (part: Partial<ProposalDraft>) => setDraft({ ...draft, ...part });
  const keyOf = useAttemptKey();
  const read = tryRead(() => readProposal(draft, coin));
  const propose = useTask(async () => {
    if ('refusal' in read) throw read.refusal;
    await account.client.proposals.propose({
      key: keyOf(JSON.stringify([dao.id, draft, reason])),
      daoId: dao.id,
      effect: read.effect,
      title: effectTitle(read.effect, wordsIn(coin)),
      description: reason.trim(),
    });
    onDone();
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void propose.run();
  };
  return (
    <form className="stack" onSubmit={submit} aria-label="New proposal">
      <h3>New proposal</h3>
      <SelectField
        label="What to decide"
        options={Object.entries(EFFECT_LABELS).map(([value, label]) => ({ value: value as ProposalEffectKind, label }))}
        value={draft.kind}
        onChange={(kind) => change({ kind })}
      />
      <EffectFields draft={draft} onChange={change} dao={dao} datasets={datasets} coin={coin} />
      <LongTextField
        label="Reasons"
        hint="The members read them here; only the digest of these words goes to the chain."
        maxLength={2_000}
        value={reason}
        onText={setReason}
      />
      {'effect' in read && <WhatItDoes effect={read.effect} dao={dao} coin={coin} />}
      <Refusal error={propose.error} />
      <div>
        <Button type="submit" look="primary" busy={propose.busy}>
          Propose it
        </Button>
      </div>
    </form>
  );
}

function WhatItDoes({ effect, dao, coin }: Pick<NewProposalProps, 'dao' | 'coin'> & { effect: ProposalEffect }) {
  const words = wordsIn(coin);
  const after = policyAfter(dao.policy, effect);
  const changes = after === null ? null : policyDiff(dao.policy, after);
  return (
    <Notice tone={changes?.length === 0 ? 'warn' : 'neutral'}>
      <strong>The members will vote on:</strong>
      {explainEffect(effect, words).map((line) => (
        <p key={line}>{line}</p>
      ))}
      {changes?.length === 0 && <p>This is what the DAO has already: nothing would change.</p>}
      {changes?.map((change) => (
        <p className="hint" key={change.field}>
          {explainChange(change, words)}
        </p>
      ))}
    </Notice>
  );
}

type Read = { readonly effect: ProposalEffect } | { readonly refusal: UsufructError };
function tryRead(read: () => ProposalEffect): Read {
  try {
    return { effect: read() };
  } catch (error) {
    return { refusal: toUsufructError(error) };
  }
}
