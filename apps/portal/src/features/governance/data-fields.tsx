import {
  BLOB_LIFETIMES,
  ON_REVOCATION,
  type BlobLifetime,
  type DataRules,
  type OnRevocation,
} from '@usufruct/protocol';
import { TextField } from '../../ui/field.js';
import type { AnswerRulesDraft } from './answer-rules-draft.js';
import { SelectField } from './rule-fields.js';

const REVOCATION_WORDS: Readonly<Record<OnRevocation, string>> = {
  cancel: 'it ends, and what is not spent comes back',
  finish: 'it goes on without that data',
};
const BLOB_WORDS: Readonly<Record<BlobLifetime, string>> = {
  deletable: 'deletable by their owners',
  permanent: 'permanent: nobody can delete them before their leases end',
};

interface DataRulesFieldsProps {
  readonly draft: DataRules;
  readonly onChange: (part: Partial<DataRules>) => void;
}

/** What becomes of data that is in use, and of data that is stored. */
export function DataRulesFields({ draft, onChange }: DataRulesFieldsProps) {
  return (
    <div className="columns">
      <SelectField
        label="When data that a running job uses is withdrawn"
        options={ON_REVOCATION.toReversed().map((value) => ({ value, label: REVOCATION_WORDS[value] }))}
        value={draft.onRevocation}
        onChange={(onRevocation) => onChange({ onRevocation })}
      />
      <SelectField
        label="Stored contributions are"
        options={BLOB_LIFETIMES.map((value) => ({ value, label: BLOB_WORDS[value] }))}
        value={draft.blobs}
        onChange={(blobs) => onChange({ blobs })}
      />
      <SelectField
        label="Contributors’ own questions"
        options={[
          { value: 'no', label: 'do not pay them' },
          { value: 'yes', label: 'pay them, too' },
        ]}
        value={draft.selfQueriesPay ? 'yes' : 'no'}
        onChange={(pays) => onChange({ selfQueriesPay: pays === 'yes' })}
      />
    </div>
  );
}

interface AnswerRulesFieldsProps {
  readonly draft: AnswerRulesDraft;
  readonly onChange: (part: Partial<AnswerRulesDraft>) => void;
}

/** What answers from a dataset may show of it. */
export function AnswerRulesFields({ draft, onChange }: AnswerRulesFieldsProps) {
  return (
    <div className="columns">
      <TextField
        label="Longest quote, in characters"
        hint="Of one contribution in one answer. 0 for no limit."
        inputMode="numeric"
        required
        value={draft.maxQuoteChars}
        onText={(maxQuoteChars) => onChange({ maxQuoteChars })}
      />
      <TextField
        label="Contributors that an answer must rest on"
        hint="0 for no such rule."
        inputMode="numeric"
        required
        value={draft.minContributors}
        onText={(minContributors) => onChange({ minContributors })}
      />
      <TextField
        label="Shown to one asker in sum, %"
        hint="Of the dataset. 0 for no limit."
        inputMode="decimal"
        required
        value={draft.maxReachPercent}
        onText={(maxReachPercent) => onChange({ maxReachPercent })}
      />
    </div>
  );
}
