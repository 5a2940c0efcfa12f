import {
  PAYOUT_MODES,
  UNCLAIMED_TO,
  VOTING_KINDS,
  type PayoutMode,
  type UnclaimedTo,
  type VotingKind,
} from '@usufruct/protocol';
import { Choices, Field, TextField } from '../../ui/field.js';
import type { SplitDraft } from './policy-draft.js';
import type { GovernanceDraft, PayoutRulesDraft } from './proposal-draft.js';

interface SelectFieldProps<T extends string> {
  readonly label: string;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}

/** One of few. */
export function SelectField<T extends string>({ label, options, value, onChange }: SelectFieldProps<T>) {
  return (
    <Field label={label}>
      {(props) => (
        <select
          {...props}
          value={value}
          onChange={(event) => {
            const chosen = options.find((option) => option.value === event.target.value);
            if (chosen !== undefined) onChange(chosen.value);
          }}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface DraftProps<D> {
  readonly draft: D;
  readonly onChange: (part: Partial<D>) => void;
}

const SPLIT_FIELDS = [
  ['contributorsPercent', 'Contributors, %'],
  ['treasuryPercent', 'Treasury, %'],
  ['runnerPercent', 'Runner, %'],
  ['protocolPercent', 'Protocol, %'],
] as const;

export function SplitFields({ draft, onChange }: DraftProps<SplitDraft>) {
  return (
    <fieldset>
      <legend>How the price is divided</legend>
      <div className="columns narrow">
        {SPLIT_FIELDS.map(([name, label]) => (
          <TextField
            key={name}
            label={label}
            required
            inputMode="decimal"
            value={draft[name]}
            onText={(percent) => onChange({ [name]: percent })}
          />
        ))}
      </div>
    </fieldset>
  );
}

const VOTING_WORDS: Readonly<Record<VotingKind, string>> = {
  member: 'one vote a member',
  contribution: 'one vote a unit earned as a contributor',
};

export function GovernanceFields({ draft, onChange }: DraftProps<GovernanceDraft>) {
  return (
    <div className="stack tight">
      <div className="columns">
        <SelectField
          label="Votes"
          options={VOTING_KINDS.map((value) => ({ value, label: VOTING_WORDS[value] }))}
          value={draft.voting}
          onChange={(voting) => onChange({ voting })}
        />
        <TextField
          label="Votes that must be cast, %"
          inputMode="decimal"
          required
          value={draft.quorumPercent}
          onText={(quorumPercent) => onChange({ quorumPercent })}
        />
        <TextField
          label="Yes among yes and no, %"
          hint="More than half."
          inputMode="decimal"
          required
          value={draft.approvalPercent}
          onText={(approvalPercent) => onChange({ approvalPercent })}
        />
      </div>
      <div className="columns">
        <TextField
          label="Time to vote"
          hint="As 3d, 2h, 15m or 90s."
          required
          value={draft.votingTime}
          onText={(votingTime) => onChange({ votingTime })}
        />
        <TextField
          label="Timelock"
          hint="From the end of voting until it can be executed."
          required
          value={draft.timelock}
          onText={(timelock) => onChange({ timelock })}
        />
        <TextField
          label="Time to execute"
          required
          value={draft.executionTime}
          onText={(executionTime) => onChange({ executionTime })}
        />
      </div>
      <Choices
        legend="Who changes the policy"
        options={[{ value: 'vote', label: 'Only a vote', hint: 'Only a vote can take this back.' }]}
        chosen={draft.policyByVoteOnly ? ['vote'] : []}
        onChange={(chosen) => onChange({ policyByVoteOnly: chosen.length > 0 })}
      />
    </div>
  );
}

const MODE_WORDS: Readonly<Record<PayoutMode, string>> = {
  direct: 'at once, with public weights',
  epoch: 'in epochs, with private weights',
};
const UNCLAIMED_WORDS: Readonly<Record<UnclaimedTo, string>> = {
  treasury: 'the treasury',
  protocol: 'the protocol',
};

export function PayoutRulesFields({ draft, onChange }: DraftProps<PayoutRulesDraft>) {
  return (
    <div className="columns">
      <SelectField
        label="Contributors are paid"
        options={PAYOUT_MODES.map((value) => ({ value, label: MODE_WORDS[value] }))}
        value={draft.mode}
        onChange={(mode) => onChange({ mode })}
      />
      {draft.mode === 'epoch' && (
        <>
          <TextField
            label="Time to object"
            hint="As 3d or 2h."
            required
            value={draft.challengeTime}
            onText={(challengeTime) => onChange({ challengeTime })}
          />
          <TextField
            label="Time to claim"
            required
            value={draft.claimTerm}
            onText={(claimTerm) => onChange({ claimTerm })}
          />
          <SelectField
            label="What nobody claims goes to"
            options={UNCLAIMED_TO.map((value) => ({ value, label: UNCLAIMED_WORDS[value] }))}
            value={draft.unclaimedTo}
            onChange={(unclaimedTo) => onChange({ unclaimedTo })}
          />
        </>
      )}
    </div>
  );
}
