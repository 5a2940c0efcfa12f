import { describe, expect, it } from '@jest/globals';
import {
  appraiseEvidence,
  devHardwareRoots,
  failedChecks,
  makeEvidence,
  type AppraisalContext,
  type Endorsements,
  type TdxPolicy,
} from '@usufruct/attestation';
import {
  createTdxPki,
  devTdxEndorsements,
  issueAuthority,
  pemOf,
  SoftwareTd,
  type CollateralRequest,
  type QuoteRequest,
  type ReportFields,
  type SoftwareTdOptions,
  type TdxPki,
} from '@usufruct/attestation-dev';
import { fromHex, toHex, toHex32, type Hex32 } from '@usufruct/kernel';
import type { AppraisalPolicy, EvidenceBundle } from '@usufruct/protocol';

export const NOW_MS = Date.UTC(2026, 5, 1);
export const DAY_MS = 86_400_000;
export const bytes = (fill: number, length = 32): Uint8Array => new Uint8Array(length).fill(fill);
export const JOB = toHex32<Hex32>(bytes(7));
export const [OWN, SECOND] = [bytes(1), bytes(2)];
export const KEYS = { hpkePublicKey: bytes(21), signingPublicKey: bytes(22) };
export const EVENTS = [
  { name: 'image-digest', payload: bytes(5) },
  { name: 'instance-id', payload: bytes(6) },
];
export const POLICY: TdxPolicy = {
  version: 1,
  tcbStatuses: ['UpToDate'],
  advisories: [],
  minTcbEvaluationDataNumber: 18,
  ppids: [],
  tdAttributesAllowed: '0000000000000000',
  xfams: ['e702060000000000'],
  requiredEvents: [{ name: 'image-digest', payload: toHex(bytes(5)) }],
};

export let pki: TdxPki;
export let otherPki: TdxPki;
export let goodEndorsements: Endorsements;
export let good: EvidenceBundle;
export let context: AppraisalContext;

export const deviceOf = (options: Partial<SoftwareTdOptions> = {}) =>
  SoftwareTd.create({ pki, policy: POLICY, events: EVENTS, ...options });
export const bundleOf = async (options: Partial<SoftwareTdOptions> = {}): Promise<EvidenceBundle> =>
  makeEvidence(await deviceOf(options), { challenges: [OWN, SECOND], jobId: JOB, keys: KEYS });
export const endorsementsOf = (request: Partial<CollateralRequest> = {}): Promise<Endorsements> =>
  devTdxEndorsements({ pki, nowMs: NOW_MS, ...request });
export const rootsOf = ({ root }: TdxPki) => devHardwareRoots({ intel: pemOf(root) });
export const chainPolicyOf = (...measurements: string[]): AppraisalPolicy => ({
  version: 1,
  profiles: ['tdx'],
  measurements,
  resultTermMs: 600_000,
});

/** Keys are generated, so a world is made once for all the tests of a file. */
export async function startTdxWorld(): Promise<void> {
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
}

export interface Case {
  readonly bundle?: EvidenceBundle;
  readonly context?: Partial<AppraisalContext>;
}
export type Row = readonly [name: string, failed: readonly string[], make: () => Promise<Case>];

/** A quote in which the report says something else; the measurement is approved as it then is. */
export const report =
  (fields: Partial<ReportFields>): Row[2] =>
  async () => {
    const device = await deviceOf({ report: fields });
    const bundle = await makeEvidence(device, { challenges: [OWN, SECOND], jobId: JOB, keys: KEYS });
    return { bundle, context: { policy: chainPolicyOf(await device.measurement()) } };
  };
export const quote =
  (changes: () => Partial<QuoteRequest> | Promise<Partial<QuoteRequest>>): Row[2] =>
  async () => ({ bundle: await bundleOf({ quote: await changes() }) });
export const collateral =
  (request: () => Partial<CollateralRequest> | Promise<Partial<CollateralRequest>>): Row[2] =>
  async () => ({ context: { endorsements: await endorsementsOf(await request()) } });
export const endorsement =
  (name: string, make: () => Uint8Array | Promise<Uint8Array>): Row[2] =>
  async () => ({ context: { endorsements: { ...goodEndorsements, [name]: await make() } } });
/** A whole PKI with one authority replaced, and the collateral that goes with it. */
export const pkiWith =
  (make: () => Promise<Partial<TdxPki>>, request: Partial<CollateralRequest> = {}): Row[2] =>
  async () => {
    const changed = { ...pki, ...(await make()) };
    const endorsements = await devTdxEndorsements({ pki: changed, nowMs: NOW_MS, ...request });
    return { bundle: await bundleOf({ pki: changed }), context: { endorsements } };
  };
export const policy =
  (changes: Partial<TdxPolicy>): Row[2] =>
  async () => {
    const changed = { ...POLICY, ...changes };
    const measurement = await (await deviceOf({ policy: changed })).measurement();
    return { context: { policy: chainPolicyOf(measurement), teePolicy: { tdx: changed } } };
  };

export const attributes = (hex: string) => report({ tdAttributes: fromHex(hex) });
export const teeTcbSvn = (...svns: number[]) =>
  report({ teeTcbSvn: Uint8Array.of(...svns, ...new Uint8Array(16 - svns.length)) });
export const signerOf = (commonName: string, issuer = pki.root, isCa = false) =>
  issueAuthority({ commonName, issuer, isCa, nowMs: NOW_MS });

/** A group of rows: each fails the named checks and no other. */
export function describeRows(group: string, rows: readonly Row[]): void {
  describe(`bad evidence, ${group}: each row fails the named checks and no other`, () => {
    it.each(rows)('%s → %j', async (_name, expected, make) => {
      const { bundle = good, context: changes = {} } = await make();
      const result = await appraiseEvidence(bundle, { ...context, ...changes });
      expect(failedChecks(result).toSorted()).toEqual([...expected].toSorted());
      expect(result.ok).toBe(false);
      expect(result.claims).toBeUndefined();
    });
  });
}
