import type { SourceFilter } from '@usufruct/protocol';
import type { PassageSource } from './passages.js';

export type { SourceFilter };

export const passesFilter = (filter: SourceFilter, { chunk, document }: PassageSource): boolean => {
  const { title, author, date } = document.metadata;
  return (
    (filter.formats === undefined || filter.formats.includes(document.format)) &&
    (filter.languages === undefined || filter.languages.some((wanted) => isLanguage(chunk.language, wanted))) &&
    (filter.author === undefined || includes(author, filter.author)) &&
    (filter.title === undefined || includes(title, filter.title)) &&
    (filter.dateFrom === undefined || (date !== undefined && timeOf(date) >= timeOf(filter.dateFrom))) &&
    (filter.dateBefore === undefined || (date !== undefined && timeOf(date) < timeOf(filter.dateBefore)))
  );
};

const isLanguage = (language: string | undefined, wanted: string): boolean =>
  language !== undefined && `${language.toLowerCase()}-`.startsWith(`${wanted.toLowerCase()}-`);

const includes = (said: string | undefined, wanted: string): boolean =>
  said !== undefined && said.toLowerCase().includes(wanted.toLowerCase());

/** A date that is none is neither before nor after anything. */
const timeOf = (date: string): number => Date.parse(date);
