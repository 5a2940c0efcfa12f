import { describe, expect, it } from '@jest/globals';
import { contributionKey } from './messages.js';

const file = { name: 'log.txt', size: 10, lastModified: 1_000 };

describe('contributionKey', () => {
  it('is the same for the same file, so that an upload goes on', () => {
    expect(contributionKey('0x1', { ...file })).toBe(contributionKey('0x1', file));
  });

  it.each([
    ['another dataset', contributionKey('0x2', file)],
    ['another name', contributionKey('0x1', { ...file, name: 'log.md' })],
    ['another size', contributionKey('0x1', { ...file, size: 11 })],
    ['a later version', contributionKey('0x1', { ...file, lastModified: 1_001 })],
    [
      'a name that imitates the other parts',
      contributionKey('0x1', { name: 'log.txt~10', size: 1_000, lastModified: 0 }),
    ],
  ])('differs for %s', (_, other) => {
    expect(other).not.toBe(contributionKey('0x1', file));
  });

  it('cannot leave its place in the journal', () => {
    expect(contributionKey('0x1', { ...file, name: '../other/done' })).not.toContain('/');
  });
});
