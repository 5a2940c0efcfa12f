import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TransactionDataBuilder } from '@mysten/sui/transactions';
import {
  asAmount,
  fromBase64,
  toBase64,
  toUsufructError,
  type Address,
  type Digest,
  type Hex32,
} from '@usufruct/kernel';
import { deriveId, type ChainAction, type TransactionOutcome } from '@usufruct/protocol';
import {
  buildPackage,
  idOf,
  readCompiled,
  settle,
  SUI_ACTIONS,
  SUI_IDS,
  SUI_POLICY,
  SuiWorld,
  testWallet,
  TEST_NOW_MS,
  type CompiledPackage,
  type MoveEvent,
} from '@usufruct/testing';
import type { PreparedTransaction } from '../port.js';
import { httpSponsor } from './transactions/http-sponsor.js';
import { walletSponsor } from './transactions/sponsor.js';

let compiled: CompiledPackage;
let world: SuiWorld;
const founder = testWallet('founder');
beforeAll(async () => {
  compiled = readCompiled((await buildPackage()).modules);
}, 120_000);
beforeEach(() => {
  world = new SuiWorld(compiled);
  world.wallet('founder', 10n ** 9n);
  settle(world);
});

const close: ChainAction = SUI_ACTIONS.closeJob;
const closed: MoveEvent = [
  'JobClosed',
  { job_id: SUI_IDS.job, state: 2, refunded_to: founder.address, refund_units: asAmount(5_000_000n) },
];
const refusalOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'ok',
    (error: unknown) => toUsufructError(error).code,
  );
const prepared = (action = close): Promise<PreparedTransaction> => world.chain.prepare([action], founder);

describe('a transaction on Sui', () => {
  it('has a digest before it is sent, and its events with their numbers afterwards', async () => {
    world.upcoming.push([closed]);
    const transaction = await prepared();
    const outcome = await world.chain.send(transaction);
    expect(outcome).toMatchObject({ digest: transaction.digest, status: 'succeeded', error: null, atMs: TEST_NOW_MS });
    const last = (await world.chain.events(0)).at(-1)!;
    expect(outcome.events).toEqual([last]);
    expect(last).toMatchObject({ sender: founder.address, data: { type: 'JobClosed', state: 'cancelled' } });
  });

  it('that is sent twice happens once, with one outcome', async () => {
    world.upcoming.push([closed], [closed]);
    const transaction = await prepared();
    const first = await world.chain.send(transaction);
    expect(await world.chain.send(transaction)).toEqual(first);
    expect(world.sui.executed).toHaveLength(1);
  });

  it('whose answer was lost is looked up and not sent again', async () => {
    world.upcoming.push([closed]);
    const transaction = await prepared();
    world.sui.loseNext = 'answer';
    expect(await world.chain.send(transaction)).toMatchObject({ digest: transaction.digest, status: 'succeeded' });
    expect(world.sui.executed).toHaveLength(1);
  });

  it('of which the chain says nothing stays unknown, and can be sent again as it is', async () => {
    const transaction = await prepared();
    world.sui.loseNext = 'request';
    expect(await refusalOf(world.chain.send(transaction))).toBe('SETTLEMENT_UNKNOWN');
    expect([await world.chain.transaction(transaction.digest), world.sui.executed]).toEqual([null, []]);
    expect(await refusalOf(world.chain.send(transaction))).toBe('ok');
  });

  it('that is executed and in no checkpoint yet stays unknown until it is in one', async () => {
    const transaction = await prepared();
    world.sui.checkpointed = false;
    expect(await refusalOf(world.chain.send(transaction))).toBe('SETTLEMENT_UNKNOWN');
    expect(await refusalOf(world.chain.transaction(transaction.digest))).toBe('CHAIN_UNAVAILABLE');
    world.sui.checkpointed = true;
    expect(await world.chain.transaction(transaction.digest)).toMatchObject({ status: 'succeeded' });
  });

  it('that comes after its epoch never happens, and says so', async () => {
    const transaction = await prepared();
    world.sui.epoch += 1n;
    expect(await refusalOf(world.chain.send(transaction))).toBe('TRANSACTION_EXPIRED');
  });

  it('that happened in time is found after its epoch', async () => {
    world.upcoming.push([closed]);
    const transaction = await prepared();
    await world.chain.send(transaction);
    world.sui.epoch += 1n;
    expect(await refusalOf(world.chain.send(transaction))).toBe('ok');
  });

  it('that the contracts would refuse is refused before it is signed', async () => {
    world.sui.refusal = () => ({ abortCode: '1009', location: { module: 'job' } });
    expect(await refusalOf(prepared())).toBe('JOB_STATE');
  });

  it('that fails on the chain has the same refusal as its outcome', async () => {
    const transaction = await prepared();
    world.sui.refusal = () => ({ abortCode: '1010', location: { module: 'job' } });
    expect(await refusalOf(world.chain.send(transaction))).toBe('JOB_EXPIRED');
    const outcome: TransactionOutcome | null = await world.chain.transaction(transaction.digest);
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'JOB_EXPIRED' }, events: [] });
  });

  it('needs gas', async () => {
    world.sui.objects.delete(idOf('gas of founder'));
    expect(await refusalOf(prepared())).toBe('INSUFFICIENT_BALANCE');
  });

  it('is not signed by a wallet that signs for another, or not at all', async () => {
    const { signPersonalMessage, address } = founder;
    const other = { address, signPersonalMessage, signTransaction: testWallet('eve').signTransaction! };
    expect(await refusalOf(world.chain.prepare([close], other))).toBe('SIGNATURE_INVALID');
    expect(await refusalOf(world.chain.prepare([close], { address, signPersonalMessage }))).toBe('CONFIG_INVALID');
  });
});

describe('a sponsor', () => {
  const paymaster = testWallet('paymaster');
  const sponsored = (sponsor: (world: SuiWorld) => ReturnType<typeof walletSponsor>) => {
    const target: { world?: SuiWorld } = {};
    const lazy = {
      address: paymaster.address,
      sponsor: (request: Parameters<ReturnType<typeof walletSponsor>['sponsor']>[0]) =>
        sponsor(target.world!).sponsor(request),
    };
    target.world = new SuiWorld(compiled, { sponsor: lazy });
    settle(target.world);
    return target.world;
  };

  it('pays for a sender without gas', async () => {
    const paid = sponsored(({ sui }) => walletSponsor(paymaster, sui));
    paid.wallet('paymaster');
    paid.upcoming.push([closed]);
    const transaction = await paid.chain.prepare([close], founder);
    expect(transaction.signature.split(',')).toHaveLength(2);
    expect(await paid.chain.send(transaction)).toMatchObject({ status: 'succeeded' });
  });

  /** A service that answers by what a wallet of its own signs, or as it is told. */
  const served = (
    answer: (asked: Request, honest: () => Promise<string>) => Promise<Response> | Response,
    timeoutMs = 10_000,
  ) => {
    const asked: { url: string; body: unknown }[] = [];
    const paid = sponsored(({ sui }) => {
      const fetch: typeof globalThis.fetch = async (input, init) => {
        const request = new Request(input, init);
        const text = await request.clone().text();
        const { kind, sender, lastEpoch } = JSON.parse(text) as { kind: string; sender: Address; lastEpoch: string };
        asked.push({ url: request.url, body: JSON.parse(text) });
        return answer(request, async () => {
          const given = { kind: Uint8Array.from(fromBase64(kind)), sender, lastEpoch: BigInt(lastEpoch) };
          const { bytes, signature } = await walletSponsor(paymaster, sui).sponsor(given);
          return JSON.stringify({ bytes: toBase64(bytes), signature });
        });
      };
      return httpSponsor({ url: 'https://gas.example/pay', address: paymaster.address, timeoutMs, fetch });
    });
    paid.wallet('paymaster');
    return { paid, asked };
  };

  it('pays from behind an address', async () => {
    const { paid, asked } = served(async (_asked, honest) => new Response(await honest()));
    paid.upcoming.push([closed]);
    expect(await paid.chain.send(await paid.chain.prepare([close], founder))).toMatchObject({ status: 'succeeded' });
    expect(asked).toEqual([
      {
        url: 'https://gas.example/pay',
        body: { kind: expect.any(String), sender: founder.address, lastEpoch: '7' },
      },
    ]);
  });

  it.each<[string, string, Parameters<typeof served>[0]]>([
    ['does not answer', 'UPSTREAM_UNAVAILABLE', () => Promise.reject(new Error('gone'))],
    [
      'does not answer in time',
      'UPSTREAM_UNAVAILABLE',
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    ],
    ['says no', 'UPSTREAM_UNAVAILABLE', () => new Response('{}', { status: 403 })],
    ['says something else', 'UPSTREAM_INVALID', () => new Response('{"bytes":"AA=="}')],
    ['says what is no JSON', 'UPSTREAM_INVALID', () => new Response('<html>')],
    ['says too much', 'UPSTREAM_INVALID', () => new Response('"'.padEnd(300_000, 'a'))],
    [
      'gives another transaction',
      'UPSTREAM_INVALID',
      async (_, honest) => {
        const { bytes, signature } = JSON.parse(await honest()) as { bytes: string; signature: string };
        const data = TransactionDataBuilder.fromBytes(fromBase64(bytes));
        data.sender = idOf('eve');
        return new Response(JSON.stringify({ bytes: toBase64(data.build()), signature }));
      },
    ],
  ])('that %s leaves it at that: nobody else pays, nothing is signed', async (what, code, answer) => {
    // Who waits for nothing waits briefly; others' patience is for a busy machine.
    const { paid } = served(answer, what.endsWith('in time') ? 50 : undefined);
    let signed = 0;
    const signTransaction = (bytes: Uint8Array) => {
      signed++;
      return founder.signTransaction!(bytes);
    };
    expect(await refusalOf(paid.chain.prepare([close], { ...founder, signTransaction }))).toBe(code);
    expect(signed).toBe(0);
  });

  it.each<[string, Partial<{ sender: Address; lastEpoch: bigint }>]>([
    ['for another sender', { sender: idOf<Address>('eve') }],
    ['that ends later than asked', { lastEpoch: 99n }],
  ])('is refused when it gives a transaction %s', async (_name, change) => {
    const wrong = sponsored(({ sui }) => {
      const honest = walletSponsor(paymaster, sui);
      return { ...honest, sponsor: (request) => honest.sponsor({ ...request, ...change }) };
    });
    wrong.wallet('paymaster');
    expect(await refusalOf(wrong.chain.prepare([close], founder))).toBe('UPSTREAM_INVALID');
  });
});

describe('the views', () => {
  it('say which chain, package, registry and coin', async () => {
    const { packageId, registryId, coinType } = world.settings;
    expect(await world.chain.info()).toEqual({
      chainId: expect.stringMatching(/^sui:/),
      packageId,
      registryId,
      coin: { type: coinType, symbol: 'USD', decimals: 6 },
      protocolAccount: idOf('protocol'),
      standIn: false,
    });
  });

  it('read a DAO and a proposal from their objects, in the order that the events have', async () => {
    expect(await world.chain.dao(SUI_IDS.dao)).toMatchObject({
      id: SUI_IDS.dao,
      policy: SUI_POLICY,
      members: [founder.address],
      proposalCount: 1,
      paused: false,
    });
    expect((await world.chain.proposalsOf(SUI_IDS.dao)).map(({ number, effect }) => [number, effect])).toEqual([
      [1, { kind: 'unpause' }],
    ]);
    expect((await world.chain.epochsOf(SUI_IDS.dao)).map(({ toReceipt, state }) => [toReceipt, state])).toEqual([
      [3n, 'open'],
    ]);
    expect(await world.chain.balanceOf(founder.address)).toBe(10n ** 9n);
  });

  it('have nothing of what is not there', async () => {
    expect(await refusalOf(world.chain.dao(idOf('nowhere')))).toBe('NOT_FOUND');
    expect(await refusalOf(world.chain.job(idOf('nowhere')))).toBe('NOT_FOUND');
    expect(await world.chain.transaction(idOf<Digest>('never'))).toBeNull();
    expect(await world.chain.member(SUI_IDS.dao, idOf<Address>('stranger'))).toBeNull();
  });

  it('do not show a DAO of another coin, nor its events', async () => {
    const other = idOf<typeof SUI_IDS.dao>('other dao');
    const before = (await world.chain.events(0)).length;
    world.happened([
      'DaoCreated',
      {
        object: idOf<Hex32>('object of other dao'),
        dao_id: other,
        founder: founder.address,
        coin: `${'0'.repeat(63)}2::sui::SUI`,
        policy: SUI_POLICY,
        policy_digest: idOf<Digest>('policy'),
        metadata_hash: idOf<Digest>('metadata'),
        governance: (await world.chain.dao(SUI_IDS.dao)).governance,
        payout_rules: (await world.chain.dao(SUI_IDS.dao)).payoutRules,
      },
    ]);
    expect(await world.chain.events(0)).toHaveLength(before);
    expect(await refusalOf(world.chain.dao(other))).toBe('NOT_FOUND');
  });

  it('wait for the next event as long as they are told to', async () => {
    const { length } = await world.chain.events(0);
    expect(await world.chain.events(length)).toEqual([]);
    setTimeout(() => world.happened(closed), 10);
    const [next] = await world.chain.events(length, { waitMs: 2_000 });
    expect(next).toMatchObject({ seq: length + 1, data: { type: 'JobClosed' } });
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 10);
    await expect(world.chain.events(length + 1, { waitMs: 60_000, signal: stop.signal })).rejects.toThrow();
  });
});

describe('the main path', () => {
  it('goes through the adapter from a holder set to a settled question', async () => {
    const fresh = new SuiWorld(compiled);
    fresh.wallet('founder', 10n ** 9n);
    const salt = idOf<Hex32>('a salt');
    const id = deriveId<typeof SUI_IDS.holderSet>('holder-set', null, founder.address, salt);
    fresh.upcoming.push([
      [
        'HolderSetCreated',
        {
          object: idOf<Hex32>('new holder set'),
          holder_set_id: id,
          operators: [idOf<Address>('operator')],
          signing_public_keys: [new Uint8Array(32).fill(1)],
          sealing_public_keys: [new Uint8Array(32).fill(2)],
          threshold: 1,
        },
      ],
    ]);
    const outcome = await fresh.chain.execute([SUI_ACTIONS.createHolderSet], founder);
    expect(outcome.events.map(({ seq, data }) => [seq, data.type])).toEqual([[1, 'HolderSetCreated']]);
    settle(fresh);
    const path = [
      'createDao',
      'createDataset',
      'registerContribution',
      'giveGrant',
      'decideContribution',
      'registerRunner',
      'fundJob',
      'settleReceipt',
      'closeJob',
    ] as const;
    for (const kind of path) await fresh.chain.execute([SUI_ACTIONS[kind]], founder);
    expect(fresh.sui.executed.map(({ calls }) => calls.at(-1)!.target)).toEqual([
      'holder_set::create',
      'data_dao::create',
      'dataset::create',
      'contribution::register',
      'grant::give',
      'contribution::decide',
      'data_dao::register_runner',
      'job::fund',
      'usage_receipt::settle',
      'job::close',
    ]);
  });
});
