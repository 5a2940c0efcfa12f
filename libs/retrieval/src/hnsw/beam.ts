/** The best few of what is offered, best first, ties by number; each of them is to be looked around from once. */
export class Beam {
  readonly nodes: Uint32Array;
  readonly scores: Float64Array;
  length = 0;
  readonly #width: number;
  readonly #isDone: Uint8Array;
  /** No place before it is left to be looked around from. */
  #next = 0;

  constructor(width: number) {
    this.#width = width;
    this.nodes = new Uint32Array(width);
    this.scores = new Float64Array(width);
    this.#isDone = new Uint8Array(width);
  }

  /** What is in it is there for another level. */
  restart(): void {
    this.#isDone.fill(0);
    this.#next = 0;
  }

  clear(): void {
    this.length = 0;
    this.restart();
  }

  has(node: number): boolean {
    return this.nodes.subarray(0, this.length).includes(node);
  }

  offer(node: number, score: number): void {
    const { nodes, scores } = this;
    const isDone = this.#isDone;
    let at = this.length;
    while (at > 0 && (score > scores[at - 1]! || (score === scores[at - 1]! && node < nodes[at - 1]!))) at--;
    if (at === this.#width) return;
    if (this.length < this.#width) this.length++;
    nodes.copyWithin(at + 1, at, this.length - 1);
    scores.copyWithin(at + 1, at, this.length - 1);
    isDone.copyWithin(at + 1, at, this.length - 1);
    nodes[at] = node;
    scores[at] = score;
    isDone[at] = 0;
    if (at < this.#next) this.#next = at;
  }

  /** The best one that was not given yet; -1 where all were. */
  next(): number {
    while (this.#next < this.length && this.#isDone[this.#next] === 1) this.#next++;
    if (this.#next === this.length) return -1;
    this.#isDone[this.#next] = 1;
    return this.nodes[this.#next++]!;
  }
}

/** Which numbers were seen; forgetting all of them takes no time. */
export class Seen {
  readonly #stamps: Uint32Array;
  #now = 1;

  constructor(size: number) {
    this.#stamps = new Uint32Array(size);
  }

  clear(): void {
    this.#now++;
  }

  /** False where it was seen before. */
  add(node: number): boolean {
    if (this.#stamps[node] === this.#now) return false;
    this.#stamps[node] = this.#now;
    return true;
  }
}
