import { describe, expect, it } from '@jest/globals';
import { asAmount, asTimestampMs, type Address } from '@usufruct/kernel';
import { metadataDigest } from '@usufruct/protocol';
import {
  aContribution,
  aDao,
  aDataset,
  aGrant,
  aPolicy,
  idOf,
  someTerms,
  testChainInfo,
  TEST_NOW_MS,
} from '@usufruct/testing';
import { decide } from '../decide.js';
import { croissant, type CroissantParams } from './croissant.js';
import type { JsonObject } from './json.js';
import { datasetOffer, grantOffer } from './odrl-offer.js';

const chain = testChainInfo();
const contribution = aContribution();
const valueOf = (result: ReturnType<typeof datasetOffer>): JsonObject => {
  if (!result.ok) throw result.refusal;
  return result.value;
};
const codeOf = (result: ReturnType<typeof datasetOffer>) => (result.ok ? 'OFFERED' : result.refusal.code);

/** The rules of ODRL 2.2 that an Offer must keep (Information Model, sections 2.1, 2.5 and 2.6), read off the text. */
function requireOdrlOffer(offer: JsonObject): void {
  expect(offer).toMatchObject({ '@context': 'http://www.w3.org/ns/odrl.jsonld', '@type': 'Offer' });
  expect(offer['uid']).toMatch(/^[a-z][a-z0-9+.-]*:\S+$/); // MUST have one uid, an IRI
  const rules = [...(offer['permission'] as JsonObject[]), ...(offer['prohibition'] as JsonObject[])];
  expect(rules.length).toBeGreaterThan(0); // MUST have at least one rule
  for (const rule of rules) {
    expect(rule['assigner']).toMatch(/^urn:/); // an Offer MUST have an assigner
    expect(rule['target']).toMatch(/^urn:/); // a Permission and a Prohibition MUST have one target
    expect(typeof rule['action']).toBe('string'); // MUST have one action
  }
  const constraints = (offer['permission'] as JsonObject[]).flatMap((rule) => rule['constraint'] as JsonObject[]);
  for (const constraint of constraints) {
    for (const member of ['leftOperand', 'operator', 'rightOperand']) expect(constraint).toHaveProperty(member);
  }
  const words = constraints.map(({ leftOperand }) => String(leftOperand)).filter((word) => word.includes(':'));
  for (const word of words) expect(word.startsWith(`${String(offer['profile'])}:`)).toBe(true); // others need a profile
}

describe('an ODRL offer', () => {
  const dataset = datasetOffer({ chain, dataset: aDataset(), dao: aDao() });

  it('of a dataset says purposes, kinds, protections and price of the policy', () => {
    const offer = valueOf(dataset);
    requireOdrlOffer(offer);
    expect(offer['permission']).toMatchObject([
      {
        target: `urn:usufruct:local%3Atest:dataset:${idOf('dataset')}`,
        assigner: `urn:usufruct:local%3Atest:dao:${idOf('dao')}`,
        action: 'use',
        constraint: [
          {
            leftOperand: 'purpose',
            operator: 'isAnyOf',
            rightOperand: [
              { '@id': 'https://w3id.org/dpv#ResearchAndDevelopment' },
              { '@id': 'http://purl.obolibrary.org/obo/DUO_0000042' },
            ],
          },
          {
            leftOperand: expect.stringMatching(/:computation$/),
            rightOperand: [{ '@id': expect.stringMatching(/:rag$/) }],
          },
          {
            leftOperand: expect.stringMatching(/:protection$/),
            rightOperand: [{ '@id': expect.stringMatching(/:tee$/) }],
          },
        ],
        duty: [
          {
            action: [
              {
                'rdf:value': { '@id': 'odrl:compensate' },
                refinement: [{ leftOperand: 'payAmount', operator: 'eq', rightOperand: { '@value': '1' } }],
              },
            ],
          },
        ],
      },
    ]);
    expect((offer['prohibition'] as JsonObject[]).map(({ action }) => action)).toEqual([
      'distribute',
      'reproduce',
      'derive',
    ]);
  });

  it('of a grant ends with it, asks for its floor, and allows a model only with training', () => {
    const terms = someTerms({ kinds: ['train'], priceFloorUnits: asAmount(500_001n) });
    const offer = valueOf(grantOffer({ chain, grant: aGrant({ terms }), contribution, nowMs: TEST_NOW_MS }));
    requireOdrlOffer(offer);
    expect(JSON.stringify(offer)).toContain('"operator":"gteq","rightOperand":{"@value":"0.500001"');
    expect((offer['permission'] as JsonObject[])[0]?.['constraint']).toContainEqual({
      '@type': 'Constraint',
      leftOperand: 'dateTime',
      operator: 'lt',
      rightOperand: { '@value': '2026-06-02T00:00:00.000Z', '@type': 'xsd:dateTime' },
    });
    expect((offer['prohibition'] as JsonObject[]).map(({ action }) => action)).toEqual(['distribute', 'reproduce']);
  });

  const grants: [string, Parameters<typeof aGrant>[0], string][] = [
    ['revoked', { revokedAtMs: asTimestampMs(TEST_NOW_MS - 1) }, 'GRANT_REVOKED'],
    ['expired', { terms: someTerms({ expiresAtMs: TEST_NOW_MS }) }, 'GRANT_EXPIRED'],
    ["somebody else's", { grantor: idOf<Address>('stranger') }, 'GRANT_REQUIRED'],
    ['with a modifier', { terms: someTerms({ purposes: ['DUO:0000042', 'DUO:0000021'] }) }, 'PURPOSE_DENIED'],
    ['for nothing', { terms: someTerms({ purposes: [] }) }, 'PURPOSE_DENIED'],
    ['of no kind', { terms: someTerms({ kinds: [] }) }, 'PURPOSE_DENIED'],
  ];
  it.each(grants)('is not made of a grant that is %s, of which decide says no too', (_name, changes, code) => {
    const grant = aGrant(changes);
    expect(codeOf(grantOffer({ chain, grant, contribution, nowMs: TEST_NOW_MS }))).toBe(code);
    const use = {
      datasetId: idOf<never>('dataset'),
      daoId: aDao().id,
      purpose: 'DUO:0000042',
      kind: 'rag' as const,
      protection: 'tee' as const,
      pricePerQuestionUnits: asAmount(1_000_000n),
    };
    expect(
      decide({ contribution, dataset: aDataset(), grants: [grant], dao: aDao(), use, nowMs: TEST_NOW_MS }).ok,
    ).toBe(false);
  });

  it.each([
    ['retired', { dataset: aDataset({ tombstonedAtMs: TEST_NOW_MS }), dao: aDao() }, 'TOMBSTONED'],
    ['of a paused DAO', { dataset: aDataset(), dao: aDao({ paused: true }) }, 'DAO_PAUSED'],
    ['for nothing', { dataset: aDataset(), dao: aDao({ policy: aPolicy({ purposes: [] }) }) }, 'PURPOSE_DENIED'],
    [
      'under a restriction that nobody can check',
      { dataset: aDataset(), dao: aDao({ policy: aPolicy({ purposes: ['DUO:0000042', 'DUO:0000018'] }) }) },
      'PURPOSE_DENIED',
    ],
  ] as const)('is not made of a dataset that is %s', (_name, given, code) => {
    expect(codeOf(datasetOffer({ chain, ...given }))).toBe(code);
  });
  it('is not made of a retired contribution', () => {
    const retired = aContribution({ tombstonedAtMs: TEST_NOW_MS });
    expect(codeOf(grantOffer({ chain, grant: aGrant(), contribution: retired, nowMs: TEST_NOW_MS }))).toBe(
      'TOMBSTONED',
    );
  });
});

const words = { title: 'Case notes', description: 'De-identified notes of three clinics.' };
const params: CroissantParams = {
  chain,
  dataset: aDataset({ metadataHash: metadataDigest(words), contributionCount: 3 }),
  dao: aDao(),
  contributions: [
    contribution,
    aContribution({ id: idOf('declined'), state: 'declined' }),
    aContribution({ id: idOf('retired'), tombstonedAtMs: TEST_NOW_MS }),
  ],
  words: { dataset: words },
  publishedAtMs: TEST_NOW_MS,
  aggregatorUrl: 'https://aggregator.example',
  blobIdOf: (blob) => `id-${blob.slice(2, 6)}`,
};

/** "Required" and "FileObject" of the Croissant 1.1 specification: property → what its value must be. */
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isIri = (value: unknown): boolean => isText(value) && /^[a-z][a-z0-9+.-]*:\S+$/i.test(String(value));
const REQUIRED: Readonly<Record<string, (value: unknown) => boolean>> = {
  '@context': (value) => typeof value === 'object' && value !== null,
  '@type': (value) => value === 'sc:Dataset',
  conformsTo: (value) => value === 'http://mlcommons.org/croissant/1.1',
  description: isText,
  license: (value) => isIri(value) || (value as JsonObject)['@type'] === 'sc:CreativeWork',
  name: isText,
  url: isIri,
  creator: (value) => ['sc:Organization', 'sc:Person'].includes(String((value as JsonObject)['@type'])),
  datePublished: (value) => isText(value) && !Number.isNaN(Date.parse(String(value))),
};
const flawsOf = (document: JsonObject): string[] => {
  const missing = Object.entries(REQUIRED).filter(([name, holds]) => !(name in document) || !holds(document[name]));
  const files = (document['distribution'] as JsonObject[]).filter(
    (file) =>
      file['@type'] !== 'cr:FileObject' ||
      !isIri(file['@id']) ||
      !isIri(file['contentUrl']) ||
      !isText(file['encodingFormat']) ||
      !/^\d+ B$/.test(String(file['contentSize'])),
  );
  const ids = (document['distribution'] as JsonObject[]).map((file) => file['@id']);
  return [
    ...missing.map(([name]) => name),
    ...files.map((file) => `distribution ${String(file['@id'])}`),
    ...(new Set(ids).size === ids.length ? [] : ['ids']),
  ];
};

describe('Croissant 1.1', () => {
  const document = croissant(params);

  it('has every required property, of the type that the specification gives', () => {
    expect(flawsOf(document)).toEqual([]);
    for (const name of Object.keys(REQUIRED)) {
      const { [name]: _left, ...rest } = document;
      expect(flawsOf(rest)).toContain(name);
    }
  });

  it('declares every prefix that it uses', () => {
    const context = document['@context'] as JsonObject;
    const { '@context': _context, ...body } = document;
    const used = [...JSON.stringify(body).matchAll(/"(?:@type|@id)":"([a-z]+):|"([a-z]+):[A-Za-z]+":/g)]
      .map(([, prefix, member]) => prefix ?? member ?? '')
      .filter((prefix) => !['urn', 'https', 'http'].includes(prefix));
    expect(used.length).toBeGreaterThan(5);
    expect(used.filter((prefix) => !(prefix in context))).toEqual([]);
  });

  it('lists the ciphertext of accepted, living contributions and nothing else', () => {
    const urls = (document['distribution'] as JsonObject[]).map((file) => file['contentUrl']);
    expect(urls).toEqual(
      [contribution.manifestBlob, ...contribution.parts].map(
        ({ blob }) => `https://aggregator.example/v1/blobs/id-${blob.slice(2, 6)}`,
      ),
    );
    expect(document).toMatchObject({
      name: 'Case notes',
      isLiveDataset: true,
      datePublished: '2026-06-01T00:00:00.000Z',
    });
  });

  it('says the conditions of use as defined terms and as the offer', () => {
    const usage = document['usageInfo'] as JsonObject[];
    expect(usage.slice(0, -1)).toEqual([
      {
        '@type': 'sc:DefinedTerm',
        name: 'Research and development',
        termCode: 'dpv_ResearchAndDevelopment',
        url: 'https://w3id.org/dpv#ResearchAndDevelopment',
      },
      {
        '@type': 'sc:DefinedTerm',
        name: 'General research use',
        termCode: 'DUO_0000042',
        url: 'http://purl.obolibrary.org/obo/DUO_0000042',
      },
    ]);
    expect(usage.at(-1)).toMatchObject({
      '@type': ['sc:CreativeWork', 'odrl:Offer'],
      '@id': expect.stringMatching(/^urn:usufruct:local%3Atest:offer:/),
      'odrl:conflict': { '@id': 'odrl:prohibit' },
      'odrl:permission': [
        {
          '@type': 'odrl:Permission',
          'odrl:action': { '@id': 'odrl:use' },
          'odrl:constraint': [
            { 'odrl:leftOperand': { '@id': 'odrl:purpose' }, 'odrl:operator': { '@id': 'odrl:isAnyOf' } },
            {},
            {},
          ],
        },
      ],
    });
  });

  it('says ids where nobody told words, and refuses words that are not those of the chain', () => {
    const { words: _words, ...wordless } = params;
    expect(croissant(wordless)).toMatchObject({ name: idOf('dataset'), creator: { name: idOf('dao') } });
    expect(flawsOf(croissant(wordless))).toEqual([]);
    const invented = { ...params, words: { dataset: { ...words, title: 'Better notes' } } };
    expect(() => croissant(invented)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    const ofDao = { ...params, words: { dao: words } };
    expect(() => croissant(ofDao)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('is not made of what is not offered', () => {
    const retired = { ...params, dataset: { ...params.dataset, tombstonedAtMs: TEST_NOW_MS } };
    expect(() => croissant(retired)).toThrow(expect.objectContaining({ code: 'TOMBSTONED' }));
  });

  it('names how many files it does not list', () => {
    const many = Array.from({ length: 600 }, (_, i) => aContribution({ id: idOf(`c${i}`) }));
    const large = croissant({ ...params, contributions: many });
    expect(large['distribution']).toHaveLength(1_000);
    expect(large['usufruct:filesNotListed']).toBe(200);
  });
});
