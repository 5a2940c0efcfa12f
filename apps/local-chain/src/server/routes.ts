import {
  fromBase64,
  isHex32,
  refuse,
  toUsufructError,
  type ContributionId,
  type DaoId,
  type Digest,
  type EpochId,
  type Hex32,
} from '@usufruct/kernel';
import { LIMITS, parseAt, toWireJson, zBase64, zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import type { LocalChain } from '../local-chain.js';
import { claimKey, type Collection } from '../machine/collections.js';
import { emptyPool } from '../machine/receipt-pool.js';

/** The longest that a request for events may wait. */
export const WAIT_AT_MOST_MS = 30_000;

const VIEWS: Readonly<Record<string, Collection>> = {
  datasets: 'dataset',
  contributions: 'contribution',
  grants: 'grant',
  'holder-sets': 'holder-set',
  jobs: 'job',
  proposals: 'proposal',
  epochs: 'epoch',
  'licence-offers': 'licence-offer',
  licences: 'licence',
};
const LISTS: Readonly<Record<string, { parent: Collection; listed: Collection }>> = {
  'daos/applications': { parent: 'dao', listed: 'application' },
  'daos/proposals': { parent: 'dao', listed: 'proposal' },
  'daos/epochs': { parent: 'dao', listed: 'epoch' },
  'datasets/contributions': { parent: 'dataset', listed: 'contribution' },
  'contributions/grants': { parent: 'contribution', listed: 'grant' },
};

const integer = (most: number) => z.coerce.number().int().min(0).max(most);
const zEventsQuery = z.object({
  after: integer(Number.MAX_SAFE_INTEGER).default(0),
  limit: integer(LIMITS.eventsPage).min(1).default(LIMITS.eventsPage),
  waitMs: integer(WAIT_AT_MOST_MS).default(0),
});
const zSubmission = z.object({ bytes: zBase64(LIMITS.transactionBytes), signature: z.string().max(1024) });

/** The answer of a GET as JSON text. Refuses `NOT_FOUND` and `INVALID_ARGUMENT`. */
export async function read(chain: LocalChain, url: URL, signal: AbortSignal): Promise<string> {
  const [version, room, id, sub, subId, ...rest] = url.pathname.slice(1).split('/');
  if (version !== 'v1' || room === undefined || rest.length > 0) throw refuse('NOT_FOUND');
  if (room === 'info' && id === undefined) return toWireJson(chain.info);
  if (room === 'position' && id === undefined) return `{"seq":${chain.store.lastSeq}}`;
  if (room === 'events' && id === undefined) {
    const query = parseAt(zEventsQuery, Object.fromEntries(url.searchParams), 'events');
    return `{"events":[${(await chain.events(query.after, { ...query, signal })).join()}]}`;
  }
  if (id === undefined) throw refuse('NOT_FOUND');
  const object = requireId(id);
  if (sub === undefined) return readObject(chain, room, object);
  if (room === 'epochs' && sub === 'claims') return readClaim(chain, object as EpochId, subId);
  if (subId === undefined) return readList(chain, `${room}/${sub}`, object);
  return readPair(chain, `${room}/${sub}`, object, requireId(subId));
}

const zIds = z.object({ contributionIds: z.array(zHex32<ContributionId>()).max(LIMITS.contributionsPage) });

/** Many objects at once, as JSON in the order asked. Refuses `INVALID_ARGUMENT`, also for more than a page. */
export function readMany({ store }: LocalChain, path: keyof typeof QUERIES, body: unknown): string {
  const { contributionIds } = parseAt(zIds, body, 'query');
  return `[${contributionIds.map((id) => QUERIES[path](store, id)).join()}]`;
}

export const QUERIES = {
  '/v1/contributions/query': (store: LocalChain['store'], id: ContributionId) =>
    store.text('contribution', id) ?? 'null',
  '/v1/grants/query': (store: LocalChain['store'], id: ContributionId) => `[${store.texts('grant', id).join()}]`,
} as const;

export const isQuery = (path: string): path is keyof typeof QUERIES => Object.hasOwn(QUERIES, path);

const zReads = z.object({
  reads: z.array(z.object({ path: z.string(), query: z.unknown() })).max(LIMITS.readsPerRequest),
});

/**
 * What was asked together, as JSON in the order asked. Each is answered or refused as if it were asked alone. As of one
 * moment where `one` reads before it waits for anything, as `readNow` does.
 */
export async function readAll(body: unknown, one: (path: string, query: unknown) => Promise<string>): Promise<string> {
  const { reads } = parseAt(zReads, body, 'reads');
  const answers = reads.map(async ({ path, query }): Promise<string> => {
    try {
      return `{"ok":true,"value":${await one(path, query)}}`;
    } catch (thrown) {
      const error = toUsufructError(thrown);
      if (error.code === 'INTERNAL') throw thrown;
      return `{"ok":false,"error":${JSON.stringify(error.toWire())}}`;
    }
  });
  return `[${(await Promise.all(answers)).join()}]`;
}

/** A GET of the path with its parameters, or with a query the POST of it; an event is not waited for. */
export async function readNow(chain: LocalChain, path: string, query: unknown): Promise<string> {
  if (isQuery(path)) return readMany(chain, path, query);
  const url = URL.parse(path, 'http://chain');
  if (url === null) throw refuse('NOT_FOUND');
  url.searchParams.delete('waitMs');
  return read(chain, url, new AbortController().signal);
}

/** Execute a submitted transaction; its outcome as JSON text. */
export async function submit(chain: LocalChain, body: unknown): Promise<string> {
  const { bytes, signature } = parseAt(zSubmission, body, 'transactions');
  return chain.submit(fromBase64(bytes), signature);
}

function readObject({ store }: LocalChain, room: string, id: Hex32): string {
  if (room === 'balances') return store.text('balance', id) ?? '{"amountUnits":"0"}';
  if (room === 'transactions') return store.outcome(id as Digest) ?? 'null';
  if (room === 'daos') {
    const members = store.texts('member', id).map((text) => (JSON.parse(text) as { address: string }).address);
    return JSON.stringify({ ...(JSON.parse(required(store, 'dao', id)) as object), members });
  }
  const collection = VIEWS[room];
  if (collection === undefined) throw refuse('NOT_FOUND');
  return required(store, collection, id);
}

function readList({ store }: LocalChain, path: string, parent: Hex32): string {
  if (path === 'daos/receipt-pool') {
    required(store, 'dao', parent);
    return store.text('receipt-pool', parent) ?? toWireJson(emptyPool(parent as DaoId));
  }
  const list = LISTS[path];
  if (list === undefined) throw refuse('NOT_FOUND');
  required(store, list.parent, parent);
  return `[${store.texts(list.listed, parent).join()}]`;
}

function readPair({ store }: LocalChain, path: string, id: Hex32, second: Hex32): string {
  if (path === 'daos/runners') return required(store, 'runner', `${id}/${second}`);
  if (path === 'daos/signers') return required(store, 'signer', `${id}/${second}`);
  if (path === 'daos/members') {
    required(store, 'dao', id);
    return store.text('member', `${id}/${second}`) ?? 'null';
  }
  if (path !== 'jobs/receipts') throw refuse('NOT_FOUND');
  required(store, 'job', id);
  return store.text('receipt', `${id}/${second}`) ?? '{"receiptDigest":null}';
}

function readClaim({ store }: LocalChain, epochId: EpochId, index: string | undefined): string {
  const leaf = parseAt(integer(LIMITS.leavesPerEpoch), index, 'claims');
  required(store, 'epoch', epochId);
  return JSON.stringify({ isClaimed: store.text('claim', claimKey(epochId, leaf)) !== undefined });
}

function required(store: LocalChain['store'], collection: Collection, key: string): string {
  const text = store.text(collection, key);
  if (text === undefined) throw refuse('NOT_FOUND', { [collection]: key });
  return text;
}

function requireId(text: string): Hex32 {
  if (!isHex32(text)) throw refuse('INVALID_ARGUMENT', { field: 'id', expected: '0x and 64 lower-case hex digits' });
  return text;
}
