import { beforeAll, expect, it } from '@jest/globals';
import { seededRandom } from '@usufruct/testing';
import { fromHex, toHex, utf8 } from '@usufruct/kernel';
import { describeRecorded, readEvidence, readEvidenceText } from '../../../../test/support/evidence.js';
import type { TdxPolicy } from '../policy/tdx-policy.js';
import { pinnedRoots, productionRoots } from '../roots.js';
import type { Endorsements } from '../types.js';
import { TDX_ENDORSEMENTS } from './collateral.js';
import { parseCrl } from '../x509/crl.js';
import { inspectTdx, TDX_CHECKS } from './inspect.js';
import { parseQuote } from './quote.js';

/** What the recorder wrote: documents and signatures apart, lists in hex. */
interface Recorded {
  readonly root_ca_crl: string;
  readonly pck_crl: string;
  readonly tcb_info: string;
  readonly tcb_info_signature: string;
  readonly tcb_info_issuer_chain: string;
  readonly qe_identity: string;
  readonly qe_identity_signature: string;
  readonly qe_identity_issuer_chain: string;
}

function recordedEndorsements(file: string): Endorsements {
  const recorded: Recorded = JSON.parse(readEvidenceText(file));
  const fmspc: string = JSON.parse(recorded.tcb_info).fmspc.toLowerCase();
  return {
    [TDX_ENDORSEMENTS.rootCrl]: fromHex(recorded.root_ca_crl),
    [TDX_ENDORSEMENTS.pckCrl('platform')]: fromHex(recorded.pck_crl),
    [TDX_ENDORSEMENTS.tcbInfo(fmspc)]: utf8(
      `{"tcbInfo":${recorded.tcb_info},"signature":"${recorded.tcb_info_signature}"}`,
    ),
    [TDX_ENDORSEMENTS.tcbInfoChain]: utf8(recorded.tcb_info_issuer_chain),
    [TDX_ENDORSEMENTS.qeIdentity]: utf8(
      `{"enclaveIdentity":${recorded.qe_identity},"signature":"${recorded.qe_identity_signature}"}`,
    ),
    [TDX_ENDORSEMENTS.qeIdentityChain]: utf8(recorded.qe_identity_issuer_chain),
  };
}

/** The README of the evidence: tdx_quote is UpToDate with no advisories at this second. */
const V4_NOW_MS = 1_752_916_563_000;
const V5_NOW_MS = Date.UTC(2026, 2, 1);
const POLICY: TdxPolicy = {
  version: 1,
  tcbStatuses: ['UpToDate'],
  advisories: [],
  minTcbEvaluationDataNumber: 17,
  ppids: [],
  tdAttributesAllowed: '0000000000000000',
  xfams: ['e700060000000000', 'e702060000000000', 'e718060000000000'],
  requiredEvents: [],
};

describeRecorded('recorded TDX evidence', 'tdx', () => {
  let v4: Endorsements;
  let v5: Endorsements;
  const roots = pinnedRoots(productionRoots(), 'intel');
  const inspect = (quote: Uint8Array, changes: Partial<Parameters<typeof inspectTdx>[1]> = {}) =>
    inspectTdx({ quote, eventLog: [] }, { nowMs: V4_NOW_MS, policy: POLICY, endorsements: v4, roots, ...changes });
  const failedOf = async (...of: Parameters<typeof inspect>) =>
    (await inspect(...of)).checks.filter(({ status }) => status === 'failed').map(({ name }) => name);

  beforeAll(() => {
    v4 = recordedEndorsements('tdx/tdx_quote_collateral.json');
    v5 = recordedEndorsements('tdx/tdx_quote_outdated_collateral.json');
  });

  it('the quote of version 4 passes every check', async () => {
    const { checks, facts } = await inspect(readEvidence('tdx/tdx_quote'));
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([]);
    for (const name of TDX_CHECKS) expect(checks).toContainEqual(expect.objectContaining({ name, status: 'passed' }));
    expect(facts).toMatchObject({ debug: false });
  });

  it('the quote of version 5 (TD 1.5) passes every check', async () => {
    const { checks } = await inspect(readEvidence('tdx/tdx_quote_v5.dat'), { endorsements: v5, nowMs: V5_NOW_MS });
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([]);
    for (const name of TDX_CHECKS) expect(checks).toContainEqual(expect.objectContaining({ name, status: 'passed' }));
  });

  it('says what the quote says', async () => {
    // The evidence's README: MRTD starts 91eb2b44 and RTMR3 is zero.
    const quote = parseQuote(readEvidence('tdx/tdx_quote'));
    expect(toHex(quote!.report.mrTd)).toMatch(/^91eb2b44/);
    expect(quote!.report.rtmr[3].every((byte) => byte === 0)).toBe(true);
    const { facts } = await inspect(readEvidence('tdx/tdx_quote'));
    expect(facts?.cpu.tcbStatuses).toEqual(['UpToDate', 'UpToDate', 'UpToDate']);
    // 2025-07-19T10:00:35Z is nextUpdate of the PCK list, which is before that of TCB info and QE identity.
    expect(facts?.validUntilMs).toBe(Date.UTC(2025, 6, 19, 10, 0, 35));
  });

  it('reads the revocation lists of another recorder', () => {
    expect(parseCrl(readEvidence('tdx/rootcrl.der'))?.revoked.size).toBe(0);
    expect(parseCrl(readEvidence('tdx/pckcrl'))?.revoked.size).toBeGreaterThan(0);
  });

  type Row = [string, string[], () => Parameters<typeof inspect>];
  const v4Quote = () => readEvidence('tdx/tdx_quote');
  const changed = (path: string, at: number, ...values: number[]): Uint8Array => {
    const quote = readEvidence(path);
    quote.set(values, at);
    return quote;
  };
  const withPolicy =
    (changes: Partial<TdxPolicy>): Row[2] =>
    () => [v4Quote(), { policy: { ...POLICY, ...changes } }];
  const without =
    (name: string): Row[2] =>
    () => {
      const { [name]: _gone, ...rest } = v4;
      return [v4Quote(), { endorsements: rest }];
    };
  // Offsets of version 4: header 48, body 584, size 4, signature and key 128, type and size 6, QE report and its
  // signature 448. In version 5 the body's type is at 48 and its size at 50.
  const AUTH_SIZE_AT = 48 + 584 + 4 + 128 + 6 + 448;
  const rows: Row[] = [
    ['an SGX quote', ['VERSION', 'TEE_TYPE'], () => [readEvidence('tdx/sgx_quote')]],
    ['a TD of type 0', ['TEE_TYPE', 'SIGNATURE'], () => [changed('tdx/tdx_quote', 4, 0)]],
    ['version 6', ['VERSION'], () => [changed('tdx/tdx_quote', 0, 6)]],
    ['version 5 said of version 4', ['PARSE'], () => [changed('tdx/tdx_quote', 0, 5)]],
    ['another vendor', ['QE_VENDOR', 'SIGNATURE'], () => [changed('tdx/tdx_quote', 12, 0)]],
    ['a P-384 key', ['ATTESTATION_KEY_TYPE', 'SIGNATURE'], () => [changed('tdx/tdx_quote', 2, 3)]],
    ['truncated', ['PARSE'], () => [v4Quote().subarray(0, 4900)]],
    ['truncated in the header', ['PARSE'], () => [v4Quote().subarray(0, 40)]],
    ['empty', ['PARSE'], () => [new Uint8Array()]],
    ['junk behind the zeros', ['PARSE'], () => [Uint8Array.from([...v4Quote(), 1])]],
    ['larger than any quote', ['PARSE'], () => [Uint8Array.from([...v4Quote(), ...new Uint8Array(32_768)])]],
    ['TD 1.0 body type with the size of 1.5', ['PARSE'], () => [changed('tdx/tdx_quote_v5.dat', 48, 2)]],
    ['TD 1.5 body type with the size of 1.0', ['PARSE'], () => [changed('tdx/tdx_quote_v5.dat', 50, 0x48, 0x02)]],
    ['31 bytes of QE authentication', ['PARSE'], () => [changed('tdx/tdx_quote', AUTH_SIZE_AT, 31)]],
    ['an old platform', ['TCB_STATUS'], () => outdated()],
    ['collateral a month later', ['CRL_STALE', 'COLLATERAL_STALE'], () => at(V4_NOW_MS + 31 * 86_400_000)],
    ['collateral of the future', ['CRL_STALE', 'COLLATERAL_STALE'], () => at(Date.UTC(2025, 5, 1))],
    ['no root pinned', ['ROOT_NOT_PINNED'], () => [v4Quote(), { roots: [] }]],
    ['collateral of another family', ['COLLATERAL'], () => [v4Quote(), { endorsements: v5 }]],
    ['no TCB info', ['COLLATERAL'], without('intel/tdx/tcb-b0c06f000000.json')],
    ['no chain of the TCB info', ['COLLATERAL'], without(TDX_ENDORSEMENTS.tcbInfoChain)],
    ['no QE identity', ['COLLATERAL'], without(TDX_ENDORSEMENTS.qeIdentity)],
    ['no root list', ['CRL_PARSE'], without(TDX_ENDORSEMENTS.rootCrl)],
    ['no PCK list', ['CRL_PARSE'], without(TDX_ENDORSEMENTS.pckCrl('platform'))],
    ['no policy', ['TEE_POLICY'], () => [v4Quote(), { policy: undefined }]],
    ['a policy that names no status', ['TDX_MODULE', 'TCB_STATUS'], withPolicy({ tcbStatuses: [] })],
    ['a policy of other features', ['XFAM'], withPolicy({ xfams: [] })],
    ['a policy of other platforms', ['PPID'], withPolicy({ ppids: ['00'.repeat(16)] })],
    ['a policy of later evaluations', ['TCB_EVAL_NUMBER'], withPolicy({ minTcbEvaluationDataNumber: 18 })],
    ['an event missing', ['EVENTS'], withPolicy({ requiredEvents: [{ name: 'image-digest', payload: 'ab' }] })],
  ];
  const at = (nowMs: number): Parameters<typeof inspect> => [v4Quote(), { nowMs }];
  const outdated = (): Parameters<typeof inspect> => [
    readEvidence('tdx/tdx_quote_outdated'),
    { endorsements: v5, nowMs: V5_NOW_MS },
  ];

  it.each(rows)('%s → %j', async (_name, expected, make) => {
    expect(await failedOf(...make())).toEqual(expected);
  });

  it('names every check also for what cannot be read', async () => {
    for (const quote of [new Uint8Array(), v4Quote().subarray(0, 4900), readEvidence('tdx/sgx_quote')]) {
      const { checks, facts } = await inspect(quote);
      expect(checks.map(({ name }) => name).sort()).toEqual([...TDX_CHECKS].sort());
      expect(facts).toBeNull();
    }
  });

  it('a flip of a byte anywhere is refused', async () => {
    // All eight bits of every byte on demand; here one bit of every tenth byte, chosen by a fixed seed.
    const all = process.env['ATTESTATION_ALL_FLIPS'] === '1';
    const quote = v4Quote();
    const random = seededRandom('flips of a TDX quote')(quote.length * 2);
    for (let at = 0; at < quote.length; at++) {
      if (!all && random[at]! >= 26) continue;
      for (const bit of all ? [0, 1, 2, 3, 4, 5, 6, 7] : [random[quote.length + at]! % 8]) {
        const flipped = Uint8Array.from(quote);
        flipped[at] = flipped[at]! ^ (1 << bit);
        const { checks } = await inspect(flipped);
        const ok = TDX_CHECKS.every((name) => checks.some((c) => c.name === name && c.status === 'passed'));
        expect({ at, bit, ok }).toEqual({ at, bit, ok: false });
      }
    }
  }, 900_000);
});
