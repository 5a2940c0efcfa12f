import { bcs } from '@mysten/sui/bcs';
import type { ClientWithCoreApi } from '@mysten/sui/client';
import { deriveDynamicFieldID } from '@mysten/sui/utils';
import { refuse, type Hex32 } from '@usufruct/kernel';
import { askSui, suiRefusal } from '../failures.js';
import { readMove, uid, type MoveType } from '../layout/move-types.js';

/** The name of a dynamic field: its type, and its serialised value. */
export interface FieldName {
  readonly type: string;
  readonly bytes: Uint8Array;
}
export const addressName = (id: Hex32): FieldName => ({ type: 'address', bytes: bcs.Address.serialize(id).toBytes() });

/** The content of an object, and its type. */
export interface TypedContent {
  readonly type: string;
  readonly content: Uint8Array;
}

/** What a full node gives at once. */
const BATCH = 50;
/** A dataset of ten thousand is many batches, and each waits for the network. */
const BATCHES_AT_ONCE = 8;

/** Reads the state of objects, by their layouts. Believes the full node that it asks, as every read of a chain does. */
export class ObjectReader {
  constructor(
    private readonly client: ClientWithCoreApi,
    private readonly timeoutMs: number,
  ) {}

  /** Refuses `NOT_FOUND` when there is no such object. */
  async object<T>(id: Hex32, layout: MoveType<T>): Promise<T> {
    const [content] = await this.#contents([id]);
    if (content === undefined || content === null) throw refuse('NOT_FOUND', { object: id });
    return decode(layout, content);
  }

  /** The value of a dynamic field, or null when there is none. */
  async field<T>(parent: Hex32, name: FieldName, value: MoveType<T>): Promise<T | null> {
    return (await this.fields(parent, [name], value))[0] ?? null;
  }

  /** Values in the order of the names; null where there is none. */
  async fields<T>(parent: Hex32, names: readonly FieldName[], value: MoveType<T>): Promise<(T | null)[]> {
    const ids = names.map(({ type, bytes }) => deriveDynamicFieldID(parent, type, bytes) as Hex32);
    const contents = await this.#contents(ids);
    // A field is stored as its own id, its name and its value.
    return contents.map((content, i) =>
      content === null ? null : decode(value, content.subarray(ID_BYTES + names[i]!.bytes.length)),
    );
  }

  async #contents(ids: readonly Hex32[]): Promise<(Uint8Array | null)[]> {
    return (await this.typed(ids)).map((object) => object?.content ?? null);
  }

  /** Objects as they are stored, in the order of the ids; null where there is none. */
  async typed(ids: readonly Hex32[]): Promise<(TypedContent | null)[]> {
    const found: (TypedContent | null)[] = [];
    for (let from = 0; from < ids.length; from += BATCH * BATCHES_AT_ONCE) {
      const batches = Array.from({ length: BATCHES_AT_ONCE }, (_, i) => {
        const start = from + i * BATCH;
        return this.#batch(ids.slice(start, start + BATCH));
      });
      found.push(...(await Promise.all(batches)).flat());
    }
    return found;
  }

  async #batch(objectIds: Hex32[]): Promise<(TypedContent | null)[]> {
    if (objectIds.length === 0) return [];
    const { objects } = await askSui(
      (signal) => this.client.core.getObjects({ objectIds, include: { content: true }, signal }),
      { timeoutMs: this.timeoutMs },
    );
    return objects.map((object) => (object instanceof Error ? nothing(object) : object));
  }
}

const ID_BYTES = uid.bcs.serialize(`0x${'0'.repeat(64)}`).toBytes().length;

/** An object that does not exist is no failure; anything else that a node says of one is. */
function nothing(error: Error): null {
  const refusal = suiRefusal(error);
  if (refusal.code === 'NOT_FOUND') return null;
  throw refusal;
}

function decode<T>(layout: MoveType<T>, bytes: Uint8Array): T {
  try {
    return readMove(layout, Uint8Array.from(bytes));
  } catch (cause) {
    throw refuse('UPSTREAM_INVALID', { upstream: 'Sui', field: layout.move }, cause);
  }
}
