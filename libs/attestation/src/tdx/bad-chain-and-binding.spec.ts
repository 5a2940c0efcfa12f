import { beforeAll } from '@jest/globals';
import { devTdxEndorsements, issueAuthority, issueCrl, issuePck, pemOf } from '@usufruct/attestation-dev';
import { concatBytes, toBase64, toHex32, type Hex32 } from '@usufruct/kernel';
import {
  EVENTS,
  NOW_MS,
  POLICY,
  type Row,
  bundleOf,
  bytes,
  chainPolicyOf,
  collateral,
  describeRows,
  deviceOf,
  endorsement,
  good,
  goodEndorsements,
  otherPki,
  pki,
  pkiWith,
  quote,
  signerOf,
  startTdxWorld,
} from '../../../../test/support/tdx-world.js';
import { productionRoots, rootSetWithDevRoot } from '../roots.js';
import { TDX_ENDORSEMENTS } from './collateral.js';

beforeAll(startTdxWorld);

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

describeRows('revocation', CRL_ROWS);
describeRows('chains', CHAIN_ROWS);
describeRows('code and configuration', CODE_ROWS);
describeRows('events', EVENT_ROWS);
describeRows('binding', BUNDLE_ROWS);
