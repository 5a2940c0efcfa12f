import { asBlobId, asId, fromBase64Url, refuse, type Address, type Hex32 } from '@usufruct/kernel';
import { readJson, sendJson, type Exchange } from '@usufruct/service';
import { zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import { leaseAnswer } from './answers.js';
import type { LeaseQuery } from './lease-table.js';
import type { LocalStore } from './local-store.js';

const LEASES = '/v1/local/objects';
const LEASE = /^\/v1\/local\/objects\/([^/]+)(?:\/(extend|certify|transfer))?$/;
const PAGE = 1_000;
const BODY_BYTES = 8_192;

const zAdvance = z.strictObject({ epochs: z.number().int() });
const zRegister = z.strictObject({
  blobId: z.string(),
  sizeBytes: z.number().int(),
  epochs: z.number().int(),
  deletable: z.boolean(),
  owner: zHex32<Address>(),
});
/** As the relay gives it. */
const zCertify = z.strictObject({
  owner: zHex32<Address>(),
  confirmation_certificate: z.strictObject({
    signers: z.array(z.number().int()).max(1_000),
    serialized_message: z.array(z.number().int().min(0).max(255)).max(1_024),
    signature: z.string().max(1_024),
  }),
});
const zTransfer = z.strictObject({ owner: zHex32<Address>(), to: zHex32<Address>() });
const zExtend = z.strictObject({ owner: zHex32<Address>(), endEpoch: z.number().int() });

/**
 * What on Walrus is done on Sui: looking at `Blob` objects, registering and certifying them, making their leases longer,
 * giving them away, deleting them; and moving the epoch on, which nobody can there. The stand-in's own, under `/v1/local`, for this machine only. An owner is who the
 * caller says: nothing is signed, so nothing of this proves anything.
 */
export async function answerOwner(store: LocalStore, exchange: Exchange): Promise<boolean> {
  const { request, response, url } = exchange;
  const call = `${request.method} ${url.pathname}`;
  if (call === 'GET /' || call === 'GET /v1/info') return answered(exchange, store.describe());
  if (!url.pathname.startsWith('/v1/local/')) return false;
  requireLocal(store, exchange);
  const { shards } = store.config;
  if (call === 'POST /v1/local/epoch') {
    const { epochs } = await parsed(exchange, zAdvance);
    return answered(exchange, { epoch: await store.advance(epochs), epochEndsAtMs: store.epochs.endsAtMs() });
  }
  if (call === `GET ${LEASES}`) {
    const page = store.leases({ ...readQuery(url.searchParams), limit: PAGE });
    return answered(exchange, {
      objects: page.map((lease) => leaseAnswer(lease, shards)),
      next: page.length === PAGE ? (page.at(-1)?.objectId ?? null) : null,
    });
  }
  if (call === `POST ${LEASES}`) {
    const { blobId, sizeBytes, ...request } = await parsed(exchange, zRegister);
    const { lease, costFrost } = await store.register(asBlobId(blobId), sizeBytes, { ...request, force: true });
    return answered(exchange, { ...leaseAnswer(lease, shards), cost: Number(costFrost) });
  }
  const [, id, step] = LEASE.exec(url.pathname) ?? [];
  if (id === undefined) return false;
  const objectId = asId<Hex32>(id, 'objectId');
  if (step !== undefined) return request.method === 'POST' && changeLease(store, exchange, objectId, step);
  if (request.method === 'DELETE') {
    await store.delete(objectId, asId<Address>(url.searchParams.get('owner') ?? '', 'owner'));
    response.writeHead(204).end();
    return true;
  }
  const lease = request.method === 'GET' ? store.lease(objectId) : null;
  if (lease === null) throw refuse('NOT_FOUND', { objectId });
  return answered(exchange, leaseAnswer(lease, shards));
}

async function changeLease(store: LocalStore, exchange: Exchange, objectId: Hex32, step: string): Promise<boolean> {
  const { shards } = store.config;
  if (step === 'extend') {
    const { owner, endEpoch } = await parsed(exchange, zExtend);
    const { lease, costFrost } = await store.extend(objectId, owner, endEpoch);
    return answered(exchange, { ...leaseAnswer(lease, shards), cost: Number(costFrost) });
  }
  if (step === 'transfer') {
    const { owner, to } = await parsed(exchange, zTransfer);
    return answered(exchange, leaseAnswer(await store.transfer(objectId, owner, to), shards));
  }
  const { owner, confirmation_certificate: given } = await parsed(exchange, zCertify);
  const message = Uint8Array.from(given.serialized_message);
  const certificate = { signers: given.signers, message, signature: fromBase64Url(given.signature, 'signature') };
  return answered(exchange, leaseAnswer(await store.certify(objectId, owner, certificate), shards));
}

function readQuery(query: URLSearchParams): Omit<LeaseQuery, 'limit'> {
  const owner = query.get('owner');
  const blobId = query.get('blob_id');
  return {
    owner: owner === null ? undefined : asId<Address>(owner, 'owner'),
    blobId: blobId === null ? undefined : asBlobId(blobId),
    after: query.get('after') ?? undefined,
  };
}

/** From this machine, and from no web page that the operator did not name: a browser here runs others' pages. */
function requireLocal({ config }: LocalStore, { request }: Exchange): void {
  const { origin } = request.headers;
  const isLoopback = /^(127\.|::1$|::ffff:127\.)/.test(request.socket.remoteAddress ?? '');
  const isNamed = origin === undefined || config.allowedOrigins.includes(origin);
  if (!isLoopback || !isNamed) throw refuse('FORBIDDEN', { path: '/v1/local' });
}

async function parsed<S extends z.ZodType>({ request }: Exchange, schema: S): Promise<z.output<S>> {
  const body = schema.safeParse(await readJson(request, BODY_BYTES));
  if (body.success) return body.data;
  throw refuse('INVALID_ARGUMENT', {
    field: String(body.error.issues[0]?.path[0] ?? 'body'),
    expected: 'see /v1/info',
  });
}

function answered({ response }: Exchange, body: object): true {
  sendJson(response, 200, JSON.stringify(body));
  return true;
}
