import { beforeAll, describe, expect, it } from '@jest/globals';
import { createDevPki, loadDevPki, SoftwareTee, type DevPki } from '@usufruct/attestation-dev';
import { sha256 } from '@usufruct/crypto';
import { fromBase64, lengthPrefixed, toBase64, toHex32, u32le, utf8, type Hex32, type JobId } from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  EVIDENCE_PROFILES,
  reportData,
  TAGS,
  type AppraisalPolicy,
  type EvidenceBundle,
  type EvidenceProfile,
} from '@usufruct/protocol';
import { appraiseEvidence, failedChecks, supportedProfiles } from './appraise.js';
import { makeEvidence } from './evidence.js';
import { productionRoots, rootSetWithDevRoot } from './roots.js';
import type { AppraisalContext } from './types.js';

const NOW_MS = Date.UTC(2026, 5, 1);
const DAY_MS = 24 * 60 * 60_000;
const MEASUREMENT = 'ab'.repeat(48);
const bytes = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill);
const JOB = toHex32<Hex32>(bytes(7));
const OTHER_JOB = toHex32<Hex32>(bytes(8));
const [OWN, SECOND, THIRD] = [bytes(1), bytes(2), bytes(3)];
const KEYS = { hpkePublicKey: bytes(21), signingPublicKey: bytes(22) };
const POLICY: AppraisalPolicy = {
  version: 1,
  profiles: ['software-dev'],
  measurements: [MEASUREMENT],
  resultTermMs: 600_000,
};

let pki: DevPki;
let otherPki: DevPki;
let good: EvidenceBundle;
let context: AppraisalContext;

const deviceOf = (from: DevPki, options: { debug?: boolean; measurement?: string } = {}) =>
  SoftwareTee.create({
    pki: from,
    measurement: MEASUREMENT,
    events: [
      { name: 'image-digest', payload: bytes(1, 32) },
      { name: 'gpu-policy-hash', payload: bytes(2, 32) },
    ],
    ...options,
  });
const evidenceOf = async (from: DevPki, options: { debug?: boolean; measurement?: string } = {}) =>
  makeEvidence(await deviceOf(from, options), { challenges: [OWN, SECOND, THIRD], jobId: JOB, keys: KEYS });

beforeAll(async () => {
  pki = await loadDevPki(await createDevPki(NOW_MS));
  otherPki = await loadDevPki(await createDevPki(NOW_MS));
  good = await evidenceOf(pki);
  context = {
    ownChallenge: OWN,
    jobId: JOB,
    nowMs: NOW_MS,
    policy: POLICY,
    roots: rootSetWithDevRoot(pki.rootPem),
  };
});

describe('good evidence of the software TEE', () => {
  it('passes every check, and says that it is a stand-in', async () => {
    const result = await appraiseEvidence(good, context);
    expect(failedChecks(result)).toEqual([]);
    expect(result.ok).toBe(true);
    expect(result.claims).toMatchObject({
      profile: 'software-dev',
      measurement: MEASUREMENT,
      debug: false,
      standIn: true,
    });
    expect(result.claims?.hpkePublicKey).toEqual(KEYS.hpkePublicKey);
    expect(result.claims?.signingPublicKey).toEqual(KEYS.signingPublicKey);
    expect(result.policyDigest).toBe(appraisalPolicyDigest(POLICY));
    expect(result.expiresAtMs).toBe(NOW_MS + 600_000);
    expect(result.checks.filter((check) => check.status === 'skipped').map((check) => check.name)).toEqual(['GPU']);
  });

  it('is accepted by each party whose challenge is in the list, in any order', async () => {
    const reordered = { ...good, challenges: good.challenges.toReversed() };
    for (const ownChallenge of [OWN, SECOND, THIRD]) {
      expect((await appraiseEvidence(reordered, { ...context, ownChallenge })).ok).toBe(true);
    }
  });

  it('expires with its certificates when those expire first', async () => {
    // The PKI lives 10 years of 365 days: one minute before its end only one minute of the ten is left.
    const endMs = NOW_MS + 10 * 365 * DAY_MS;
    const result = await appraiseEvidence(good, { ...context, nowMs: endMs - 60_000 });
    expect(result.expiresAtMs).toBe(endMs);
  });
});

describe('a production verifier', () => {
  it('refuses the software TEE, whatever the policy says', async () => {
    const result = await appraiseEvidence(good, { ...context, roots: productionRoots() });
    expect(result.ok).toBe(false);
    expect(failedChecks(result)).toEqual(['ROOT_NOT_PINNED']);
    expect(result.claims).toBeUndefined();
  });

  it('has a verifier for every profile, and refuses one that is to come', async () => {
    expect(supportedProfiles().toSorted()).toEqual([...EVIDENCE_PROFILES].toSorted());
    const profile = 'cca' as EvidenceProfile;
    const policy = { ...POLICY, profiles: [profile] };
    const result = await appraiseEvidence({ ...good, profile }, { ...context, policy });
    expect(result.ok).toBe(false);
    expect(failedChecks(result)).toEqual(['PROFILE_UNSUPPORTED']);
    expect(result.checks.find((check) => check.name === 'BINDING')?.status).toBe('skipped');
  });
});

/** A leaf, intermediate and root of the test's own making, with one thing wrong. */
interface ChainFlaw {
  readonly leafIsCa?: boolean;
  readonly intermediateIsCa?: boolean;
  readonly intermediateIssuer?: string;
  readonly leafTermMs?: number;
  readonly leafFromMs?: number;
  readonly curve?: 'P-256' | 'P-384';
  readonly leafSignedByRoot?: boolean;
}
async function flawedPki(flaw: ChainFlaw): Promise<DevPki> {
  // Late, because the library wants a polyfill loaded before it, and Jest loads CommonJS before it runs anything.
  const { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509CertificateGenerator } =
    await import('@peculiar/x509');
  const curve = flaw.curve ?? 'P-384';
  const algorithm = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' };
  const leafAlgorithm = { name: 'ECDSA', namedCurve: curve, hash: 'SHA-384' };
  const keys = (of: EcKeyGenParams) => crypto.subtle.generateKey(of, true, ['sign', 'verify']);
  const [root, middle, leaf] = await Promise.all([keys(algorithm), keys(algorithm), keys(leafAlgorithm)]);
  const issue = (
    subject: string,
    issuer: string,
    publicKey: CryptoKey,
    signingKey: CryptoKey,
    ca: boolean,
    from = 0,
    term = DAY_MS,
  ) =>
    X509CertificateGenerator.create({
      subject,
      issuer,
      publicKey,
      signingKey,
      signingAlgorithm: algorithm,
      notBefore: new Date(NOW_MS - 60_000 + from),
      notAfter: new Date(NOW_MS + term),
      extensions: [
        new BasicConstraintsExtension(ca, undefined, true),
        new KeyUsagesExtension(ca ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature, true),
      ],
    });
  // A root of the software TEE must say what it is.
  const rootName = 'CN=R DEV ONLY';
  const rootCertificate = await issue(rootName, rootName, root.publicKey, root.privateKey, true);
  const middleCertificate = await issue(
    'CN=I',
    flaw.intermediateIssuer ?? rootName,
    middle.publicKey,
    root.privateKey,
    flaw.intermediateIsCa ?? true,
  );
  const leafCertificate = await issue(
    'CN=L',
    'CN=I',
    leaf.publicKey,
    flaw.leafSignedByRoot ? root.privateKey : middle.privateKey,
    flaw.leafIsCa ?? false,
    flaw.leafFromMs,
    flaw.leafTermMs,
  );
  const chain = [leafCertificate, middleCertificate, rootCertificate].map((c) => new Uint8Array(c.rawData));
  return { leafKey: leaf.privateKey, chain, rootPem: rootCertificate.toString('pem') };
}

describe('bad evidence: each row fails the named checks and no other', () => {
  type Row = [string, string[], () => Promise<{ bundle?: EvidenceBundle; context?: Partial<AppraisalContext> }>];
  const rows: Row[] = [
    ['foreign challenge', ['NONCE'], async () => ({ context: { ownChallenge: bytes(9) } })],
    [
      'own challenge listed twice',
      ['NONCE'],
      async () => ({ bundle: { ...good, challenges: [...good.challenges, good.challenges[0]!] } }),
    ],
    [
      'another challenge listed twice',
      ['NONCE'],
      async () => ({ bundle: { ...good, challenges: [...good.challenges, good.challenges[1]!] } }),
    ],
    [
      'replay: own challenge put into the list of an old quote',
      ['NONCE'],
      async () => ({
        bundle: { ...good, challenges: [toBase64(bytes(9))] },
        context: { ownChallenge: bytes(9) },
      }),
    ],
    [
      'a challenge dropped from the list',
      ['NONCE'],
      async () => ({ bundle: { ...good, challenges: good.challenges.slice(0, 2) } }),
    ],
    ['another job asked for', ['BINDING'], async () => ({ context: { jobId: OTHER_JOB } })],
    [
      'job id changed in the bundle only',
      ['BINDING'],
      async () => ({ bundle: { ...good, jobId: OTHER_JOB as JobId }, context: { jobId: OTHER_JOB } }),
    ],
    ['HPKE key swapped', ['BINDING'], async () => ({ bundle: { ...good, hpkePublicKey: toBase64(bytes(66)) } })],
    ['signing key swapped', ['BINDING'], async () => ({ bundle: { ...good, signingPublicKey: toBase64(bytes(66)) } })],
    ['debug', ['DEBUG'], async () => ({ bundle: await evidenceOf(pki, { debug: true }) })],
    [
      'measurement not approved',
      ['MEASUREMENT'],
      async () => ({ bundle: await evidenceOf(pki, { measurement: 'cd'.repeat(48) }) }),
    ],
    [
      'measurement withdrawn',
      ['MEASUREMENT'],
      async () => ({ context: { policy: { ...POLICY, version: 2, measurements: [] } } }),
    ],
    ['profile not allowed', ['PROFILE'], async () => ({ context: { policy: { ...POLICY, profiles: ['tdx'] } } })],
    ['policy without a term', ['POLICY'], async () => ({ context: { policy: { ...POLICY, resultTermMs: 0 } } })],
    ['policy with NaN', ['POLICY'], async () => ({ context: { policy: { ...POLICY, version: Number.NaN } } })],
    ['another PKI', ['ROOT_NOT_PINNED'], async () => ({ bundle: await evidenceOf(otherPki) })],
    [
      'own root put under a foreign chain',
      ['CHAIN'],
      async () => {
        const chain = [otherPki.chain[0]!, otherPki.chain[1]!, pki.chain[2]!];
        return { bundle: await evidenceOf({ ...otherPki, chain }) };
      },
    ],
    [
      'signed by another key',
      ['SIGNATURE'],
      async () => ({ bundle: await evidenceOf({ ...pki, leafKey: otherPki.leafKey }) }),
    ],
    ['leaf that is a CA', ['CHAIN'], async () => fromFlawed({ leafIsCa: true })],
    ['intermediate that is no CA', ['CHAIN'], async () => fromFlawed({ intermediateIsCa: false })],
    ['issuer name changed', ['CHAIN'], async () => fromFlawed({ intermediateIssuer: 'CN=X' })],
    ['leaf signed by the root', ['CHAIN'], async () => fromFlawed({ leafSignedByRoot: true })],
    ['leaf expired', ['CHAIN'], async () => fromFlawed({ leafTermMs: -1000 })],
    ['leaf not valid yet', ['CHAIN'], async () => fromFlawed({ leafFromMs: 120_000 })],
    ['trailing junk', ['PARSE'], async () => ({ bundle: withEvidence(new Uint8Array([...evidenceBytes(), 0])) })],
    ['truncated', ['PARSE'], async () => ({ bundle: withEvidence(evidenceBytes().subarray(0, -1)) })],
    ['empty', ['PARSE'], async () => ({ bundle: withEvidence(new Uint8Array()) })],
    ['GPU evidence that nothing judges', ['PARSE'], async () => ({ bundle: { ...good, gpuEvidence: ['AAAA'] } })],
    [
      'event payload swapped',
      ['RTMR'],
      async () => ({ bundle: { ...good, eventLog: [{ ...good.eventLog[0]!, payload: 'AAAA' }, good.eventLog[1]!] } }),
    ],
    ['events reordered', ['RTMR'], async () => ({ bundle: { ...good, eventLog: good.eventLog.toReversed() } })],
    ['event dropped', ['RTMR'], async () => ({ bundle: { ...good, eventLog: good.eventLog.slice(1) } })],
    [
      'event duplicated',
      ['RTMR'],
      async () => ({ bundle: { ...good, eventLog: [...good.eventLog, good.eventLog[1]!] } }),
    ],
    ['clock NaN', ['BAD_CLOCK'], async () => ({ context: { nowMs: Number.NaN } })],
    ['clock in seconds', ['BAD_CLOCK'], async () => ({ context: { nowMs: NOW_MS / 1000 } })],
    ['clock in microseconds', ['BAD_CLOCK'], async () => ({ context: { nowMs: NOW_MS * 1000 } })],
    ['fractional clock', ['BAD_CLOCK'], async () => ({ context: { nowMs: NOW_MS + 0.5 } })],
    [
      'key of 31 bytes',
      ['PARSE_BUNDLE'],
      async () => ({ bundle: { ...good, signingPublicKey: toBase64(bytes(22, 31)) } }),
    ],
    [
      'challenge of 33 bytes',
      ['PARSE_BUNDLE'],
      async () => ({ bundle: { ...good, challenges: [toBase64(bytes(1, 33))] } }),
    ],
    ['no base64', ['PARSE_BUNDLE'], async () => ({ bundle: { ...good, cpuEvidence: '*' } })],
    ['own challenge of another length', ['NONCE'], async () => ({ context: { ownChallenge: bytes(1, 16) } })],
  ];

  const evidenceBytes = () => fromBase64(good.cpuEvidence);
  const withEvidence = (evidence: Uint8Array): EvidenceBundle => ({ ...good, cpuEvidence: toBase64(evidence) });
  async function fromFlawed(flaw: ChainFlaw) {
    const flawed = await flawedPki(flaw);
    return { bundle: await evidenceOf(flawed), context: { roots: rootSetWithDevRoot(flawed.rootPem) } };
  }

  it('(the generator of flawed chains makes a good one when nothing is wrong)', async () => {
    const { bundle, context: changed } = await fromFlawed({});
    expect(failedChecks(await appraiseEvidence(bundle, { ...context, ...changed }))).toEqual([]);
  });

  it.each(rows)('%s → %j', async (_name, expected, make) => {
    const { bundle = good, context: changed = {} } = await make();
    const result = await appraiseEvidence(bundle, { ...context, ...changed });
    expect(result.ok).toBe(false);
    expect(failedChecks(result)).toEqual(expected);
    expect(result.claims).toBeUndefined();
    expect(result.expiresAtMs).toBeLessThanOrEqual(NOW_MS);
  });

  it('a P-256 leaf is refused by the chain, and cannot have signed', async () => {
    const flawed = await flawedPki({ curve: 'P-256' });
    const bundle = await evidenceOf({ ...flawed, leafKey: pki.leafKey });
    const roots = rootSetWithDevRoot(flawed.rootPem);
    expect(failedChecks(await appraiseEvidence(bundle, { ...context, roots }))).toEqual(['CHAIN', 'SIGNATURE']);
  });

  it('a report data that combines the challenges in another order fails NONCE alone', async () => {
    const device = await deviceOf(pki);
    const unsorted = sha256(lengthPrefixed(utf8(TAGS.challenge), u32le(3), THIRD, OWN, SECOND));
    const quote = await device.quote(reportData(unsorted, KEYS, [], JOB));
    expect(failedChecks(await appraiseEvidence(withEvidence(quote), context))).toEqual(['NONCE']);
  });
});

describe('mutation', () => {
  it('no single-byte flip of the quote is accepted', async () => {
    const original = fromBase64(good.cpuEvidence);
    // Every byte of body and signature (161 + 96), every sixth of the certificates: seconds, not minutes.
    for (let at = 0; at < original.length; at += at < 257 ? 1 : 6) {
      const mutated = Uint8Array.from(original);
      mutated[at] = mutated[at]! ^ (1 << (at % 8));
      const result = await appraiseEvidence({ ...good, cpuEvidence: toBase64(mutated) }, context);
      expect({ at, ok: result.ok }).toEqual({ at, ok: false });
    }
  });
});
