import { PURPOSES, purposesCover, type Purpose } from './purposes.js';

/**
 * Words of the two vocabularies beyond the chain's table, so that a person reads what a code means. None of this
 * decides anything: see `purposes.ts`.
 */

/** What becomes of a restriction when a grant is signed. */
export type Keeping =
  /** It is said by the other terms of the grant, which the chain and every holder judge. */
  | 'by-terms'
  /** Nothing here knows the fact that it asks for, so nobody is asked to believe that it is kept. */
  | 'unkept';

export interface Modifier {
  readonly code: string;
  /** The ontology's own short name. */
  readonly shorthand: string;
  readonly label: string;
  readonly keeping: Keeping;
  /** What would have to be known, or what is done instead. */
  readonly needs: string;
}

const modifier = (code: string, shorthand: string, label: string, keeping: Keeping, needs: string): Modifier => ({
  code: `DUO:${code}`,
  shorthand,
  label,
  keeping,
  needs,
});

/**
 * The data use modifiers of the Data Use Ontology: id, shorthand and label as in duo.csv of its repository
 * (EBISPOT/DUO, commit 726b06e), but for DUO:0000017, which is their parent.
 */
export const DUO_MODIFIERS: readonly Modifier[] = [
  modifier('0000012', 'RS', 'research specific restrictions', 'unkept', 'which type of research is asked for'),
  modifier('0000015', 'NMDS', 'no general methods research', 'unkept', 'whether methods are developed'),
  modifier('0000016', 'GSO', 'genetic studies only', 'unkept', 'whether genotypes are studied'),
  modifier('0000018', 'NPUNCU', 'not for profit, non commercial use only', 'unkept', 'what the requester is'),
  modifier('0000019', 'PUB', 'publication required', 'unkept', "the requester's promise"),
  modifier('0000020', 'COL', 'collaboration required', 'unkept', "the requester's promise"),
  modifier('0000021', 'IRB', 'ethics approval required', 'unkept', 'the approval'),
  modifier('0000022', 'GS', 'geographical restriction', 'unkept', 'where the use takes place'),
  modifier('0000024', 'MOR', 'publication moratorium', 'unkept', "the requester's promise"),
  modifier('0000025', 'TS', 'time limit on use', 'by-terms', 'the end of the grant'),
  modifier('0000026', 'US', 'user specific restriction', 'unkept', 'who is approved'),
  modifier('0000027', 'PS', 'project specific restriction', 'unkept', 'which project is approved'),
  modifier('0000028', 'IS', 'institution specific restriction', 'unkept', 'which institution is approved'),
  modifier('0000029', 'RTN', 'return to database or resource', 'unkept', "the requester's promise"),
  modifier('0000043', 'CC', 'clinical care use', 'unkept', 'whether the use is clinical'),
  modifier('0000044', 'NPOA', 'population origins or ancestry research prohibited', 'by-terms', 'narrower purposes'),
  modifier('0000045', 'NPU', 'not for profit organisation use only', 'unkept', 'what the requester is'),
  modifier('0000046', 'NCU', 'non-commercial use only', 'by-terms', 'non-commercial purposes'),
];

const dpv = (name: string, label: string, ...broader: readonly string[]): Purpose => ({
  code: `dpv:${name}`,
  label,
  broader: broader.map((parent) => `dpv:${parent}`),
});

/**
 * Purposes of DPV 2.0 (`hasbroader` of 2.0/dpv/modules/purposes.csv in w3c/dpv) that a dataset may be used for and the
 * chain's table does not have. Left out: what an organisation does with its own records (accounts, staff, vendors,
 * compliance), and security and policing, which nobody should agree to under a broader name.
 */
export const MORE_PURPOSES: readonly Purpose[] = [
  dpv('DeliveryOfGoods', 'Delivery of goods', 'RequestedServiceProvision'),
  dpv('PaymentManagement', 'Payment management', 'ServiceProvision'),
  dpv('RepairImpairments', 'Repair impairments', 'ServiceProvision'),
  dpv('ServiceRegistration', 'Service registration', 'ServiceProvision'),
  dpv('SellProductsToDataSubject', 'Sell products to data subject', 'SellProducts'),
  dpv('OptimiseUserInterface', 'Optimise user interface', 'OptimisationForConsumer'),
  dpv('IncreaseServiceRobustness', 'Increase service robustness', 'OptimisationForController'),
  dpv('PersonalisedBenefits', 'Personalised benefits', 'ServicePersonalisation'),
  dpv('UserInterfacePersonalisation', 'User interface personalisation', 'ServicePersonalisation'),
  dpv('ProvidePersonalisedRecommendations', 'Provide personalised recommendations', 'ServicePersonalisation'),
  dpv('ProvideEventRecommendations', 'Provide event recommendations', 'ProvidePersonalisedRecommendations'),
  dpv('ProvideProductRecommendations', 'Provide product recommendations', 'ProvidePersonalisedRecommendations'),
  dpv('DataAltruism', 'Data altruism', 'PublicBenefit'),
  dpv('ImprovePublicServices', 'Improve public services', 'PublicBenefit'),
  dpv('ImproveTransportMobility', 'Improve transport and mobility', 'PublicBenefit'),
  dpv('DirectMarketing', 'Direct marketing', 'Marketing'),
  dpv('PublicRelations', 'Public relations', 'Marketing'),
  dpv('SocialMediaMarketing', 'Social media marketing', 'Marketing'),
];

/** Every purpose with a name. */
export const VOCABULARY: readonly Purpose[] = [...PURPOSES, ...MORE_PURPOSES];

const labels: ReadonlyMap<string, string> = new Map(
  [...VOCABULARY, ...DUO_MODIFIERS].map(({ code, label }) => [code, label]),
);
const modifiers: ReadonlyMap<string, Modifier> = new Map(DUO_MODIFIERS.map((each) => [each.code, each]));
const byCode: ReadonlyMap<string, Purpose> = new Map(VOCABULARY.map((purpose) => [purpose.code, purpose]));

/** The label of a known code, the code itself of any other. */
export const purposeLabel = (code: string): string => labels.get(code) ?? code;
export const duoModifier = (code: string): Modifier | undefined => modifiers.get(code);

/** The purpose itself and, by the vocabulary's own relation, all that are broader. */
export function withBroader(code: string): ReadonlySet<string> {
  const found = new Set([code]);
  for (const each of found) for (const broader of byCode.get(each)?.broader ?? []) found.add(broader);
  return found;
}

/** The codes of vocabularies as their publishers write them in full. */
export const purposeIri = (code: string): string =>
  code.startsWith('DUO:')
    ? `http://purl.obolibrary.org/obo/DUO_${code.slice(4)}`
    : code.replace(/^dpv:/, 'https://w3id.org/dpv#');

/**
 * What a job under this policy may ask for, with a name: what the policy lists, because the chain funds nothing else.
 * Empty where the policy carries a restriction that nothing here can check.
 */
export const askablePurposes = (policyPurposes: readonly string[]): { code: string; label: string }[] =>
  policyPurposes
    .filter((code) => purposesCover(policyPurposes, code))
    .map((code) => ({ code, label: purposeLabel(code) }));
