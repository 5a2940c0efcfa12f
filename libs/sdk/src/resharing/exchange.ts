import type { DealAnswer, ReshareCertificate, SignedSealingKey } from '@usufruct/protocol';
import type { DealtFrom } from './blame.js';
import type { ReshareHolder } from './holder-client.js';
import type { Dealer, Pending } from './plan.js';

export interface BatchManifest extends Pending, DealtFrom {
  readonly bytes: Uint8Array;
}

export interface Receiver {
  readonly holder: ReshareHolder;
  /** Place in the version, from 0. */
  readonly member: number;
  /** Its word about the key to seal to. */
  readonly signed: SignedSealingKey;
}
export interface Dealt {
  readonly dealer: Dealer;
  /** With the signing keys of members that the dealer does not seal to. */
  readonly answer: DealAnswer & { readonly leftOut: ReadonlySet<string> };
}
/** A member that refuses a dealing. */
export interface Accuser {
  readonly batch: readonly BatchManifest[];
  readonly dealt: readonly Dealt[];
  readonly holder: ReshareHolder;
  readonly member: number;
}
export interface Given {
  /** By result: receivers that agree have the same bytes. */
  readonly acks: ReadonlyMap<string, ReshareCertificate['acks']>;
  /** Signing keys of dealers that a member refused. */
  readonly refused: ReadonlySet<string>;
}

export const onePerIndex = (dealers: readonly Dealer[]): Dealer[] =>
  [...new Map(dealers.toReversed().map((dealer) => [dealer.index, dealer])).values()].sort((a, b) => a.index - b.index);

/** What is missing is sent as nothing, so that the receiver names the dealer. */
export function partFor({ dealing, sealed }: DealAnswer, receiver: ReshareHolder) {
  const own = sealed.find((part) => part.receiver === receiver.signingPublicKey);
  const { sealedTo = '', sealed: bytes = '', signature = '' } = own ?? {};
  return { dealing, sealedTo, sealed: bytes, signature };
}
