export interface Hit {
  readonly passage: number;
  readonly score: number;
}

/** Whether a passage may be used: of one that may not, no score is ever computed. */
export type Accepts = (passage: number) => boolean;

/** The best `limit` of what is offered, best first, ties by number. `limit` is small, so a sorted list beats a heap. */
export class Top {
  readonly hits: Hit[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  offer(passage: number, score: number): void {
    const hits = this.hits;
    const limit = this.#limit;
    const isFull = hits.length >= limit;
    if (isFull && (limit <= 0 || !isBefore(passage, score, hits[limit - 1]!))) return;
    if (isFull) hits.pop();
    let place = hits.length;
    while (place > 0 && isBefore(passage, score, hits[place - 1]!)) place--;
    hits.splice(place, 0, { passage, score });
  }
}

/** The highest positive scores, by passage. */
export function topOf(scores: Float64Array, limit: number): Hit[] {
  const top = new Top(limit);
  for (let passage = 0; passage < scores.length; passage++) {
    if (scores[passage]! > 0) top.offer(passage, scores[passage]!);
  }
  return top.hits;
}

/** Each passage is asked about once. */
export function remembered(accepts: Accepts, size: number): Accepts {
  const answers = new Uint8Array(size);
  return (passage) => {
    if (answers[passage] === 0) answers[passage] = accepts(passage) ? 1 : 2;
    return answers[passage] === 1;
  };
}

const isBefore = (passage: number, score: number, other: Hit): boolean =>
  score > other.score || (score === other.score && passage < other.passage);
