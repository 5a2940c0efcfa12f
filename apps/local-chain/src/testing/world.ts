import { keypairSigner, prepareLocalTransaction, type WalletSigner } from '@usufruct/chain';
import { generateSigningKey, type SigningKey } from '@usufruct/crypto';
import { asAmount, asTimestampMs, fromHex, toHex32, type Clock, type TimestampMs } from '@usufruct/kernel';
import { toUsufructError, utf8, type Hex32, type RandomSource } from '@usufruct/kernel';
import { taggedDigest, TAGS, zTransactionOutcome, type ChainAction, type TransactionOutcome } from '@usufruct/protocol';
import { LocalChain } from '../local-chain.js';
import { Store } from '../store/store.js';

/** 32 bytes that depend on a name only: salts, keys and hashes of tests that come out the same every time. */
export const bytesOf = (name: string): Uint8Array => fromHex(hexOf(name));
export const hexOf = <T extends Hex32 = Hex32>(name: string): T =>
  taggedDigest(TAGS.objectId, utf8(name)) as Hex32 as T;

export const walletOf = (name: string): WalletSigner => keypairSigner(bytesOf(name));
export const signingKeyOf = (name: string): SigningKey => generateSigningKey(() => bytesOf(name));

/** Random enough for nonces, the same in every run. */
export function countingRandom(seed: string): RandomSource {
  let n = 0;
  return (lengthBytes) => bytesOf(`${seed}/${n++}`).slice(0, lengthBytes);
}

export class TestClock implements Clock {
  #nowMs: number;
  constructor(startMs = 1_800_000_000_000) {
    this.#nowMs = startMs;
  }
  nowMs(): TimestampMs {
    return asTimestampMs(this.#nowMs);
  }
  advance(byMs: number): void {
    this.#nowMs += byMs;
  }
}

/** A local chain, in memory unless one is given, with a clock that stands still, and wallets by name. */
export class World {
  readonly clock: TestClock;
  readonly random = countingRandom('world');
  readonly chain: LocalChain;

  constructor({ clock = new TestClock(), chain }: { clock?: TestClock; chain?: LocalChain } = {}) {
    this.clock = clock;
    this.chain = chain ?? new LocalChain(new Store(':memory:', this.random), clock);
  }
  get store(): Store {
    return this.chain.store;
  }

  async submit(signer: WalletSigner, ...actions: ChainAction[]): Promise<TransactionOutcome> {
    const { random, clock, chain } = this;
    const prepared = await prepareLocalTransaction({ chainId: chain.info.chainId, actions, signer, clock, random });
    return zTransactionOutcome.parse(JSON.parse(await chain.submit(prepared.bytes, prepared.signature)));
  }

  /** `ok`, or the catalogue code for which the chain refused and the check or field that it names. */
  async refusal(signer: WalletSigner, ...actions: ChainAction[]): Promise<string> {
    try {
      const { error } = await this.submit(signer, ...actions);
      return error === null ? 'ok' : named(error.code, error.details);
    } catch (thrown) {
      const error = toUsufructError(thrown);
      if (error.code === 'INTERNAL') throw thrown;
      return named(error.code, error.details);
    }
  }

  /** Must succeed. */
  async run(signer: WalletSigner, ...actions: ChainAction[]): Promise<TransactionOutcome> {
    const outcome = await this.submit(signer, ...actions);
    if (outcome.error !== null) throw new Error(`${outcome.error.code} ${JSON.stringify(outcome.error.details)}`);
    return outcome;
  }

  balanceOf(signer: { readonly address: string }): bigint {
    return this.store.read('balance', signer.address)?.amountUnits ?? 0n;
  }
  mint(to: WalletSigner, units: bigint): ChainAction {
    return { kind: 'mint', to: to.address, amountUnits: asAmount(units) };
  }
}

export const digestOf = (name: string) => toHex32<ReturnType<typeof taggedDigest>>(bytesOf(name));

const named = (code: string, details: Readonly<Record<string, string>>): string => {
  const state = code === 'EPOCH_STATE' ? details['state'] : undefined;
  return [code, details['check'] ?? details['field'] ?? state ?? []].flat().join(' ');
};
