import { encodedBlobBytes, quiltBytes, STORAGE_UNIT_BYTES } from '@usufruct/walrus/cost';
import { QUILTED_AT_MOST_BYTES, type StoreAbilities } from '@usufruct/walrus';

/** A digest in hex, which files in quilts are called by. */
const IDENTIFIER_BYTES = 64;

export type QuiltLimits = Pick<StoreAbilities, 'quilts' | 'maxQuiltFiles' | 'maxBlobBytes' | 'shards'>;

/**
 * Which of these files belong into one quilt, by their places in the list; what is in none is stored as a blob of its
 * own. A file joins a quilt where that costs less than its own blob would, by Walrus's formula: both its prices are for
 * each begun MiB of what all shards hold together, so neither prices nor epochs matter. Files of like sizes come
 * together, since all columns of a quilt are as long. No quilt is larger than a blob may be, so that every reader can
 * read it whole.
 */
export function planQuilts(sizesBytes: readonly number[], limits: QuiltLimits): number[][] {
  const { quilts, maxQuiltFiles, maxBlobBytes, shards } = limits;
  if (!quilts || shards === null) return [];
  const small = [...sizesBytes.keys()].filter((i) => sizesBytes[i]! <= QUILTED_AT_MOST_BYTES);
  small.sort((a, b) => sizesBytes[a]! - sizesBytes[b]! || a - b);
  const unitsOf = (bytes: number): number => Math.ceil(encodedBlobBytes(bytes, shards) / STORAGE_UNIT_BYTES);
  /** What all of these would cost as one quilt; `null` where they do not make one. */
  const together = (places: readonly number[]): number | null => {
    const sizes = places.map((i) => sizesBytes[i]!);
    const bytes = places.length > maxQuiltFiles ? null : quiltBytes(sizes, IDENTIFIER_BYTES, shards);
    return bytes === null || bytes > maxBlobBytes ? null : unitsOf(bytes);
  };
  const alone = (places: readonly number[]): number => places.reduce((sum, i) => sum + unitsOf(sizesBytes[i]!), 0);
  const planned: number[][] = [];
  for (let rest = small; rest.length > 0;) {
    let count = longest(rest.length, (length) => together(rest.slice(0, length)) !== null);
    // The last of them is the largest: all columns become as long as it needs.
    const isLastWorthIt = (): boolean =>
      together(rest.slice(0, count))! < together(rest.slice(0, count - 1))! + alone([rest[count - 1]!]);
    while (count > 1 && !isLastWorthIt()) count--;
    const quilt = rest.slice(0, Math.max(1, count));
    if (quilt.length > 1 && together(quilt)! < alone(quilt)) planned.push(quilt);
    rest = rest.slice(quilt.length);
  }
  return planned;
}

/** The largest length up to `most` for which it holds; it holds for all shorter ones. */
function longest(most: number, holds: (length: number) => boolean): number {
  let [least, above] = [0, most + 1];
  while (above - least > 1) {
    const half = Math.floor((least + above) / 2);
    if (holds(half)) least = half;
    else above = half;
  }
  return least;
}
