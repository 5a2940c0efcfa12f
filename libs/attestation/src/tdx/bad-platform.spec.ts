import { beforeAll, describe, expect, it } from '@jest/globals';
import { DEV_QE, devTcbInfo, pemOf } from '@usufruct/attestation-dev';
import { fromBase64, fromHex, toBase64, utf8 } from '@usufruct/kernel';
import {
  DAY_MS,
  NOW_MS,
  type Row,
  attributes,
  bundleOf,
  bytes,
  context,
  good,
  collateral,
  describeRows,
  endorsement,
  otherPki,
  pki,
  policy,
  quote,
  report,
  startTdxWorld,
  teeTcbSvn,
} from '../../../../test/support/tdx-world.js';
import { appraiseEvidence } from '../appraise.js';
import { TDX_ENDORSEMENTS } from './collateral.js';

beforeAll(startTdxWorld);

/** The quote's bytes changed after it was signed. */
const bytesOf =
  (change: (quote: Uint8Array) => Uint8Array, version: 4 | 5 = 4): Row[2] =>
  async () => {
    const bundle = await bundleOf({ version });
    return { bundle: { ...bundle, cpuEvidence: toBase64(change(fromBase64(bundle.cpuEvidence))) } };
  };
const withByte = (at: number, value: number) => (quote: Uint8Array) => quote.with(at, value);

const FORMAT_ROWS: Row[] = [
  ['a version that is SGX’s', ['VERSION'], quote(() => ({ header: { version: 3 } }))],
  ['a version to come', ['VERSION'], quote(() => ({ header: { version: 6 } }))],
  ['an SGX quote by its type', ['TEE_TYPE'], quote(() => ({ header: { teeType: 0 } }))],
  ['another vendor', ['QE_VENDOR'], quote(() => ({ header: { qeVendorId: bytes(0, 16) } }))],
  ['an attestation key on P-384', ['ATTESTATION_KEY_TYPE'], quote(() => ({ header: { attestationKeyType: 3 } }))],
  ['version 5 with the body of 4', ['PARSE'], quote(() => ({ header: { version: 5 } }))],
  ['31 bytes of QE authentication', ['PARSE'], quote(() => ({ authentication: bytes(1, 31) }))],
  ['33 bytes of QE authentication', ['PARSE'], quote(() => ({ authentication: bytes(1, 33) }))],
  ['truncated', ['PARSE'], bytesOf((raw) => raw.subarray(0, -1))],
  ['truncated in the header', ['PARSE'], bytesOf((raw) => raw.subarray(0, 40))],
  ['junk behind', ['PARSE'], bytesOf((raw) => Uint8Array.from([...raw, 0, 1]))],
  ['larger than any quote', ['PARSE'], bytesOf((raw) => Uint8Array.from([...raw, ...new Uint8Array(32_768)]))],
  // In version 5 the body's type is at 48 and its size at 50.
  ['TD 1.5 with the type of 1.0', ['PARSE'], bytesOf(withByte(48, 2), 5)],
  ['TD 1.5 with another size', ['PARSE'], bytesOf(withByte(50, 0x48), 5)],
];

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

describeRows('format', FORMAT_ROWS);
describeRows('attributes of the TD', ATTRIBUTE_ROWS);
describeRows('TDX module', MODULE_ROWS);
describeRows('TCB', TCB_ROWS);
describeRows('quoting enclave', QE_ROWS);
describeRows('collateral', COLLATERAL_ROWS);

describe('a flip of a byte', () => {
  // Of recorded quotes more bytes are flipped; this covers every part of a quote also where there are none.
  it('anywhere in a quote is refused', async () => {
    const raw = fromBase64(good.cpuEvidence);
    for (let at = 0; at < raw.length; at += 37) {
      const flipped = raw.with(at, raw[at]! ^ (1 << (at % 8)));
      const { ok } = await appraiseEvidence({ ...good, cpuEvidence: toBase64(flipped) }, context);
      expect({ at, ok }).toEqual({ at, ok: false });
    }
  });
});
