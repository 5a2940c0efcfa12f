import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  createNitroPki,
  DEV_NITRO_PCRS,
  encodeCbor,
  pemOf,
  SoftwareNitro,
  type CborInput,
  type NitroDocumentRequest,
  type NitroFields,
  type NitroPki,
  type NitroPkiRequest,
} from '@usufruct/attestation-dev';
import { concatBytes, fromBase64, toBase64, toHex32, type Hex32 } from '@usufruct/kernel';
import type { EvidenceBundle } from '@usufruct/protocol';
import { appraiseEvidence, failedChecks } from '../appraise.js';
import { makeEvidence } from '../evidence.js';
import type { NitroPolicy } from '../policy/nitro-policy.js';
import { devHardwareRoots, productionRoots } from '../roots.js';
import type { AppraisalContext } from '../types.js';
import { NITRO_CHECKS } from './inspect.js';

const NOW_MS = Date.UTC(2026, 5, 1);
const bytes = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill);
const JOB = toHex32<Hex32>(bytes(7));
const [OWN, SECOND] = [bytes(1), bytes(2)];
const KEYS = { hpkePublicKey: bytes(21), signingPublicKey: bytes(22) };
const POLICY: NitroPolicy = { version: 1, maxAgeMs: 300_000, registers: [{ index: 3, values: ['e3'.repeat(48)] }] };

let pki: NitroPki;
let otherPki: NitroPki;
let good: EvidenceBundle;
let context: AppraisalContext;

interface Change {
  readonly from?: NitroPki;
  readonly fields?: Partial<NitroFields>;
  readonly document?: Partial<NitroDocumentRequest>;
}
const deviceOf = ({ from = pki, fields = {}, document = {} }: Change = {}, policy = POLICY) =>
  new SoftwareNitro({ pki: from, policy, nowMs: () => NOW_MS, fields, document });
const bundleOf = (change: Change = {}): Promise<EvidenceBundle> =>
  makeEvidence(deviceOf(change), { challenges: [OWN, SECOND], jobId: JOB, keys: KEYS });

beforeAll(async () => {
  [pki, otherPki] = await Promise.all([createNitroPki({ nowMs: NOW_MS }), createNitroPki({ nowMs: NOW_MS })]);
  good = await bundleOf();
  context = {
    ownChallenge: OWN,
    jobId: JOB,
    nowMs: NOW_MS,
    policy: {
      version: 1,
      profiles: ['nitro'],
      measurements: [await deviceOf().measurement()],
      resultTermMs: 600_000,
    },
    teePolicy: { nitro: POLICY },
    roots: devHardwareRoots({ awsNitro: pemOf(pki.root) }),
  };
});

describe('evidence of a software enclave', () => {
  it('passes every check, and is marked as a stand-in', async () => {
    const result = await appraiseEvidence(good, context);
    expect(failedChecks(result)).toEqual([]);
    for (const name of [...NITRO_CHECKS, 'NONCE', 'BINDING', 'MEASUREMENT']) {
      expect(result.checks).toContainEqual(expect.objectContaining({ name, status: 'passed' }));
    }
    expect(result.claims).toMatchObject({ standIn: true, cpu: { tee: 'nitro', debug: false }, gpu: null });
  });

  it('may name the key that secrets are sealed to', async () => {
    const result = await appraiseEvidence(await bundleOf({ fields: { publicKey: KEYS.hpkePublicKey } }), context);
    expect(result.ok).toBe(true);
    expect(result.checks).toContainEqual(expect.objectContaining({ name: 'PUBLIC_KEY', status: 'passed' }));
  });
});

interface Case {
  readonly bundle?: EvidenceBundle;
  readonly context?: Partial<AppraisalContext>;
}
type Row = readonly [name: string, failed: readonly string[], make: () => Promise<Case>];
const fields =
  (changes: () => Partial<NitroFields>): Row[2] =>
  async () => ({ bundle: await bundleOf({ fields: changes() }) });
const pcrs = (...changes: [number, Uint8Array][]) => fields(() => ({ pcrs: new Map([...DEV_NITRO_PCRS, ...changes]) }));
const document =
  (changes: () => Partial<NitroDocumentRequest>): Row[2] =>
  async () => ({ bundle: await bundleOf({ document: changes() }) });
const altered = (alter: (pairs: [CborInput, CborInput][]) => [CborInput, CborInput][]) => document(() => ({ alter }));
const withField = (name: string, value: CborInput) =>
  altered((pairs) => pairs.map((pair) => (pair[0] === name ? [name, value] : pair)));
const raw =
  (change: (document: Uint8Array) => Uint8Array): Row[2] =>
  async () => ({ bundle: { ...good, cpuEvidence: toBase64(change(fromBase64(good.cpuEvidence))) } });
/** All of another hierarchy, in which one certificate differs; its root is trusted. */
const pkiOf =
  (changes: NonNullable<NitroPkiRequest['changes']>): Row[2] =>
  async () => {
    const from = await createNitroPki({ nowMs: NOW_MS, changes });
    const roots = devHardwareRoots({ awsNitro: pemOf(from.root) });
    return { bundle: await bundleOf({ from }), context: { roots } };
  };
const policyOf =
  (changes: Partial<NitroPolicy>): Row[2] =>
  async () => {
    const changed = { ...POLICY, ...changes };
    const measurements = [await deviceOf({}, changed).measurement()];
    return { context: { policy: { ...context.policy, measurements }, teePolicy: { nitro: changed } } };
  };

const DOCUMENT_ROWS: Row[] = [
  ['Nitro zero PCRs', ['DEBUG', 'MEASUREMENT'], pcrs([0, bytes(0, 48)], [1, bytes(0, 48)], [2, bytes(0, 48)])],
  ['PCR1 alone zero', ['DEBUG', 'MEASUREMENT'], pcrs([1, bytes(0, 48)])],
  [
    'PCR2 not there',
    ['DEBUG', 'MEASUREMENT'],
    fields(() => ({ pcrs: new Map([...DEV_NITRO_PCRS].filter(([index]) => index !== 2)) })),
  ],
  ['another image', ['MEASUREMENT'], pcrs([0, bytes(1, 48)])],
  ['another kernel', ['MEASUREMENT'], pcrs([1, bytes(1, 48)])],
  ['another application', ['MEASUREMENT'], pcrs([2, bytes(1, 48)])],
  ['another role', ['PCRS'], pcrs([3, bytes(1, 48)])],
  ['a document of six minutes ago', ['TIMESTAMP'], fields(() => ({ timestampMs: NOW_MS - 360_000 }))],
  ['a document of tomorrow', ['TIMESTAMP'], fields(() => ({ timestampMs: NOW_MS + 86_400_000 }))],
  ['signed by another key', ['SIGNATURE'], document(() => ({ signer: otherPki.leaf.keys }))],
  ['a module that its certificate does not name', ['SIGNER_NAME'], fields(() => ({ moduleId: 'i-0-enc1' }))],
  ['a nonce of another session', ['DOCUMENT_NONCE'], fields(() => ({ nonce: bytes(9) }))],
  ['no nonce', ['DOCUMENT_NONCE'], fields(() => ({ nonce: null }))],
  ['another key to seal to', ['PUBLIC_KEY'], fields(() => ({ publicKey: bytes(9) }))],
  ['user data of 32 bytes', ['USER_DATA'], fields(() => ({ userData: bytes(9) }))],
  ['no user data', ['USER_DATA'], fields(() => ({ userData: null }))],
  ['user data of another session', ['NONCE', 'DOCUMENT_NONCE', 'BINDING'], fields(() => ({ userData: bytes(9, 64) }))],
];

const FORMAT_ROWS: Row[] = [
  ['truncated', ['PARSE'], raw((cose) => cose.subarray(0, -1))],
  ['empty', ['PARSE'], raw(() => new Uint8Array())],
  ['a byte behind', ['PARSE'], raw((cose) => concatBytes(cose, bytes(0, 1)))],
  ['tagged', ['PARSE'], raw((cose) => concatBytes(Uint8Array.of(0xd2), cose))],
  // 84 44 a1013822 a0 …: the header's map is at 2, the unprotected one at 6.
  ['another algorithm said', ['PARSE'], raw((cose) => cose.with(5, 0x26))],
  [
    'an unprotected header',
    ['PARSE'],
    raw((cose) => concatBytes(cose.subarray(0, 6), Uint8Array.of(0xa1, 1, 0x38, 0x22), cose.subarray(7))),
  ],
  [
    'an array of indefinite length',
    ['PARSE'],
    raw((cose) => concatBytes(Uint8Array.of(0x9f), cose.subarray(1), Uint8Array.of(0xff))),
  ],
  ['a field twice', ['PARSE'], altered((pairs) => [...pairs, ['nonce', bytes(1)]])],
  ['a field that nobody knows', ['PARSE'], altered((pairs) => [...pairs, ['more', 1]])],
  ['a field missing', ['PARSE'], altered((pairs) => pairs.filter(([name]) => name !== 'timestamp'))],
  ['another digest', ['PARSE'], withField('digest', 'SHA256')],
  ['a module without a name', ['PARSE'], withField('module_id', '')],
  ['a time as text', ['PARSE'], withField('timestamp', '1')],
  ['a time before 1970', ['PARSE'], withField('timestamp', -1)],
  ['no registers', ['PARSE'], withField('pcrs', { pairs: [] })],
  ['a register of 32 bytes', ['PARSE'], withField('pcrs', { pairs: [[0, bytes(1)]] })],
  ['a register beyond the last', ['PARSE'], withField('pcrs', { pairs: [[32, bytes(1, 48)]] })],
  [
    'a register twice',
    ['PARSE'],
    withField('pcrs', {
      pairs: [
        [0, bytes(1, 48)],
        [0, bytes(2, 48)],
      ],
    }),
  ],
  ['a nonce of 1025 bytes', ['PARSE'], withField('nonce', bytes(1, 1025))],
  ['a certificate that is none', ['PARSE'], withField('certificate', bytes(1))],
  ['no bundle', ['PARSE'], withField('cabundle', [])],
  ['a bundle of eight', ['PARSE'], document(() => ({ bundle: Array.from({ length: 8 }, () => pki.root.der) }))],
  ['nested without end', ['PARSE'], raw(() => new Uint8Array(60_000).fill(0x81))],
  ['an absurd length', ['PARSE'], raw(() => Uint8Array.of(0x9b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))],
  ['an absurd size', ['PARSE'], raw(() => encodeCbor(bytes(0, 60_000)))],
];

const CHAIN_ROWS: Row[] = [
  ['all of another PKI', ['ROOT_NOT_PINNED'], async () => ({ bundle: await bundleOf({ from: otherPki }) })],
  ['production roots', ['ROOT_NOT_PINNED'], async () => ({ context: { roots: productionRoots() } })],
  [
    'own root over a foreign chain',
    ['CHAIN'],
    async () => {
      const bundle = [pki.root, otherPki.region, otherPki.zone, otherPki.instance].map(({ der }) => der);
      return { bundle: await bundleOf({ from: otherPki, document: { bundle } }) };
    },
  ],
  [
    'an intermediate left out',
    ['CHAIN'],
    document(() => ({ bundle: [pki.root, pki.region, pki.instance].map(({ der }) => der) })),
  ],
  ['the root alone', ['CHAIN'], document(() => ({ bundle: [pki.root.der] }))],
  [
    'the bundle the other way round',
    ['ROOT_NOT_PINNED', 'CHAIN', 'SIGNER_NAME'],
    document(() => ({ bundle: [pki.instance, pki.zone, pki.region, pki.root].map(({ der }) => der) })),
  ],
  ['a signer that expired', ['CHAIN'], pkiOf({ leaf: { untilDays: -0.5 } })],
  ['a zone of tomorrow', ['CHAIN'], pkiOf({ zone: { fromDays: 1 } })],
  ['an intermediate that is no CA', ['ISSUER_NOT_CA'], pkiOf({ instance: { isCa: false } })],
  ['a signer that is a CA', ['ISSUER_NOT_CA', 'SIGNATURE'], pkiOf({ leaf: { isCa: true } })],
  ['an intermediate of another name', ['SIGNER_NAME'], pkiOf({ zone: { commonName: 'aws.example' } })],
  ['a root of another name', ['SIGNER_NAME'], pkiOf({ root: { commonName: 'aws-us-gov.nitro-enclaves' } })],
];

const BUNDLE_ROWS: Row[] = [
  ['a laxer policy in the hands of the verifier', ['MEASUREMENT'], laxer],
  ['a policy of other roles', ['PCRS'], policyOf({ registers: [{ index: 3, values: [] }] })],
  ['a policy of a register that is not locked', ['PCRS'], policyOf({ registers: [{ index: 20, values: [] }] })],
  ['no policy', ['TEE_POLICY'], async () => ({ context: { teePolicy: {} } })],
  ['foreign challenge', ['NONCE'], async () => ({ context: { ownChallenge: bytes(9) } })],
  ['another job', ['BINDING'], async () => ({ context: { jobId: toHex32<Hex32>(bytes(8)) } })],
  [
    'key not in the report data',
    ['BINDING'],
    async () => ({ bundle: { ...good, signingPublicKey: toBase64(bytes(66)) } }),
  ],
  ['GPU evidence', ['GPU', 'BINDING'], async () => ({ bundle: { ...good, gpuEvidence: ['AAAA'] } })],
  ['a token of a GPU', ['GPU'], async () => ({ bundle: { ...good, gpuToken: 'x' } })],
  ['an app compose', ['CONFIG_ID'], async () => ({ bundle: { ...good, appCompose: '{}' } })],
  [
    'an event log',
    ['RTMR'],
    async () => ({ bundle: { ...good, eventLog: [{ name: 'a', payload: '', digest: '00'.repeat(48) }] } }),
  ],
];
async function laxer(): Promise<Case> {
  return { context: { teePolicy: { nitro: { ...POLICY, registers: [] } } } };
}

describe('bad evidence of an enclave: each row fails the named checks and no other', () => {
  it.each([...DOCUMENT_ROWS, ...FORMAT_ROWS, ...CHAIN_ROWS, ...BUNDLE_ROWS])(
    '%s → %j',
    async (_name, expected, make) => {
      const { bundle = good, context: changes = {} } = await make();
      const result = await appraiseEvidence(bundle, { ...context, ...changes });
      expect(failedChecks(result).toSorted()).toEqual([...expected].toSorted());
      expect(result.ok).toBe(false);
      expect(result.claims).toBeUndefined();
    },
  );
});
