import { CATALOGUE, isErrorCode } from '@usufruct/kernel';

const WORDS: Readonly<Record<string, string>> = {
  RELEASED: 'share released',
  STORED: 'share taken in',
  LEASED: 'share lent for ten minutes at most',
  GRANTED: 'let out',
};

/** What a key holder's log says that it decided. */
export const decisionWords = (decision: string): string => {
  const words = WORDS[decision];
  if (words !== undefined) return words;
  return isErrorCode(decision) ? `refused: ${CATALOGUE[decision].message} (${decision})` : decision;
};
