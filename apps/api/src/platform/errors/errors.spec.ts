import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES, refuse } from '@usufruct/kernel';
import { GraphQLError } from 'graphql';
import { describeFault } from '@usufruct/service';
import { errorInfoFromWire, familyOf, formatErrors, toRefusalValue } from './index.js';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe('errors on their way out', () => {
  it('are refusals of one family each, but for the faults of this service', () => {
    const faults = ERROR_CODES.filter((code) => familyOf(code) === null);
    expect(faults).toEqual(['STAND_IN_FORBIDDEN', 'CONFIG_INVALID', 'INTERNAL']);
    expect(familyOf('CHALLENGE_USED')).toBe('AuthRefusal');
    expect(familyOf('GRANT_REVOKED')).toBe('ConsentRefusal');
    expect(familyOf('INVALID_ARGUMENT')).toBe('InputRefusal');
    expect(toRefusalValue(refuse('INTERNAL'))).toBeNull();
    expect(toRefusalValue(refuse('JOB_EXPIRED', { jobId: '0x1' }))).toMatchObject({
      __typename: 'JobRefusal',
      code: 'JOB_EXPIRED',
      details: [{ key: 'jobId', value: '0x1' }],
    });
  });

  it('keep neither messages nor stacks of other libraries', () => {
    const secret = new Error('select * from wallets where key = hunter2');
    const wrapped = new GraphQLError(secret.message, { originalError: secret, path: ['daos'] });
    const { statusCode, response } = formatErrors({ errors: [wrapped] }, quiet);
    expect(statusCode).toBe(200);
    expect(JSON.stringify(response)).not.toContain('hunter2');
    expect(response.errors[0]).toMatchObject({ path: ['daos'], extensions: { code: 'INTERNAL' } });
    expect(JSON.stringify(describeFault(secret))).not.toContain('hunter2');
    expect(describeFault(secret)['where']).toMatch(/errors\.spec\.ts:\d+$/);
    expect(describeFault('thrown text')).toEqual({ kind: 'string' });
  });

  it.each([
    [null, null],
    ['text', null],
    [{}, null],
    [{ code: 'MADE_UP' }, 'UPSTREAM_INVALID'],
    [{ code: 'JOB_STATE', message: 'lies', details: { state: 'x' } }, 'JOB_STATE'],
  ])('read %j from the database as %s, with the catalogue’s own words', (stored, code) => {
    const info = errorInfoFromWire(stored);
    expect(info?.code ?? null).toBe(code);
    expect(info?.message ?? '').not.toContain('lies');
  });
});
