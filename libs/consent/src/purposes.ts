/**
 * Purposes, and which granted purpose covers which asked one. This table is the contract's, too (`purpose.move`; the
 * fixtures hold every pair): nobody may see more in a grant than the chain does. Codes that only have a name here are
 * in `vocabulary.ts`; `signable` writes them into a grant before it is signed.
 *
 * DUO: the GA4GH Data Use Ontology. Its data use permissions are codes that a grant may list; coverage follows their
 * definitions. Its modifiers (not-for-profit use only, ethics approval required, …) restrict a permission by facts
 * that nothing here can check yet; a grant that carries one, or a DUO code that is not known here, covers nothing, so
 * that a restriction is never dropped silently. The same holds for DUO:0000007, which needs a disease beside it.
 *
 * DPV: the W3C Data Privacy Vocabulary 2.0, purposes by `hasBroader`. A granted purpose covers the narrower ones.
 */
export interface Purpose {
  readonly code: string;
  readonly label: string;
  /** DPV `hasBroader`; DUO: the permissions whose definitions include this one. */
  readonly broader: readonly string[];
}

const NO_RESTRICTION = 'DUO:0000004';
const HEALTH_MEDICAL_BIOMEDICAL = 'DUO:0000006';
const DISEASE_SPECIFIC = 'DUO:0000007';
const POPULATION_ORIGINS = 'DUO:0000011';
const GENERAL_RESEARCH = 'DUO:0000042';

/** "any research purpose" (0000042) ⊇ "health/medical/biomedical …, not population origins or ancestry" (0000006) … */
const DUO_PERMISSIONS: readonly Purpose[] = [
  { code: NO_RESTRICTION, label: 'No restriction', broader: [] },
  { code: GENERAL_RESEARCH, label: 'General research use', broader: [] },
  { code: HEALTH_MEDICAL_BIOMEDICAL, label: 'Health, medical or biomedical research', broader: [GENERAL_RESEARCH] },
  { code: DISEASE_SPECIFIC, label: 'Research on a specified disease', broader: [HEALTH_MEDICAL_BIOMEDICAL] },
  { code: POPULATION_ORIGINS, label: 'Population origins or ancestry research', broader: [GENERAL_RESEARCH] },
];

const dpv = (name: string, label: string, ...broader: readonly string[]): Purpose => ({
  code: `dpv:${name}`,
  label,
  broader: broader.map((parent) => `dpv:${parent}`),
});

const DPV_PURPOSES: readonly Purpose[] = [
  dpv('Purpose', 'Any purpose'),
  dpv('ResearchAndDevelopment', 'Research and development', 'Purpose'),
  dpv('AcademicResearch', 'Academic research', 'ResearchAndDevelopment'),
  dpv('ScientificResearch', 'Scientific research', 'ResearchAndDevelopment'),
  dpv('CommercialResearch', 'Commercial research', 'ResearchAndDevelopment', 'CommercialPurpose'),
  dpv('NonCommercialResearch', 'Non-commercial research', 'ResearchAndDevelopment', 'NonCommercialPurpose'),
  dpv('CommercialPurpose', 'Commercial purpose', 'Purpose'),
  dpv('NonCommercialPurpose', 'Non-commercial purpose', 'Purpose'),
  dpv('ServiceProvision', 'Service provision', 'Purpose'),
  dpv('RequestedServiceProvision', 'Requested service provision', 'ServiceProvision'),
  dpv('SearchFunctionalities', 'Search functionalities', 'ServiceProvision'),
  dpv('TechnicalServiceProvision', 'Technical service provision', 'ServiceProvision'),
  dpv('ServiceUsageAnalytics', 'Service usage analytics', 'ServiceProvision'),
  dpv('SellProducts', 'Sell products', 'ServiceProvision'),
  dpv('SellInsightsFromData', 'Sell insights from data', 'SellProducts'),
  dpv('SellDataToThirdParties', 'Sell data to third parties', 'SellProducts'),
  dpv('ServiceOptimisation', 'Service optimisation', 'ServiceProvision'),
  dpv('OptimisationForConsumer', 'Optimisation for consumer', 'ServiceOptimisation'),
  dpv('OptimisationForController', 'Optimisation for controller', 'ServiceOptimisation'),
  dpv('ImproveExistingProductsAndServices', 'Improve existing products and services', 'OptimisationForController'),
  dpv('InternalResourceOptimisation', 'Internal resource optimisation', 'OptimisationForController'),
  dpv('Personalisation', 'Personalisation', 'Purpose'),
  dpv('ServicePersonalisation', 'Service personalisation', 'ServiceProvision', 'Personalisation'),
  dpv('PublicBenefit', 'Public benefit', 'Purpose'),
  dpv('ImproveHealthcare', 'Improve healthcare', 'PublicBenefit'),
  dpv('CombatClimateChange', 'Combat climate change', 'PublicBenefit'),
  dpv('ProvideOfficialStatistics', 'Provide official statistics', 'PublicBenefit'),
  dpv('PublicPolicyMaking', 'Public policy making', 'PublicBenefit'),
  dpv('Marketing', 'Marketing', 'Purpose'),
  dpv('Advertising', 'Advertising', 'Marketing'),
  dpv('PersonalisedAdvertising', 'Personalised advertising', 'Advertising', 'Personalisation'),
  dpv('TargetedAdvertising', 'Targeted advertising', 'PersonalisedAdvertising'),
];

/** Every purpose of the chain's table, for choosing from. */
export const PURPOSES: readonly Purpose[] = [...DUO_PERMISSIONS, ...DPV_PURPOSES];
const byCode: ReadonlyMap<string, Purpose> = new Map(PURPOSES.map((purpose) => [purpose.code, purpose]));

/** Codes of a grant that make it unusable: modifiers and DUO codes whose meaning is not known here. */
export const unverifiableCodes = (granted: readonly string[]): string[] =>
  granted.filter((code) => code.startsWith('DUO:') && !byCode.has(code));

/** As details of a refusal. */
export const unverifiable = (granted: readonly string[]): Record<string, string> => {
  const codes = unverifiableCodes(granted);
  return codes.length === 0 ? {} : { unverifiable: codes.join(', ') };
};

/** Does one granted purpose cover the asked one? Says nothing about modifiers beside it. */
export function purposeCovers(granted: string, asked: string): boolean {
  if (granted === NO_RESTRICTION) return true;
  if (granted === DISEASE_SPECIFIC) return false; // which disease was granted and which is asked cannot be said yet
  return granted === asked || (byCode.get(asked)?.broader ?? []).some((broader) => purposeCovers(granted, broader));
}

/** Do these granted purposes, taken together with their modifiers, cover the asked one? */
export const purposesCover = (granted: readonly string[], asked: string): boolean =>
  unverifiableCodes(granted).length === 0 && granted.some((code) => purposeCovers(code, asked));
