import { Transaction, type TransactionArgument, type TransactionObjectArgument } from '@mysten/sui/transactions';
import { normalizeStructTag } from '@mysten/sui/utils';
import { refuse, type ContributionId, type Hex32 } from '@usufruct/kernel';
import type { BlobCustody, BlobObject, CustodyName, StepMemory } from '../../blob-custody.js';
import type { Chain, PreparedTransaction, WalletSigner } from '../../port.js';
import { call, pure } from '../actions/building.js';
import { objectsOf, type DatasetArgument } from '../actions/objects-of.js';
import type { EventIndex } from '../events/event-index.js';
import { askSui } from '../failures.js';
import { objectId } from '../layout/move-types.js';
import { blobKey } from '../layout/objects.js';
import type { Lookup } from '../reads/lookup.js';
import type { TypedContent } from '../reads/objects.js';
import type { SuiSettings } from '../settings.js';
import type { MoneyContext, Spending } from '../transactions/money.js';
import { signed } from '../transactions/prepare.js';
import { once } from './once.js';
import type { WalrusContracts } from './walrus-contracts.js';

export interface SuiCustodyParams extends MoneyContext {
  readonly chain: Pick<Chain, 'transaction' | 'send'>;
  readonly settings: SuiSettings;
  readonly index: EventIndex;
  readonly lookup: Lookup;
  readonly walrus: WalrusContracts;
  /** Signs, pays, and owns what is withdrawn. */
  readonly signer: WalletSigner;
}

/** Adds the calls of one step, and says what the sender pays besides gas. */
type Calls = (
  tx: Transaction,
  at: DatasetArgument & { readonly name: readonly TransactionArgument[]; readonly blobType: string },
) => Promise<Spending | void>;

/** Custody on a Sui network: our contracts and Walrus's in one transaction, so that a step happens whole or not at all. */
export function suiCustody(params: SuiCustodyParams): BlobCustody {
  const { settings, index, walrus, signer } = params;
  const building = (tx: Transaction) => ({ tx, settings, index, registered: new Map() });
  const prepare = async ({ contributionId, blob }: CustodyName, add: Calls): Promise<PreparedTransaction> => {
    await index.sync();
    const tx = new Transaction();
    tx.setSender(signer.address);
    const { address } = pure({ tx });
    const at = objectsOf(building(tx)).contribution(contributionId);
    const name = [address(contributionId), address(blob)];
    const spent = await add(tx, { ...at, name, blobType: await walrus.blobType() });
    return signed(params, tx, signer, () => spent ?? { coinType: settings.coinType, units: 0n });
  };
  const step = (name: CustodyName, memory: StepMemory, isDone: () => Promise<boolean>, add: Calls): Promise<void> =>
    once({ ...params, memory, isDone, prepare: () => prepare(name, add) });
  const heldOne = async ({ contributionId, blob }: CustodyName): Promise<Held | null> =>
    (await heldObjects(params, contributionId, [blob]))[0] ?? null;

  return {
    owned: () => ownedBlobs(params),
    held: async (contributionId, blobs) =>
      (await heldObjects(params, contributionId, blobs)).map((held) => held?.object ?? null),
    put: (name, objectIdToPut, memory) =>
      step(
        name,
        memory,
        async () => (await heldOne(name))?.object.objectId === objectIdToPut,
        async (tx, { dataset, name: named, blobType }) => {
          call(building(tx), 'blob_custody::put', [dataset, ...named, tx.object(objectIdToPut)], [blobType]);
        },
      ),
    async renew(name, endEpoch, memory) {
      const living = async (): Promise<Held> => {
        const held = await heldOne(name);
        if (held === null) throw refuse('NOT_FOUND', { object: 'blob in custody' });
        if (held.object.endEpoch <= (await walrus.currentEpoch()))
          throw refuse('BLOB_UNAVAILABLE', { blob: name.blob, reason: 'its lease has ended' });
        return held;
      };
      await step(
        name,
        memory,
        async () => (await living()).object.endEpoch >= endEpoch,
        async (tx, at) => addRenewal(tx, { ...params, held: await living(), blob: name.blob, endEpoch }, at),
      );
      return { endEpoch: (await living()).object.endEpoch };
    },
    withdraw: (name, { isDeleted }, memory) =>
      step(
        name,
        memory,
        async () => (await heldOne(name)) === null,
        async (tx, { dataset, name: named, blobType }) => {
          const held = await heldOne(name);
          const object = call(building(tx), 'blob_custody::withdraw', [dataset, ...named], [blobType]);
          // Walrus deletes no blob whose lease has ended: the object is all that is left of it.
          const canBeDeleted = held?.object.deletable === true && held.object.endEpoch > (await walrus.currentEpoch());
          const left = isDeleted && canBeDeleted ? await walrus.delete(tx, object) : object;
          tx.transferObjects([left], signer.address);
        },
      ),
  };
}

async function ownedBlobs({ client, signer, walrus, timeoutMs }: SuiCustodyParams): Promise<BlobObject[]> {
  const owner = signer.address;
  const type = await walrus.blobType();
  const include = { content: true } as const;
  const list = (cursor: string | null) =>
    askSui((signal) => client.core.listOwnedObjects({ owner, type, include, cursor, signal }), { timeoutMs });
  const owned: BlobObject[] = [];
  for (let page = await list(null); ; page = await list(page.cursor)) {
    owned.push(...page.objects.map(({ content }) => walrus.read(content)));
    if (!page.hasNextPage) return owned;
  }
}

interface Held {
  readonly object: BlobObject;
  readonly content: Uint8Array;
}

interface Renewing extends Pick<SuiCustodyParams, 'settings' | 'walrus'> {
  readonly held: Held;
  readonly blob: Hex32;
  readonly endEpoch: number;
}

/**
 * Out of custody, made longer, back, and noted. Two of these for one end cannot both happen: the contract takes only an
 * end that is later than the noted one.
 */
async function addRenewal(
  tx: Transaction,
  { settings, walrus, held, blob, endEpoch }: Renewing,
  { dataset, dao, coin, name, blobType }: Parameters<Calls>[1],
): Promise<Spending> {
  const calling = { tx, settings };
  const { addresses, u32s } = pure(calling);
  const taken = call(calling, 'blob_custody::take_for_renewal', [dataset, dao, ...name], [coin, blobType]);
  const [object, renewal] = [taken[0], taken[1]] as [TransactionObjectArgument, TransactionArgument];
  const spent = await walrus.extend(tx, object, held.content, endEpoch - held.object.endEpoch);
  call(calling, 'blob_custody::put_back', [dataset, object, renewal], [blobType]);
  const noted = [dataset, dao, name[0]!, addresses([blob]), u32s([endEpoch])];
  call(calling, 'contribution::renew_lease', noted, [coin]);
  return spent;
}

/** As the dataset's dynamic object fields have them; an object of any other type than Walrus's is none. */
async function heldObjects(
  { lookup, settings, walrus }: SuiCustodyParams,
  contributionId: ContributionId,
  blobs: readonly Hex32[],
): Promise<(Held | null)[]> {
  const { datasetObject } = await lookup.contribution(contributionId);
  // The name of a dynamic object field is wrapped, and its value is the object's id.
  const type = `0x2::dynamic_object_field::Wrapper<${settings.packageId}::${blobKey.move}>`;
  const names = blobs.map((blob) => ({
    type,
    bytes: blobKey.bcs.serialize({ contribution_id: contributionId, blob }).toBytes(),
  }));
  const ids = await lookup.objects.fields(datasetObject, names, objectId);
  const found = await lookup.objects.typed(ids.filter((id) => id !== null));
  const blobType = normalizeStructTag(await walrus.blobType());
  const objects = new Map<Hex32, TypedContent>();
  for (const [i, id] of ids.filter((each) => each !== null).entries()) {
    const object = found[i];
    if (object !== null && object !== undefined && normalizeStructTag(object.type) === blobType)
      objects.set(id, object);
  }
  return ids.map((id) => {
    const content = id === null ? undefined : objects.get(id)?.content;
    return content === undefined ? null : { object: walrus.read(content), content };
  });
}
