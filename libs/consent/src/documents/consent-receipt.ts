import { decimalOf, refuse, utf8, type Digest } from '@usufruct/kernel';
import { TAGS, taggedDigest, WALLET_ACTIONS, type WalletStatement } from '@usufruct/protocol';
import { explainTerms } from '../explain.js';
import { purposeIri, purposeLabel } from '../vocabulary.js';
import { NOT_STATED, type ConsentFacts, type ConsentProof, type Stated } from './consent-facts.js';
import { canonicalJson, toJson, type Json, type JsonObject } from './json.js';
import { DPV_MEASURES, DPV_PROCESSING, isoTime, PREFIXES, ref, urn } from './names.js';

/**
 * The consent receipt of one grant, by ISO/IEC TS 27560:2023 in the form of the W3C DPVCG's guide "Consent Records and
 * Receipts … using DPV" (profiles dpv-27560#receipt and #record): JSON-LD, made of `facts` alone, so that the same
 * facts give the same document and it can be made again to compare. What the standard makes mandatory and nobody
 * stated is listed under `usufruct:notStated`.
 *
 * It says what the chain says about the grant. Whether the consent is valid before the law it does not say.
 */
export function consentReceipt(facts: ConsentFacts): JsonObject {
  const { chain, grant, issuedAtMs } = facts;
  const recordId = urn(chain, 'grant', grant.id);
  return {
    '@context': {
      ...PREFIXES,
      'usufruct:facts': { '@id': 'usufruct:facts', '@type': '@json' },
    },
    '@id': `${recordId}:receipt:${issuedAtMs}`,
    '@type': 'dpv:ConsentReceipt',
    'dct:conformsTo': ref('https://w3id.org/dpv/schema/dpv-27560#receipt'),
    'dct:identifier': `${recordId}:receipt:${issuedAtMs}`,
    'dct:created': time(issuedAtMs),
    'dct:language': 'en',
    'dct:audience': ref(walletOf(facts)),
    'dpv:hasRecordOfActivity': recordOf(facts, recordId),
    'usufruct:notStated': notStated(facts.stated),
    'usufruct:standIn': chain.standIn,
    'usufruct:facts': toJson(facts),
  };
}

/** Mandatory fields of the standard, by its names, that this receipt does not state. */
export const notStated = (stated: Stated): string[] =>
  (Object.keys(NOT_STATED) as (keyof Stated)[])
    .filter((field) => stated[field] === undefined)
    .map((field) => NOT_STATED[field]);

function recordOf(facts: ConsentFacts, recordId: string): JsonObject {
  const { daoId, chain } = facts;
  const controller = urn(chain, 'dao', daoId);
  return {
    '@id': recordId,
    '@type': 'dpv:ConsentRecord',
    'dct:conformsTo': ref('https://w3id.org/dpv/schema/dpv-27560#record'),
    'dct:identifier': recordId,
    'dpv:hasDataSubject': ref(walletOf(facts)),
    'dpv:hasDataController': ref(controller),
    'dpv:hasLegalBasis': ref('dpv:ExplicitlyExpressedConsent'),
    ...stating('dpv:hasJurisdiction', facts.stated.jurisdiction),
    'dpv:hasProcess': processOf(facts),
    'dpv:hasConsentControl': {
      '@type': ['dpv:WithdrawConsent'],
      'dpv:isExercisedAt': `usufruct consent revoke ${facts.grant.id}`,
    },
    'dpv:hasRight': {
      '@type': 'dpv:DataSubjectRight',
      'dct:title': 'Withdraw this consent',
      'dct:description':
        'By the wallet that gave it, at any time. It stops the next release of the key, and cannot recall what was used before.',
      'dpv:isExercisedAt': `usufruct consent revoke ${facts.grant.id}`,
    },
    'dpv:hasNotice': noticeOf(facts),
    'dpv:hasConsentStatus': eventsOf(facts),
    'dpv:hasEntity': [
      {
        '@id': controller,
        '@type': ['dpv:LegalEntity', 'dpv:DataController'],
        'dct:identifier': daoId,
        ...stating('dpv:hasName', facts.stated.controllerName),
        ...stating('dpv:hasAddress', facts.stated.controllerAddress),
        ...stating('dpv:hasContact', facts.stated.controllerContact),
      },
      { '@id': walletOf(facts), '@type': 'dpv:DataSubject', 'dct:identifier': facts.grant.grantor },
    ],
  };
}

function processOf(facts: ConsentFacts): JsonObject {
  const { chain, grant, contribution, stated } = facts;
  const { purposes, kinds, protections, priceFloorUnits, budgetMicroEpsilon, expiresAtMs } = grant.terms;
  return {
    '@type': 'dpv:Process',
    'dpv:hasPurpose': purposes.map((code) => ({ ...ref(purposeIri(code)), 'dct:title': purposeLabel(code) })),
    'dpv:hasPersonalData': {
      '@id': urn(chain, 'contribution', contribution.id),
      '@type': 'dpv:PersonalData',
      ...stating('dct:description', stated.personalData),
    },
    'dpv:hasProcessing': [...new Set(kinds.flatMap((kind) => DPV_PROCESSING[kind]))].map(ref),
    'dpv:hasTechnicalMeasure': [
      ...protections.map((protection) => DPV_MEASURES[protection]),
      'dpv:SecretSharingSchemes',
    ].map(ref),
    'dpv:hasRecipient': {
      '@id': urn(chain, 'runners-of', facts.daoId),
      '@type': 'dpv:DataProcessor',
      'dct:description':
        'Runners that are registered with the DAO and attested by its key holders. Requesters get answers, statistics or models, never the data.',
    },
    'dpv:hasStorageCondition': [
      { '@type': 'dpv:StorageLocation', ...stating('dpv:hasLocation', stated.storageLocation) },
      {
        '@type': 'dpv:StorageDuration',
        'dpv:hasDuration': {
          '@type': 'dpv:UntilEventDuration',
          'rdf:value': `Walrus epoch ${contribution.storedUntilEpoch}, unless the lease is renewed; ciphertext only`,
        },
      },
    ],
    'dpv:hasDuration': { '@type': 'dpv:UntilTimeDuration', 'rdf:value': time(expiresAtMs) },
    'usufruct:kinds': [...kinds],
    'usufruct:protections': [...protections],
    'usufruct:priceFloor': { 'rdf:value': decimalOf(priceFloorUnits, chain.coin), 'usufruct:unit': chain.coin.symbol },
    'usufruct:privacyBudgetMicroEpsilon': budgetMicroEpsilon.toString(),
  };
}

/** The text that the contributor was shown is made of the terms; the policy that applied is named by its digest. */
function noticeOf({ chain, contribution, grant, stated }: ConsentFacts): JsonObject {
  const words = {
    amount: (units: bigint) => `${decimalOf(units, chain.coin)} ${chain.coin.symbol}`,
    time: isoTime,
  };
  return {
    '@id': stated.privacyNotice ?? urn(chain, 'policy', contribution.policyDigest),
    '@type': 'dpv:ConsentNotice',
    'dct:language': 'en',
    'dct:date': time(grant.givenAtMs),
    'dct:description': explainTerms(grant.terms, words),
  };
}

function eventsOf({ chain, grant, given, revoked }: ConsentFacts): JsonObject[] {
  const wallet = ref(urn(chain, 'account', grant.grantor));
  const by = { 'dpv:isIndicatedBy': wallet, 'dpv:hasIndicationMethod': 'Transaction signed by the wallet' };
  const events: JsonObject[] = [
    {
      '@type': ['dpv:ConsentGiven', 'dpv:ExplicitlyExpressedConsent'],
      ...by,
      'dpv:isIndicatedAtTime': time(given.atMs),
      'dpv:hasDuration': { '@type': 'dpv:UntilTimeDuration', 'rdf:value': time(grant.terms.expiresAtMs) },
      'usufruct:transaction': given.transaction,
    },
  ];
  if (revoked !== null) {
    events.push({
      '@type': 'dpv:ConsentWithdrawn',
      ...by,
      'dpv:isIndicatedAtTime': time(revoked.atMs),
      'dpv:hasDuration': { '@type': 'dpv:EndlessDuration' },
      'usufruct:transaction': revoked.transaction,
    });
  }
  return events;
}

const time = (atMs: number): JsonObject => ({ '@type': 'xsd:dateTime', '@value': isoTime(atMs) });
const walletOf = ({ chain, grant }: ConsentFacts): string => urn(chain, 'account', grant.grantor);
const stating = (name: string, value: string | undefined): JsonObject => (value === undefined ? {} : { [name]: value });

/** Over the canonical text of the document without its proof. */
export const consentReceiptDigest = (document: JsonObject): Digest =>
  taggedDigest(TAGS.consentReceipt, utf8(canonicalJson(withoutProof(document))));

/** What the grantor's wallet signs to issue the receipt. */
export const consentReceiptStatement = (facts: ConsentFacts): WalletStatement => ({
  action: WALLET_ACTIONS.consentReceipt,
  chainId: facts.chain.chainId,
  digest: consentReceiptDigest(consentReceipt(facts)),
});

/** With the wallet's signature over `consentReceiptStatement`. */
export function signedConsentReceipt(facts: ConsentFacts, signature: string): JsonObject {
  const document = consentReceipt(facts);
  const proof: ConsentProof = { address: facts.grant.grantor, digest: consentReceiptDigest(document), signature };
  return { ...document, 'usufruct:proof': toJson(proof) };
}

export function withoutProof(document: JsonObject): JsonObject {
  const { 'usufruct:proof': _proof, ...rest } = document;
  return rest;
}

/** The document as the one text that is stored and judged. */
export const consentReceiptText = (document: JsonObject): string => `${canonicalJson(document)}\n`;

/** Refuses `INVALID_ARGUMENT` for what is not the one text of a JSON object: no member hides behind another. */
export function parseConsentReceipt(text: string): JsonObject {
  const value = parsed(text);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject || consentReceiptText(value as JsonObject).trimEnd() !== text.trimEnd()) {
    throw refuse('INVALID_ARGUMENT', { field: 'receipt', expected: 'the canonical JSON of an object' });
  }
  return value as JsonObject;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw refuse('INVALID_ARGUMENT', { field: 'receipt', expected: 'JSON' }, cause);
  }
}
