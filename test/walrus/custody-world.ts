import { bcs } from '@mysten/bcs';
import type { TransactionDataBuilder } from '@mysten/sui/transactions';
import { deriveDynamicFieldID, fromBase64 } from '@mysten/sui/utils';
import { suiObjects, type BlobCustody, type PreparedTransaction, type StepMemory } from '@usufruct/chain';
import { fromHex, toHex, toHex32, type Hex32, type TimestampMs } from '@usufruct/kernel';
import {
  idOf,
  objectOf,
  settle,
  SUI_BLOB,
  SUI_DIGEST,
  SUI_IDS,
  SuiWorld,
  testWallet,
  type CompiledFunction,
  type CompiledPackage,
  type FakeObject,
} from '@usufruct/testing';
import { walrusContracts } from '@usufruct/walrus/sui';
import { Blob, BLOB_TYPE, SYSTEM_TYPE, WAL, walMoveFunction, walrusObjects } from './fake-walrus-node.js';

export const EPOCH = 30;
export const NAME = { contributionId: SUI_IDS.contribution, blob: SUI_BLOB.blob };
export const OBJECT = idOf<Hex32>('a Blob object');
/** Of 1,000 bytes on 7 shards: 15 symbols of 68 bytes, so 7 · (8 · 68 + 480). */
export const ENCODED_BYTES = 7_168;
const OF_A_FIELD = 'a dynamic field';
const PACKAGE = BLOB_TYPE.split('::')[0]!;

const fn = (parameters: string[], returns: string[] = []): CompiledFunction => ({
  visibility: 'Public',
  isEntry: false,
  parameters,
  returns,
  typeParameters: 0,
});
/** As `contracts/walrus/sources/system.move` of MystenLabs/walrus declares them. */
const WALRUS = new Map([
  [
    `${PACKAGE}::system::extend_blob`,
    fn([`&mut ${SYSTEM_TYPE}`, `&mut ${BLOB_TYPE}`, 'u32', `&mut 0x2::coin::Coin<${WAL}>`]),
  ],
  [`${PACKAGE}::system::delete_blob`, fn([`&${SYSTEM_TYPE}`, BLOB_TYPE], [`${PACKAGE}::storage_resource::Storage`])],
]);
type MoveCall = NonNullable<TransactionDataBuilder['commands'][number]['MoveCall']>;

/** What a process keeps; it dies before the write of the number that is set, once. */
export class Memory implements StepMemory {
  kept: PreparedTransaction | null = null;
  killAtWrite = -1;
  writes = 0;
  read = async (): Promise<PreparedTransaction | null> => this.kept;
  write = async (prepared: PreparedTransaction | null): Promise<void> => {
    if (this.writes++ === this.killAtWrite) throw new Error('killed');
    this.kept = prepared;
  };
}

/**
 * Our compiled contracts and Walrus's on one fake network, over types; what the calls of custody do to `Blob` objects is
 * done here. Rules are for a test to refuse by (`sui.refusal`).
 */
export class CustodyWorld {
  readonly sui;
  readonly world: SuiWorld;

  constructor(compiled: CompiledPackage) {
    this.world = new SuiWorld(compiled, { others: WALRUS });
    this.sui = this.world.sui;
    settle(this.world);
    this.world.wallet('founder');
    this.world.wallet('steward');
    this.world.owned(idOf('WAL'), `0x2::coin::Coin<${WAL}>`, testWallet('steward').address, 10n ** 9n);
    this.sui.getMoveFunction = walMoveFunction;
    this.walrusEpoch = EPOCH;
    this.blob({});
    this.sui.makes = (data) => {
      for (const { MoveCall } of data.commands)
        if (MoveCall !== undefined && MoveCall !== null) this.apply(data, MoveCall);
      return {};
    };
  }

  set walrusEpoch(epoch: number) {
    for (const [id, object] of walrusObjects(7, epoch)) this.sui.objects.set(id, object);
  }

  custody(who = 'founder', chain = this.world.chain): BlobCustody {
    return chain.custody(walrusContracts({ network: 'testnet', client: this.sui }), testWallet(who));
  }
  /** The calls of each transaction that was executed. */
  get calls(): string[][] {
    return this.sui.executed.map(({ calls }) => calls.map(({ target }) => target));
  }

  /** A `Blob` object of the founder's. */
  blob(change: Partial<Parameters<typeof Blob.serialize>[0]>, id = OBJECT, type = BLOB_TYPE): void {
    const content = Blob.serialize({
      id: fromHex(id),
      registeredEpoch: EPOCH,
      blobId: fromHex(SUI_BLOB.blob),
      size: SUI_BLOB.sizeBytes,
      encodingType: 1,
      certifiedEpoch: EPOCH,
      storageId: fromHex(idOf('storage')),
      startEpoch: EPOCH,
      endEpoch: EPOCH + 5,
      storageSize: ENCODED_BYTES,
      deletable: true,
      ...change,
    });
    this.set(id, { type, owner: testWallet('founder').address, content: content.toBytes() });
  }
  /** Whatever changes an object gives it another version. */
  set(id: string, object: FakeObject): void {
    const version = String(Number(this.sui.objects.get(id)?.version ?? '0') + 1);
    this.sui.objects.set(id, { ...object, version });
  }
  hold(id = OBJECT): void {
    this.set(id, { ...this.sui.objects.get(id)!, owner: OF_A_FIELD });
    const content = new Uint8Array([...new Uint8Array(32), ...keyBytes(NAME), ...fromHex(id)]);
    this.sui.objects.set(this.fieldId(NAME), { type: '0x2::dynamic_field::Field', owner: OF_A_FIELD, content });
  }
  /** The founder's contribution of one blob, its manifest's too. */
  contribution(tombstonedAtMs: TimestampMs | null = null): void {
    const type = `${this.world.settings.packageId}::contribution::ContributionKey`;
    const blob = { blob: SUI_BLOB.blob, size_bytes: SUI_BLOB.sizeBytes, end_epoch: EPOCH + 5 };
    const named = { type, bytes: fromHex(NAME.contributionId) };
    this.world.field(objectOf('dataset'), named, suiObjects.contribution, {
      owner: testWallet('founder').address,
      state: 1,
      manifest_digest: SUI_DIGEST,
      manifest_blob: blob,
      parts: [blob],
      holder_set_id: SUI_IDS.holderSet,
      policy_digest: SUI_DIGEST,
      permanent_blobs: false,
      tombstoned_at_ms: tombstonedAtMs,
    });
  }
  ownerOf(id = OBJECT): string | undefined {
    return this.sui.objects.get(id)?.owner;
  }

  private fieldId({ contributionId, blob }: typeof NAME): string {
    const type = `0x2::dynamic_object_field::Wrapper<${this.world.settings.packageId}::blob_custody::BlobKey>`;
    return deriveDynamicFieldID(objectOf('dataset'), type, keyBytes({ contributionId, blob }));
  }

  private apply(data: TransactionDataBuilder, call: MoveCall): void {
    const pure = (index: number): Uint8Array => {
      const argument = call.arguments[index]!;
      return fromBase64(data.inputs[argument.$kind === 'Input' ? argument.Input : -1]!.Pure!.bytes);
    };
    if (call.function === 'put') {
      const argument = call.arguments[3]!;
      const { Object: given } = data.inputs[argument.$kind === 'Input' ? argument.Input : -1]!;
      return this.hold(toHex32<Hex32>(fromHex(given!.ImmOrOwnedObject!.objectId)));
    }
    const held = this.sui.objects.get(this.fieldId(NAME))?.content?.subarray(-32);
    if (held === undefined) return;
    const id = `0x${toHex(held)}`;
    const object = this.sui.objects.get(id)!;
    if (call.function === 'extend_blob') {
      const blob = Blob.parse(object.content!);
      const endEpoch = blob.endEpoch + bcs.u32().parse(pure(2));
      this.set(id, { ...object, content: Blob.serialize({ ...blob, endEpoch }).toBytes() });
    }
    if (call.function === 'withdraw') {
      this.sui.objects.delete(this.fieldId(NAME));
      this.set(id, { ...object, owner: data.sender! });
      if (data.commands.some(({ MoveCall }) => MoveCall?.function === 'delete_blob')) this.sui.objects.delete(id);
    }
  }
}

const keyBytes = ({ contributionId, blob }: typeof NAME): Uint8Array =>
  new Uint8Array([...fromHex(contributionId), ...fromHex(blob)]);
