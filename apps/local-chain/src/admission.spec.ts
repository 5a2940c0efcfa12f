import { describe, expect, it } from '@jest/globals';
import { keypairSigner, prepareLocalTransaction, type PreparedTransaction } from '@usufruct/chain';
import { asTimestampMs, concatBytes, refuse, toUsufructError, type Clock } from '@usufruct/kernel';
import { LIMITS, zTransactionOutcome, type ChainAction } from '@usufruct/protocol';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { Secp256k1Keypair } from '@mysten/sui/keypairs/secp256k1';
import { bytesOf, walletOf, World } from './testing/world.js';

const alice = walletOf('alice');
const mallory = walletOf('mallory');

interface Changes {
  readonly chainId?: string;
  readonly signer?: typeof alice;
  readonly clock?: Clock;
  readonly actions?: ChainAction[];
}
const prepared = (world: World, changes: Changes = {}): Promise<PreparedTransaction> =>
  prepareLocalTransaction({
    chainId: world.chain.info.chainId,
    actions: [world.mint(alice, 5n)],
    signer: alice,
    clock: world.clock,
    random: world.random,
    ...changes,
  });
const send = async (world: World, { bytes, signature }: PreparedTransaction) =>
  zTransactionOutcome.parse(JSON.parse(await world.chain.submit(bytes, signature)));
const clockAt = (nowMs: number): Clock => ({ nowMs: () => asTimestampMs(nowMs) });

describe('a transaction that arrives more than once', () => {
  it('happens once, also when it arrives twice at once', async () => {
    const world = new World();
    const transaction = await prepared(world);
    const outcomes = await Promise.all([send(world, transaction), send(world, transaction)]);
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect(world.balanceOf(alice)).toBe(5n);
    expect(world.store.lastSeq).toBe(1);
  });

  it('has the recorded outcome for ever, whatever has changed since', async () => {
    const world = new World();
    const tooMuch: ChainAction = { kind: 'transfer', to: mallory.address, amountUnits: 5n as never };
    const failing = await prepared(world, { actions: [tooMuch] });
    expect((await send(world, failing)).error?.code).toBe('INSUFFICIENT_BALANCE');
    const before = await send(world, await prepared(world));
    world.clock.advance(LIMITS.transactionTermMs * 2);
    // The balance would cover it now, and its term is over: still the recorded failure.
    const again = await send(world, failing);
    expect([again.status, again.error?.code]).toEqual(['failed', 'INSUFFICIENT_BALANCE']);
    expect(world.balanceOf(alice)).toBe(5n);
    expect(before.status).toBe('succeeded');
  });

  it('does nothing at all when one of its actions fails', async () => {
    const world = new World();
    const transfer: ChainAction = { kind: 'transfer', to: mallory.address, amountUnits: 6n as never };
    const outcome = await send(world, await prepared(world, { actions: [world.mint(alice, 5n), transfer] }));
    expect([outcome.status, outcome.events]).toEqual(['failed', []]);
    expect([world.balanceOf(alice), world.balanceOf(mallory), world.store.lastSeq]).toEqual([0n, 0n, 0]);
  });
});

describe('a transaction that is not let in', () => {
  const other = (t: PreparedTransaction, changes: Partial<PreparedTransaction>) => ({ ...t, ...changes });
  const rows: [string, string, (w: World) => Promise<PreparedTransaction>][] = [
    ['for another chain', 'INVALID_ARGUMENT', (w) => prepared(w, { chainId: 'local:00000000' })],
    [
      'by a wallet in the name of another',
      'SIGNATURE_INVALID',
      (w) => prepared(w, { signer: { ...mallory, address: alice.address } }),
    ],
    [
      'with the signature of another transaction',
      'SIGNATURE_INVALID',
      async (w) => other(await prepared(w), { signature: (await prepared(w)).signature }),
    ],
    ['with no signature', 'SIGNATURE_INVALID', async (w) => other(await prepared(w), { signature: '' })],
    ['with a bare signature', 'SIGNATURE_INVALID', async (w) => other(await prepared(w), { signature: 'AAAA' })],
    [
      'with a byte too many',
      'MALFORMED_REQUEST',
      async (w) => {
        const transaction = await prepared(w);
        return other(transaction, { bytes: concatBytes(transaction.bytes, Uint8Array.of(0)) });
      },
    ],
    [
      'cut short',
      'MALFORMED_REQUEST',
      async (w) => {
        const transaction = await prepared(w);
        return other(transaction, { bytes: transaction.bytes.slice(0, -1) });
      },
    ],
    ['of no bytes', 'MALFORMED_REQUEST', async (w) => other(await prepared(w), { bytes: new Uint8Array() })],
    [
      'too large',
      'REQUEST_TOO_LARGE',
      async (w) => other(await prepared(w), { bytes: new Uint8Array(LIMITS.transactionBytes + 1) }),
    ],
    [
      'too late',
      'TRANSACTION_EXPIRED',
      (w) => prepared(w, { clock: clockAt(w.clock.nowMs() - LIMITS.transactionTermMs) }),
    ],
    ['that lives too long', 'INVALID_ARGUMENT', (w) => prepared(w, { clock: clockAt(w.clock.nowMs() + 60_001) })],
  ];
  it.each(rows)('%s: %s, and leaves no trace', async (_name, code, make) => {
    const world = new World();
    const transaction = await make(world);
    const refusal = await send(world, transaction).catch((error: unknown) => toUsufructError(error).code);
    expect(refusal).toBe(code);
    expect(world.store.outcome(transaction.digest)).toBeUndefined();
    expect(world.balanceOf(alice)).toBe(0n);
  });

  it('cannot be spoiled for its owner by somebody who sends it first with a bad signature', async () => {
    const world = new World();
    const transaction = await prepared(world);
    const spoiled = { ...transaction, signature: await mallory.signPersonalMessage(transaction.bytes) };
    await expect(send(world, spoiled)).rejects.toThrow(refuse('SIGNATURE_INVALID').message);
    expect((await send(world, transaction)).status).toBe('succeeded');
  });
});

describe('wallets', () => {
  it.each([
    ['Ed25519', Ed25519Keypair.fromSecretKey(bytesOf('k'))],
    ['Secp256k1', Secp256k1Keypair.fromSecretKey(bytesOf('k'))],
  ])('%s', async (_name, keypair) => {
    const world = new World();
    const signer = keypairSigner(keypair);
    const outcome = await send(world, await prepared(world, { signer }));
    expect(outcome.events[0]?.sender).toBe(signer.address);
  });
});

describe('time on the chain', () => {
  it('does not go back when the clock does', async () => {
    const world = new World();
    const first = await send(world, await prepared(world));
    world.clock.advance(-5_000);
    const second = await send(world, await prepared(world));
    expect(second.atMs).toBe(first.atMs);
  });
});
