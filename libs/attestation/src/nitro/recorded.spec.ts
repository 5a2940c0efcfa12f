import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { fromBase64, toHex } from '@usufruct/kernel';
import { seededRandom } from '@usufruct/testing';
import type { NitroPolicy } from '../policy/nitro-policy.js';
import { pinnedRoots, productionRoots } from '../roots.js';
import { parseNitroDocument } from './document.js';
import { inspectNitro, NITRO_CHECKS } from './inspect.js';

/** Of a real enclave in debug mode; its user data is another project's, of 32 bytes. */
const DOCUMENT = fromBase64(
  readFileSync(join(import.meta.dirname, '../../vectors/nitro-debug-document.b64'), 'utf8').replaceAll('\n', ''),
);
/** 0x01932d1239ca, as the document says it. */
const MADE_MS = 1_731_627_989_450;
const NOW_MS = MADE_MS + 60_000;
const POLICY: NitroPolicy = { version: 1, maxAgeMs: 600_000, registers: [] };
/** What cannot hold for a document that was not made for us. */
const ALWAYS = ['DEBUG', 'USER_DATA'];

const inspect = (document: Uint8Array, changes: Partial<Parameters<typeof inspectNitro>[1]> = {}) =>
  inspectNitro(
    { document, hpkePublicKey: new Uint8Array(32), eventLog: [] },
    { nowMs: NOW_MS, policy: POLICY, roots: pinnedRoots(productionRoots(), 'awsNitro'), ...changes },
  );
const failedOf = async (...of: Parameters<typeof inspect>) =>
  (await inspect(...of)).checks.filter(({ status }) => status === 'failed').map(({ name }) => name);

describe('a recorded document of AWS Nitro', () => {
  it('says what the hypervisor said', () => {
    const document = parseNitroDocument(DOCUMENT)!;
    expect(document.moduleId).toBe('i-0f73a4b4cb74cc9f2-enc0192e4188fef781d');
    expect(document.timestampMs).toBe(0x01932d1239ca);
    expect(document.pcrs.size).toBe(16);
    expect(toHex(document.pcrs.get(4)!)).toMatch(/^9ab5a1aba055ee41/);
    expect(toHex(document.userData!)).toMatch(/^5a264748a6236807/);
    expect([document.publicKey, document.nonce]).toEqual([null, null]);
    expect(document.chain).toHaveLength(5);
  });

  it('passes under the pinned root of AWS, but for its debug mode and what it was made for', async () => {
    const { checks } = await inspect(DOCUMENT);
    expect(checks.filter(({ status }) => status === 'failed').map(({ name }) => name)).toEqual(ALWAYS);
    for (const name of NITRO_CHECKS) {
      const rests = [...ALWAYS, 'DOCUMENT_NONCE'].includes(name);
      if (!rests) expect(checks).toContainEqual(expect.objectContaining({ name, status: 'passed' }));
    }
  });

  type Row = [string, string[], () => Parameters<typeof inspect>];
  const rows: Row[] = [
    ['no root pinned', ['ROOT_NOT_PINNED'], () => [DOCUMENT, { roots: [] }]],
    ['before its certificates', ['CHAIN', 'TIMESTAMP'], () => [DOCUMENT, { nowMs: MADE_MS - 86_400_000 }]],
    ['hours later', ['CHAIN', 'TIMESTAMP'], () => [DOCUMENT, { nowMs: MADE_MS + 4 * 3_600_000 }]],
    ['eleven minutes later', ['TIMESTAMP'], () => [DOCUMENT, { nowMs: MADE_MS + 660_000 }]],
    [
      'another instance',
      ['PCRS'],
      () => [DOCUMENT, { policy: { ...POLICY, registers: [{ index: 4, values: ['00'.repeat(48)] }] } }],
    ],
    ['signature changed', ['SIGNATURE'], () => [DOCUMENT.with(DOCUMENT.length - 1, DOCUMENT.at(-1)! ^ 1)]],
  ];
  it.each(rows)('%s → %j', async (_name, expected, make) => {
    expect((await failedOf(...make())).toSorted()).toEqual([...ALWAYS, ...expected].toSorted());
  });

  it('a flip of a byte anywhere is refused', async () => {
    const all = process.env['ATTESTATION_ALL_FLIPS'] === '1';
    const random = seededRandom('flips of a Nitro document')(DOCUMENT.length * 2);
    const names = NITRO_CHECKS.filter((name) => ![...ALWAYS, 'DOCUMENT_NONCE'].includes(name));
    const isGood = async (bytes: Uint8Array): Promise<boolean> => {
      const { checks } = await inspect(bytes);
      return names.every((name) => checks.some((check) => check.name === name && check.status === 'passed'));
    };
    expect(await isGood(DOCUMENT)).toBe(true);
    for (let at = 0; at < DOCUMENT.length; at++) {
      if (!all && random[at]! >= 13) continue;
      for (const bit of all ? [0, 1, 2, 3, 4, 5, 6, 7] : [random[DOCUMENT.length + at]! % 8]) {
        const flipped = DOCUMENT.with(at, DOCUMENT[at]! ^ (1 << bit));
        expect({ at, bit, ok: await isGood(flipped) }).toEqual({ at, bit, ok: false });
      }
    }
  }, 900_000);
});
