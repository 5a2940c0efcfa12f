import { checkThat, failed, passed, skipped, type Check } from '@usufruct/kernel';
import type { RuntimeEvent } from '@usufruct/protocol';
import { snpMeasurement, zSnpPolicy, type SnpPolicy, type SnpProduct } from '../policy/snp-policy.js';
import type { Endorsements, EvidenceFacts } from '../types.js';
import { parseCertificate, type Certificate } from '../x509/certificate.js';
import {
  authorityFlaw,
  checkRoot,
  pathFlaw,
  readPemChain,
  RSA_PSS_CHAIN,
  validUntilMs,
  type CertificateChain,
} from '../x509/chain.js';
import { checkLists, CRL_CHECKS, type ReadLists } from '../x509/crl-checks.js';
import { parseCrl } from '../x509/crl.js';
import * as snp from './checks.js';
import { readEndorsementKey, type EndorsementKey } from './endorsement-key.js';
import { parseReport, reportVersion, SNP_REPORT_BYTES, SNP_REPORT_VERSIONS, type SnpReport } from './report.js';

/** What the attester sent: the report, and behind it the certificate of the key that signed it, in DER. */
export interface SnpEvidence {
  readonly evidence: Uint8Array;
  readonly eventLog: readonly RuntimeEvent[];
}

/** What the verifier brings along. The clock is sane: its caller has checked it. */
export interface SnpContext {
  readonly nowMs: number;
  readonly policy: SnpPolicy | undefined;
  readonly endorsements: Endorsements;
  /** SHA-256 of the DER of the trusted roots, hex. */
  readonly roots: readonly string[];
}

export interface SnpInspection {
  readonly checks: readonly Check[];
  readonly facts: EvidenceFacts | null;
}

/**
 * Names of AMD's endorsements among those that a verifier fetched, each with the bytes that AMD's key distribution
 * service serves: cert_chain (intermediate, root) as PEM, the list as DER.
 */
export const SNP_ENDORSEMENTS = {
  chain: (kind: EndorsementKey['kind'], product: SnpProduct) => `amd/${product}/${kind.toLowerCase()}-chain.pem`,
  crl: (product: SnpProduct) => `amd/${product}/root.crl`,
} as const;

const REPORT_CHECKS = ['SIGNATURE_ALGORITHM', 'SIGNING_KEY', 'SIGNATURE', 'TCB_VERSION', 'CHIP_ID', 'DEBUG'] as const;
const POLICY_CHECKS = ['GUEST_POLICY', 'TCB_STATUS', 'PLATFORM_INFO', 'VMPL', 'PRODUCT', 'PLATFORM'] as const;
const CHAIN_CHECKS = ['ROOT_NOT_PINNED', 'CHAIN', 'ISSUER_NOT_CA', 'SIGNER_NAME'] as const;
const LIST_CHECKS = ['CRL_PARSE', ...CRL_CHECKS] as const;

/** What must have passed before anything in a report means anything. */
export const SNP_CHECKS: readonly string[] = [
  'VERSION',
  'PARSE',
  'TEE_POLICY',
  ...REPORT_CHECKS,
  ...POLICY_CHECKS,
  'COLLATERAL',
  ...CHAIN_CHECKS,
  ...LIST_CHECKS,
];

interface Parsed {
  readonly report: SnpReport;
  readonly leaf: Certificate;
  readonly key: EndorsementKey;
}

/**
 * Every check of an SEV-SNP report and of its endorsement key; none is left out because another failed, unless there is
 * nothing left to judge, and then it is skipped with that reason. `facts` says what the report claims, which is worth
 * something only together with the checks.
 */
export async function inspectSnp({ evidence, eventLog }: SnpEvidence, context: SnpContext): Promise<SnpInspection> {
  const version = reportVersion(evidence.subarray(0, SNP_REPORT_BYTES));
  if (version === null) return { checks: unread([failed('PARSE', 'shorter than a report')]), facts: null };
  const versionCheck = snp.checkVersion(version);
  const parsed = readEvidence(evidence);
  if (parsed === null) {
    const isKnown = SNP_REPORT_VERSIONS.includes(version);
    const parse = isKnown
      ? failed('PARSE', 'not exactly one report and the certificate of its key')
      : skipped('PARSE', 'nobody knows this version');
    return { checks: unread([versionCheck, parse]), facts: null };
  }
  const policy = zSnpPolicy.safeParse(context.policy).data;
  const { checks, untilMs } = await checkEndorsements(parsed, context);
  return {
    checks: [
      versionCheck,
      passed('PARSE'),
      checkThat('TEE_POLICY', policy !== undefined, 'there is no sound policy for SEV-SNP'),
      ...(await checkReport(parsed)),
      snp.checkNoEvents(eventLog),
      ...checkAgainstPolicy(parsed, policy),
      ...checks,
    ],
    facts: policy === undefined ? null : await factsOf(parsed.report, policy, untilMs),
  };
}

const unread = (made: readonly Check[]): Check[] => [
  ...made,
  ...SNP_CHECKS.filter((name) => !made.some((check) => check.name === name)).map((name) =>
    skipped(name, 'the report could not be read'),
  ),
];

/** Null for anything that is not one report and its certificate. Nothing in it is judged yet. */
export function readEvidence(bytes: Uint8Array): Parsed | null {
  const report = parseReport(bytes.subarray(0, SNP_REPORT_BYTES));
  const leaf = parseCertificate(bytes.subarray(SNP_REPORT_BYTES));
  const key = leaf && readEndorsementKey(leaf);
  return report === null || leaf === null || key === null ? null : { report, leaf, key };
}

const checkReport = ({ report, leaf, key }: Parsed): Promise<Check[]> =>
  Promise.all([
    snp.checkAlgorithm(report),
    snp.checkSigningKey(report, key),
    snp.checkSignature(report, leaf),
    snp.checkTcbVersion(report, key),
    snp.checkChipId(report, key),
    snp.checkDebug(report),
  ]);

function checkAgainstPolicy({ report, key }: Parsed, policy: SnpPolicy | undefined): Check[] {
  if (policy === undefined) return POLICY_CHECKS.map((name) => skipped(name, 'there is no policy'));
  return [
    snp.checkGuestPolicy(report, policy),
    snp.checkTcb(report, key, policy),
    snp.checkPlatformInfo(report, policy),
    snp.checkVmpl(report, policy),
    snp.checkProduct(key, policy),
    snp.checkPlatform(report, policy),
  ];
}

interface Judged {
  readonly checks: readonly Check[];
  readonly untilMs: number;
}

async function checkEndorsements({ leaf, key }: Parsed, { endorsements, nowMs, roots }: SnpContext): Promise<Judged> {
  const name = SNP_ENDORSEMENTS.chain(key.kind, key.product);
  const issuers = readPemChain(endorsements[name]);
  if (issuers === null) {
    const rest = [...CHAIN_CHECKS, ...LIST_CHECKS].map((check) => skipped(check, 'the chain is not there'));
    return { checks: [failed('COLLATERAL', `${name} is missing or malformed`), ...rest], untilMs: 0 };
  }
  const chain = [leaf, ...issuers];
  const lists = readList(endorsements[SNP_ENDORSEMENTS.crl(key.product)], issuers);
  const checks = [
    passed('COLLATERAL'),
    checkRoot([chain], roots),
    await checkPath(chain, nowMs),
    checkIssuers(chain),
    snp.checkSignerNames(chain, key),
    ...(await checkRevocations(lists, issuers, nowMs)),
  ];
  const listUntilMs = lists !== null && !('flaw' in lists) ? lists.map(({ list }) => list.nextUpdateMs) : [];
  return { checks, untilMs: Math.min(validUntilMs(chain), ...listUntilMs) };
}

/** RFC 5280 §6.1 and 57230, 3.1: three certificates, RSA-PSS with SHA-384 above a P-384 key. */
async function checkPath(chain: CertificateChain, nowMs: number): Promise<Check> {
  if (chain.length !== 3) return failed('CHAIN', `${chain.length} certificates, not 3`);
  const flaw = await pathFlaw(chain, RSA_PSS_CHAIN, nowMs);
  return checkThat('CHAIN', flaw === null, flaw ?? '');
}

/** RFC 5280 §4.2.1.9: every issuer is a CA and the endorsement key is none. */
function checkIssuers(chain: CertificateChain): Check {
  const flaw = authorityFlaw(chain);
  return checkThat('ISSUER_NOT_CA', flaw === null, flaw ?? '');
}

/** 57230, 3.2: AMD's list revokes intermediates. Without it nothing is known: who keeps it away must not gain by it. */
async function checkRevocations(lists: ReadLists | null, issuers: CertificateChain, nowMs: number): Promise<Check[]> {
  if (lists !== null) return checkLists({ lists, certificates: issuers, signedWith: 'rsa-pss-sha384' }, nowMs);
  const missing = failed('CRL_PARSE', "the verifier has no list of AMD's");
  return [missing, ...CRL_CHECKS.map((name) => skipped(name, 'the list is not there'))];
}

function readList(bytes: Uint8Array | undefined, issuers: CertificateChain): ReadLists | null {
  const root = issuers.at(-1);
  if (bytes === undefined || root === undefined) return null;
  const list = parseCrl(bytes);
  return list === null ? { flaw: "AMD's list is malformed" } : [{ list, issuer: root }];
}

async function factsOf(report: SnpReport, policy: SnpPolicy, untilMs: number): Promise<EvidenceFacts> {
  const measurement = await snpMeasurement(snp.identityOf(report), policy);
  const code = { measurement, debug: snp.isDebug(report) };
  const cpu = { tee: 'sev-snp', ...code, tcbStatuses: [], advisories: [] } as const;
  return { ...code, reportData: report.reportData, validUntilMs: untilMs, cpu, gpu: null };
}
