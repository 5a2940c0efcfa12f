import { describe, expect, it } from '@jest/globals';
import { ASKED_CHECKS, ERASURE_CHECKS, RECEIPT_CHECKS, REFUSAL_CHECKS } from '@usufruct/sdk';
import { ERASURE_MEANINGS, RECEIPT_MEANINGS, REFUSAL_MEANINGS } from './check-meanings.js';

describe('meanings of checks', () => {
  it('explains every check of a receipt, and no check that does not exist', () => {
    expect(Object.keys(RECEIPT_MEANINGS).sort()).toEqual([...RECEIPT_CHECKS, ...ASKED_CHECKS].sort());
  });

  it('explains every check of a signed refusal, and no check that does not exist', () => {
    expect(Object.keys(REFUSAL_MEANINGS).sort()).toEqual([...REFUSAL_CHECKS].sort());
  });

  it('explains every check of an erasure receipt, and no check that does not exist', () => {
    expect(Object.keys(ERASURE_MEANINGS).sort()).toEqual([...ERASURE_CHECKS].sort());
  });
});
