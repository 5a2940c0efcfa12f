import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { fromBase64, fromHex } from '@usufruct/kernel';
import { seededRandom } from '@usufruct/testing';
import { pinnedRoots, productionRoots } from '../roots.js';
import { readPemChain } from '../x509/chain.js';
import * as gpu from './checks.js';
import { certifiedPdi, isSwitch, modelOf } from './device.js';
import { parseExchange } from './exchange.js';
import { readGpuReport } from './report.js';
import { readSwitchReport } from './switch-report.js';
import { checkSwitchNames } from './topology.js';

const EVIDENCE = fromBase64(
  readFileSync(join(import.meta.dirname, '../../vectors/switch-ls10.b64'), 'utf8').replaceAll('\n', ''),
);
const NOW_MS = Date.UTC(2026, 0, 1);
const NONCE = fromHex('1234567890123456789012345678901234567890123456789012345678901234');

const deviceOf = (bytes: Uint8Array): gpu.SwitchDevice | null => {
  const exchange = parseExchange(bytes);
  const report = exchange && readSwitchReport(exchange);
  const chain = readPemChain(report?.chain);
  return report && chain && { report, chain };
};
const roots = pinnedRoots(productionRoots(), 'nvidiaDevice');
const isGood = async (bytes: Uint8Array): Promise<boolean> => {
  const device = deviceOf(bytes);
  if (device === null) return false;
  const checks = await Promise.all([
    gpu.checkGpuSignature(device),
    gpu.checkGpuRoot(device, roots),
    gpu.checkGpuChain(device, NOW_MS),
    gpu.checkGpuNonce(device, NONCE),
    gpu.checkSwitchFirmware(device),
    gpu.checkNotCanned(device),
    checkSwitchNames([device]),
  ]);
  return isSwitch(device.chain) && checks.every(({ status }) => status === 'passed');
};

describe('a recorded NVSwitch', () => {
  it('passes every check of a device under the pinned root of NVIDIA', async () => {
    expect(await isGood(EVIDENCE)).toBe(true);
  });

  it('says what it is, and which GPUs it is linked to', () => {
    const { report, chain } = deviceOf(EVIDENCE)!;
    expect(modelOf(chain)).toBe('LS10');
    // The serial number of its boot ROM's certificate is 509fc9768ce6436f2b.
    expect([report.pdi, certifiedPdi(chain)]).toEqual(['9fc9768ce6436f2b', '9fc9768ce6436f2b']);
    expect([report.biosVersion, report.biosRimId]).toEqual([
      '96.10.6D.00.01',
      'NV_SWITCH_BIOS_5612_0002_890_96106D0001',
    ]);
    expect(report.measurements.size).toBe(31);
    // Among them the second GPU of that machine, whose boot ROM's certificate has the serial number 41ffa7776bd407291f.
    expect(report.gpuPdis).toHaveLength(8);
    expect(report.gpuPdis).toContain('ffa7776bd407291f');
    // What the first GPU of that machine says of its first link: this switch, the other way round.
    expect(fromHex('2b6f43e68c76c99f').toReversed()).toEqual(fromHex(report.pdi));
  });

  it('is no GPU', () => {
    expect(readGpuReport(parseExchange(EVIDENCE)!)).toBeNull();
  });

  it('a flip of a byte anywhere is refused', async () => {
    const all = process.env['ATTESTATION_ALL_FLIPS'] === '1';
    const random = seededRandom('flips of a switch')(EVIDENCE.length * 2);
    for (let at = 0; at < EVIDENCE.length; at++) {
      if (!all && random[at]! >= 10) continue;
      for (const bit of all ? [0, 1, 2, 3, 4, 5, 6, 7] : [random[EVIDENCE.length + at]! % 8]) {
        const flipped = EVIDENCE.with(at, EVIDENCE[at]! ^ (1 << bit));
        expect({ at, bit, ok: await isGood(flipped) }).toEqual({ at, bit, ok: false });
      }
    }
  }, 900_000);
});
