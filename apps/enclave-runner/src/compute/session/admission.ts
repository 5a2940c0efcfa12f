interface Sized<Id> {
  readonly id: Id;
  readonly bytes: number;
}
/** What one contributor has brought, and what of it has a place, the smallest first. */
interface Part<Id> {
  brought: number;
  placed: number;
  readonly documents: Sized<Id>[];
}

/**
 * Which documents have a place in a session that has not room for all. Each contributor has as much as the others, and
 * what some of them do not need is divided among the rest; of one's own the smallest have their place first. So nobody's
 * documents are left out who brings no more than everybody's equal part, whatever the others bring; and the same documents
 * have a place in whatever order they come: what has lost it never gets it back.
 */
export class Admission<Id extends string> {
  readonly #parts = new Map<string, Part<Id>>();
  readonly #mostBytes: number;
  #brought = 0;
  #placed = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Of those that have a place. */
  get bytes(): number {
    return this.#placed;
  }

  /** Those that have no place with it, itself perhaps. */
  add(contributor: string, id: Id, bytes: number): Id[] {
    const part = this.#parts.get(contributor) ?? { brought: 0, placed: 0, documents: [] };
    this.#parts.set(contributor, part);
    const place = part.documents.findIndex((other) => isBefore({ id, bytes }, other));
    part.documents.splice(place === -1 ? part.documents.length : place, 0, { id, bytes });
    part.brought += bytes;
    this.#brought += bytes;
    part.placed += bytes;
    this.#placed += bytes;
    if (this.#brought <= this.#mostBytes) return [];
    const share = this.#share();
    return [...this.#parts.values()].flatMap((each) => this.#cut(each, share));
  }

  /** The most that one contributor may have, so that all have room who bring more. */
  #share(): number {
    const brought = [...this.#parts.values()].map((part) => part.brought).sort((a, b) => a - b);
    let left = this.#mostBytes;
    for (const [i, bytes] of brought.entries()) {
      const equal = left / (brought.length - i);
      if (bytes > equal) return equal;
      left -= bytes;
    }
    return Infinity;
  }

  #cut(part: Part<Id>, share: number): Id[] {
    const gone: Id[] = [];
    while (part.placed > share) {
      const { id, bytes } = part.documents.pop()!;
      part.placed -= bytes;
      this.#placed -= bytes;
      gone.push(id);
    }
    return gone;
  }
}

const isBefore = <Id extends string>(one: Sized<Id>, other: Sized<Id>): boolean =>
  one.bytes < other.bytes || (one.bytes === other.bytes && one.id < other.id);
