import { bcs } from '@mysten/bcs';
import type { SuiClientTypes } from '@mysten/sui/client';
import type { TransactionDataBuilder } from '@mysten/sui/transactions';
import { deriveDynamicFieldID, fromBase64, normalizeSuiAddress } from '@mysten/sui/utils';
import { TESTNET_WALRUS_PACKAGE_CONFIG } from '@mysten/walrus';
import { fromHex, toHex, type Address } from '@usufruct/kernel';
import { canonical, FakeSui, type CompiledFunction, type FakeObject } from '@usufruct/testing';

const { systemObjectId } = TESTNET_WALRUS_PACKAGE_CONFIG;
export const PACKAGE = normalizeSuiAddress(`0x${'ca'.repeat(32)}`);
export const WAL = `0x${'ab'.repeat(32)}::wal::WAL`;
const VERSION = 2n;
/** Of a unit and epoch, in FROST. */
export const STORAGE_PRICE = 11_000;
export const SYSTEM_TYPE = `${PACKAGE}::system::System`;
export const BLOB_TYPE = `${PACKAGE}::blob::Blob`;

const address = bcs.bytes(32);
const element = bcs.vector(bcs.u8());
/** Field for field as Walrus's Move sources have them (system.move, system_state_inner.move, blob.move). */
const System = bcs.struct('System', { id: address, version: bcs.u64(), package: address, next: bcs.option(address) });
const StateField = bcs.struct('Field', {
  id: address,
  name: bcs.u64(),
  members: bcs.vector(bcs.struct('Member', { publicKey: element, weight: bcs.u16(), nodeId: address })),
  shards: bcs.u16(),
  epoch: bcs.u32(),
  aggregatedKey: element,
  totalCapacity: bcs.u64(),
  usedCapacity: bcs.u64(),
  storagePrice: bcs.u64(),
  writePrice: bcs.u64(),
  accountingIndex: bcs.u32(),
  accountingLength: bcs.u32(),
  accounting: bcs.vector(bcs.u8()),
  latestCertified: bcs.option(bcs.u8()),
  weights: bcs.vector(bcs.u8()),
  denyList: address,
});
export const Blob = bcs.struct('Blob', {
  id: address,
  registeredEpoch: bcs.u32(),
  blobId: address,
  size: bcs.u64(),
  encodingType: bcs.u8(),
  certifiedEpoch: bcs.option(bcs.u32()),
  storageId: address,
  startEpoch: bcs.u32(),
  endEpoch: bcs.u32(),
  storageSize: bcs.u64(),
  deletable: bcs.bool(),
});

/** Walrus's system object and its state, as a full node has them. */
export function walrusObjects(shards: number, epoch: number): [string, FakeObject][] {
  const system = System.serialize({
    id: fromHex(systemObjectId),
    version: VERSION,
    package: fromHex(PACKAGE),
    next: null,
  });
  const id = deriveDynamicFieldID(systemObjectId, 'u64', bcs.u64().serialize(VERSION).toBytes());
  const state = StateField.serialize({
    id: fromHex(id),
    name: VERSION,
    members: [{ publicKey: [1], weight: shards, nodeId: fromHex(PACKAGE) }],
    shards,
    epoch,
    aggregatedKey: [],
    totalCapacity: 1,
    usedCapacity: 0,
    storagePrice: STORAGE_PRICE,
    writePrice: 20_000,
    accountingIndex: 0,
    accountingLength: 0,
    accounting: [],
    latestCertified: null,
    weights: [],
    denyList: fromHex(PACKAGE),
  });
  return [
    [systemObjectId, { type: SYSTEM_TYPE, content: system.toBytes() }],
    [id, { type: '0x2::dynamic_field::Field', content: state.toBytes() }],
  ];
}

/** What a node says of the function by whose second parameter the WAL coin is known. */
export const walMoveFunction = (async () => {
  const wal = { $kind: 'datatype', datatype: { typeName: WAL, typeParameters: [] } };
  const coin = { $kind: 'datatype', datatype: { typeName: '0x2::coin::Coin', typeParameters: [wal] } };
  return { function: { parameters: [{ body: { $kind: 'u8' } }, { body: coin }] } };
}) as object as FakeSui['getMoveFunction'];

/** All that the fake looks at: which shared objects a call changes. */
const SIGNATURE: CompiledFunction = {
  visibility: 'Public',
  isEntry: false,
  parameters: ['&mut System', '&mut Blob'],
  returns: [],
  typeParameters: 0,
};
const FUNCTIONS = ['reserve_space', 'register_blob', 'certify_blob', 'extend_blob', 'delete_blob'];
type MoveCall = NonNullable<TransactionDataBuilder['commands'][number]['MoveCall']>;
type Call = Pick<MoveCall, 'package' | 'module' | 'function' | 'arguments'>;

/**
 * A full node with Walrus's contracts, in memory: it does what the calls of `@mysten/walrus` say, without types and
 * without signatures of storage nodes. A certificate counts in the epoch that it names.
 */
export class FakeWalrusNode extends FakeSui {
  /** What each executed transaction called in Walrus, and its pure inputs. */
  readonly calls: { readonly names: string[]; readonly firstInput: Uint8Array | null; readonly transfers: number }[] =
    [];
  private made = 0;
  private abort: SuiClientTypes.MoveAbort | null = null;
  private storageEpoch = 30;

  constructor(
    private readonly owner: Address,
    private readonly shards: number,
    coins: { readonly sui: bigint; readonly wal: bigint },
  ) {
    const functions = new Map(FUNCTIONS.map((name) => [`system::${name}`, SIGNATURE] as const));
    super({ compiled: { functions, structs: new Map() }, packageId: PACKAGE, nowMs: 0 });
    if (coins.sui > 0n) this.objects.set(normalizeSuiAddress('0x51'), coinOf('0x2::sui::SUI', owner, coins.sui));
    this.objects.set(normalizeSuiAddress('0x52'), coinOf(WAL, owner, coins.wal));
    this.walrusEpoch = this.storageEpoch;
  }

  get walrusEpoch(): number {
    return this.storageEpoch;
  }
  set walrusEpoch(epoch: number) {
    this.storageEpoch = epoch;
    for (const [id, object] of walrusObjects(this.shards, epoch)) this.objects.set(id, object);
  }

  override async listOwnedObjects<I extends SuiClientTypes.ObjectInclude>({
    owner,
    type,
  }: SuiClientTypes.ListOwnedObjectsOptions<I>): Promise<SuiClientTypes.ListOwnedObjectsResponse<I>> {
    const owned = [...this.objects].filter(([, object]) => object.owner === owner && object.type === type);
    const { objects } = await this.getObjects<I>({ objectIds: owned.map(([id]) => id) });
    return { objects: objects as SuiClientTypes.Object<I>[], hasNextPage: false, cursor: null };
  }

  override check(): [] {
    return [];
  }
  override refusal = (): SuiClientTypes.MoveAbort | null => {
    const { abort } = this;
    this.abort = null;
    return abort;
  };
  override getMoveFunction = walMoveFunction;

  /** What the transaction does, when it is executed; a new object's type. */
  override makes = (data: TransactionDataBuilder): Readonly<Record<string, string>> => {
    const calls = data.commands.flatMap(({ MoveCall }) => (MoveCall?.package === PACKAGE ? [MoveCall] : []));
    const first = data.inputs[0]?.Pure?.bytes;
    this.calls.push({
      names: calls.map((call) => call.function),
      firstInput: first === undefined ? null : fromBase64(first),
      transfers: data.commands.filter(({ $kind }) => $kind === 'TransferObjects').length,
    });
    const made: Record<string, string> = {};
    for (const call of calls) {
      if (call.function === 'register_blob') made[this.register(data, call, calls)] = BLOB_TYPE;
      if (call.function === 'delete_blob') this.objects.delete(objectOf(data, call));
      if (call.function === 'extend_blob')
        this.change(objectOf(data, call), (blob) => ({ endEpoch: blob.endEpoch + pure(data, call, 2, bcs.u32()) }));
      if (call.function === 'certify_blob') this.certify(data, call);
    }
    return made;
  };

  private register(data: TransactionDataBuilder, call: Call, calls: readonly Call[]): string {
    const reservation = calls.find((each) => each.function === 'reserve_space')!;
    const id = normalizeSuiAddress(`0xb${(this.made++).toString(16)}`);
    const blobId = bcs
      .u256()
      .serialize(pure(data, call, 2, bcs.u256()))
      .toBytes();
    const content = Blob.serialize({
      id: fromHex(id),
      registeredEpoch: this.storageEpoch,
      blobId,
      size: pure(data, call, 4, bcs.u64()),
      encodingType: pure(data, call, 5, bcs.u8()),
      certifiedEpoch: null,
      storageId: fromHex(id),
      startEpoch: this.storageEpoch,
      endEpoch: this.storageEpoch + pure(data, reservation, 2, bcs.u32()),
      storageSize: pure(data, reservation, 1, bcs.u64()),
      deletable: pure(data, call, 6, bcs.bool()),
    });
    this.objects.set(id, { type: BLOB_TYPE, owner: this.owner, content: content.toBytes() });
    return id;
  }

  private certify(data: TransactionDataBuilder, call: Call): void {
    const message = Uint8Array.from(pure(data, call, 4, bcs.vector(bcs.u8())));
    const epoch = new DataView(message.buffer).getUint32(3, true);
    if (epoch !== this.storageEpoch) this.abort = { abortCode: '1', location: {} };
    else this.change(objectOf(data, call), () => ({ certifiedEpoch: epoch }));
  }

  private change(
    id: string,
    what: (blob: ReturnType<typeof Blob.parse>) => Partial<ReturnType<typeof Blob.parse>>,
  ): void {
    const object = this.objects.get(id)!;
    const blob = Blob.parse(object.content!);
    this.objects.set(id, { ...object, content: Blob.serialize({ ...blob, ...what(blob) }).toBytes() });
  }
}

const coinOf = (type: string, owner: Address, balance: bigint) => ({
  type: `0x2::coin::Coin<${canonical(type)}>`,
  owner,
  balance,
});

function pure<T>(data: TransactionDataBuilder, call: Call, index: number, type: { parse(bytes: Uint8Array): T }): T {
  const argument = call.arguments[index];
  const input = argument?.$kind === 'Input' ? data.inputs[argument.Input] : undefined;
  if (input?.Pure === undefined) throw new Error(`argument ${index} of ${call.function} is not pure`);
  return type.parse(fromBase64(input.Pure.bytes));
}

function objectOf(data: TransactionDataBuilder, call: Call): string {
  const argument = call.arguments[1];
  const input = argument?.$kind === 'Input' ? data.inputs[argument.Input] : undefined;
  const id = input?.Object?.ImmOrOwnedObject?.objectId;
  if (id === undefined) throw new Error(`${call.function} names no object`);
  return `0x${toHex(fromHex(id))}`;
}
