import { describe, expect, it } from '@jest/globals';
import { RECEIPT_CHECKS } from '@usufruct/sdk';
import { RECEIPT_MEANINGS } from './check-meanings.js';

describe('meanings of checks', () => {
  it('explains every check of a receipt, and no check that does not exist', () => {
    expect(Object.keys(RECEIPT_MEANINGS).sort()).toEqual([...RECEIPT_CHECKS].sort());
  });
});
