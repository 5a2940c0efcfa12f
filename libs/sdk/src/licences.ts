import { refuse, type Address, type AmountUnits, type DaoId, type LicenceId } from '@usufruct/kernel';
import { deriveId, type LicenceOfferView, type LicenceView } from '@usufruct/protocol';
import type { ClientContext } from './context.js';
import { createOnce } from './create.js';
import { allEvents } from './governance/history.js';

/** What a DAO's members have voted to offer, withdrawn ones included, in the order of their proposals. */
export async function licenceOffers(context: ClientContext, daoId: DaoId): Promise<LicenceOfferView[]> {
  const proposals = await context.chain.proposalsOf(daoId);
  const offered = proposals
    .filter(({ effect, executedAtMs }) => effect.kind === 'offerLicence' && executedAtMs !== null)
    .sort((a, b) => a.number - b.number);
  // an offer's id is that of the proposal that made it
  return Promise.all(offered.map(({ id }) => context.chain.licenceOffer(id as string as LicenceId)));
}

export interface BuyLicenceParams {
  /** The journal's name for it: the same key never buys a second licence. */
  readonly key: string;
  readonly offerId: LicenceId;
  /** Refuse before paying when the offer costs more. */
  readonly priceAtMostUnits?: AmountUnits;
}

/** Pay the price of an offer for its right, which nobody can pass on. Refuses `INVALID_ARGUMENT`, `TOMBSTONED`, … */
export async function buyLicence(context: ClientContext, params: BuyLicenceParams): Promise<LicenceView> {
  const { key, offerId, priceAtMostUnits } = params;
  const { chain, signer } = context;
  const { priceUnits } = (await chain.licenceOffer(offerId)).terms;
  if (priceAtMostUnits !== undefined && priceUnits > priceAtMostUnits) {
    throw refuse('INVALID_ARGUMENT', { field: 'priceUnits', expected: `at most ${priceAtMostUnits}` });
  }
  return createOnce({
    context,
    key: `licence/${offerId}/${key}`,
    read: (salt) => chain.licence(deriveId<LicenceId>('licence', offerId, signer.address, salt)),
    action: (salt) => ({ kind: 'buyLicence', salt, offerId, priceUnits }),
  });
}

/** Licences that were bought, oldest first; of one licensee or one DAO where that is given. Reads every event. */
export async function listLicences(
  context: ClientContext,
  filter: { readonly licensee?: Address; readonly daoId?: DaoId },
): Promise<LicenceView[]> {
  const found: LicenceView[] = [];
  for await (const { data } of allEvents(context)) {
    if (data.type !== 'LicenceBought') continue;
    const { licensee, daoId } = data.licence;
    const isWanted =
      (filter.licensee === undefined || filter.licensee === licensee) &&
      (filter.daoId === undefined || filter.daoId === daoId);
    if (isWanted) found.push(data.licence);
  }
  return found;
}
