import { DOCUMENT_FORMATS } from '@usufruct/protocol';
import { Choices, TextField } from '../../ui/field.js';
import { Notice } from '../../ui/layout.js';
import { readFilter, type FilterDraft } from './filter-draft.js';

const FIELD_WORDS: Readonly<Record<keyof FilterDraft, string>> = {
  formats: 'Formats',
  languages: 'Languages',
  author: 'Author',
  title: 'Title',
  dateFrom: 'From',
  dateBefore: 'Before',
};

interface FilterFieldsProps {
  readonly draft: FilterDraft;
  readonly onChange: (draft: FilterDraft) => void;
}

/** Which documents an answer may be taken from, by what they are and what they say of themselves. */
export function FilterFields({ draft, onChange }: FilterFieldsProps) {
  const change = (part: Partial<FilterDraft>) => onChange({ ...draft, ...part });
  const read = readFilter(draft);
  const isActive = 'problem' in read || read.filter !== null;
  return (
    <details>
      <summary>Only from some documents{isActive ? ' (on)' : ''}</summary>
      <div className="stack">
        <p className="hint">
          Titles, authors and dates are what documents say of themselves; one that says nothing of a field that is given
          here is left out. The filter is part of the encrypted question.
        </p>
        <div className="columns">
          <TextField label={FIELD_WORDS.author} value={draft.author} onText={(author) => change({ author })} />
          <TextField label={FIELD_WORDS.title} value={draft.title} onText={(title) => change({ title })} />
        </div>
        <div className="columns">
          <TextField
            label={FIELD_WORDS.dateFrom}
            type="date"
            value={draft.dateFrom}
            onText={(dateFrom) => change({ dateFrom })}
          />
          <TextField
            label={FIELD_WORDS.dateBefore}
            type="date"
            value={draft.dateBefore}
            onText={(dateBefore) => change({ dateBefore })}
          />
        </div>
        <TextField
          label={FIELD_WORDS.languages}
          hint="As en, pt-BR: with commas between."
          value={draft.languages}
          onText={(languages) => change({ languages })}
        />
        <Choices
          legend={FIELD_WORDS.formats}
          options={DOCUMENT_FORMATS.map((value) => ({ value, label: value }))}
          chosen={draft.formats}
          onChange={(formats) => change({ formats })}
        />
        {'problem' in read && (
          <Notice tone="warn">
            <p>“{FIELD_WORDS[read.problem]}” cannot be read as it is typed.</p>
          </Notice>
        )}
      </div>
    </details>
  );
}
