import type { ClientWithCoreApi } from '@mysten/sui/client';
import { Transaction, TransactionDataBuilder } from '@mysten/sui/transactions';
import { equalBytes, refuse, type Address } from '@usufruct/kernel';
import type { WalletSigner } from '../../port.js';
import { signatureOf } from './signature.js';

export interface SponsorRequest {
  /** The serialised commands and inputs, without sender and gas. */
  readonly kind: Uint8Array<ArrayBuffer>;
  readonly sender: Address;
  /** The transaction must not be valid after this epoch. */
  readonly lastEpoch: bigint;
}
export interface SponsoredTransaction {
  readonly bytes: Uint8Array;
  readonly signature: string;
}
/** Somebody who pays the gas of other people's transactions, and decides for itself which. */
export interface Sponsor {
  readonly address: Address;
  sponsor(request: SponsorRequest): Promise<SponsoredTransaction>;
}

/** A sponsor whose wallet is in this process: pays for whatever it is asked for; the caller asks it only for what it may. */
export const walletSponsor = (signer: WalletSigner, client: ClientWithCoreApi): Sponsor => ({
  address: signer.address,
  sponsor: async ({ kind, sender, lastEpoch }) => {
    const tx = Transaction.fromKind(kind);
    tx.setSender(sender);
    tx.setGasOwner(signer.address);
    tx.setExpiration({ Epoch: String(lastEpoch) });
    const bytes = await tx.build({ client });
    return { bytes, signature: await signatureOf(bytes, signer, client) };
  },
});

/**
 * What the sponsor gave is what was asked for: the same commands, our sender, its gas and an end. Refuses
 * `UPSTREAM_INVALID` for anything else, before the wallet sees it.
 */
export function requireSponsored(given: Uint8Array, { kind, sender, lastEpoch }: SponsorRequest, payer: Address): void {
  const data = parse(given);
  const expiration = data.expiration;
  const ends = expiration?.$kind === 'Epoch' && BigInt(expiration.Epoch) <= lastEpoch;
  const same = equalBytes(data.build({ onlyTransactionKind: true }), kind);
  if (!same || data.sender !== sender || data.gasData.owner !== payer || payer === sender || !ends) {
    throw refuse('UPSTREAM_INVALID', { upstream: 'sponsor', field: 'transaction' });
  }
}

function parse(bytes: Uint8Array): TransactionDataBuilder {
  try {
    return TransactionDataBuilder.fromBytes(bytes);
  } catch (cause) {
    throw refuse('UPSTREAM_INVALID', { upstream: 'sponsor', field: 'transaction' }, cause);
  }
}
