import { describe, expect, it } from '@jest/globals';
import { CATALOGUE, ERROR_CODES } from './catalogue.js';
import { fromWire, refuse, toUsufructError } from './errors.js';
import { failed, passed, skipped, verdictOf } from './check.js';
import { asId } from './ids.js';
import { fromBase64, fromHex } from './bytes.js';

describe('the catalogue', () => {
  it.each(ERROR_CODES)('%s says what happened and what would satisfy it, with an HTTP error status', (code) => {
    const { message, remedy, http } = CATALOGUE[code];
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(message.length).toBeGreaterThan(10);
    expect(remedy).toMatch(/\.$/);
    expect(http).toBeGreaterThanOrEqual(400);
    expect(http).toBeLessThan(600);
  });
});

describe('errors on the wire', () => {
  const secret = 'the plaintext of a patient file';

  it('never carries a stack or a cause', () => {
    const wire = JSON.stringify(refuse('ENVELOPE_TAMPERED', { part: '3' }, new Error(secret)).toWire());
    expect(wire).not.toContain(secret);
    expect(wire).not.toContain('.ts');
    expect(JSON.parse(wire)).toEqual({
      code: 'ENVELOPE_TAMPERED',
      message: 'The ciphertext fails authentication (part: 3)',
      remedy: 'Fetch the blob again or upload it again.',
      details: { part: '3' },
    });
  });

  it('masks everything unknown as INTERNAL', () => {
    const wire = JSON.stringify(toUsufructError(new TypeError(secret)).toWire());
    expect(wire).not.toContain(secret);
    expect(JSON.parse(wire).code).toBe('INTERNAL');
  });

  it('rebuilds what another process refused, and nothing else', () => {
    const sent = refuse('GRANT_REVOKED', { grantId: '7' });
    expect(fromWire(JSON.parse(JSON.stringify(sent.toWire())), 'holder').toWire()).toEqual(sent.toWire());
    for (const forged of [null, 'GRANT_REVOKED', {}, { code: 'toString' }, { code: 'NO_SUCH_CODE' }, { code: 7 }]) {
      expect(fromWire(forged, 'holder').code).toBe('UPSTREAM_INVALID');
    }
  });

  it('does not echo what it could not decode', () => {
    for (const run of [() => asId(secret, 'jobId'), () => fromHex(secret), () => fromBase64(secret)]) {
      try {
        run();
        throw new Error('accepted');
      } catch (error) {
        expect(toUsufructError(error).code).toBe('INVALID_ARGUMENT');
        expect(String(error)).not.toContain('patient');
      }
    }
  });
});

describe('verdicts', () => {
  it('is good only with a passed check and no failed one', () => {
    expect(verdictOf([]).ok).toBe(false);
    expect(verdictOf([skipped('GPU', 'no GPU in this profile')]).ok).toBe(false);
    expect(verdictOf([passed('NONCE'), skipped('GPU', 'no GPU in this profile')]).ok).toBe(true);
    expect(verdictOf([passed('NONCE'), failed('BINDING', 'other key')]).ok).toBe(false);
  });
});
