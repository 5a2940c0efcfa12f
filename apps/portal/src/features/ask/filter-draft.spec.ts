import { describe, expect, it } from '@jest/globals';
import { NO_FILTER, readFilter } from './filter-draft.js';

describe('a filter of sources, as it is typed', () => {
  it('asks for nothing where nothing is typed', () => {
    expect(readFilter(NO_FILTER)).toEqual({ filter: null });
    expect(readFilter({ ...NO_FILTER, author: '  ', languages: ' , ' })).toEqual({ filter: null });
  });

  it('has what was typed, without the space around it', () => {
    const draft = { formats: ['pdf'], languages: 'en, pt-BR  fr', author: ' Ada ', title: '', dateFrom: '2026-01-31' };
    expect(readFilter({ ...NO_FILTER, ...draft, formats: ['pdf'] })).toEqual({
      filter: { formats: ['pdf'], languages: ['en', 'pt-BR', 'fr'], author: 'Ada', dateFrom: '2026-01-31' },
    });
  });

  it.each([
    ['languages', 'English!'],
    ['languages', 'en,1'],
    ['dateFrom', '31.1.2026'],
    ['dateBefore', '2026-13-01'],
    ['author', 'x'.repeat(201)],
  ] as const)('names the field that cannot be: %s', (field, text) => {
    expect(readFilter({ ...NO_FILTER, [field]: text })).toEqual({ problem: field });
  });
});
