import type { DaoId, DatasetId, LicenceId, TimestampMs } from '@usufruct/kernel';
import { account, timeMs, units } from './common.js';
import { address, count, option, string, struct, u8, uid } from './move-types.js';

export const licenceTerms = struct('licence_terms::LicenceTerms', {
  dataset_id: address<DatasetId>(),
  purpose: string,
  kind: u8,
  protection: u8,
  price_units: units,
  term_ms: count(),
});
export const licenceOffer = struct('licence::Offer', {
  terms: licenceTerms,
  withdrawn_at_ms: option(count<TimestampMs>()),
});
export const licenceOfferKey = struct('licence::OfferKey', { offer_id: address<LicenceId>() });
export const licenceObject = struct('licence::Licence', {
  id: uid,
  licence_id: address<LicenceId>(),
  offer_id: address<LicenceId>(),
  dao_id: address<DaoId>(),
  licensee: account,
  terms: licenceTerms,
  bought_at_ms: timeMs,
  expires_at_ms: timeMs,
});
