import { PURPOSES, purposeCovers, purposesCover } from './purposes.js';

/** Codes that anything may be asked for: the chain's table, and what these lists name beside it. */
const askable = (...lists: readonly (readonly string[])[]): string[] => [
  ...new Set([...PURPOSES.map(({ code }) => code), ...lists.flat()]),
];

/** Whether a grant of these purposes allows anything that is a use for `purpose`: that one, a narrower or a part of it. */
export const allowsAnyOf = (granted: readonly string[], purpose: string): boolean =>
  askable(granted, [purpose]).some((asked) => purposesCover(granted, asked) && purposeCovers(purpose, asked));

/**
 * What is left of a grant's purposes without every use for `purpose`: a broader one becomes the widest of its narrower
 * ones that have no part in it, and where there are none it goes whole. Never wider than before; empty when nothing is
 * left. For a grant that can be used at all: one with modifiers that nothing can keep allows nothing anyway.
 */
export function withoutPurpose(granted: readonly string[], purpose: string): string[] {
  const codes = askable(granted, [purpose]);
  const isClear = (code: string): boolean =>
    !codes.some((asked) => purposeCovers(code, asked) && purposeCovers(purpose, asked));
  // A code that covers not even itself (a disease that nobody names) would say nothing in a grant.
  const narrowerThan = (code: string): string[] =>
    codes.filter((narrower) => purposeCovers(code, narrower) && purposeCovers(narrower, narrower) && isClear(narrower));
  const left = granted.flatMap((code) => (isClear(code) ? [code] : widest(narrowerThan(code))));
  return [...new Set(left)];
}

/** Without those that another one covers; of two that cover each other the first. */
const widest = (codes: readonly string[]): string[] =>
  codes.filter(
    (code, i) =>
      !codes.some((other, j) => j !== i && purposeCovers(other, code) && !(purposeCovers(code, other) && i < j)),
  );
