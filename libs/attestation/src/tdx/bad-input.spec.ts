import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  createTdxPki,
  DEV_PLATFORM,
  DEV_QE,
  devTcbInfo,
  devTdxEndorsements,
  issueAuthority,
  issueCrl,
  issuePck,
  pemOf,
  SoftwareTd,
  type CollateralRequest,
  type QuoteRequest,
  type ReportFields,
  type SoftwareTdOptions,
  type TdxPki,
} from '@usufruct/attestation-dev';
import { sha256 } from '@usufruct/crypto';
import { concatBytes, fromHex, toBase64, toHex, toHex32, utf8, type Hex32 } from '@usufruct/kernel';
import type { AppraisalPolicy, EvidenceBundle } from '@usufruct/protocol';
import { appraiseEvidence, failedChecks } from '../appraise.js';
import { makeEvidence } from '../evidence.js';
import type { TdxPolicy } from '../policy/tdx-policy.js';
import { devHardwareRoots, productionRoots, rootSetWithDevRoot } from '../roots.js';
import type { AppraisalContext, Endorsements } from '../types.js';
import { TDX_ENDORSEMENTS } from './collateral.js';
import { TDX_CHECKS } from './inspect.js';

const NOW_MS = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;
const bytes = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill);
const JOB = toHex32<Hex32>(bytes(7));
const [OWN, SECOND] = [bytes(1), bytes(2)];
const KEYS = { hpkePublicKey: bytes(21), signingPublicKey: bytes(22) };
const EVENTS = [
  { name: 'image-digest', payload: bytes(5) },
  { name: 'instance-id', payload: bytes(6) },
];
const POLICY: TdxPolicy = {
  version: 1,
  tcbStatuses: ['UpToDate'],
  advisories: [],
  minTcbEvaluationDataNumber: 18,
  ppids: [],
  tdAttributesAllowed: '0000000000000000',
  xfams: ['e702060000000000'],
  requiredEvents: [{ name: 'image-digest', payload: toHex(bytes(5)) }],
};

let pki: TdxPki;
let otherPki: TdxPki;
let goodEndorsements: Endorsements;
let good: EvidenceBundle;
let context: AppraisalContext;

const deviceOf = (options: Partial<SoftwareTdOptions> = {}) =>
  SoftwareTd.create({ pki, policy: POLICY, events: EVENTS, ...options });
const bundleOf = async (options: Partial<SoftwareTdOptions> = {}): Promise<EvidenceBundle> =>
  makeEvidence(await deviceOf(options), { challenges: [OWN, SECOND], jobId: JOB, keys: KEYS });
const endorsementsOf = (request: Partial<CollateralRequest> = {}): Promise<Endorsements> =>
  devTdxEndorsements({ pki, nowMs: NOW_MS, ...request });
const rootsOf = ({ root }: TdxPki) => devHardwareRoots({ intel: pemOf(root) });
const chainPolicyOf = (...measurements: string[]): AppraisalPolicy => ({
  version: 1,
  profiles: ['tdx'],
  measurements,
  resultTermMs: 600_000,
});

beforeAll(async () => {
  [pki, otherPki] = await Promise.all([createTdxPki(NOW_MS), createTdxPki(NOW_MS)]);
  goodEndorsements = await endorsementsOf();
  good = await bundleOf();
  context = {
    ownChallenge: OWN,
    jobId: JOB,
    nowMs: NOW_MS,
    policy: chainPolicyOf(await (await deviceOf()).measurement()),
    teePolicy: { tdx: POLICY },
    endorsements: goodEndorsements,
    roots: rootsOf(pki),
  };
});

describe('evidence of a software TD', () => {
  it.each([4, 5] as const)('of version %d passes every check, and is marked as a stand-in', async (version) => {
    const result = await appraiseEvidence(await bundleOf({ version }), context);
    expect(result.checks.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(result.ok).toBe(true);
    for (const name of TDX_CHECKS) {
      expect(result.checks).toContainEqual(expect.objectContaining({ name, status: 'passed' }));
    }
    expect(result.claims).toMatchObject({ profile: 'tdx', debug: false, standIn: true });
  });

  it('is good no longer than its collateral', async () => {
    // TCB info is current for 29 days: a minute before its end, a minute is left.
    const nowMs = NOW_MS + 29 * DAY_MS - 60_000;
    const { ok, expiresAtMs } = await appraiseEvidence(good, { ...context, nowMs });
    expect({ ok, expiresAtMs }).toEqual({ ok: true, expiresAtMs: NOW_MS + 29 * DAY_MS });
  });

  it('shows its app compose in MRCONFIGID', async () => {
    const mrConfigId = concatBytes(Uint8Array.of(1), sha256(utf8('services: {}')), new Uint8Array(15));
    const device = await deviceOf({ report: { mrConfigId } });
    const bundle = await makeEvidence(device, { challenges: [OWN], jobId: JOB, keys: KEYS });
    const policy = chainPolicyOf(await device.measurement());
    const judge = (appCompose: string) => appraiseEvidence({ ...bundle, appCompose }, { ...context, policy });
    expect((await judge('services: {}')).ok).toBe(true);
    expect(failedChecks(await judge('services: {a: b}'))).toEqual(['CONFIG_ID']);
  });

  it('accepts what the policy names: other attributes, a lower level, an advisory, this platform', async () => {
    const policy: TdxPolicy = {
      ...POLICY,
      tcbStatuses: ['OutOfDate'],
      advisories: ['INTEL-SA-09901', 'INTEL-SA-09902', 'INTEL-SA-09903'],
      ppids: [DEV_PLATFORM.ppid],
      tdAttributesAllowed: '0000004000000000',
    };
    const report = {
      tdAttributes: fromHex('0000005000000000'),
      teeTcbSvn: Uint8Array.of(3, 1, 2, ...new Uint8Array(13)),
    };
    const device = await deviceOf({ policy, report, quote: { qe: { ...DEV_QE, isvSvn: 3 } } });
    const bundle = await makeEvidence(device, { challenges: [OWN], jobId: JOB, keys: KEYS });
    const accepting = { ...context, policy: chainPolicyOf(await device.measurement()), teePolicy: { tdx: policy } };
    expect(failedChecks(await appraiseEvidence(bundle, accepting))).toEqual([]);
  });
});

interface Case {
  readonly bundle?: EvidenceBundle;
  readonly context?: Partial<AppraisalContext>;
}
type Row = readonly [name: string, failed: readonly string[], make: () => Promise<Case>];

/** A quote in which the report says something else; the measurement is approved as it then is. */
const report =
  (fields: Partial<ReportFields>): Row[2] =>
  async () => {
    const device = await deviceOf({ report: fields });
    const bundle = await makeEvidence(device, { challenges: [OWN, SECOND], jobId: JOB, keys: KEYS });
    return { bundle, context: { policy: chainPolicyOf(await device.measurement()) } };
  };
const quote =
  (changes: () => Partial<QuoteRequest> | Promise<Partial<QuoteRequest>>): Row[2] =>
  async () => ({ bundle: await bundleOf({ quote: await changes() }) });
const collateral =
  (request: () => Partial<CollateralRequest> | Promise<Partial<CollateralRequest>>): Row[2] =>
  async () => ({ context: { endorsements: await endorsementsOf(await request()) } });
const endorsement =
  (name: string, make: () => Uint8Array | Promise<Uint8Array>): Row[2] =>
  async () => ({ context: { endorsements: { ...goodEndorsements, [name]: await make() } } });
/** A whole PKI with one authority replaced, and the collateral that goes with it. */
const pkiWith =
  (make: () => Promise<Partial<TdxPki>>, request: Partial<CollateralRequest> = {}): Row[2] =>
  async () => {
    const changed = { ...pki, ...(await make()) };
    const endorsements = await devTdxEndorsements({ pki: changed, nowMs: NOW_MS, ...request });
    return { bundle: await bundleOf({ pki: changed }), context: { endorsements } };
  };
const policy =
  (changes: Partial<TdxPolicy>): Row[2] =>
  async () => {
    const changed = { ...POLICY, ...changes };
    const measurement = await (await deviceOf({ policy: changed })).measurement();
    return { context: { policy: chainPolicyOf(measurement), teePolicy: { tdx: changed } } };
  };

const attributes = (hex: string) => report({ tdAttributes: fromHex(hex) });
const teeTcbSvn = (...svns: number[]) =>
  report({ teeTcbSvn: Uint8Array.of(...svns, ...new Uint8Array(16 - svns.length)) });
const signerOf = (commonName: string, issuer = pki.root, isCa = false) =>
  issueAuthority({ commonName, issuer, isCa, nowMs: NOW_MS });

const ATTRIBUTE_ROWS: Row[] = [
  // Bits of ATTRIBUTES, little-endian: DEBUG 0, SEPT_VE_DISABLE 28, MIGRATABLE 29, PKS 30, KL 31, PERFMON 63.
  ['debug', ['TD_ATTRIBUTES', 'DEBUG'], attributes('0100001000000000')],
  ['migratable', ['TD_ATTRIBUTES'], attributes('0000003000000000')],
  ['protection keys for supervisors', ['TD_ATTRIBUTES'], attributes('0000005000000000')],
  ['key locker', ['TD_ATTRIBUTES'], attributes('0000009000000000')],
  ['performance monitoring', ['TD_ATTRIBUTES'], attributes('0000001000000080')],
  ['SEPT_VE_DISABLE not set', ['TD_ATTRIBUTES'], attributes('0000000000000000')],
  ['features that are not approved', ['XFAM'], report({ xfam: fromHex('e718060000000000') })],
];

const MODULE_ROWS: Row[] = [
  ['wrong signer of the module', ['MRSIGNERSEAM'], report({ mrSignerSeam: bytes(1, 48) })],
  ['attributes of the module', ['SEAM_ATTRIBUTES'], report({ seamAttributes: bytes(1, 8) })],
  ['unknown module', ['TDX_MODULE'], teeTcbSvn(5, 2, 3)],
  ['module SVN below every level', ['TDX_MODULE'], teeTcbSvn(2, 1, 3)],
  ['module out of date', ['TDX_MODULE', 'ADVISORY'], teeTcbSvn(4, 1, 3)],
];

const TCB_ROWS: Row[] = [
  ['platform out of date', ['TCB_STATUS', 'ADVISORY'], teeTcbSvn(5, 1, 2)],
  ['platform below every level', ['TCB_STATUS'], teeTcbSvn(5, 1, 1)],
  [
    'platform revoked, though its advisory is listed',
    ['TCB_STATUS'],
    collateral(() => ({ tcbInfo: { tcbLevels: levels({ tcbStatus: 'Revoked' }) } })),
  ],
  [
    'up to date with an advisory that is not listed',
    ['ADVISORY'],
    collateral(() => ({ tcbInfo: { tcbLevels: levels({ advisoryIDs: ['INTEL-SA-09909'] }) } })),
  ],
  ['quoting enclave out of date', ['TCB_STATUS', 'ADVISORY'], quote(() => ({ qe: { ...DEV_QE, isvSvn: 3 } }))],
  ['quoting enclave below every level', ['TCB_STATUS'], quote(() => ({ qe: { ...DEV_QE, isvSvn: 1 } }))],
  ['old evaluation of the TCB', ['TCB_EVAL_NUMBER'], collateral(() => ({ tcbInfo: { tcbEvaluationDataNumber: 17 } }))],
  [
    'old evaluation of the QE',
    ['TCB_EVAL_NUMBER'],
    collateral(() => ({ qeIdentity: { tcbEvaluationDataNumber: 17 } })),
  ],
  ['TCB info of another family', ['FMSPC'], collateral(() => ({ tcbInfo: { fmspc: 'DE0000000002' } }))],
  ['TCB info of another PCE', ['PCEID'], collateral(() => ({ tcbInfo: { pceId: '0001' } }))],
  ['a platform that is not in the policy', ['PPID'], policy({ ppids: ['00'.repeat(16)] })],
];
function levels(changes: object): object[] {
  const [first, ...rest] = devTcbInfo(NOW_MS)['tcbLevels'] as object[];
  return [{ ...first, ...changes }, ...rest];
}

const QE_ROWS: Row[] = [
  ['signer of the quoting enclave', ['QE_IDENTITY'], quote(() => ({ qe: { ...DEV_QE, mrSigner: bytes(1) } }))],
  ['product of the quoting enclave', ['QE_IDENTITY'], quote(() => ({ qe: { ...DEV_QE, isvProdId: 1 } }))],
  [
    'quoting enclave in debug mode',
    ['QE_IDENTITY'],
    quote(() => ({ qe: { ...DEV_QE, attributes: Uint8Array.of(0x13, ...new Uint8Array(15)) } })),
  ],
  ['MISCSELECT', ['QE_IDENTITY'], quote(() => ({ qe: { ...DEV_QE, miscSelect: bytes(1, 4) } }))],
  ['another attestation key bound', ['QE_REPORT_DATA'], quote(() => ({ boundKey: bytes(1, 64) }))],
  ['QE report signed by another PCK', ['QE_REPORT_SIGNATURE'], quote(() => ({ qeSigner: otherPki.pck.keys }))],
  ['quote signed by another key', ['SIGNATURE'], quote(() => ({ signer: otherPki.pck.keys }))],
];

const COLLATERAL_ROWS: Row[] = [
  [
    'TCB info expired',
    ['COLLATERAL_STALE'],
    collateral(() => ({ tcbInfo: { nextUpdate: new Date(NOW_MS - 1000).toISOString() } })),
  ],
  [
    'QE identity of tomorrow',
    ['COLLATERAL_STALE'],
    collateral(() => ({ qeIdentity: { issueDate: new Date(NOW_MS + DAY_MS).toISOString() } })),
  ],
  [
    'TCB info signed by another key',
    ['TCB_INFO_SIGNATURE'],
    collateral(() => ({ tcbInfoSigner: otherPki.tcbSigning, tcbInfoChain: pemOf(pki.tcbSigning, pki.root) })),
  ],
  [
    'QE identity signed by another key',
    ['QE_IDENTITY_SIGNATURE'],
    collateral(() => ({ qeIdentitySigner: otherPki.tcbSigning, qeIdentityChain: pemOf(pki.tcbSigning, pki.root) })),
  ],
  ['TCB info for SGX', ['COLLATERAL'], collateral(() => ({ tcbInfo: { id: 'SGX' } }))],
  ['identity of the SGX quoting enclave', ['COLLATERAL'], collateral(() => ({ qeIdentity: { id: 'QE' } }))],
  ['a date that is none', ['COLLATERAL'], collateral(() => ({ tcbInfo: { nextUpdate: 'tomorrow' } }))],
  ['15 components', ['COLLATERAL'], collateral(() => ({ tcbInfo: { tcbLevels: [{ tcb: { pcesvn: 1 } }] } }))],
  ['no endorsements', ['COLLATERAL'], async () => ({ context: { endorsements: {} } })],
  [
    'a document that is not JSON',
    ['COLLATERAL'],
    endorsement(TDX_ENDORSEMENTS.qeIdentity, () => utf8(`{"enclaveIdentity":{x},"signature":"${'00'.repeat(64)}"}`)),
  ],
  ['an absurdly deep document', ['COLLATERAL'], endorsement(TDX_ENDORSEMENTS.qeIdentity, () => deepDocument(100_000))],
  ['an absurdly large document', ['COLLATERAL'], endorsement(TDX_ENDORSEMENTS.qeIdentity, () => deepDocument(500_000))],
  ['no policy for TDs', ['TEE_POLICY'], async () => ({ context: { teePolicy: {} } })],
];
const deepDocument = (depth: number) =>
  utf8(`{"enclaveIdentity":{"id":${'['.repeat(depth)}${']'.repeat(depth)}},"signature":"${'00'.repeat(64)}"}`);

const CRL_ROWS: Row[] = [
  ['PCK revoked', ['REVOKED'], collateral(() => ({ pckCrl: { revoked: [otherPki.pck, pki.pck] } }))],
  ['CA revoked', ['REVOKED'], collateral(() => ({ rootCrl: { revoked: [pki.platformCa] } }))],
  ['signer of TCB info revoked', ['REVOKED'], collateral(() => ({ rootCrl: { revoked: [pki.tcbSigning] } }))],
  ['root revoked', ['REVOKED'], collateral(() => ({ rootCrl: { revoked: [pki.root] } }))],
  ['forged root list', ['CRL_SIGNATURE'], collateral(() => ({ rootCrl: { signer: otherPki.root } }))],
  ['forged PCK list', ['CRL_SIGNATURE'], collateral(() => ({ pckCrl: { signer: pki.pck } }))],
  ['stale root list', ['CRL_STALE'], collateral(() => ({ rootCrl: { fromDays: -60, untilDays: -1 } }))],
  ['PCK list of tomorrow', ['CRL_STALE'], collateral(() => ({ pckCrl: { fromDays: 1 } }))],
  ['empty list', ['CRL_PARSE'], endorsement(TDX_ENDORSEMENTS.rootCrl, () => new Uint8Array())],
  ['garbage for a list', ['CRL_PARSE'], endorsement(TDX_ENDORSEMENTS.pckCrl('platform'), () => bytes(0x30, 300))],
  [
    'a list with a byte behind it',
    ['CRL_PARSE'],
    endorsement(TDX_ENDORSEMENTS.rootCrl, () => concatBytes(goodEndorsements[TDX_ENDORSEMENTS.rootCrl]!, bytes(0, 1))),
  ],
  [
    'the root list given for the PCK list',
    ['CRL_ISSUER', 'CRL_SIGNATURE', 'REVOKED'],
    endorsement(TDX_ENDORSEMENTS.pckCrl('platform'), () => issueCrl({ issuer: pki.root, nowMs: NOW_MS })),
  ],
];

const CHAIN_ROWS: Row[] = [
  [
    'all of another PKI',
    ['ROOT_NOT_PINNED'],
    async () => ({
      bundle: await bundleOf({ pki: otherPki }),
      context: { endorsements: await devTdxEndorsements({ pki: otherPki, nowMs: NOW_MS }) },
    }),
  ],
  ['production roots', ['ROOT_NOT_PINNED'], async () => ({ context: { roots: productionRoots() } })],
  [
    'production roots and a root of the software TEE',
    ['ROOT_NOT_PINNED'],
    async () => ({ context: { roots: rootSetWithDevRoot(pemOf(pki.root)) } }),
  ],
  [
    'own root under a foreign chain',
    ['CHAIN', 'CRL_SIGNATURE'],
    quote(() => ({ chain: pemOf(otherPki.pck, otherPki.platformCa, pki.root), qeSigner: otherPki.pck.keys })),
  ],
  [
    'intermediate issued by a PCK',
    ['CHAIN', 'ISSUER_NOT_CA', 'SIGNER_NAME', 'CRL_PARSE'],
    async () => {
      const ca = await signerOf('Intel SGX PCK Platform CA', pki.pck, true);
      const pck = await issuePck({ issuer: ca, nowMs: NOW_MS });
      return { bundle: await bundleOf({ quote: { chain: pemOf(pck, pki.pck, pki.root), qeSigner: pck.keys } }) };
    },
  ],
  [
    'intermediate that is no CA',
    ['ISSUER_NOT_CA'],
    pkiWith(async () => {
      const platformCa = await signerOf('Intel SGX PCK Platform CA');
      return { platformCa, pck: await issuePck({ issuer: platformCa, nowMs: NOW_MS }) };
    }),
  ],
  [
    'PCK that is a CA',
    ['ISSUER_NOT_CA'],
    pkiWith(async () => ({ pck: await issuePck({ issuer: pki.platformCa, nowMs: NOW_MS, isCa: true }) })),
  ],
  [
    'TCB info signed by a PCK',
    ['CHAIN', 'SIGNER_NAME'],
    collateral(() => ({ tcbInfoSigner: pki.pck, tcbInfoChain: pemOf(pki.pck, pki.platformCa, pki.root) })),
  ],
  [
    'TCB info signed by what the root named PCK',
    ['SIGNER_NAME'],
    collateral(async () => ({ tcbInfoSigner: await signerOf('Intel SGX PCK Certificate') })),
  ],
  [
    'QE identity signed by what the root named PCK',
    ['SIGNER_NAME'],
    collateral(async () => ({ qeIdentitySigner: await signerOf('Intel SGX PCK Certificate') })),
  ],
  [
    'PCK of another name',
    ['SIGNER_NAME'],
    pkiWith(async () => ({
      pck: await issuePck({ issuer: pki.platformCa, nowMs: NOW_MS, commonName: 'Intel SGX TCB Signing' }),
    })),
  ],
  [
    'issuer of another name',
    ['CHAIN', 'REVOKED'],
    pkiWith(async () => ({
      pck: await issuePck({ issuer: { ...pki.platformCa, commonName: 'Intel SGX PCK Processor CA' }, nowMs: NOW_MS }),
    })),
  ],
  [
    'PCK expired',
    ['CHAIN'],
    pkiWith(async () => ({ pck: await issuePck({ issuer: pki.platformCa, nowMs: NOW_MS, untilDays: -0.5 }) })),
  ],
  [
    'TCB signer of tomorrow',
    ['CHAIN'],
    pkiWith(async () => ({
      tcbSigning: await issueAuthority({
        commonName: 'Intel SGX TCB Signing',
        issuer: pki.root,
        isCa: false,
        nowMs: NOW_MS,
        fromDays: 1,
      }),
    })),
  ],
  ['no chain', ['PARSE'], quote(() => ({ chain: '' }))],
  [
    'a chain without its root',
    ['ROOT_NOT_PINNED', 'CHAIN', 'CRL_PARSE'],
    quote(() => ({ chain: pemOf(pki.pck, pki.platformCa) })),
  ],
  [
    'text between the certificates',
    ['PARSE'],
    quote(() => ({ chain: pemOf(pki.pck, pki.platformCa, pki.root).replace('\n-----BEGIN', '\n \n-----BEGIN') })),
  ],
  [
    'a PCK without the extension',
    ['PARSE'],
    pkiWith(async () => ({ pck: await signerOf('Intel SGX PCK Certificate', pki.platformCa) })),
  ],
];

const CODE_ROWS: Row[] = [
  ['another MRTD', ['MEASUREMENT'], async () => ({ bundle: await bundleOf({ report: { mrTd: bytes(1, 48) } }) })],
  ['another MRSEAM', ['MEASUREMENT'], async () => ({ bundle: await bundleOf({ report: { mrSeam: bytes(1, 48) } }) })],
  ['another RTMR0', ['MEASUREMENT'], async () => ({ bundle: await bundleOf({ report: { rtmr0: bytes(1, 48) } }) })],
  ['another RTMR1', ['MEASUREMENT'], async () => ({ bundle: await bundleOf({ report: { rtmr1: bytes(1, 48) } }) })],
  ['another RTMR2', ['MEASUREMENT'], async () => ({ bundle: await bundleOf({ report: { rtmr2: bytes(1, 48) } }) })],
  ['another owner', ['MEASUREMENT'], async () => ({ bundle: await bundleOf({ report: { mrOwner: bytes(1, 48) } }) })],
  [
    'another configuration',
    ['MEASUREMENT'],
    async () => ({ bundle: await bundleOf({ report: { mrConfigId: bytes(1, 48) } }) }),
  ],
  [
    'a laxer policy in the hands of the verifier',
    ['MEASUREMENT'],
    async () => ({ context: { teePolicy: { tdx: { ...POLICY, tcbStatuses: ['UpToDate', 'OutOfDate'] } } } }),
  ],
  ['measurement withdrawn', ['MEASUREMENT'], async () => ({ context: { policy: chainPolicyOf() } })],
];

const EVENT_ROWS: Row[] = [
  [
    'event payload swapped',
    ['RTMR', 'EVENTS'],
    async () => ({ bundle: { ...good, eventLog: [{ ...good.eventLog[0]!, payload: 'AAAA' }, good.eventLog[1]!] } }),
  ],
  [
    'event payload swapped, digest as well',
    ['RTMR', 'EVENTS'],
    async () => {
      const { eventLog } = await deviceOf({ events: [{ name: 'image-digest', payload: bytes(9) }, EVENTS[1]!] });
      return { bundle: { ...good, eventLog: [...eventLog] } };
    },
  ],
  ['event dropped', ['RTMR'], async () => ({ bundle: { ...good, eventLog: good.eventLog.slice(0, 1) } })],
  ['events reordered', ['RTMR'], async () => ({ bundle: { ...good, eventLog: good.eventLog.toReversed() } })],
  [
    'event duplicated',
    ['RTMR'],
    async () => ({ bundle: { ...good, eventLog: [...good.eventLog, good.eventLog[1]!] } }),
  ],
  ['approved event not measured', ['EVENTS'], async () => ({ bundle: await bundleOf({ events: [EVENTS[1]!] }) })],
  [
    'approved event measured twice',
    ['EVENTS'],
    async () => ({ bundle: await bundleOf({ events: [EVENTS[0]!, EVENTS[0]!] }) }),
  ],
];

const BUNDLE_ROWS: Row[] = [
  ['foreign challenge', ['NONCE'], async () => ({ context: { ownChallenge: bytes(9) } })],
  [
    'replay: own challenge put into the list of an old quote',
    ['NONCE'],
    async () => ({ bundle: { ...good, challenges: [toBase64(bytes(9))] }, context: { ownChallenge: bytes(9) } }),
  ],
  [
    'own challenge listed twice',
    ['NONCE'],
    async () => ({ bundle: { ...good, challenges: [...good.challenges, good.challenges[0]!] } }),
  ],
  [
    'key not in the report data',
    ['BINDING'],
    async () => ({ bundle: { ...good, hpkePublicKey: toBase64(bytes(66)) } }),
  ],
  ['another job', ['BINDING'], async () => ({ context: { jobId: toHex32<Hex32>(bytes(8)) } })],
  ['GPU evidence', ['GPU', 'BINDING'], async () => ({ bundle: { ...good, gpuEvidence: ['AAAA'] } })],
  ['a token of a GPU', ['GPU'], async () => ({ bundle: { ...good, gpuToken: 'x' } })],
  ['clock NaN', ['BAD_CLOCK'], async () => ({ context: { nowMs: Number.NaN } })],
  ['clock in seconds', ['BAD_CLOCK'], async () => ({ context: { nowMs: NOW_MS / 1000 } })],
  ['clock in microseconds', ['BAD_CLOCK'], async () => ({ context: { nowMs: NOW_MS * 1000 } })],
  ['a clock that never was set', ['BAD_CLOCK'], async () => ({ context: { nowMs: Number(undefined) } })],
];

describe.each([
  ['attributes of the TD', ATTRIBUTE_ROWS],
  ['TDX module', MODULE_ROWS],
  ['TCB', TCB_ROWS],
  ['quoting enclave', QE_ROWS],
  ['collateral', COLLATERAL_ROWS],
  ['revocation', CRL_ROWS],
  ['chains', CHAIN_ROWS],
  ['code and configuration', CODE_ROWS],
  ['events', EVENT_ROWS],
  ['binding', BUNDLE_ROWS],
])('bad evidence, %s: each row fails the named checks and no other', (_group, rows) => {
  it.each(rows)('%s → %j', async (_name, expected, make) => {
    const { bundle = good, context: changes = {} } = await make();
    const result = await appraiseEvidence(bundle, { ...context, ...changes });
    expect(failedChecks(result).sort()).toEqual([...expected].sort());
    expect(result.ok).toBe(false);
    expect(result.claims).toBeUndefined();
  });
});

describe('generated roots', () => {
  it('must say DEV ONLY, and no production root stands beside them', async () => {
    expect([...rootsOf(pki).byName.keys()]).toEqual(['intel']);
    expect(rootsOf(pki).byName.get('intel')).not.toEqual(productionRoots().byName.get('intel'));
    const { X509CertificateGenerator } = await import('@peculiar/x509');
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const unmarked = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=Intel SGX Root CA, O=Intel Corporation',
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    });
    expect(() => devHardwareRoots({ intel: unmarked.toString('pem') })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});
