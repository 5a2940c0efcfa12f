import { expect, it } from '@jest/globals';
import { concatBytes, fromHex, toHex, utf8 } from '@usufruct/kernel';
import { seededRandom } from '@usufruct/testing';
import { describeRecorded, readEvidence, readEvidenceText } from '../../../../test/support/evidence.js';
import type { NvidiaPolicy } from '../policy/nvidia-policy.js';
import { pinnedRoots, productionRoots } from '../roots.js';
import { GPU_CHECKS, inspectGpus, type GpuContext } from './inspect.js';
import { parseExchange } from './exchange.js';
import { readGpuReport } from './report.js';
import * as rims from './rim-checks.js';
import { hasDoctype, parseRim } from './rim.js';

/** Of the recorded H100's; its chain follows. */
const REPORT_BYTES = 4052;
const NOW_MS = Date.UTC(2026, 0, 1);
const POLICY: NvidiaPolicy = {
  version: 1,
  count: 1,
  models: ['GH100'],
  driverVersions: ['535.86.09'],
  vbiosVersions: ['96.00.5E.00.01'],
  revocation: 'if-known',
};
const report = (name: string) => fromHex(readEvidenceText(`nvidia/${name}.txt`).trim());
const chain = (name: string) => readEvidence(`nvidia/${name}.txt`);
const rim = (name: string) => parseRim(readEvidence(`nvidia/${name}.xml`))!;

describeRecorded('recorded GPU evidence', 'nvidia', () => {
  const h100 = () => concatBytes(report('hopperAttestationReport'), chain('hopperCertChain'));
  const inspect = (evidence: readonly Uint8Array[], changes: Partial<GpuContext> = {}) =>
    inspectGpus(evidence, {
      nowMs: NOW_MS,
      nonce: readGpuReport(parseExchange(h100())!)!.nonce,
      policy: POLICY,
      endorsements: {},
      deviceRoots: pinnedRoots(productionRoots(), 'nvidiaDevice'),
      rimRoots: pinnedRoots(productionRoots(), 'nvidiaRim'),
      ...changes,
    });
  const failedOf = async (...of: Parameters<typeof inspect>) =>
    (await inspect(...of)).checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
  // Its manifests are not among the evidence, and its firmware is older than the FWID in reports.
  const ALWAYS = ['GPU_FWID', 'RIM_PARSE'];

  it('reads the report as the vendor does', () => {
    const parsed = readGpuReport(parseExchange(h100())!)!;
    const vendor = JSON.parse(readEvidenceText('nvidia/spdm_parsed_output.json')).MeasurementRecord;
    expect(parsed.measurements.size).toBe(vendor.NumberOfBlocks);
    const { vbiosVersion, driverVersion, vbiosRimId } = parsed;
    expect({ vbiosVersion, driverVersion, vbiosRimId }).toEqual({
      vbiosVersion: '96.00.5E.00.01',
      driverVersion: '535.86.09',
      vbiosRimId: 'NV_GPU_VBIOS_1010_0200_882_96005E0001',
    });
  });

  type Row = [string, string[], () => Parameters<typeof inspect>];
  const withPolicy =
    (changes: Partial<NvidiaPolicy>): Row[2] =>
    () => [[h100()], { policy: { ...POLICY, ...changes } }];
  const rows: Row[] = [
    ['a report of an H100', [], () => [[h100()]]],
    ['nonce of another session', ['GPU_NONCE'], () => [[h100()], { nonce: new Uint8Array(32) }]],
    ['no root pinned', ['GPU_ROOT'], () => [[h100()], { deviceRoots: [] }]],
    ['before the chain', ['GPU_CHAIN'], () => [[h100()], { nowMs: Date.UTC(2020, 0, 1) }]],
    ['two GPUs expected', ['GPU_TOPOLOGY'], withPolicy({ count: 2 })],
    ['one GPU shown twice', ['GPU_TOPOLOGY'], () => [[h100(), h100()], { policy: { ...POLICY, count: 2 } }]],
    ['no policy', ['GPU_POLICY'], () => [[h100()], { policy: undefined }]],
    ['another model', ['GPU_MODEL'], withPolicy({ models: ['GB100'] })],
    ['another driver', ['GPU_VERSIONS'], withPolicy({ driverVersions: [] })],
    ['another VBIOS', ['GPU_VERSIONS'], withPolicy({ vbiosVersions: [] })],
    [
      'chain of another GPU',
      ['GPU_SIGNATURE'],
      () => [[concatBytes(report('hopperAttestationReport'), chain('hopperCertChainExpired'))]],
    ],
  ];
  it.each(rows)('%s → %j', async (_name, expected, make) => {
    expect((await failedOf(...make())).sort()).toEqual([...ALWAYS, ...expected].sort());
  });

  it.each([
    ['nothing', () => []],
    ['an empty report', () => [new Uint8Array()]],
    ['a truncated report', () => [h100().subarray(0, 4000)]],
    ['no chain', () => [report('hopperAttestationReport')]],
    ['a byte behind the chain', () => [concatBytes(h100(), Uint8Array.of(10))]],
    ['an absurd size', () => [concatBytes(h100(), new Uint8Array(40_000))]],
  ])('%s cannot be read', async (_name, make) => {
    expect(await failedOf(make())).toEqual(['GPU_PARSE']);
  });

  it('a report that NVIDIA hands out for tests is refused by its nonce', async () => {
    const canned = concatBytes(report('hopperAttestationReportExpired'), chain('hopperCertChainExpired'));
    const { nonce } = readGpuReport(parseExchange(canned)!)!;
    expect(toHex(nonce)).toMatch(/^931d8dd0/);
    expect(await failedOf([canned], { nonce })).toContain('GPU_CANNED');
  });

  it('a signature that was changed is refused', async () => {
    const bad = concatBytes(report('hopperAttestationReportInvalidSignature'), chain('hopperCertChain'));
    expect(await failedOf([bad])).toContain('GPU_SIGNATURE');
  });

  it('a flip of a byte anywhere is refused', async () => {
    const all = process.env['ATTESTATION_ALL_FLIPS'] === '1';
    const evidence = h100();
    const random = seededRandom('flips of a GPU report')(evidence.length * 2);
    const names = GPU_CHECKS.filter((name) => name !== 'GPU_FWID' && !name.startsWith('RIM_'));
    const isGood = async (bytes: Uint8Array): Promise<boolean> => {
      const { checks } = await inspect([bytes]);
      return names.every((name) => checks.some((check) => check.name === name && check.status === 'passed'));
    };
    expect(await isGood(evidence)).toBe(true);
    for (let at = 0; at < evidence.length; at++) {
      // A tenth of the report, and a fortieth of the chain, whose parsing takes the time.
      if (!all && random[at]! >= (at < REPORT_BYTES ? 26 : 6)) continue;
      for (const bit of all ? [0, 1, 2, 3, 4, 5, 6, 7] : [random[evidence.length + at]! % 8]) {
        const flipped = Uint8Array.from(evidence);
        flipped[at] = flipped[at]! ^ (1 << bit);
        expect({ at, bit, ok: await isGood(flipped) }).toEqual({ at, bit, ok: false });
      }
    }
  }, 1_800_000);
});

describeRecorded('recorded reference manifests', 'nvidia', () => {
  const rimRoots = pinnedRoots(productionRoots(), 'nvidiaRim');
  const judge = async (name: string) => {
    const one = [rim(name)];
    const checks = [
      await rims.checkRimSignature(one),
      rims.checkRimRoot(one, rimRoots),
      await rims.checkRimChain(one),
      rims.checkRimValidity(one, NOW_MS),
    ];
    return checks.filter(({ status }) => status === 'failed').map((check) => check.name);
  };

  // What the recorder changed in the files, libxml2's canonicalisation says as well: two have another digest.
  it.each([
    ['NV_GPU_DRIVER_GH100_550.144.03', []],
    ['NV_GPU_DRIVER_GH100_535.86.09_measurement_mismatch', ['RIM_SIGNATURE']],
    ['NV_GPU_DRIVER_GH100_570.124.03_expired', ['RIM_SIGNATURE', 'RIM_EXPIRED']],
    ['incorrect_signature_driver_rim', ['RIM_SIGNATURE']],
    ['incorrect_cert_chain_driver_rim', ['RIM_ROOT', 'RIM_CHAIN']],
  ])('%s → %j', async (name, expected) => {
    expect(await judge(name)).toEqual(expected);
  });

  it('a value that differs is found', () => {
    const parsed = readGpuReport(
      parseExchange(concatBytes(report('hopperAttestationReport'), chain('hopperCertChain')))!,
    )!;
    expect(rims.checkRimValues([rim('NV_GPU_DRIVER_GH100_535.86.09_measurement_mismatch')], parsed).status).toBe(
      'failed',
    );
  });

  it.each([
    ['one value', (text: string) => text.replace('4a5e4b3d', '4a5e4b3e')],
    ['an index made inactive', (text: string) => text.replace('active="True"', 'active="False"')],
    ['white space', (text: string) => text.replace('<ns0:Meta ', '\n<ns0:Meta ')],
    ['an attribute', (text: string) => text.replace('tagVersion="0"', 'tagVersion="1"')],
    ['a namespace', (text: string) => text.replace('2015/schema.xsd"', '2015/schema.xsd" xmlns:x="y"')],
  ])('a manifest in which %s changed is not signed', async (_name, change) => {
    const text = readEvidenceText('nvidia/NV_GPU_DRIVER_GH100_550.144.03.xml');
    const changed = change(text);
    expect(changed).not.toBe(text);
    expect(await parseRim(utf8(changed))?.isSigned()).toBe(false);
  });

  it.each([
    ['a document type', (text: string) => `<!DOCTYPE a [<!ENTITY b "c">]>${text}`],
    ['a comment', (text: string) => text.replace('<ns0:Meta ', '<!-- --><ns0:Meta ')],
    ['a processing instruction', (text: string) => text.replace('<ns0:Meta ', '<?x?><ns0:Meta ')],
    ['CDATA', (text: string) => text.replace('<ns0:Meta ', '<![CDATA[x]]><ns0:Meta ')],
    ['a reference to a character', (text: string) => text.replace('NVIDIA Corporation', '&#78;VIDIA Corporation')],
    ['two signatures', (text: string) => text.replace('</ns0:Payload>', '<ds:Signature/></ns0:Payload>')],
    ['an index twice', (text: string) => text.replace('index="1"', 'index="0"')],
    ['a million open elements', (text: string) => '<a>'.repeat(100_000) + text],
    ['an absurd size', (text: string) => text + ' '.repeat(600_000)],
  ])('a manifest with %s is not read', (_name, change) => {
    const text = readEvidenceText('nvidia/NV_GPU_DRIVER_GH100_550.144.03.xml');
    expect(parseRim(utf8(change(text)))).toBeNull();
  });

  it('a document type is named, also where nothing else can be read', () => {
    expect(hasDoctype(utf8('<?xml version="1.0"?>\n<!DOCTYPE a>'))).toBe(true);
    expect(hasDoctype(readEvidence('nvidia/NV_GPU_DRIVER_GH100_550.144.03.xml'))).toBe(false);
  });
});
