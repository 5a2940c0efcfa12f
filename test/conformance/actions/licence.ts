import { asAmount, type Address, type Hex32, type LicenceId } from '@usufruct/kernel';
import { deriveId, type LicenceOfferView } from '@usufruct/protocol';
import { saltOf, type Actor, type Play } from '../play/actor.js';
import { REQUESTERS, STRANGER, word } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { isLivingAsTold } from './living.js';
import { DECIDED, effects, RETIRED } from './voting.js';

export const buyLicence: Actor = {
  kind: 'buyLicence',
  weight: 2,
  twists: ['unknown', 'withdrawn', 'low price', 'high price', 'too poor', 'taken', 'paused', RETIRED],
  before: {
    paused: ['pauseDao'],
    taken: ['mint', 'buyLicence'],
    withdrawn: [...DECIDED, ...DECIDED],
    [RETIRED]: ['mint', ...DECIDED, ...DECIDED],
  },
  needs(twist) {
    if (twist === 'withdrawn') return { effects: effects('offerLicence', 'withdrawLicenceOffer') };
    return { effects: effects('offerLicence', ...(twist === RETIRED ? (['tombstoneDataset'] as const) : [])) };
  },
  prepare: ['mint', ...DECIDED],
  attempt(play, twist) {
    const { ledger, random } = play;
    const offers = ledger
      .all('licence-offer')
      .filter(({ withdrawnAtMs }) => (withdrawnAtMs !== null) === (twist === 'withdrawn'))
      .filter((one) => isLivingAsTold(play, one.terms.datasetId, twist));
    if (offers.length === 0) return null;
    const offer = random.pick(offers);
    const { daoId, terms } = offer;
    const offerId = twist === 'unknown' ? word<LicenceId>('unknown') : offer.id;
    const priceUnits = askedFor(offer, twist);
    const sender = payerOf(play, priceUnits, twist);
    if (priceUnits < 0n || sender === null) return null;
    const idOf = (salt: Hex32): LicenceId => deriveId<LicenceId>('licence', offerId, sender, salt);
    const salt = saltOf(twist === 'taken', (one) => ledger.read('licence', idOf(one)) !== undefined);
    if (salt === null) return null;
    const call = move.call(
      'stage_data::buy_licence',
      ...[sender, daoId, terms.datasetId, salt, offerId].map(move.address),
      // Whoever cannot pay it all sends what there is.
      move.number(twist === 'too poor' ? ledger.balanceOf(sender) : priceUnits),
    );
    return { sender, action: { kind: 'buyLicence', salt, offerId, priceUnits: asAmount(priceUnits) }, call };
  },
  refusals: {
    'NOT_FOUND licence-offer': ['licence::ENoOffer'],
    DAO_PAUSED: ['data_dao::EPaused'],
    'TOMBSTONED dataset': ['dataset::ETombstoned'],
    'TOMBSTONED licence-offer': ['licence::EOfferWithdrawn'],
    'INVALID_ARGUMENT priceUnits': ['licence::EWrongPayment'],
    INSUFFICIENT_BALANCE: ['licence::EWrongPayment'],
    'ALREADY_EXISTS licence': ['data_dao::EIdTaken'],
  },
};

function askedFor({ terms }: LicenceOfferView, twist: string | null): bigint {
  if (twist === 'low price') return terms.priceUnits - 1n;
  return twist === 'high price' ? terms.priceUnits + 1n : terms.priceUnits;
}

/** Who has so much, or, where that is what is wrong, who has not. */
function payerOf({ ledger, random }: Play, priceUnits: bigint, twist: string | null): Address | null {
  const has = (account: Address): boolean => ledger.balanceOf(account) >= priceUnits;
  const payers = [...REQUESTERS, STRANGER].filter((account) => has(account) === (twist !== 'too poor'));
  return payers.length === 0 ? null : random.pick(payers);
}
