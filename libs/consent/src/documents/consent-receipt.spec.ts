import { describe, expect, it } from '@jest/globals';
import { verifyWalletSignature } from '@usufruct/crypto';
import { asAmount, asTimestampMs, type Verdict } from '@usufruct/kernel';
import { walletStatementBytes } from '@usufruct/protocol';
import { aContribution, aGrant, idOf, someTerms, testChainInfo, testWallet, TEST_NOW_MS } from '@usufruct/testing';
import { zConsentFacts, type ConsentFacts } from './consent-facts.js';
import {
  consentReceipt,
  consentReceiptDigest,
  consentReceiptStatement,
  consentReceiptText,
  parseConsentReceipt,
  signedConsentReceipt,
} from './consent-receipt.js';
import { canonicalJson, toJson, type JsonObject } from './json.js';
import { consentFactsOf, verifyConsentReceipt } from './verify-consent-receipt.js';

const { chainId, packageId, coin, standIn } = testChainInfo();
const owner = testWallet('contributor');
const GIVEN = asTimestampMs(TEST_NOW_MS - 1_000);
const terms = someTerms({
  purposes: ['dpv:ResearchAndDevelopment', 'DUO:0000042'],
  kinds: ['rag', 'stats'],
  protections: ['tee', 'mpc'],
  priceFloorUnits: asAmount(2_500_000n),
  budgetMicroEpsilon: 1_500_000n,
});
const contribution = aContribution({ owner: owner.address });
const grant = aGrant({ grantor: owner.address, terms, givenAtMs: GIVEN });
const facts: ConsentFacts = {
  chain: { chainId, packageId, coin, standIn },
  grant,
  contribution: {
    id: contribution.id,
    datasetId: contribution.datasetId,
    owner: contribution.owner,
    manifestDigest: contribution.manifestDigest,
    policyDigest: contribution.policyDigest,
    storedUntilEpoch: 50,
  },
  daoId: idOf('dao'),
  given: { transaction: idOf('tx'), atMs: GIVEN },
  revoked: null,
  stated: { controllerName: 'Clinic data DAO', jurisdiction: 'IE' },
  issuedAtMs: TEST_NOW_MS,
};
const REVOKED = asTimestampMs(TEST_NOW_MS - 10);
const withdrawn: ConsentFacts = {
  ...facts,
  grant: { ...grant, revokedAtMs: REVOKED },
  revoked: { transaction: idOf('tx2'), atMs: REVOKED },
};
const sign = async (of: ConsentFacts, wallet = owner): Promise<JsonObject> =>
  signedConsentReceipt(of, await wallet.signPersonalMessage(walletStatementBytes(consentReceiptStatement(of))));
const verify = (document: JsonObject, more = {}): Promise<Verdict> =>
  verifyConsentReceipt(document, { verifySignature: verifyWalletSignature, ...more });
const failedIn = ({ checks }: Verdict): string[] =>
  checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
const recordIn = (document: JsonObject) => document['dpv:hasRecordOfActivity'] as JsonObject;

describe('canonical JSON (RFC 8785)', () => {
  it('writes the sample of section 3.2.2 and sorts that of section 3.2.3', () => {
    const sample = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    );
    expect(canonicalJson(sample)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'];
    const text = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
    expect(text).toBe(`{${sorted.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`);
  });
  it.each([[Number.NaN], [Infinity], ['\ud800'], [{ '\udc00': 1 }]])('has no text for %j', (value) => {
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
  it('writes bigints as decimal text, leaves out what is undefined and takes no functions', () => {
    expect(toJson({ a: 2n ** 64n, b: undefined, c: [null, 1] })).toEqual({ a: '18446744073709551616', c: [null, 1] });
    expect(() => toJson({ f: () => 1 })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('a consent receipt', () => {
  /** Mandatory by the DPVCG's guide to ISO/IEC TS 27560, by where the guide puts them. */
  it('has every field that the guide makes mandatory, or names it as not stated', () => {
    const document = consentReceipt(facts);
    for (const field of ['@id', 'dct:identifier', 'dct:created', 'dct:conformsTo', 'dpv:hasRecordOfActivity']) {
      expect(document).toHaveProperty([field]);
    }
    expect(document).toMatchObject({
      '@type': 'dpv:ConsentReceipt',
      'dct:conformsTo': { '@id': 'https://w3id.org/dpv/schema/dpv-27560#receipt' },
    });
    const record = recordIn(document);
    for (const field of [
      'dct:identifier',
      'dpv:hasDataSubject',
      'dpv:hasDataController',
      'dpv:hasJurisdiction',
      'dpv:hasProcess',
      'dpv:hasConsentControl',
      'dpv:hasRight',
      'dpv:hasNotice',
      'dpv:hasConsentStatus',
      'dpv:hasEntity',
    ]) {
      expect(record).toHaveProperty([field]);
    }
    const process = record['dpv:hasProcess'] as JsonObject;
    for (const field of ['dpv:hasPurpose', 'dpv:hasPersonalData', 'dpv:hasRecipient', 'dpv:hasStorageCondition']) {
      expect(process).toHaveProperty([field]);
    }
    const [given] = record['dpv:hasConsentStatus'] as JsonObject[];
    for (const field of ['dpv:isIndicatedAtTime', 'dpv:hasDuration', 'dpv:isIndicatedBy']) {
      expect(given).toHaveProperty([field]);
    }
    expect(document['usufruct:notStated']).toEqual([
      'party_address',
      'party_contact',
      'privacy_notice',
      'pii_type',
      'storage_locations',
    ]);
  });

  it('says the terms in the words of the vocabularies, and the notice in words for people', () => {
    const record = recordIn(consentReceipt(facts));
    expect(record['dpv:hasProcess']).toMatchObject({
      'dpv:hasPurpose': [
        { '@id': 'https://w3id.org/dpv#ResearchAndDevelopment' },
        { '@id': 'http://purl.obolibrary.org/obo/DUO_0000042' },
      ],
      'dpv:hasProcessing': ['dpv:Query', 'dpv:Retrieve', 'dpv:Analyse', 'dpv:Aggregate'].map((id) => ({ '@id': id })),
      'dpv:hasTechnicalMeasure': [
        { '@id': 'dpv:TrustedExecutionEnvironment' },
        { '@id': 'dpv:SecureMultiPartyComputation' },
        { '@id': 'dpv:SecretSharingSchemes' },
      ],
      'usufruct:priceFloor': { 'rdf:value': '2.5', 'usufruct:unit': coin.symbol },
      'usufruct:privacyBudgetMicroEpsilon': '1500000',
    });
    expect(JSON.stringify(record['dpv:hasNotice'])).toContain(`at least 2.5 ${coin.symbol} a question`);
    expect(recordIn(consentReceipt(withdrawn))['dpv:hasConsentStatus']).toMatchObject([
      { '@type': ['dpv:ConsentGiven', 'dpv:ExplicitlyExpressedConsent'] },
      { '@type': 'dpv:ConsentWithdrawn', 'dpv:isIndicatedAtTime': { '@value': '2026-05-31T23:59:59.990Z' } },
    ]);
  });

  it('is the same text for the same facts, and comes back from it', async () => {
    const document = await sign(facts);
    const shuffled = zConsentFacts.parse(JSON.parse(canonicalJson(toJson(facts))));
    expect(consentReceiptText(consentReceipt(shuffled))).toBe(consentReceiptText(consentReceipt(facts)));
    expect(consentReceiptDigest(document)).toBe(consentReceiptDigest(consentReceipt(facts)));
    const back = parseConsentReceipt(consentReceiptText(document));
    expect(back).toEqual(document);
    expect(consentFactsOf(back)).toEqual(facts);
  });

  it.each([
    ['no JSON', 'no'],
    ['no object', '[]\n'],
    ['white space', '{ }'],
    ['the same member twice', '{"a":1,"a":2}'],
    ['members in another order', '{"b":1,"a":2}'],
  ])('is refused as text with %s', (_name, text) => {
    expect(() => parseConsentReceipt(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('verifying it offline', () => {
  it('says yes to what the owner signed, and says what it does not know', async () => {
    const verdict = await verify(await sign(facts));
    expect(verdict).toMatchObject({ ok: true });
    expect(verdict.checks.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'FORM passed',
      'DOCUMENT passed',
      'CONSISTENT passed',
      'FIELDS skipped',
      'SIGNATURE passed',
      'ON_CHAIN skipped',
    ]);
    expect((await verify(await sign(withdrawn))).ok).toBe(true);
  });

  it('an unsigned view is refused unless that is asked for', async () => {
    expect(failedIn(await verify(consentReceipt(facts)))).toEqual(['SIGNATURE']);
    expect((await verify(consentReceipt(facts), { isUnsignedAllowed: true })).ok).toBe(true);
  });

  it('with the chain at hand: a later withdrawal shows, and so does another grant', async () => {
    const document = await sign(facts);
    expect(failedIn(await verify(document, { grantNow: grant }))).toEqual([]);
    expect(failedIn(await verify(document, { grantNow: withdrawn.grant }))).toEqual(['ON_CHAIN']);
    const other = aGrant({ ...grant, terms: someTerms({ ...terms, purposes: ['DUO:0000004'] }) });
    expect(failedIn(await verify(document, { grantNow: other }))).toEqual(['ON_CHAIN']);
    expect(failedIn(await verify(await sign(withdrawn), { grantNow: grant }))).toEqual(['ON_CHAIN']);
  });

  const changed = (change: Partial<ConsentFacts>): ConsentFacts => ({ ...facts, ...change });
  const contradictions: [string, ConsentFacts][] = [
    ['grant for another contribution', changed({ grant: { ...grant, contributionId: idOf('other') } })],
    ['grant by somebody else', changed({ contribution: { ...facts.contribution, owner: idOf('other') } })],
    ['given at another time', changed({ given: { ...facts.given, atMs: TEST_NOW_MS } })],
    ['revoked without an event', changed({ grant: withdrawn.grant })],
    ['event of a revocation that the grant has not', changed({ revoked: withdrawn.revoked })],
    ['issued before it was given', changed({ issuedAtMs: asTimestampMs(GIVEN - 1) })],
    ['given when it had ended', changed({ grant: { ...grant, terms: { ...terms, expiresAtMs: GIVEN } } })],
  ];
  it.each(contradictions)('facts that contradict each other: %s', async (_name, contradicting) => {
    expect(failedIn(await verify(await sign(contradicting)))).toContain('CONSISTENT');
  });

  it.each([
    ['another text for people', (d: JsonObject) => ({ ...d, 'dct:language': 'fr' }), ['DOCUMENT', 'SIGNATURE']],
    ['one more statement', (d: JsonObject) => ({ ...d, 'dct:rights': 'all' }), ['DOCUMENT', 'SIGNATURE']],
    ['other facts, document made of them', () => consentReceipt({ ...facts, daoId: idOf('other') }), ['SIGNATURE']],
    ['no facts', ({ 'usufruct:facts': _facts, ...d }: JsonObject) => d, ['FORM']],
    [
      'facts with one more member',
      (d: JsonObject) => ({ ...d, 'usufruct:facts': { ...toObject(d['usufruct:facts']), x: 1 } }),
      ['FORM'],
    ],
    ['proof of another form', (d: JsonObject) => ({ ...d, 'usufruct:proof': 'trust me' }), ['FORM']],
  ] as const)('a changed document: %s', async (_name, change, failures) => {
    const document = await sign(facts);
    const proof = document['usufruct:proof']!;
    const verdict = await verify({ 'usufruct:proof': proof, ...change(document) });
    expect(verdict.ok).toBe(false);
    expect(failedIn(verdict)).toEqual(failures);
  });

  it("somebody else's signature is none, nor one for another document", async () => {
    const stranger = testWallet('stranger');
    expect(failedIn(await verify(await sign(facts, stranger)))).toEqual(['SIGNATURE']);
    const theirs = { ...toObject((await sign(facts, stranger))['usufruct:proof']), address: stranger.address };
    expect(failedIn(await verify({ ...consentReceipt(facts), 'usufruct:proof': theirs }))).toEqual(['SIGNATURE']);
    const old = (await sign(withdrawn))['usufruct:proof']!;
    expect(failedIn(await verify({ ...consentReceipt(facts), 'usufruct:proof': old }))).toEqual(['SIGNATURE']);
  });
});

const toObject = (value: unknown): JsonObject => value as JsonObject;
