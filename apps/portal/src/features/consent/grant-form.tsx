import { explainTerms, PURPOSES, purposesCover, signable } from '@usufruct/consent';
import {
  asTimestampMs,
  toUsufructError,
  type ContributionId,
  type TimestampMs,
  type UsufructError,
} from '@usufruct/kernel';
import type { ComputationKind, GrantTerms, ProtectionKind } from '@usufruct/protocol';
import { useState, type FormEvent } from 'react';
import { amountInputText, formatAmount, formatTime, parseAmountInput, type Coin } from '../../app/format.js';
import type { ActiveAccount } from '../../app/portal.js';
import { useAttemptKey } from '../../app/use-attempt.js';
import { useTask } from '../../app/use-task.js';
import type { DaoCard } from '../../data/catalogue.js';
import { Button } from '../../ui/button.js';
import { Choices, Field, TextField } from '../../ui/field.js';
import { Notice } from '../../ui/layout.js';
import { Refusal } from '../../ui/refusal.js';
import { KIND_WORDS, PROTECTION_WORDS } from '../../ui/status.js';

const DAY_MS = 24 * 60 * 60_000;
const DAYS = [7, 30, 90, 365, 1_825] as const;

interface GrantFormProps {
  readonly account: ActiveAccount;
  readonly coin: Coin;
  readonly contributionId: ContributionId;
  readonly dao: DaoCard;
  readonly onGiven: () => void;
}

/** What the contribution may be used for. What is chosen is said again in words before the wallet signs it. */
export function GrantForm({ account, coin, contributionId, dao, onGiven }: GrantFormProps) {
  const [draft, setDraft] = useState(() => firstDraft(dao, coin));
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const keyOf = useAttemptKey();
  const terms = readTerms(draft, coin);
  const give = useTask(async () => {
    if ('refusal' in terms) throw terms.refusal;
    await account.client.grants.give({ key: keyOf(JSON.stringify(draft)), contributionId, terms: terms.terms });
    onGiven();
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void give.run();
  };
  return (
    <form className="stack" onSubmit={submit} aria-label="Allow a use">
      <UseFields dao={dao} draft={draft} onChange={change} />
      <LimitFields dao={dao} draft={draft} onChange={change} coin={coin} />
      {'terms' in terms && (
        <Notice>
          <strong>You are about to sign:</strong>
          {explainTerms(terms.terms, { amount: (units) => formatAmount(units, coin), time: formatTime }).map((line) => (
            <p key={line}>{line}</p>
          ))}
        </Notice>
      )}
      <Refusal error={give.error} />
      <div>
        <Button type="submit" look="primary" busy={give.busy} disabled={draft.purposes.length === 0}>
          Sign this grant
        </Button>
      </div>
    </form>
  );
}

interface FieldsProps {
  readonly dao: DaoCard;
  readonly draft: Draft;
  readonly onChange: (part: Partial<Draft>) => void;
}

function UseFields({ dao, draft, onChange }: FieldsProps) {
  const { policy } = dao;
  return (
    <>
      <Choices
        legend="What for"
        options={purposesFor(dao).map(({ code, label }) => ({ value: code, label, hint: code }))}
        chosen={draft.purposes}
        onChange={(purposes) => onChange({ purposes })}
      />
      <Choices
        legend="By what kind of computation"
        options={policy.kinds.map((value) => ({ value, label: KIND_WORDS[value] }))}
        chosen={draft.kinds}
        onChange={(kinds) => onChange({ kinds })}
      />
      <Choices
        legend="Protected how"
        options={policy.protections.map((value) => ({ value, label: PROTECTION_WORDS[value] }))}
        chosen={draft.protections}
        onChange={(protections) => onChange({ protections })}
      />
    </>
  );
}

function LimitFields({ dao, draft, onChange, coin }: FieldsProps & { readonly coin: Coin }) {
  return (
    <div className="columns">
      <TextField
        label={`Least price of a question, in ${coin.symbol}`}
        hint={`The DAO asks for ${formatAmount(dao.policy.pricePerQuestionUnits, coin)} now.`}
        inputMode="decimal"
        value={draft.floor}
        onText={(floor) => onChange({ floor })}
      />
      <Field label="For how long">
        {(props) => (
          <select {...props} value={draft.days} onChange={(event) => onChange({ days: Number(event.target.value) })}>
            {DAYS.map((count) => (
              <option key={count} value={count}>
                {count < 365 ? `${count} days` : count === 365 ? '1 year' : `${count / 365} years`}
              </option>
            ))}
          </select>
        )}
      </Field>
    </div>
  );
}

const firstDraft = ({ policy }: DaoCard, coin: Coin): Draft => ({
  purposes: [],
  kinds: policy.kinds.slice(0, 1),
  protections: policy.protections.slice(0, 1),
  floor: amountInputText(policy.pricePerQuestionUnits, coin),
  days: 90,
});

/** What the DAO's policy allows at all, and everything narrower that is known by name. */
const purposesFor = ({ policy }: DaoCard) => {
  const known = PURPOSES.filter(({ code }) => purposesCover(policy.purposes, code));
  const unnamed = policy.purposes.filter((code) => !known.some((purpose) => purpose.code === code));
  return [...known, ...unnamed.map((code) => ({ code, label: code }))];
};

interface Draft {
  readonly purposes: readonly string[];
  readonly kinds: readonly ComputationKind[];
  readonly protections: readonly ProtectionKind[];
  readonly floor: string;
  readonly days: number;
}

function readTerms(draft: Draft, coin: Coin): { readonly terms: GrantTerms } | { readonly refusal: UsufructError } {
  const { purposes, kinds, protections, floor, days } = draft;
  try {
    const priceFloorUnits = parseAmountInput(floor, coin, 'least price');
    // Whole minutes, so that the sentence to be signed does not change while it is read.
    const end: TimestampMs = asTimestampMs(Math.ceil((Date.now() + days * DAY_MS) / 60_000) * 60_000);
    const limits = { kinds, protections, priceFloorUnits, budgetMicroEpsilon: 0n };
    if (purposes.length === 0) return { terms: { ...limits, purposes, expiresAtMs: end } };
    const signed = signable({ purposes, expiresAtMs: end });
    return signed.ok ? { terms: { ...limits, ...signed.value } } : { refusal: signed.refusal };
  } catch (error) {
    return { refusal: toUsufructError(error) };
  }
}
