import type { ClientWithCoreApi } from '@mysten/sui/client';
import { coinWithBalance, Transaction } from '@mysten/sui/transactions';
import { normalizeStructTag } from '@mysten/sui/utils';
import type { WalrusClient } from '@mysten/walrus';
import { asBlobId, refuse, UsufructError, type Hex32 } from '@usufruct/kernel';
import type {
  Certificate,
  LeaseChain,
  LeaseView,
  PreparedLeaseTransaction,
  Registration,
  Tip,
} from '../upload/ports.js';
import { readBlobObject } from './blob-object.js';
import { walTypeOf } from './wal-type.js';
import { ask, chainRefusal, prepare, result, send, type SuiContext, type SuiSigner } from './transactions.js';

export interface SuiLeaseChainOptions {
  readonly client: ClientWithCoreApi;
  readonly walrus: WalrusClient;
  /** Registers, pays in WAL and SUI, certifies, and owns the leases. */
  readonly signer: SuiSigner;
  readonly timeoutMs?: number;
  readonly lookUpAfterMs?: readonly number[];
}

const TIMEOUT_MS = 10_000;
const LOOK_UP_AFTER_MS = [0, 500, 1_500, 4_000];

/**
 * Walrus's contracts on a Sui network, by `@mysten/walrus`. What that package does in one go is done here in steps: its
 * flow signs and sends before anybody could store what is sent, and would register twice after a lost answer.
 */
export function suiLeaseChain(options: SuiLeaseChainOptions): LeaseChain {
  const { client, walrus, signer, timeoutMs = TIMEOUT_MS, lookUpAfterMs = LOOK_UP_AFTER_MS } = options;
  // The package keeps what it has read for good: prices, committee and package change with the epochs.
  const anew = (): WalrusClient => {
    walrus.reset();
    return walrus;
  };
  const blobType = async (): Promise<string> => normalizeStructTag(await walrus.getBlobType());
  const context: SuiContext = { client, signer, timeoutMs, lookUpAfterMs, blobType };
  const built = async (
    tx: Transaction,
    spends: () => Promise<Spending> = async () => NOTHING,
  ): Promise<PreparedLeaseTransaction> => {
    try {
      return await prepare(context, tx);
    } catch (error) {
      const refusal = chainRefusal(error);
      if (refusal.code === 'CHAIN_UNAVAILABLE') await requireMoney(context, walrus, await spends());
      throw refusal;
    }
  };
  return {
    owner: signer.address,
    currentEpoch: () => ask(context, async () => (await anew().systemState()).committee.epoch),
    shards: () => ask(context, async () => (await walrus.systemState()).committee.n_shards),
    encode: (bytes) =>
      ask({ ...context, timeoutMs: ENCODING_MS }, async () => {
        const { blobId, rootHash } = await walrus.computeBlobMetadata({ bytes });
        return { blobId: asBlobId(blobId), rootHash };
      }),
    lease: (objectId) => lease(context, objectId),
    leaseOf: async (blobId) => {
      const epoch = await ask(context, async () => (await anew().systemState()).committee.epoch);
      const owned = (await leasesOf(context)).filter((each) => each.blobId === blobId && each.endEpoch > epoch);
      return owned.toSorted((a, b) => b.endEpoch - a.endEpoch)[0] ?? null;
    },
    prepareRegistration: async (registration) =>
      built(await registrationOf(anew(), signer, registration), async () => {
        const { sizeBytes, epochs, tip } = registration;
        const { totalCost } = await walrus.storageCost(sizeBytes, epochs);
        return { wal: totalCost, mist: tip?.amountMist ?? 0n };
      }),
    prepareTip: async (tip) => {
      const tx = new Transaction();
      addTip(tx, tip);
      return built(tx, async () => ({ wal: 0n, mist: tip.amountMist }));
    },
    prepareCertification: async ({ blobId, objectId, deletable, certificate }) =>
      built(
        anew().certifyBlobTransaction({
          blobId,
          blobObjectId: objectId,
          deletable,
          certificate: toSdkCertificate(certificate),
        }),
      ),
    prepareExtension: async (objectId, epochs) =>
      built(await anew().extendBlobTransaction({ blobObjectId: objectId, epochs })),
    prepareDeletion: async (objectId) =>
      built(anew().deleteBlobTransaction({ blobObjectId: objectId, owner: signer.address })),
    send: (prepared) => send(context, prepared),
    result: (digest) => result(context, digest),
  };
}

/** Encoding is work of seconds, not an answer that is waited for. */
const ENCODING_MS = 10 * 60_000;

async function registrationOf(
  walrus: WalrusClient,
  signer: SuiSigner,
  { blobId, rootHash, sizeBytes, epochs, deletable, tip }: Registration,
): Promise<Transaction> {
  const tx = new Transaction();
  tx.setSender(signer.address);
  // First: the relay looks for what ties the tip to the upload in the transaction's first input.
  if (tip !== null) addTip(tx, tip);
  const blob = tx.add(walrus.registerBlob({ size: sizeBytes, epochs, blobId, rootHash, deletable }));
  tx.transferObjects([blob], signer.address);
  return tx;
}

function addTip(tx: Transaction, { address, amountMist, authPayload }: Tip): void {
  tx.pure(authPayload);
  tx.transferObjects([coinWithBalance({ balance: amountMist })], address);
}

const toSdkCertificate = ({ signers, message, signature }: Certificate) => ({
  signers: [...signers],
  serializedMessage: Uint8Array.from(message),
  signature: Uint8Array.from(signature),
});

async function lease(context: SuiContext, objectId: Hex32): Promise<LeaseView | null> {
  try {
    const { object } = await ask(context, (signal) =>
      context.client.core.getObject({ objectId, include: { content: true }, signal }),
    );
    if (normalizeStructTag(object.type) !== (await context.blobType())) return null;
    return readBlobObject(object.content);
  } catch (error) {
    if (error instanceof UsufructError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

async function leasesOf(context: SuiContext): Promise<LeaseView[]> {
  const { client, signer } = context;
  const type = await context.blobType();
  const leases: LeaseView[] = [];
  for (let cursor: string | null = null; ;) {
    const include = { content: true } as const;
    const page: Awaited<ReturnType<typeof client.core.listOwnedObjects<{ content: true }>>> = await ask(
      context,
      (signal) => client.core.listOwnedObjects({ owner: signer.address, type, include, cursor, signal }),
    );
    leases.push(...page.objects.map(({ content }) => readBlobObject(content)));
    if (!page.hasNextPage) return leases;
    cursor = page.cursor;
  }
}

interface Spending {
  readonly wal: bigint;
  readonly mist: bigint;
}
const NOTHING: Spending = { wal: 0n, mist: 0n };

/** Why a transaction could not be completed is told from what there is, not from the words of an error. */
async function requireMoney(context: SuiContext, walrus: WalrusClient, { wal, mist }: Spending): Promise<void> {
  const { client, signer } = context;
  const owner = signer.address;
  const balanceOf = async (coinType?: string): Promise<bigint> => {
    const { balance } = await ask(context, (signal) =>
      client.core.getBalance({ owner, ...(coinType !== undefined && { coinType }), signal }),
    );
    return BigInt(balance.balance);
  };
  if (wal > 0n && (await balanceOf(await ask(context, () => walTypeOf(client, walrus)))) < wal)
    throw refuse('INSUFFICIENT_BALANCE', { account: owner, coin: 'WAL' });
  if ((await balanceOf()) <= mist) throw refuse('INSUFFICIENT_BALANCE', { account: owner, coin: 'SUI' });
}
