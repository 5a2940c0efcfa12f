import { describe, expect, it } from '@jest/globals';
import { asAmount, refuse, toBase64, type Address } from '@usufruct/kernel';
import { LIMITS, type ChainAction } from '@usufruct/protocol';
import { FakeChain, idOf, ManualClock, TEST_NOW_MS, testWallet } from '@usufruct/testing';
import { memoryJournal } from './journal.js';
import { executeOnce } from './transactions.js';

const actions: readonly ChainAction[] = [{ kind: 'mint', to: idOf<Address>('to'), amountUnits: asAmount(1n) }];
const KEY = 'transaction';

function world() {
  const chain = new FakeChain();
  const journal = memoryJournal();
  const clock = new ManualClock();
  const run = () => executeOnce({ chain, signer: testWallet('payer'), journal, clock, key: KEY, actions });
  return { chain, journal, clock, run };
}

describe('executeOnce', () => {
  it('executes once, however often it is called', async () => {
    const { chain, run } = world();
    expect(await run()).toEqual(await run());
    expect(chain.executed).toHaveLength(1);
  });

  it('stores the transaction before it sends it', async () => {
    const { chain, journal, run } = world();
    let stored: string | null = null;
    const { send } = chain;
    chain.send = async (transaction) => {
      stored = await journal.get(KEY);
      return send(transaction);
    };
    const { digest } = await run();
    expect(JSON.parse(stored ?? '{}')).toMatchObject({ digest });
  });

  it('finds the outcome of a transaction whose answer was lost, and does not send it again', async () => {
    const { chain, run } = world();
    const { send } = chain;
    let sent = 0;
    chain.send = async (transaction) => {
      sent += 1;
      await send(transaction);
      chain.isDown = true; // executed, and then nobody can be asked
      throw refuse('SETTLEMENT_UNKNOWN', { digest: transaction.digest });
    };
    await expect(run()).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' });
    chain.isDown = false;
    expect(await run()).toMatchObject({ status: 'succeeded' });
    expect([sent, chain.executed.length]).toEqual([1, 1]);
  });

  it('sends the same transaction again when it never arrived', async () => {
    const { chain, run } = world();
    const { send } = chain;
    const digests: string[] = [];
    chain.send = async (transaction) => {
      digests.push(transaction.digest);
      if (digests.length === 1) throw refuse('SETTLEMENT_UNKNOWN', { digest: transaction.digest });
      return send(transaction);
    };
    await expect(run()).rejects.toMatchObject({ code: 'SETTLEMENT_UNKNOWN' });
    await run();
    expect(digests).toHaveLength(2);
    expect(new Set(digests).size).toBe(1);
  });

  it('makes a new one when the old one can no longer happen, by our clock or by the chain', async () => {
    for (const isByOurClock of [true, false]) {
      const { chain, clock, run } = world();
      const { send } = chain;
      const digests: string[] = [];
      chain.send = async (transaction) => {
        digests.push(transaction.digest);
        if (digests.length === 1) throw refuse('SETTLEMENT_UNKNOWN', { digest: transaction.digest });
        if (transaction.digest === digests[0]) throw refuse('TRANSACTION_EXPIRED');
        return send(transaction);
      };
      await expect(run()).rejects.toMatchObject({ code: 'SETTLEMENT_UNKNOWN' });
      if (isByOurClock) clock.advance(LIMITS.transactionTermMs + LIMITS.clockSkewMs + 1);
      await run();
      expect(new Set(digests).size).toBe(2);
      expect(chain.executed).toHaveLength(1);
    }
  });

  it("passes on the chain's refusal, and lets the next call sign anew", async () => {
    const { chain, journal, run } = world();
    const { send } = chain;
    chain.send = async () => {
      throw refuse('INSUFFICIENT_BALANCE');
    };
    await expect(run()).rejects.toMatchObject({ code: 'INSUFFICIENT_BALANCE' });
    expect(await journal.get(KEY)).toBeNull();
    chain.send = send;
    await run();
    expect(chain.executed).toHaveLength(1);
  });

  it('passes on the failure of a transaction that the chain executed while we were away', async () => {
    const { chain, journal, run } = world();
    const digest = idOf('old');
    const record = { digest, bytes: toBase64(new Uint8Array()), signature: '', preparedAtMs: TEST_NOW_MS };
    await journal.put(KEY, JSON.stringify(record));
    const error = { code: 'PURPOSE_DENIED', details: {} };
    chain.transaction = async () => ({ digest: idOf('old'), status: 'failed', error, events: [], atMs: TEST_NOW_MS });
    await expect(run()).rejects.toMatchObject({ code: 'PURPOSE_DENIED' });
    expect(await journal.get(KEY)).toBeNull();
    expect(chain.executed).toEqual([]);
  });
});
