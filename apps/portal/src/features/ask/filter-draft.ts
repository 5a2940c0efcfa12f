import { zSourceFilter, type SourceFilter } from '@usufruct/protocol';

/** What a person has typed about the documents that an answer may be taken from. */
export interface FilterDraft {
  readonly formats: readonly SourceFormat[];
  readonly languages: string;
  readonly author: string;
  readonly title: string;
  readonly dateFrom: string;
  readonly dateBefore: string;
}
export type SourceFormat = NonNullable<SourceFilter['formats']>[number];

export const NO_FILTER: FilterDraft = {
  formats: [],
  languages: '',
  author: '',
  title: '',
  dateFrom: '',
  dateBefore: '',
};

/** Null for a draft that asks for nothing. What cannot be is a problem in words, by field: nothing is asked with half a filter. */
export function readFilter(draft: FilterDraft): { filter: SourceFilter | null } | { problem: keyof FilterDraft } {
  const languages = draft.languages.split(/[\s,]+/).filter((tag) => tag !== '');
  const given = {
    ...(draft.formats.length > 0 && { formats: [...draft.formats] }),
    ...(languages.length > 0 && { languages }),
    ...textOf('author', draft.author),
    ...textOf('title', draft.title),
    ...textOf('dateFrom', draft.dateFrom),
    ...textOf('dateBefore', draft.dateBefore),
  };
  if (Object.keys(given).length === 0) return { filter: null };
  const parsed = zSourceFilter.safeParse(given);
  if (parsed.success) return { filter: parsed.data };
  return { problem: (parsed.error.issues[0]?.path[0] ?? 'languages') as keyof FilterDraft };
}

const textOf = (name: string, text: string): Record<string, string> =>
  text.trim() === '' ? {} : { [name]: text.trim() };
