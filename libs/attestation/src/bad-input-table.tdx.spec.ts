import { beforeAll } from '@jest/globals';
import { devTcbInfo, devTdxEndorsements, issuePck, pemOf } from '@usufruct/attestation-dev';
import { sha256 } from '@usufruct/crypto';
import { concatBytes, fromBase64, lengthPrefixed, toBase64, toHex32, u32le, utf8, type Hex32 } from '@usufruct/kernel';
import { reportData, TAGS } from '@usufruct/protocol';
import {
  attributes,
  bundleOf,
  bytes,
  collateral,
  context,
  DAY_MS,
  describeRows,
  deviceOf,
  endorsement,
  good,
  JOB,
  KEYS,
  NOW_MS,
  otherPki,
  OWN,
  pki,
  pkiWith,
  quote,
  report,
  SECOND,
  signerOf,
  startTdxWorld,
  teeTcbSvn,
  type Row,
} from '../../../test/support/tdx-world.js';
import { makeEvidence } from './evidence.js';
import { TDX_ENDORSEMENTS } from './tdx/collateral.js';

beforeAll(startTdxWorld);

const raw =
  (change: (quote: Uint8Array) => Uint8Array, version: 4 | 5 = 4): Row[2] =>
  async () => {
    const bundle = await bundleOf({ version });
    return { bundle: { ...bundle, cpuEvidence: toBase64(change(fromBase64(bundle.cpuEvidence))) } };
  };
const levels = (changes: object): object[] => {
  const [first, ...rest] = devTcbInfo(NOW_MS)['tcbLevels'] as object[];
  return [{ ...first, ...changes }, ...rest];
};
const events = (change: (log: typeof good.eventLog) => typeof good.eventLog): Row[2] => {
  return async () => ({ bundle: { ...good, eventLog: change(good.eventLog) } });
};
const bundle =
  (changes: () => Partial<typeof good>): Row[2] =>
  async () => ({ bundle: { ...good, ...changes() } });

/** The cases of ATTESTATION.md's bad-input table, row by row and in its words; each row has more tests elsewhere. */
describeRows(
  '"byte flips over the whole quote, truncation, trailing junk, wrong body size, wrong QE auth length" → parse, signature',
  [
    ['byte flip in the header', ['QE_VENDOR', 'SIGNATURE'], raw((quote) => quote.with(12, quote[12]! ^ 1))],
    ['byte flip in the body', ['SIGNATURE', 'MEASUREMENT'], raw((quote) => quote.with(200, quote[200]! ^ 1))],
    ['byte flip in the signature', ['SIGNATURE'], raw((quote) => quote.with(640, quote[640]! ^ 1))],
    ['truncation', ['PARSE'], raw((quote) => quote.subarray(0, -1))],
    ['trailing junk', ['PARSE'], raw((quote) => concatBytes(quote, bytes(1, 1)))],
    ['wrong body size', ['PARSE'], raw((quote) => quote.with(50, 0x48), 5)],
    ['wrong QE auth length', ['PARSE'], quote(() => ({ authentication: bytes(1, 31) }))],
  ],
);

describeRows('"SGX quote as TDX; wrong version; wrong vendor" → TEE_TYPE, VERSION, QE_VENDOR', [
  ['SGX quote as TDX', ['TEE_TYPE'], quote(() => ({ header: { teeType: 0 } }))],
  ['wrong version', ['VERSION'], quote(() => ({ header: { version: 3 } }))],
  ['wrong vendor', ['QE_VENDOR'], quote(() => ({ header: { qeVendorId: bytes(0, 16) } }))],
]);

describeRows('"debug, migratable, perfmon, PKS" → TD_ATTRIBUTES', [
  // A TD with DEBUG fails the check that every profile has as well.
  ['debug', ['TD_ATTRIBUTES', 'DEBUG'], attributes('0100001000000000')],
  ['migratable', ['TD_ATTRIBUTES'], attributes('0000003000000000')],
  ['perfmon', ['TD_ATTRIBUTES'], attributes('0000001000000080')],
  ['PKS', ['TD_ATTRIBUTES'], attributes('0000005000000000')],
]);

describeRows(
  '"wrong SEAM signer, attributes, unknown module, module SVN too low" → MRSIGNERSEAM, SEAM_ATTRIBUTES, TDX_MODULE',
  [
    ['wrong SEAM signer', ['MRSIGNERSEAM'], report({ mrSignerSeam: bytes(1, 48) })],
    ['wrong SEAM attributes', ['SEAM_ATTRIBUTES'], report({ seamAttributes: bytes(1, 8) })],
    ['unknown module', ['TDX_MODULE'], teeTcbSvn(5, 2, 3)],
    ['module SVN too low', ['TDX_MODULE'], teeTcbSvn(2, 1, 3)],
  ],
);

describeRows('"out of date TCB, unlisted advisory, old evaluation number" → TCB_STATUS, ADVISORY, TCB_EVAL_NUMBER', [
  [
    'out of date TCB',
    ['TCB_STATUS'],
    collateral(() => ({ tcbInfo: { tcbLevels: levels({ tcbStatus: 'OutOfDate' }) } })),
  ],
  [
    'unlisted advisory',
    ['ADVISORY'],
    collateral(() => ({ tcbInfo: { tcbLevels: levels({ advisoryIDs: ['INTEL-SA-09909'] }) } })),
  ],
  ['old evaluation number', ['TCB_EVAL_NUMBER'], collateral(() => ({ tcbInfo: { tcbEvaluationDataNumber: 17 } }))],
]);

describeRows('"expired collateral; NaN, ms or missing clock" → COLLATERAL_STALE, BAD_CLOCK', [
  [
    'expired collateral',
    ['COLLATERAL_STALE'],
    collateral(() => ({ tcbInfo: { nextUpdate: new Date(NOW_MS - DAY_MS).toISOString() } })),
  ],
  ['clock of NaN', ['BAD_CLOCK'], async () => ({ context: { nowMs: Number.NaN } })],
  // The clock here is in milliseconds, so the wrong unit is seconds, or thousands of milliseconds.
  ['clock in another unit', ['BAD_CLOCK'], async () => ({ context: { nowMs: NOW_MS / 1000 } })],
  ['clock in yet another unit', ['BAD_CLOCK'], async () => ({ context: { nowMs: NOW_MS * 1000 } })],
  ['missing clock', ['BAD_CLOCK'], async () => ({ context: { nowMs: Number(undefined) } })],
]);

describeRows('"revoked PCK or CA; forged, stale, empty or garbage CRL" → REVOKED, CRL_*', [
  ['revoked PCK', ['REVOKED'], collateral(() => ({ pckCrl: { revoked: [pki.pck] } }))],
  ['revoked CA', ['REVOKED'], collateral(() => ({ rootCrl: { revoked: [pki.platformCa] } }))],
  ['forged CRL', ['CRL_SIGNATURE'], collateral(() => ({ pckCrl: { signer: otherPki.platformCa } }))],
  ['stale CRL', ['CRL_STALE'], collateral(() => ({ pckCrl: { fromDays: -60, untilDays: -1 } }))],
  ['empty CRL', ['CRL_PARSE'], endorsement(TDX_ENDORSEMENTS.rootCrl, () => new Uint8Array())],
  ['garbage CRL', ['CRL_PARSE'], endorsement(TDX_ENDORSEMENTS.rootCrl, () => bytes(0x30, 300))],
]);

describeRows(
  '"swapped root, intermediate issued by a PCK, TCB info signed by a PCK, names changed" → ROOT_NOT_PINNED, CHAIN, ISSUER_NOT_CA, SIGNER_NAME',
  [
    [
      'swapped root',
      ['ROOT_NOT_PINNED'],
      async () => ({
        bundle: await bundleOf({ pki: otherPki }),
        context: { endorsements: await devTdxEndorsements({ pki: otherPki, nowMs: NOW_MS }) },
      }),
    ],
    [
      'intermediate issued by a PCK',
      ['CHAIN', 'ISSUER_NOT_CA', 'SIGNER_NAME', 'CRL_PARSE'],
      quote(async () => {
        const ca = await signerOf('Intel SGX PCK Platform CA', pki.pck, true);
        const pck = await issuePck({ issuer: ca, nowMs: NOW_MS });
        return { chain: pemOf(pck, pki.pck, pki.root), qeSigner: pck.keys };
      }),
    ],
    [
      'TCB info signed by a PCK',
      ['CHAIN', 'SIGNER_NAME'],
      collateral(() => ({ tcbInfoSigner: pki.pck, tcbInfoChain: pemOf(pki.pck, pki.platformCa, pki.root) })),
    ],
    [
      'names changed',
      ['SIGNER_NAME'],
      pkiWith(async () => ({ tcbSigning: await signerOf('Intel SGX TCB Signing 2') })),
    ],
  ],
);

describeRows('"replayed, expired or foreign challenge; key not in report_data; other job\'s id" → NONCE, BINDING', [
  [
    'replayed challenge',
    ['NONCE'],
    async () => ({ bundle: { ...good, challenges: [toBase64(bytes(9))] }, context: { ownChallenge: bytes(9) } }),
  ],
  // That a challenge is used once and within 60 s is a matter of whoever made it; afterwards it is a foreign one.
  ['expired challenge', ['NONCE'], async () => ({ context: { ownChallenge: bytes(3) } })],
  ['foreign challenge', ['NONCE'], async () => ({ context: { ownChallenge: bytes(9) } })],
  ['key not in report_data', ['BINDING'], bundle(() => ({ hpkePublicKey: toBase64(bytes(66)) }))],
  ["other job's id", ['BINDING'], async () => ({ context: { jobId: toHex32<Hex32>(bytes(8)) } })],
]);

describeRows('"event payload swapped, dropped, duplicated, reordered" → RTMR', [
  // The event is one that the policy requires, so its own check fails with the register's.
  ['event payload swapped', ['RTMR', 'EVENTS'], events(([one, ...rest]) => [{ ...one!, payload: 'AAAA' }, ...rest])],
  ['event dropped', ['RTMR'], events((log) => log.slice(0, 1))],
  ['event duplicated', ['RTMR'], events((log) => [...log, log[1]!])],
  ['events reordered', ['RTMR'], events((log) => log.toReversed())],
]);

describeRows(
  '"bundle for another job; own challenge missing from the list, listed twice, or combined in another order" → BINDING, NONCE',
  [
    [
      'bundle for another job',
      ['BINDING'],
      async () => {
        const jobId = toHex32<Hex32>(bytes(8));
        return { bundle: await makeEvidence(await deviceOf(), { challenges: [OWN, SECOND], jobId, keys: KEYS }) };
      },
    ],
    ['own challenge missing from the list', ['NONCE'], bundle(() => ({ challenges: [good.challenges[1]!] }))],
    [
      'own challenge listed twice',
      ['NONCE'],
      bundle(() => ({ challenges: [...good.challenges, good.challenges[0]!] })),
    ],
    [
      'challenges combined in another order',
      ['NONCE'],
      async () => {
        const inOrder = await deviceOf();
        const made = await makeEvidence(inOrder, { challenges: [OWN, SECOND], jobId: JOB, keys: KEYS });
        return { bundle: { ...made, cpuEvidence: toBase64(await inOrder.quote(unsortedReportData())) } };
      },
    ],
  ],
);

/** Report data over a combination that does not sort the challenges: 02… before 01…. */
function unsortedReportData(): Uint8Array {
  const challenge = sha256(lengthPrefixed(utf8(TAGS.challenge), u32le(2), SECOND, OWN));
  return reportData(challenge, KEYS, [], context.jobId);
}
