import { beforeEach, describe, expect, it } from '@jest/globals';
import { asAmount, refuse, type DaoId, type LicenceId, type ProposalId } from '@usufruct/kernel';
import type { LicenceOfferView, LicenceView } from '@usufruct/protocol';
import { FakeChain, FakeGraphql, FakeStore, idOf, seededRandom, TEST_NOW_MS, testWallet } from '@usufruct/testing';
import { connect } from './client.js';
import { memoryJournal } from './journal.js';

const DAO = idOf<DaoId>('dao');
let chain: FakeChain;
const client = (journal = memoryJournal()) =>
  connect({
    apiUrl: new FakeGraphql().url,
    chain,
    store: new FakeStore(),
    holders: [],
    signer: testWallet('licensee'),
    journal,
    random: seededRandom('licences'),
  });

describe('licences', () => {
  const offerId = idOf<LicenceId>('offer');
  const offer: LicenceOfferView = {
    id: offerId,
    daoId: DAO,
    terms: {
      datasetId: idOf('dataset'),
      purpose: 'dpv:ResearchAndDevelopment',
      computation: 'rag',
      protection: 'tee',
      priceUnits: asAmount(9n),
      termMs: 1_000,
    },
    withdrawnAtMs: null,
  };
  let licences: Map<LicenceId, LicenceView>;
  beforeEach(() => {
    chain = new FakeChain();
    licences = new Map();
    Object.assign(chain, {
      licenceOffer: async (id: LicenceId) => ({ ...offer, id }),
      licence: async (id: LicenceId) => {
        const found = licences.get(id);
        if (found === undefined) {
          // bought by the transaction that is being sent: the id is the client's to choose
          licences.set(id, {
            ...offer,
            id,
            offerId,
            licensee: idOf('me'),
            boughtAtMs: TEST_NOW_MS,
            expiresAtMs: TEST_NOW_MS,
          });
          throw refuse('NOT_FOUND');
        }
        return found;
      },
    });
  });

  it('are bought once for a key, at the price of the offer', async () => {
    const journal = memoryJournal();
    const again = () => client(journal).licences.buy({ key: 'k', offerId, priceAtMostUnits: asAmount(9n) });
    expect((await again()).id).toBe((await again()).id);
    expect(chain.executed).toMatchObject([[{ kind: 'buyLicence', offerId, priceUnits: 9n }]]);
  });

  it('are not bought for more than was meant', async () => {
    const buying = client().licences.buy({ key: 'k', offerId, priceAtMostUnits: asAmount(8n) });
    await expect(buying).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(chain.executed).toEqual([]);
  });

  it('are offered by executed proposals', async () => {
    const effect = { kind: 'offerLicence', terms: offer.terms } as const;
    const proposals = [
      { id: idOf<ProposalId>('p3'), number: 3, effect, executedAtMs: TEST_NOW_MS },
      { id: idOf<ProposalId>('p2'), number: 2, effect, executedAtMs: null },
      { id: idOf<ProposalId>('p1'), number: 1, effect, executedAtMs: TEST_NOW_MS },
      { id: idOf<ProposalId>('p4'), number: 4, effect: { kind: 'unpause' }, executedAtMs: TEST_NOW_MS },
    ];
    Object.assign(chain, { proposalsOf: async () => proposals });
    expect((await client().licences.offers(DAO)).map(({ id }) => id)).toEqual([idOf('p1'), idOf('p3')]);
  });
});
