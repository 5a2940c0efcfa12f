import { describe, expect, it } from '@jest/globals';
import { parseRoute, routeTo } from './route.js';

describe('routes', () => {
  it.each([
    ['', '', ''],
    ['#', '', ''],
    ['#/ask', 'ask', ''],
    ['#ask', 'ask', ''],
    ['#/ask?job=0x1', 'ask', 'job=0x1'],
    ['#/ask?note=a%3Fb', 'ask', 'note=a%3Fb'],
    ['#//evil.example', '/evil.example', ''],
  ])('%p is the page %p with the query %p', (hash, page, query) => {
    const route = parseRoute(hash);
    expect([route.page, route.query.toString()]).toEqual([page, query]);
  });

  it('reads back what it wrote', () => {
    const route = parseRoute(routeTo('ask', { dataset: '0xab', note: 'a&b=c?d#e' }));
    expect([route.page, ...route.query]).toEqual(['ask', ['dataset', '0xab'], ['note', 'a&b=c?d#e']]);
  });
});
