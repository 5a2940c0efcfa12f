import { getHeapStatistics } from 'node:v8';
import { refuse } from '@usufruct/kernel';

const MEBIBYTE = 1024 ** 2;

/**
 * Of one session, as `sizeOf` counts: 110 million characters of English. Making an index of so much, whatever it is, stays
 * below the limits of the process that does it (`rag/retrieve/index-process.ts`).
 */
const SESSION_BYTES = 768 * MEBIBYTE;

/** Half of what V8 gives this process (`--max-old-space-size`): the rest is for what is under way. */
const roomOfProcess = (): number => Math.floor(getHeapStatistics().heap_size_limit / 2);

/** What all sessions of this process may take together. */
export class Room {
  #taken = 0;

  constructor(
    readonly bytes: number = roomOfProcess(),
    readonly sessionBytes: number = Math.min(SESSION_BYTES, bytes),
  ) {}

  get left(): number {
    return this.bytes - this.#taken;
  }

  /** Refuses `RUNNER_UNAVAILABLE` where there is not so much; whoever is refused may come again, or go to another runner. */
  take(bytes: number): void {
    if (bytes > this.left) throw noRoom(this);
    this.#taken += bytes;
  }
}

export const noRoom = ({ bytes }: Pick<Room, 'bytes'>) =>
  refuse('RUNNER_UNAVAILABLE', {
    limit: `${Math.floor(bytes / MEBIBYTE)} MiB for the documents of all sessions`,
    until: 'another session ends',
  });

/** Of one session. */
export class Share {
  readonly #room: Room;
  #taken = 0;
  #wanted = 0;
  #isClosed = false;

  constructor(room: Room) {
    this.#room = room;
  }

  /** Of this session alone. */
  get mostBytes(): number {
    return this.#room.sessionBytes;
  }

  /** So much from now on. Refuses `RUNNER_UNAVAILABLE` where all sessions together would take more than there is. */
  set(bytes: number): void {
    // What the end of its session has overtaken is forgotten by itself.
    if (this.#isClosed) return;
    if (bytes > 0) this.#wanted = bytes;
    this.#room.take(bytes - this.#taken);
    this.#taken = bytes;
  }

  /** Refuses as `set` would, where it was refused so much before that is not there now either: nothing is read in vain. */
  requireWanted(): void {
    if (this.#wanted - this.#taken > this.#room.left) throw noRoom(this.#room);
  }

  close(): void {
    this.set(0);
    this.#isClosed = true;
  }
}
