import { describe, expect, it } from '@jest/globals';
import { resolve } from 'node:path';
import { abortRefusal } from './abort-codes.js';
import { ABORTS } from './abort-table.js';

const abort = (abortCode: string, module?: string) =>
  abortRefusal({
    $kind: 'MoveAbort',
    message: 'in words of the node',
    MoveAbort: { abortCode, ...(module !== undefined && { location: { module } }) },
  });

describe('abort codes', () => {
  it('are those of the Move sources, every one, under the same names', async () => {
    const tools = (await import(resolve('tools/move/abort-codes.mjs'))) as {
      abortCodes: () => Promise<{ codes: { module: string; name: string; code: string }[] }>;
    };
    const { codes } = await tools.abortCodes();
    const sources = Object.fromEntries(codes.map(({ module, name, code }) => [code, `${module}::${name}`]));
    expect(Object.fromEntries(Object.entries(ABORTS).map(([code, [constant]]) => [code, constant]))).toEqual(sources);
  });

  it('become the refusal of the same rule', () => {
    expect(abort('1304', 'usage_receipt')).toMatchObject({
      code: 'RECEIPT_INVALID',
      details: { check: 'freshness', rule: 'usage_receipt::EReceiptStale' },
    });
  });

  it.each([
    ['of a number that nobody has', '99', 'job'],
    ['of our number in another module', '1304', 'pool'],
  ])('%s are the fault of what is above us', (_name, code, module) => {
    expect(abort(code, module)).toMatchObject({ code: 'UPSTREAM_INVALID' });
  });

  it('of the framework reading bytes are malformed input', () => {
    expect(abort('0', 'bcs')).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it("never repeat the node's words", () => {
    expect(JSON.stringify(abort('99').toWire())).not.toContain('words of the node');
    const other = abortRefusal({ $kind: 'Unknown', message: 'in words of the node', Unknown: null });
    expect([other.code, JSON.stringify(other.toWire())]).toEqual([
      'UPSTREAM_INVALID',
      expect.not.stringContaining('words'),
    ]);
  });
});
