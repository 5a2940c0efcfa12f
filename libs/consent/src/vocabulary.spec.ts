import { describe, expect, it } from '@jest/globals';
import { asTimestampMs } from '@usufruct/kernel';
import { PURPOSE_CODE } from '@usufruct/protocol';
import fc from 'fast-check';
import { PURPOSES, purposesCover } from './purposes.js';
import { signable } from './signable.js';
import {
  askablePurposes,
  DUO_MODIFIERS,
  duoModifier,
  MORE_PURPOSES,
  purposeIri,
  purposeLabel,
  VOCABULARY,
  withBroader,
} from './vocabulary.js';

/**
 * Facts of the vocabularies, written off their own files and not off our tables.
 * DPV: `term<hasbroader` of 2.0/dpv/modules/purposes.csv (w3c/dpv), every row whose term is in our tables.
 */
const DPV_ROWS = `
AcademicResearch<ResearchAndDevelopment Advertising<Marketing CombatClimateChange<PublicBenefit
CommercialPurpose<Purpose CommercialResearch<ResearchAndDevelopment;CommercialPurpose DataAltruism<PublicBenefit
DeliveryOfGoods<RequestedServiceProvision DirectMarketing<Marketing
ImproveExistingProductsAndServices<OptimisationForController ImproveHealthcare<PublicBenefit
ImprovePublicServices<PublicBenefit ImproveTransportMobility<PublicBenefit
IncreaseServiceRobustness<OptimisationForController InternalResourceOptimisation<OptimisationForController
Marketing<Purpose NonCommercialPurpose<Purpose NonCommercialResearch<ResearchAndDevelopment;NonCommercialPurpose
OptimisationForConsumer<ServiceOptimisation OptimisationForController<ServiceOptimisation
OptimiseUserInterface<OptimisationForConsumer PaymentManagement<ServiceProvision Personalisation<Purpose
PersonalisedAdvertising<Personalisation;Advertising PersonalisedBenefits<ServicePersonalisation
ProvideEventRecommendations<ProvidePersonalisedRecommendations ProvideOfficialStatistics<PublicBenefit
ProvidePersonalisedRecommendations<ServicePersonalisation
ProvideProductRecommendations<ProvidePersonalisedRecommendations PublicBenefit<Purpose
PublicPolicyMaking<PublicBenefit PublicRelations<Marketing Purpose< RepairImpairments<ServiceProvision
RequestedServiceProvision<ServiceProvision ResearchAndDevelopment<Purpose ScientificResearch<ResearchAndDevelopment
SearchFunctionalities<ServiceProvision SellDataToThirdParties<SellProducts SellInsightsFromData<SellProducts
SellProducts<ServiceProvision SellProductsToDataSubject<SellProducts ServiceOptimisation<ServiceProvision
ServicePersonalisation<ServiceProvision;Personalisation ServiceProvision<Purpose
ServiceRegistration<ServiceProvision ServiceUsageAnalytics<ServiceProvision SocialMediaMarketing<Marketing
TargetedAdvertising<PersonalisedAdvertising TechnicalServiceProvision<ServiceProvision
UserInterfacePersonalisation<ServicePersonalisation`;

/** id,shorthand,label of duo.csv (EBISPOT/DUO): every term whose description begins "This data use modifier". */
const DUO_ROWS = `
DUO:0000021,IRB,ethics approval required
DUO:0000019,PUB,publication required
DUO:0000026,US,user specific restriction
DUO:0000044,NPOA,population origins or ancestry research prohibited
DUO:0000020,COL,collaboration required
DUO:0000046,NCU,non-commercial use only
DUO:0000018,NPUNCU,not for profit, non commercial use only
DUO:0000012,RS,research specific restrictions
DUO:0000025,TS,time limit on use
DUO:0000045,NPU,not for profit organisation use only
DUO:0000024,MOR,publication moratorium
DUO:0000016,GSO,genetic studies only
DUO:0000029,RTN,return to database or resource
DUO:0000043,CC,clinical care use
DUO:0000015,NMDS,no general methods research
DUO:0000028,IS,institution specific restriction
DUO:0000022,GS,geographical restriction
DUO:0000027,PS,project specific restriction`;

describe('the tables say what the vocabularies say', () => {
  it('DPV: every purpose has exactly its broader ones', () => {
    const facts = Object.fromEntries(
      DPV_ROWS.trim()
        .split(/\s+/)
        .map((row) => row.split('<') as [string, string])
        .map(([term, broader]) => [term, broader === '' ? [] : broader.split(';').sort()]),
    );
    const ours = VOCABULARY.filter(({ code }) => code.startsWith('dpv:')).map(({ code, broader }) => [
      code.slice(4),
      broader.map((parent) => parent.slice(4)).sort(),
    ]);
    expect(Object.fromEntries(ours)).toEqual(facts);
  });

  it('DUO: every modifier, with its short name and label', () => {
    const facts = DUO_ROWS.trim()
      .split('\n')
      .map((row) => /^(DUO:\d{7}),([A-Z]+),(.+)$/.exec(row)!.slice(1));
    const ours = DUO_MODIFIERS.map(({ code, shorthand, label }) => [code, shorthand, label]);
    expect([...ours].sort()).toEqual([...facts].sort());
  });

  it('has each code once, well formed, with a name and an address', () => {
    const codes = [...VOCABULARY, ...DUO_MODIFIERS].map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.every((code) => PURPOSE_CODE.test(code) && purposeLabel(code) !== code)).toBe(true);
    expect(purposeIri('DUO:0000042')).toBe('http://purl.obolibrary.org/obo/DUO_0000042');
    expect(purposeIri('dpv:Marketing')).toBe('https://w3id.org/dpv#Marketing');
    expect(duoModifier('DUO:0000042')).toBeUndefined();
  });
});

const END = asTimestampMs(2_000_000_000_000);
const sign = (...purposes: string[]) => {
  const result = signable({ purposes, expiresAtMs: END });
  return result.ok
    ? result.value.purposes
    : `${result.refusal.code} ${result.refusal.details['unverifiable'] ?? ''}`.trim();
};

describe('what is chosen becomes what the chain judges', () => {
  it.each([
    [['dpv:ResearchAndDevelopment'], ['dpv:ResearchAndDevelopment']],
    [['DUO:0000042'], ['DUO:0000042']],
    // The chain's table has Advertising, PersonalisedAdvertising and TargetedAdvertising under Marketing already.
    [['dpv:Marketing'], ['dpv:Marketing', 'dpv:DirectMarketing', 'dpv:PublicRelations', 'dpv:SocialMediaMarketing']],
    [['dpv:UnheardOf'], ['dpv:UnheardOf']],
    // No ancestry research: DUO:0000006 is health research "not including" ancestry.
    [['DUO:0000042', 'DUO:0000044'], ['DUO:0000006']],
    [['DUO:0000004', 'DUO:0000044'], ['DUO:0000006']],
    [['DUO:0000006', 'DUO:0000044'], ['DUO:0000006']],
    [['DUO:0000011', 'DUO:0000044'], 'PURPOSE_DENIED DUO:0000044'],
    [['dpv:ScientificResearch', 'DUO:0000044'], 'PURPOSE_DENIED DUO:0000044'],
    // Non-commercial only.
    [['DUO:0000042', 'DUO:0000046'], ['dpv:NonCommercialResearch']],
    [['dpv:ResearchAndDevelopment', 'DUO:0000046'], ['dpv:NonCommercialResearch']],
    [['DUO:0000004', 'DUO:0000046'], ['dpv:NonCommercialPurpose']],
    [['dpv:Purpose', 'DUO:0000046'], ['dpv:NonCommercialPurpose']],
    [['dpv:CommercialResearch', 'DUO:0000046'], 'PURPOSE_DENIED DUO:0000046'],
    [['DUO:0000006', 'DUO:0000046'], 'PURPOSE_DENIED DUO:0000046'],
    [['DUO:0000042', 'DUO:0000044', 'DUO:0000046'], 'PURPOSE_DENIED DUO:0000044, DUO:0000046'],
    // Nothing here can keep these.
    [['DUO:0000042', 'DUO:0000021'], 'PURPOSE_DENIED DUO:0000021'],
    [['DUO:0000042', 'DUO:0000046', 'DUO:0000045'], 'PURPOSE_DENIED DUO:0000045'],
    [['DUO:0000042', 'DUO:9999999'], 'PURPOSE_DENIED DUO:9999999'],
    [['DUO:0000046'], 'PURPOSE_DENIED DUO:0000046'],
    [['DUO:0000042', 'DUO:0000025'], 'INVALID_ARGUMENT'],
    [[], 'INVALID_ARGUMENT'],
    [['research'], 'INVALID_ARGUMENT'],
    [
      Array.from({ length: 33 }, (_, i) => `dpv:${String.fromCharCode(65 + (i % 26)).repeat(2 + i)}`),
      'INVALID_ARGUMENT',
    ],
  ])('%j → %j', (chosen, expected) => {
    expect(sign(...chosen)).toEqual(expected);
  });

  it('a time limit ends the grant, and never makes it longer', () => {
    const purposes = ['DUO:0000042', 'DUO:0000025'];
    const ends = [END - 5, END + 5].map((limit) => {
      const result = signable({ purposes, expiresAtMs: END, timeLimitMs: asTimestampMs(limit) });
      return result.ok ? [result.value.purposes, result.value.expiresAtMs] : result.refusal.code;
    });
    expect(ends).toEqual([
      [['DUO:0000042'], END - 5],
      [['DUO:0000042'], END],
    ]);
  });

  const codes = [...VOCABULARY, ...DUO_MODIFIERS].map(({ code }) => code);
  const choice = fc.uniqueArray(fc.constantFrom(...codes), { minLength: 1, maxLength: 5 });
  it('what is signed is usable, and a modifier only ever takes away', () => {
    fc.assert(
      fc.property(choice, fc.constantFrom(...DUO_MODIFIERS), fc.constantFrom(...codes), (chosen, { code }, asked) => {
        const limits = { expiresAtMs: END, timeLimitMs: END };
        const plain = signable({ purposes: chosen, ...limits });
        const modified = signable({ purposes: [...chosen, code], ...limits });
        if (!modified.ok) return;
        expect(modified.value.purposes.some((one) => DUO_MODIFIERS.some((each) => each.code === one))).toBe(false);
        if (!purposesCover(modified.value.purposes, asked)) return;
        // In the vocabulary's own terms: nothing is covered that the unmodified choice does not contain.
        const broad = plain.ok ? plain.value.purposes : [];
        const research = withBroader(asked).has('dpv:ResearchAndDevelopment');
        const isWithin =
          purposesCover(broad, asked) ||
          broad.some((one) => withBroader(asked).has(one)) ||
          (broad.includes('DUO:0000042') && research);
        expect(isWithin).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('a job may ask for what the policy lists, and for nothing under a restriction', () => {
    expect(askablePurposes(['dpv:Marketing', 'DUO:0000007', 'dpv:Odd'])).toEqual([
      { code: 'dpv:Marketing', label: 'Marketing' },
      { code: 'dpv:Odd', label: 'dpv:Odd' },
    ]);
    expect(askablePurposes(['dpv:Marketing', 'DUO:0000021'])).toEqual([]);
  });

  it('nothing is in both tables', () => {
    const known = PURPOSES.map(({ code }) => code);
    expect(MORE_PURPOSES.filter(({ code }) => known.includes(code))).toEqual([]);
  });
});
