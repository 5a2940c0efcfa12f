import { expect, it } from '@jest/globals';
import { concatBytes, toHex } from '@usufruct/kernel';
import { seededRandom } from '@usufruct/testing';
import { describeRecorded, readEvidence } from '../../../../test/support/evidence.js';
import type { SnpPolicy } from '../policy/snp-policy.js';
import { pinnedRoots, productionRoots } from '../roots.js';
import { inspectSnp, SNP_CHECKS, SNP_ENDORSEMENTS, type SnpContext } from './inspect.js';

const NOW_MS = Date.UTC(2026, 0, 1);
const POLICY: SnpPolicy = {
  version: 1,
  products: ['Milan'],
  permissions: ['SMT'],
  minTcb: { fmc: 0, bootloader: 2, tee: 0, snp: 5, microcode: 68 },
  platformInfo: '0000000000000000',
  vmpls: [0],
  chipIds: [],
};

/** Nobody recorded AMD's list of revoked intermediates; without it evidence is refused. */
const LIST_CHECKS = ['CRL_PARSE', 'CRL_ISSUER', 'CRL_SIGNATURE', 'CRL_STALE', 'REVOKED'];
const JUDGED = SNP_CHECKS.filter((name) => !LIST_CHECKS.includes(name));

describeRecorded('recorded SEV-SNP evidence', 'snp', () => {
  const good = () => [readEvidence('snp/coco-test-report.bin'), readEvidence('snp/coco-test-vcek.der')] as const;
  const debugging = () => [readEvidence('snp/attestation.bin'), readEvidence('snp/vcek.testcer')] as const;
  const inspect = (parts: readonly Uint8Array[], changes: Partial<SnpContext> = {}) =>
    inspectSnp(
      { evidence: concatBytes(...parts), eventLog: [] },
      {
        nowMs: NOW_MS,
        policy: POLICY,
        endorsements: { [SNP_ENDORSEMENTS.chain('VCEK', 'Milan')]: readEvidence('snp/ask_ark_milan.pem') },
        roots: pinnedRoots(productionRoots(), 'amd'),
        ...changes,
      },
    );
  const failedOf = async (...of: Parameters<typeof inspect>) =>
    (await inspect(...of)).checks
      .filter(({ name, status }) => status === 'failed' && JUDGED.includes(name))
      .map(({ name }) => name);

  it('a report of a guest without debugging passes every check', async () => {
    const { checks, facts } = await inspect(good());
    expect(checks.filter(({ status }) => status === 'failed').map(({ name }) => name)).toEqual(['CRL_PARSE']);
    for (const name of JUDGED) expect(checks).toContainEqual(expect.objectContaining({ name, status: 'passed' }));
    // Offset 0x50 of the report: REPORT_DATA.
    expect(toHex(facts!.reportData)).toMatch(/^ec6c52d7533cc2c4/);
    expect(facts!.debug).toBe(false);
    // The VCEK's notAfter, before that of the chain.
    expect(facts!.validUntilMs).toBe(Date.UTC(2030, 0, 24, 17, 58, 26));
  });

  const changed = (at: number, ...values: number[]): readonly Uint8Array[] => {
    const [report, vcek] = good();
    report.set(values, at);
    return [report, vcek];
  };
  const withPolicy =
    (changes: Partial<SnpPolicy>): Row[2] =>
    () => [good(), { policy: { ...POLICY, ...changes } }];
  type Row = [string, string[], () => Parameters<typeof inspect>];
  const rows: Row[] = [
    ['a guest with debugging', ['DEBUG'], () => [debugging()]],
    ['the VCEK of another chip', ['SIGNATURE', 'TCB_VERSION', 'CHIP_ID'], () => [[good()[0], debugging()[1]]]],
    [
      'another VCEK, which AMD did not sign',
      ['SIGNATURE', 'TCB_VERSION', 'CHIP_ID', 'CHAIN'],
      () => [[good()[0], invalidVcek()]],
    ],
    ['report data changed', ['SIGNATURE'], () => [changed(0x50, 1)]],
    ['another version said', ['SIGNATURE'], () => [changed(0, 3)]],
    ['a version that nobody knows', ['VERSION'], () => [changed(0, 6)]],
    ['another algorithm said', ['SIGNATURE_ALGORITHM', 'SIGNATURE'], () => [changed(0x34, 2)]],
    ['VLEK said', ['SIGNING_KEY', 'SIGNATURE'], () => [changed(0x48, 4)]],
    ['a chip that hides itself', ['SIGNATURE', 'CHIP_ID'], () => [changed(0x48, 2)]],
    ['reserved bytes set', ['PARSE'], () => [changed(0x4c, 1)]],
    ['bytes behind the signature set', ['PARSE'], () => [changed(1183, 1)]],
    ['a signature above 384 bits', ['PARSE'], () => [changed(0x2a0 + 48, 1)]],
    ['truncated', ['PARSE'], () => [[good()[0].subarray(0, 1000)]]],
    ['no certificate', ['PARSE'], () => [[good()[0]]]],
    ['junk behind the certificate', ['PARSE'], () => [[...good(), Uint8Array.of(0)]]],
    ['no chain', ['COLLATERAL'], () => [good(), { endorsements: {} }]],
    ['no root pinned', ['ROOT_NOT_PINNED'], () => [good(), { roots: [] }]],
    ['expired', ['CHAIN'], () => [good(), { nowMs: Date.UTC(2031, 0, 1) }]],
    ['no policy', ['TEE_POLICY'], () => [good(), { policy: undefined }]],
    ['a policy without SMT', ['GUEST_POLICY'], withPolicy({ permissions: [] })],
    ['a policy of another product', ['PRODUCT'], withPolicy({ products: ['Genoa'] })],
    ['a policy of later firmware', ['TCB_STATUS'], withPolicy({ minTcb: { ...POLICY.minTcb, microcode: 116 } })],
    ['a policy of other chips', ['PLATFORM'], withPolicy({ chipIds: ['00'.repeat(64)] })],
    ['a policy of other levels', ['VMPL'], withPolicy({ vmpls: [1] })],
    ['a policy that wants aliases checked', ['PLATFORM_INFO'], withPolicy({ platformInfo: '2000000000000000' })],
  ];
  const invalidVcek = () => readEvidence('snp/coco-test-vcek-invalid-new.der');

  it.each(rows)('%s → %j', async (_name, expected, make) => {
    expect(await failedOf(...make())).toEqual(expected);
  });

  it('an event log is refused, for nothing measures it', async () => {
    const event = { name: 'a', payload: '', digest: '00'.repeat(48) };
    const { checks } = await inspectSnp(
      { evidence: concatBytes(...good()), eventLog: [event] },
      { nowMs: NOW_MS, policy: POLICY, endorsements: {}, roots: [] },
    );
    expect(checks).toContainEqual(expect.objectContaining({ name: 'RTMR', status: 'failed' }));
  });

  it('a flip of a byte anywhere is refused', async () => {
    // All eight bits of every byte on demand; here one bit of every tenth byte, chosen by a fixed seed.
    const all = process.env['ATTESTATION_ALL_FLIPS'] === '1';
    const evidence = concatBytes(...good());
    const random = seededRandom('flips of an SEV-SNP report')(evidence.length * 2);
    for (let at = 0; at < evidence.length; at++) {
      if (!all && random[at]! >= 26) continue;
      for (const bit of all ? [0, 1, 2, 3, 4, 5, 6, 7] : [random[evidence.length + at]! % 8]) {
        const flipped = Uint8Array.from(evidence);
        flipped[at] = flipped[at]! ^ (1 << bit);
        const { checks } = await inspect([flipped]);
        const ok = JUDGED.every((name) => checks.some((c) => c.name === name && c.status === 'passed'));
        expect({ at, bit, ok }).toEqual({ at, bit, ok: false });
      }
    }
  }, 900_000);
});
