import { SimulationError, type ClientWithCoreApi } from '@mysten/sui/client';
import { coinWithBalance, Transaction, TransactionDataBuilder } from '@mysten/sui/transactions';
import {
  refuse,
  UsufructError,
  type Address,
  type DaoId,
  type EpochId,
  type Hex32,
  type ProposalId,
} from '@usufruct/kernel';
import type { ChainAction } from '@usufruct/protocol';
import type { PreparedTransaction, WalletSigner } from '../../port.js';
import { buildActions } from '../actions/action-table.js';
import { fromSuiDigest } from '../digests.js';
import type { EventIndex } from '../events/event-index.js';
import { askSui, suiRefusal } from '../failures.js';
import { readMove } from '../layout/move-types.js';
import { pauseCapObject } from '../layout/objects.js';
import type { GovernanceReader } from '../reads/governance-reader.js';
import type { SuiReader } from '../reads/sui-reader.js';
import type { SuiSettings } from '../settings.js';
import { requireMoney, type MoneyContext, type Spending } from './money.js';
import { signatureOf } from './signature.js';
import { requireSponsored, type Sponsor } from './sponsor.js';

export interface PrepareContext {
  readonly client: ClientWithCoreApi;
  readonly settings: SuiSettings;
  readonly index: EventIndex;
  readonly reader: SuiReader;
  readonly governance: GovernanceReader;
  readonly sponsor: Sponsor | undefined;
  readonly timeoutMs: number;
}

/**
 * Build and sign a transaction. It is simulated on the way, so what the contracts refuse is refused here, by the same
 * codes; and it ends with the epoch (a day on a public network), so that one that was lost cannot happen much later.
 * Nothing is sent: store it first, its digest says what became of it.
 */
export async function prepareSuiTransaction(
  context: PrepareContext,
  actions: readonly ChainAction[],
  signer: WalletSigner,
): Promise<PreparedTransaction> {
  await context.index.sync();
  const { tx, spentUnits } = await build(context, actions, signer.address);
  return signed(context, tx, signer, () => ({ coinType: context.settings.coinType, units: spentUnits() }));
}

/** Completed, simulated on the way, and signed. `spends`: what it takes besides gas, once it is built. */
export async function signed(
  context: MoneyContext,
  tx: Transaction,
  signer: WalletSigner,
  spends: () => Spending,
): Promise<PreparedTransaction> {
  try {
    const { bytes, signatures } = await complete(context, tx, signer);
    const digest = fromSuiDigest(TransactionDataBuilder.getDigestFromBytes(bytes));
    return { digest, bytes, signature: signatures.join(SIGNATURE_SEPARATOR) };
  } catch (error) {
    if (error instanceof UsufructError) throw error;
    if (!(error instanceof SimulationError && error.executionError !== undefined))
      await requireMoney(context, signer.address, spends());
    throw suiRefusal(error);
  }
}

/** Base64 has no comma: the wallet's signature, and the sponsor's where there is one. */
export const SIGNATURE_SEPARATOR = ',';

async function build(context: PrepareContext, actions: readonly ChainAction[], sender: Address) {
  const { settings, index, reader, governance, sponsor } = context;
  const tx = new Transaction();
  tx.setSender(sender);
  let spentUnits = 0n;
  const building = {
    tx,
    settings,
    sender,
    index,
    registered: new Map(),
    coin: (amountUnits: bigint) => {
      spentUnits += amountUnits;
      const useGasCoin = sponsor === undefined;
      return coinWithBalance({ type: settings.coinType, balance: amountUnits, useGasCoin })(tx);
    },
    holderSetOf: async (daoId: DaoId) => (await reader.dao(daoId)).policy.holderSetId,
    holderSetOfEpoch: (epochId: EpochId) => governance.holderSetOfEpoch(epochId),
    effectOf: (proposalId: ProposalId) => governance.effectOf(proposalId),
    pauseCapOf: (daoId: DaoId) => pauseCapOf(context, daoId, sender),
  };
  await buildActions(building, actions);
  return { tx, spentUnits: () => spentUnits };
}

async function complete({ client, sponsor, timeoutMs }: MoneyContext, tx: Transaction, signer: WalletSigner) {
  const { systemState } = await askSui((signal) => client.core.getCurrentSystemState({ signal }), { timeoutMs });
  const lastEpoch = BigInt(systemState.epoch);
  if (sponsor !== undefined) {
    const kind = await tx.build({ client, onlyTransactionKind: true });
    const request = { kind, sender: signer.address, lastEpoch };
    const { bytes, signature } = await sponsor.sponsor(request);
    requireSponsored(bytes, request, sponsor.address);
    return { bytes, signatures: [await signatureOf(bytes, signer, client), signature] };
  }
  let bytes: Uint8Array = await tx.build({ client });
  const { expiration } = tx.getData();
  // Gas out of the address's balance brings an end of its own, an epoch later.
  if (expiration === null || expiration === undefined || expiration.$kind === 'None') {
    tx.setExpiration({ Epoch: String(lastEpoch) });
    bytes = await tx.build({ client });
  }
  return { bytes, signatures: [await signatureOf(bytes, signer, client)] };
}

/** Refuses `FORBIDDEN` for whoever does not own it. */
async function pauseCapOf(
  { client, settings, timeoutMs }: PrepareContext,
  daoId: DaoId,
  owner: Address,
): Promise<Hex32> {
  const type = `${settings.packageId}::data_dao::PauseCap`;
  const list = (cursor: string | null) =>
    askSui((signal) => client.core.listOwnedObjects({ owner, type, include: { content: true }, cursor, signal }), {
      timeoutMs,
    });
  for (let page = await list(null); ; page = await list(page.cursor)) {
    const cap = page.objects.find(({ content }) => readMove(pauseCapObject, Uint8Array.from(content)).dao_id === daoId);
    if (cap !== undefined) return cap.objectId as Hex32;
    if (!page.hasNextPage)
      throw refuse('FORBIDDEN', { action: 'pauseDao', reason: 'the sender has no PauseCap of it' });
  }
}
