import { asTimestampMs, refuse, type LicenceId } from '@usufruct/kernel';
import { licencePayoutsOf } from '@usufruct/ledger';
import { deriveId, LIMITS, type ChainActionPayloads, type LicenceOfferView } from '@usufruct/protocol';
import type { EffectRule } from './effect-rule.js';
import { requireInteger, requirePurposes } from './guards.js';
import { credit, debit } from './money.js';
import { requireOpen } from './pause.js';
import { mustFind, requireNew, type Room } from './room.js';
import { datasetOf, requireLiving } from './tombstone.js';

/** The offer's id is that of the proposal. */
export const offerLicence: EffectRule<'offerLicence'> = {
  check: ({ terms }) => {
    requirePurposes([terms.purpose]);
    requireInteger(terms.termMs, 1, LIMITS.licenceTermMs, 'termMs');
  },
  apply: (room, { id, daoId }, { terms }) => {
    requireLiving(datasetOf(room, daoId, terms.datasetId));
    const offer: LicenceOfferView = { id: id as string as LicenceId, daoId, terms, withdrawnAtMs: null };
    room.draft.write('licence-offer', offer.id, offer, terms.datasetId);
    room.emit({ type: 'LicenceOffered', offer });
  },
};

/** Nobody buys it any more; licences that were bought run on. */
export const withdrawLicenceOffer: EffectRule<'withdrawLicenceOffer'> = {
  check: () => undefined,
  apply: (room, { daoId }, { offerId }) => {
    const offer = mustFind(room, 'licence-offer', offerId);
    if (offer.daoId !== daoId) throw refuse('NOT_FOUND', { 'licence-offer': offerId });
    requireStanding(offer);
    const withdrawnAtMs = room.nowMs;
    room.draft.write('licence-offer', offerId, { ...offer, withdrawnAtMs });
    room.emit({ type: 'LicenceOfferWithdrawn', offerId, daoId, withdrawnAtMs });
  },
};

/**
 * By anybody, while the offer stands, at exactly its price: the protocol's part by the policy's split, the rest to the
 * treasury. Contributors are paid by use. Nobody can pass a licence on.
 */
export function buyLicence(room: Room, { salt, offerId, priceUnits }: ChainActionPayloads['buyLicence']): void {
  const offer = mustFind(room, 'licence-offer', offerId);
  const { terms, daoId } = offer;
  const dao = mustFind(room, 'dao', daoId);
  requireOpen(dao);
  requireLiving(mustFind(room, 'dataset', terms.datasetId));
  requireStanding(offer);
  if (priceUnits !== terms.priceUnits) {
    throw refuse('INVALID_ARGUMENT', { field: 'priceUnits', expected: "the offer's price" });
  }
  debit(room.draft, room.sender, priceUnits);
  const id = deriveId<LicenceId>('licence', offerId, room.sender, salt);
  requireNew(room, 'licence', id);
  const accounts = { treasury: dao.treasury, protocol: room.chain.protocolAccount };
  const payouts = licencePayoutsOf({ priceUnits, split: dao.policy.split, ...accounts });
  for (const { account, amountUnits } of payouts) credit(room.draft, account, amountUnits);
  const licence = {
    id,
    offerId,
    daoId,
    licensee: room.sender,
    terms,
    boughtAtMs: room.nowMs,
    expiresAtMs: asTimestampMs(room.nowMs + terms.termMs),
  };
  room.draft.write('licence', id, licence);
  room.emit({ type: 'LicenceBought', licence, payouts });
}

function requireStanding({ id, withdrawnAtMs }: LicenceOfferView): void {
  if (withdrawnAtMs !== null) throw refuse('TOMBSTONED', { id, withdrawnAtMs: String(withdrawnAtMs) });
}
