import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  createSnpPki,
  DEV_SNP_PLATFORM,
  devSnpEndorsements,
  pemOf,
  SoftwareSnp,
  type SnpCollateralRequest,
  type SnpPki,
  type SnpPkiRequest,
  type SnpReportFields,
} from '@usufruct/attestation-dev';
import { fromBase64, fromHex, toBase64, toHex32, type Hex32 } from '@usufruct/kernel';
import type { EvidenceBundle } from '@usufruct/protocol';
import { appraiseEvidence, failedChecks } from '../appraise.js';
import { makeEvidence } from '../evidence.js';
import type { SnpPolicy } from '../policy/snp-policy.js';
import { devHardwareRoots, productionRoots } from '../roots.js';
import type { AppraisalContext } from '../types.js';
import { SNP_CHECKS } from './inspect.js';

const NOW_MS = Date.UTC(2026, 5, 1);
const bytes = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill);
const JOB = toHex32<Hex32>(bytes(7));
const OWN = bytes(1);
const KEYS = { hpkePublicKey: bytes(21), signingPublicKey: bytes(22) };
const POLICY: SnpPolicy = {
  version: 1,
  products: ['Milan', 'Turin'],
  permissions: ['SMT'],
  minTcb: { fmc: 0, bootloader: 4, tee: 0, snp: 24, microcode: 219 },
  platformInfo: '2000000000000000',
  vmpls: [0],
  chipIds: [],
};

let pki: SnpPki;
let otherPki: SnpPki;
let good: EvidenceBundle;
let context: AppraisalContext;

const deviceOf = (from: SnpPki, fields: Partial<SnpReportFields> = {}, signer?: CryptoKeyPair): SoftwareSnp =>
  new SoftwareSnp({ pki: from, policy: POLICY, fields, signer });
const bundleOf = (...of: Parameters<typeof deviceOf>): Promise<EvidenceBundle> =>
  makeEvidence(deviceOf(...of), { challenges: [OWN], jobId: JOB, keys: KEYS });
const worldOf = async (
  from: SnpPki,
  request: Partial<SnpCollateralRequest> = {},
): Promise<Partial<AppraisalContext>> => ({
  endorsements: await devSnpEndorsements({ pki: from, nowMs: NOW_MS, ...request }),
  roots: devHardwareRoots({ amd: pemOf(from.ark) }),
});

beforeAll(async () => {
  [pki, otherPki] = await Promise.all([createSnpPki({ nowMs: NOW_MS }), createSnpPki({ nowMs: NOW_MS })]);
  good = await bundleOf(pki);
  context = {
    ownChallenge: OWN,
    jobId: JOB,
    nowMs: NOW_MS,
    policy: { version: 1, profiles: ['snp'], measurements: [await deviceOf(pki).measurement()], resultTermMs: 600_000 },
    teePolicy: { snp: POLICY },
    roots: productionRoots(),
    ...(await worldOf(pki)),
  };
});

describe('evidence of a software SEV-SNP guest', () => {
  it('passes every check, and is marked as a stand-in', async () => {
    const result = await appraiseEvidence(good, context);
    expect(failedChecks(result)).toEqual([]);
    for (const name of SNP_CHECKS) {
      expect(result.checks).toContainEqual(expect.objectContaining({ name, status: 'passed' }));
    }
    expect(result.claims).toMatchObject({ standIn: true, cpu: { tee: 'sev-snp', debug: false }, gpu: null });
  });

  it.each([
    ['a VLEK', { kind: 'VLEK' }, {}],
    ["Turin's order of the TCB", { product: 'Turin', platform: { ...DEV_SNP_PLATFORM, fmc: 1 } }, turinTcb()],
  ] as const)('of %s passes as well', async (_name, request, fields) => {
    const from = await createSnpPki({ nowMs: NOW_MS, ...request });
    const result = await appraiseEvidence(await bundleOf(from, fields), { ...context, ...(await worldOf(from)) });
    expect(failedChecks(result)).toEqual([]);
    expect(result.ok).toBe(true);
  });

  it('is looked up in the list of revoked intermediates', async () => {
    const result = await appraiseEvidence(good, { ...context, ...(await worldOf(pki, { revoked: [otherPki.ask] })) });
    expect(failedChecks(result)).toEqual([]);
    expect(result.checks).toContainEqual(expect.objectContaining({ name: 'REVOKED', status: 'passed' }));
  });
});

/** FMC, bootloader, TEE, SNP, three reserved, microcode. */
function turinTcb(): Partial<SnpReportFields> {
  const tcb = Uint8Array.of(1, 4, 0, 24, 0, 0, 0, 219);
  return { reportedTcb: tcb, committedTcb: tcb };
}

interface Case {
  readonly bundle?: EvidenceBundle;
  readonly context?: Partial<AppraisalContext>;
}
type Row = readonly [name: string, failed: readonly string[], make: () => Promise<Case>];
const report =
  (fields: Partial<SnpReportFields>): Row[2] =>
  async () => ({ bundle: await bundleOf(pki, fields) });
const guestPolicy = (hex: string) => report({ guestPolicy: fromHex(hex) });
const world =
  (request: () => Partial<SnpCollateralRequest>): Row[2] =>
  async () => ({ context: await worldOf(pki, request()) });
const pkiOf =
  (request: Partial<SnpPkiRequest>): Row[2] =>
  async () => {
    const from = await createSnpPki({ nowMs: NOW_MS, ...request });
    return { bundle: await bundleOf(from), context: await worldOf(from) };
  };

const withEvidence = (evidence: ArrayLike<number>): Case => ({
  bundle: { ...good, cpuEvidence: toBase64(Uint8Array.from(evidence)) },
});

const rows: Row[] = [
  // GUEST_POLICY, little-endian: SMT 16, one 17, MIGRATE_MA 18, DEBUG 19, SINGLE_SOCKET 20, CXL_ALLOW 21.
  ['debug', ['DEBUG'], guestPolicy('1f000b0000000000')],
  ['migration permitted', ['GUEST_POLICY'], guestPolicy('1f00070000000000')],
  ['CXL permitted', ['GUEST_POLICY'], guestPolicy('1f00230000000000')],
  ['a bit without meaning', ['GUEST_POLICY'], guestPolicy('1f00030000000001')],
  ['bit 17 not set', ['GUEST_POLICY'], guestPolicy('1f00010000000000')],
  ['another level', ['VMPL'], report({ vmpl: 1 })],
  ['memory aliases not looked for', ['PLATFORM_INFO'], report({ platformInfo: bytes(0, 8) })],
  [
    'committed TCB below the policy',
    ['TCB_STATUS'],
    report({ committedTcb: Uint8Array.of(4, 0, 0, 0, 0, 0, 23, 219) }),
  ],
  [
    'reported TCB of another certificate',
    ['TCB_VERSION', 'TCB_STATUS'],
    report({ reportedTcb: Uint8Array.of(4, 0, 0, 0, 0, 0, 24, 218) }),
  ],
  ['another chip', ['CHIP_ID'], report({ chipId: bytes(0xc2, 64) })],
  ['a chip that hides itself', ['CHIP_ID'], report({ flags: 2 })],
  ['VLEK said', ['SIGNING_KEY'], report({ flags: 4 })],
  ['no key said', ['SIGNING_KEY'], report({ flags: 7 << 2 })],
  ['another version', ['VERSION'], report({ version: 1 })],
  ['another algorithm said', ['SIGNATURE_ALGORITHM'], report({ signatureAlgorithm: 2 })],
  ['junk behind the certificate', ['PARSE'], async () => withEvidence([...fromBase64(good.cpuEvidence), 0])],
  ['truncated', ['PARSE'], async () => withEvidence(fromBase64(good.cpuEvidence).subarray(0, 1000))],
  ['reserved bytes set', ['PARSE'], async () => withEvidence(fromBase64(good.cpuEvidence).with(0x4c, 1))],
  ['another measurement', ['MEASUREMENT'], report({ measurement: bytes(1, 48) })],
  ['another host data', ['MEASUREMENT'], report({ hostData: bytes(1) })],
  ['signed by another key', ['SIGNATURE'], async () => ({ bundle: await bundleOf(pki, {}, otherPki.leaf.keys) })],
  [
    'all of another PKI',
    ['ROOT_NOT_PINNED'],
    async () => {
      const { endorsements = {} } = await worldOf(otherPki);
      return { bundle: await bundleOf(otherPki), context: { endorsements } };
    },
  ],
  ["another PKI's leaf", ['CHAIN'], async () => ({ bundle: await bundleOf(otherPki) })],
  ['production roots', ['ROOT_NOT_PINNED'], async () => ({ context: { roots: productionRoots() } })],
  ['an intermediate of another name', ['SIGNER_NAME'], pkiOf({ askName: 'SEV-Genoa' })],
  ['an intermediate that is no CA', ['ISSUER_NOT_CA'], pkiOf({ askIsCa: false })],
  ['an endorsement key that expired', ['CHAIN'], pkiOf({ leafDays: -0.5 })],
  ['a product that is not in the policy', ['PRODUCT'], pkiOf({ product: 'Genoa' })],
  ['a chip that is not in the policy', ['PLATFORM', 'MEASUREMENT'], policyOf({ chipIds: ['00'.repeat(64)] })],
  ['a laxer policy in the hands of the verifier', ['MEASUREMENT'], policyOf({ permissions: ['SMT', 'MIGRATE_MA'] })],
  ['no policy', ['TEE_POLICY'], async () => ({ context: { teePolicy: {} } })],
  ['no endorsements', ['COLLATERAL'], async () => ({ context: { endorsements: {} } })],
  ['the intermediate revoked', ['REVOKED'], world(() => ({ revoked: [pki.ask] }))],
  ['no list, which somebody may have kept away', ['CRL_PARSE'], world(() => ({ revoked: null }))],
  ['a list signed by another', ['CRL_SIGNATURE'], world(() => ({ revoked: [], listSigner: otherPki.ark }))],
  ['a list of last month', ['CRL_STALE'], world(() => ({ revoked: [], listDays: -1 }))],
  [
    'key not in the report data',
    ['BINDING'],
    async () => ({ bundle: { ...good, hpkePublicKey: toBase64(bytes(66)) } }),
  ],
  ['foreign challenge', ['NONCE'], async () => ({ context: { ownChallenge: bytes(9) } })],
  ['GPU evidence', ['GPU', 'BINDING'], async () => ({ bundle: { ...good, gpuEvidence: ['AAAA'] } })],
  ['an app compose', ['CONFIG_ID'], async () => ({ bundle: { ...good, appCompose: '{}' } })],
  [
    'an event log',
    ['RTMR'],
    async () => ({ bundle: { ...good, eventLog: [{ name: 'a', payload: '', digest: '00'.repeat(48) }] } }),
  ],
];
function policyOf(changes: Partial<SnpPolicy>): Row[2] {
  return async () => ({ context: { teePolicy: { snp: { ...POLICY, ...changes } } } });
}

describe('bad SEV-SNP evidence: each row fails the named checks and no other', () => {
  it.each(rows)('%s → %j', async (_name, expected, make) => {
    const { bundle = good, context: changes = {} } = await make();
    const result = await appraiseEvidence(bundle, { ...context, ...changes });
    expect(failedChecks(result).toSorted()).toEqual([...expected].toSorted());
    expect(result.ok).toBe(false);
    expect(result.claims).toBeUndefined();
  });
});
