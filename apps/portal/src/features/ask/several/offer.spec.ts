import { describe, expect, it } from '@jest/globals';
import { asAmount, refuse, type DatasetId } from '@usufruct/kernel';
import type { JobTerms, Quote } from '@usufruct/sdk';
import { idOf } from '@usufruct/testing';
import type { DatasetCard } from '../../../data/catalogue.js';
import { askedOf, commonPurposes, offerOf, togetherOf } from './offer.js';

const RESEARCH = 'dpv:ResearchAndDevelopment';
const card = (name: string, purposes: readonly string[]): DatasetCard => ({
  datasetId: idOf<DatasetId>(name),
  title: name,
  description: null,
  contributionCount: 1,
  answerRules: { maxQuoteChars: 0, minContributors: 0, maxReachBps: 0 },
  dao: { policy: { purposes, maxJobTermMs: 60_000 } } as DatasetCard['dao'],
});
const BEES = card('bees', [RESEARCH, 'dpv:ScientificResearch']);
const FORGE = card('forge', [RESEARCH, 'dpv:AcademicResearch']);
const SEA = card('sea', ['dpv:AcademicResearch']);

describe('one question to several datasets', () => {
  it('may be for what all of them list', () => {
    const codes = (...datasets: DatasetCard[]) => commonPurposes(datasets).map(({ code }) => code);
    expect(codes(BEES, FORGE)).toEqual([RESEARCH]);
    expect(codes(FORGE, SEA)).toEqual(['dpv:AcademicResearch']);
    expect(codes(BEES, FORGE, SEA)).toEqual([]);
    expect(codes()).toEqual([]);
  });

  it('costs the sum of those that do not refuse, and only they are asked', async () => {
    const prices = new Map([[BEES.datasetId, 3n], [SEA.datasetId, 7n]]); // prettier-ignore
    const quoteOf = async ({ datasetId, purpose, maxQuestions }: JobTerms): Promise<Quote> => {
      expect([purpose, maxQuestions]).toEqual([RESEARCH, 1]);
      const price = prices.get(datasetId);
      if (price === undefined) throw refuse('PURPOSE_DENIED');
      return { datasetId, escrowUnits: asAmount(price) } as Quote;
    };
    const question = { text: 'What is known?', purpose: RESEARCH, filter: null };
    const offer = await offerOf(quoteOf, [BEES, FORGE, SEA], question);
    expect(offer.parts.map(({ error }) => error?.code ?? null)).toEqual([null, 'PURPOSE_DENIED', null]);
    expect(askedOf(offer)).toEqual([BEES, SEA]);
    expect(togetherOf(offer)).toBe(10n);
    expect((await offerOf(quoteOf, [BEES], question)).key).not.toBe(offer.key);
  });
});
