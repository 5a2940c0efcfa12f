import { Field, ID, InterfaceType } from '@nestjs/graphql';
import { Injectable } from '@nestjs/common';
import { fromBase64Url, fromUtf8, isHex32, refuse, toBase64Url, utf8, type Hex32 } from '@usufruct/kernel';
import { typeNameOf } from '../errors/index.js';
import type { GraphqlContext } from './context.js';

@InterfaceType({
  description: 'Has an opaque global id, for `node` and client caches. Ids of the chain are in fields of their own.',
  resolveType: typeNameOf,
})
export abstract class Node {
  @Field(() => ID)
  id!: string;
}

/** `keys` are ids of the chain. */
export const globalId = (type: string, ...keys: readonly Hex32[]): string =>
  toBase64Url(utf8([type, ...keys].join(':')));

export type NodeFetcher = (keys: readonly Hex32[], context: GraphqlContext) => Promise<object | null>;

/** Each module registers how its types are found by id, and to whom it shows them. */
@Injectable()
export class NodeRegistry {
  private readonly fetchers = new Map<string, NodeFetcher>();

  register(type: string, fetch: NodeFetcher): void {
    this.fetchers.set(type, fetch);
  }

  /** Null for what does not exist or is not the caller's to see; `INVALID_ARGUMENT` for what is no id of ours. */
  async fetch(id: string, context: GraphqlContext): Promise<object | null> {
    const [type, ...keys] = split(id);
    const fetcher = this.fetchers.get(type ?? '');
    if (fetcher === undefined || keys.length === 0 || !keys.every(isHex32)) throw notAnId();
    return fetcher(keys, context);
  }
}

const notAnId = () => refuse('INVALID_ARGUMENT', { field: 'id', expected: 'an id that this API gave' });

function split(id: string): string[] {
  try {
    return fromUtf8(fromBase64Url(id)).split(':');
  } catch {
    throw notAnId();
  }
}
