import type { SuiClientTypes } from '@mysten/sui/client';
import { deriveDynamicFieldID, fromBase58, normalizeStructTag } from '@mysten/sui/utils';
import {
  EVENT_LAYOUTS,
  SuiChain,
  suiObjects,
  type MoveEventName,
  type MoveStruct,
  type MoveType,
  type Sponsor,
  type SuiEventSource,
  type SuiEventStore,
  type SuiEventTransaction,
  type SuiSettings,
  type ValueOf,
} from '@usufruct/chain';
import { toHex32, type Address, type Digest, type Hex32 } from '@usufruct/kernel';
import { idOf, TEST_NOW_MS } from '../values.js';
import { testWallet } from '../wallet.js';
import { canonical } from './check-transaction.js';
import type { CompiledFunction, CompiledPackage } from './compiled.js';
import { FAKE_GENESIS, FakeSui } from './fake-sui.js';

export type MoveEvent = { [N in MoveEventName]: readonly [N, ValueOf<(typeof EVENT_LAYOUTS)[N]>] }[MoveEventName];

export const SUI_SETTINGS_IN_TESTS: SuiSettings = {
  network: 'custom',
  grpcUrl: 'http://127.0.0.1:1',
  sponsor: null,
  packageId: idOf('package'),
  callPackageId: idOf('package'),
  registryId: idOf('registry'),
  coinType: normalizeStructTag(`${idOf('coin')}::usd::USD`),
};

export const serialize = <T>(layout: MoveType<T>, value: T): Uint8Array => layout.bcs.serialize(value).toBytes();

/** A fake Sui network with our package and an open registry, and the adapter on it. */
export class SuiWorld {
  readonly settings = SUI_SETTINGS_IN_TESTS;
  readonly coin = canonical(SUI_SETTINGS_IN_TESTS.coinType);
  readonly sui: FakeSui;
  readonly transactions: SuiEventTransaction[] = [];
  /** Of every transaction that is executed from now on: what the contracts would emit, one list each. */
  readonly upcoming: MoveEvent[][] = [];
  /** How many of the transactions the node knows whose events are read; by default all. */
  visible = Infinity;
  chain: SuiChain;

  constructor(
    compiled: CompiledPackage,
    private readonly options: {
      readonly sponsor?: Sponsor;
      readonly eventStore?: SuiEventStore;
      readonly others?: ReadonlyMap<string, CompiledFunction>;
    } = {},
  ) {
    const { settings } = this;
    const { others } = options;
    const { packageId } = settings;
    this.sui = new FakeSui({ compiled, packageId, nowMs: TEST_NOW_MS, ...(others !== undefined && { others }) });
    this.sui.meaning = (digest, sender) => this.#emit(digest, sender);
    this.object(settings.registryId, suiObjects.registryObject, {
      id: settings.registryId,
      version: 1,
      chain_id: `sui:${FAKE_GENESIS}`,
      protocol_account: idOf<Address>('protocol'),
      daos: { id: idOf('daos'), size: 0 },
      holder_sets: { id: idOf('holder-sets'), size: 0 },
    });
    this.happened([
      'RegistryOpened',
      { object: settings.registryId, chain_id: `sui:${FAKE_GENESIS}`, protocol_account: idOf<Address>('protocol') },
    ]);
    this.chain = this.#open();
  }

  /** The next process of the same party: it knows what its store keeps and nothing else. */
  restart(): SuiChain {
    this.chain = this.#open();
    return this.chain;
  }

  #open(): SuiChain {
    const waits = { lookUpAfterMs: [0, 1, 1], pollMs: 5, timeoutMs: 30_000 };
    const { settings, sui: client, options } = this;
    const { sponsor, eventStore } = options;
    return new SuiChain({ settings, client, events: this.#source(), ...waits, sponsor, eventStore });
  }

  /** A wallet with gas, and with money where an amount is given. */
  wallet(name: string, units = 0n) {
    const wallet = testWallet(name);
    this.owned(idOf(`gas of ${name}`), '0x2::coin::Coin<0x2::sui::SUI>', wallet.address, 10n ** 9n);
    if (units > 0n) this.owned(idOf(`money of ${name}`), `0x2::coin::Coin<${this.coin}>`, wallet.address, units);
    return wallet;
  }

  owned(id: Hex32, type: string, owner: Address, balance = 0n, content?: Uint8Array): void {
    this.sui.objects.set(id, { type, owner, balance, ...(content !== undefined && { content }) });
  }

  /** A shared object as it is now. */
  object<T>(id: Hex32, layout: MoveStruct<T>, value: T): void {
    const type = layout.move.replace('<T0>', `<${this.coin}>`);
    this.sui.objects.set(id, { type, content: serialize(layout, value) });
  }

  /** A dynamic field, stored under the id that Sui derives for it. */
  field<T>(
    parent: Hex32,
    name: { readonly type: string; readonly bytes: Uint8Array },
    layout: MoveType<T>,
    value: T,
  ): void {
    const content = new Uint8Array([...new Uint8Array(32), ...name.bytes, ...serialize(layout, value)]);
    const type = `0x2::dynamic_field::Field<${canonical(name.type)}, ${layout.move}>`;
    this.sui.objects.set(deriveDynamicFieldID(parent, name.type, name.bytes), { type, content });
  }

  /** Events of a transaction that nobody here sent. */
  happened(...events: MoveEvent[]): void {
    this.#push(idOf<Digest>(`transaction ${this.transactions.length}`), idOf<Address>('somebody'), events);
  }

  #emit(digest: string, sender: string): SuiClientTypes.Event[] {
    const events = this.upcoming.shift() ?? [];
    if (events.length > 0) this.#push(toHex32<Digest>(fromBase58(digest)), sender as Address, events);
    const { packageId } = this.settings;
    return events.map(([name, value]) => ({
      packageId,
      module: 'job',
      sender,
      eventType: `${packageId}::${EVENT_LAYOUTS[name].move}`,
      bcs: bytesOf(name, value),
      json: null,
    }));
  }

  #push(digest: Digest, sender: Address, events: readonly MoveEvent[]): void {
    this.transactions.push({
      checkpoint: BigInt(this.transactions.length),
      indexInCheckpoint: 0n,
      digest,
      atMs: TEST_NOW_MS,
      events: events.map(([name, value]) => ({ sender, name: EVENT_LAYOUTS[name].move, bytes: bytesOf(name, value) })),
    });
  }

  #source(): SuiEventSource {
    return {
      page: async (after, fromCheckpoint) => {
        const known = this.transactions.slice(0, this.visible);
        const from = Math.min(Math.max(Number(after ?? 0), Number(fromCheckpoint ?? 0)), known.length);
        const transactions = known.slice(from, from + 2);
        const next = from + transactions.length;
        // Transaction n is alone in checkpoint n.
        return { transactions, cursor: String(next), more: next < known.length, coveredCheckpoint: BigInt(next) - 1n };
      },
    };
  }
}

const bytesOf = (name: MoveEventName, value: object): Uint8Array =>
  serialize(EVENT_LAYOUTS[name] as MoveStruct<object>, value);
