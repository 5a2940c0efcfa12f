import { oneLine } from './clean-text.js';
import type { DocumentMetadata } from './types.js';

/** A title or a name is for people and for filters; beyond this it is neither. */
const MAX_CHARS = 300;

/** What the document says of itself, cleaned and bounded; what cannot be read as what it should be is left out. */
export function metadataOf(said: { readonly [Key in keyof DocumentMetadata]?: unknown }): DocumentMetadata {
  const title = lineOf(said.title);
  const author = lineOf(said.author);
  const date = dateOf(said.date);
  const language = languageOf(said.language);
  return {
    ...(title !== undefined && { title }),
    ...(author !== undefined && { author }),
    ...(date !== undefined && { date }),
    ...(language !== undefined && { language }),
  };
}

function lineOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const line = oneLine(value.slice(0, 4 * MAX_CHARS));
  return line === '' ? undefined : line.slice(0, MAX_CHARS).toWellFormed();
}

/** A day, or a time with its zone: a time without one would be read in the zone of the machine. */
function dateOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return Number.isNaN(Date.parse(text)) ? undefined : text;
  const hasZone = /(?:Z|GMT|UTC?|[+-]\d{2}:?\d{2})(?:\s*\([^)]{0,40}\))?$/i.test(text);
  const time = text.length <= 100 && hasZone ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

function languageOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 35) return undefined;
  try {
    return Intl.getCanonicalLocales(value.trim().replaceAll('_', '-'))[0];
  } catch {
    return undefined;
  }
}
