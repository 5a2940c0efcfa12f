import { describe, expect, it } from '@jest/globals';
import { asAmount, toUsufructError, type Digest } from '@usufruct/kernel';
import { decodeLocalTransaction, LIMITS, transactionDigest, type ChainAction } from '@usufruct/protocol';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { verifyWalletSignature } from '@usufruct/crypto';
import { utf8 } from '@usufruct/kernel';
import { LocalChainClient } from './local-chain-client.js';
import { keypairSigner } from './signers.js';

/** The client against a chain that answers as told; the real one is in apps/local-chain. */
const id = `0x${'1'.repeat(64)}` as Digest;
const info = {
  chainId: 'local:00000001',
  packageId: id,
  registryId: id,
  coin: { type: 'local::lusd', symbol: 'LUSD', decimals: 6 },
  protocolAccount: id,
  standIn: true,
};
const signer = keypairSigner(Ed25519Keypair.fromSecretKey(new Uint8Array(32).fill(7)));
const mint: ChainAction = { kind: 'mint', to: signer.address, amountUnits: asAmount(5n) };
const succeeded = (digest: Digest) => ({ digest, status: 'succeeded', error: null, events: [], atMs: 1 });
const failed = (digest: Digest) => ({
  ...succeeded(digest),
  status: 'failed',
  error: { code: 'INSUFFICIENT_BALANCE', details: { account: id } },
});
const wire = (code: string, details = {}) => ({ code, message: '', remedy: '', details });

type Answer = { readonly status?: number; readonly body: unknown } | 'lost' | 'garbage' | 'never';
interface Script {
  readonly post?: Answer[];
  readonly lookUp?: Answer[];
}
function clientOf({ post = [], lookUp = [] }: Script) {
  const calls: string[] = [];
  const fetch = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const { pathname } = new URL(String(input));
    if (pathname === '/v1/info') return Response.json(info);
    const isPost = init.method === 'POST';
    calls.push(isPost ? 'post' : 'look up');
    const answer = (isPost ? post : lookUp).shift() ?? 'lost';
    if (answer === 'lost') throw new TypeError('fetch failed');
    if (answer === 'garbage') return new Response('<html>');
    if (answer === 'never') {
      return new Promise((_, fail) => {
        init.signal!.addEventListener('abort', () => fail(init.signal!.reason as Error));
      });
    }
    return Response.json(answer.body, { status: answer.status ?? 200 });
  };
  const clock = { nowMs: () => 1_800_000_000_000 as never };
  const random = (lengthBytes: number) => new Uint8Array(lengthBytes).fill(9);
  const options = { url: 'http://chain.test/', fetch, clock, random, timeoutMs: 30, lookUpAfterMs: [0, 0, 0] };
  return { client: new LocalChainClient(options), calls };
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: unknown) => toUsufructError(error).code,
  );

describe('prepare', () => {
  it('names the transaction before it is sent, for this chain, for a while, signed', async () => {
    const { client, calls } = clientOf({});
    const { bytes, digest, signature } = await client.prepare([mint], signer);
    expect(digest).toBe(transactionDigest(bytes));
    expect(decodeLocalTransaction(bytes)).toMatchObject({
      chainId: info.chainId,
      sender: signer.address,
      expiresAtMs: 1_800_000_000_000 + LIMITS.transactionTermMs,
      actions: [mint],
    });
    // The text is written out here on purpose: it is what wallets show.
    const shown = `Usufruct\nExecute a transaction on the local chain\nChain: local:00000001\nDigest: ${digest}`;
    await verifyWalletSignature({ address: signer.address, message: utf8(shown), signature });
    expect(calls).toEqual([]);
  });
});

describe('send', () => {
  const digest = async () => (await clientOf({}).client.prepare([mint], signer)).digest;
  it('gives the outcome', async () => {
    const { client, calls } = clientOf({ post: [{ body: succeeded(await digest()) }] });
    expect((await client.execute([mint], signer)).status).toBe('succeeded');
    expect(calls).toEqual(['post']);
  });

  it('throws the refusal of a transaction that failed on the chain', async () => {
    const { client } = clientOf({ post: [{ body: failed(await digest()) }] });
    await expect(client.execute([mint], signer)).rejects.toMatchObject({
      code: 'INSUFFICIENT_BALANCE',
      details: { account: id },
    });
  });

  it('does not look up what the chain would not let in', async () => {
    const { client, calls } = clientOf({ post: [{ status: 401, body: wire('SIGNATURE_INVALID') }] });
    expect(await codeOf(client.execute([mint], signer))).toBe('SIGNATURE_INVALID');
    expect(calls).toEqual(['post']);
  });

  const lostAnswers: [string, Answer][] = [
    ['lost', 'lost'],
    ['not JSON', 'garbage'],
    ['too late', 'never'],
    ['of a server that broke', { status: 500, body: wire('INTERNAL') }],
    ['of a proxy', { status: 502, body: 'Bad gateway' }],
    ['of another shape', { body: { status: 'succeeded' } }],
    ['about another transaction', { body: succeeded(id) }],
  ];
  it.each(lostAnswers)(
    'looks the transaction up when the answer is %s, and never sends it again',
    async (_n, answer) => {
      const lookUp: Answer[] = ['lost', { body: null }, { body: succeeded(await digest()) }];
      const { client, calls } = clientOf({ post: [answer], lookUp });
      expect((await client.execute([mint], signer)).status).toBe('succeeded');
      expect(calls).toEqual(['post', 'look up', 'look up', 'look up']);
    },
  );

  it('throws the refusal that it finds', async () => {
    const { client } = clientOf({ post: ['lost'], lookUp: [{ body: failed(await digest()) }] });
    expect(await codeOf(client.execute([mint], signer))).toBe('INSUFFICIENT_BALANCE');
  });

  it('says that it does not know when nobody knows', async () => {
    const { client, calls } = clientOf({ post: ['lost'], lookUp: [{ body: null }, 'lost', { body: null }] });
    await expect(client.execute([mint], signer)).rejects.toMatchObject({
      code: 'SETTLEMENT_UNKNOWN',
      details: { digest: await digest() },
    });
    expect(calls.filter((call) => call === 'post')).toHaveLength(1);
  });
});

describe('reads', () => {
  const read = (answer: Answer) => codeOf(clientOf({ lookUp: [answer] }).client.job(id as never));
  it.each([
    ['an unreachable chain', 'lost', 'CHAIN_UNAVAILABLE'],
    ['a chain that does not answer in time', 'never', 'CHAIN_UNAVAILABLE'],
    ['an answer that is not JSON', 'garbage', 'UPSTREAM_INVALID'],
    ['an answer of another shape', { body: { id } }, 'UPSTREAM_INVALID'],
    ['a refusal', { status: 404, body: wire('NOT_FOUND') }, 'NOT_FOUND'],
    ['a refusal with a code that is none', { status: 400, body: wire('NO_SUCH_CODE') }, 'UPSTREAM_INVALID'],
  ] as [string, Answer, string][])('%s', async (_name, answer, code) => {
    expect(await read(answer)).toBe(code);
  });

  it('pass the reason of an abort on', async () => {
    const { client } = clientOf({ lookUp: ['never'] });
    const stop = new AbortController();
    const waiting = client.events(0, { waitMs: 1_000, signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

describe('reads that are asked for together', () => {
  const ok = (value: unknown) => ({ ok: true, value });
  const position = { seq: 7 };

  it('go in one request, and each has its own answer or refusal', async () => {
    const { client, calls } = clientOf({
      post: [
        { body: [ok({ amountUnits: '5' }), { ok: false, error: wire('NOT_FOUND') }, ok(position), ok({ seq: '7' })] },
      ],
    });
    const reads = [client.balanceOf(signer.address), client.job(id as never), client.position(), client.position()];
    const [balance, ...others] = await Promise.all(
      reads.map(async (read) => [await codeOf(read), await read.catch(() => 0)]),
    );
    expect(balance).toEqual(['ok', 5n]);
    expect(others).toEqual([
      ['NOT_FOUND', 0],
      ['ok', 7],
      ['UPSTREAM_INVALID', 0],
    ]);
    expect(calls).toEqual(['post']);
  });

  it('do not wait for those that come later, nor for an event', async () => {
    const { client, calls } = clientOf({ lookUp: ['never', { body: position }] });
    const waiting = client.events(0, { waitMs: 1 });
    expect(await client.position()).toBe(7);
    expect(await codeOf(waiting)).toBe('CHAIN_UNAVAILABLE');
    expect(calls).toEqual(['look up', 'look up']);
  });

  it.each([
    ['an unreachable chain', 'lost', 'CHAIN_UNAVAILABLE'],
    ['an answer too few', { body: [ok(position)] }, 'UPSTREAM_INVALID'],
    ['an answer too many', { body: [ok(position), ok(position), ok(position)] }, 'UPSTREAM_INVALID'],
    ['answers of another shape', { body: [ok(position), position] }, 'UPSTREAM_INVALID'],
    ['a refusal', { status: 400, body: wire('INVALID_ARGUMENT') }, 'INVALID_ARGUMENT'],
  ] as [string, Answer, string][])('are all told of %s', async (_name, answer, code) => {
    const { client } = clientOf({ post: [answer] });
    expect(await Promise.all([codeOf(client.position()), codeOf(client.position())])).toEqual([code, code]);
  });

  it('are split where there are more than a request may hold', async () => {
    const most = LIMITS.readsPerRequest;
    const { client, calls } = clientOf({
      post: [{ body: Array.from({ length: most }, () => ok(position)) }],
      lookUp: [{ body: position }],
    });
    await Promise.all(Array.from({ length: most + 1 }, () => client.position()));
    expect(calls).toEqual(['post', 'look up']);
  });
});
