import { oneLine } from './clean-text.js';
import { tooLarge } from './refusal.js';

/** A row of a table as the text `column: value; column: value`, empty cells left out: it says by itself what it is. */
export const rowText = (names: readonly string[], cells: readonly (string | undefined)[]): string =>
  cells
    .map((cell, column) => ({ name: names[column] ?? `column ${column + 1}`, value: oneLine(cell ?? '') }))
    .filter(({ value }) => value !== '')
    .map(({ name, value }) => `${name}: ${value}`)
    .join('; ');

/** The names of columns; those that have none are numbered. */
export const columnNames = (header: readonly (string | undefined)[]): string[] =>
  Array.from(header, (name, column) => oneLine(name ?? '') || `column ${column + 1}`);

/**
 * Counts characters as they are made and stops before they are all in memory: every row repeats the names of its
 * columns and a shared string may stand in every cell, so a small file can say a lot.
 */
export class TextBudget {
  #left: number;
  readonly #limit: number;

  constructor(limitChars: number) {
    this.#limit = limitChars;
    this.#left = limitChars;
  }

  take(chars: number): void {
    this.#left -= chars;
    if (this.#left < 0) throw tooLarge(`${this.#limit} characters`);
  }
}
