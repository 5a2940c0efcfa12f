import { failed, passed, skipped, type Check } from '@usufruct/kernel';
import type { RuntimeEvent } from '@usufruct/protocol';
import { checkEventLog } from '../event-log.js';
import { tdxMeasurement, zTdxPolicy, type TdxPolicy } from '../policy/tdx-policy.js';
import type { Endorsements, EvidenceFacts } from '../types.js';
import { readPemChain, validUntilMs, type CertificateChain } from '../x509/chain.js';
import { checkLists, CRL_CHECKS, type ReadLists } from '../x509/crl-checks.js';
import { checkChains, checkIssuers, checkRoots, checkSignerNames, type TdxChains } from './chain-checks.js';
import { readCollateral, type TdxCollateral } from './collateral.js';
import { readLists } from './revocation.js';
import { checkAttestationKeyType, checkQeVendor, checkTeeType, checkVersion } from './header-checks.js';
import { parsePckExtension, SGX_EXTENSION, type PckExtension } from './pck-extension.js';
import { parseHeader, parseQuote, QUOTE_VERSIONS, type TdxQuote } from './quote.js';
import {
  checkQeIdentitySignature,
  checkQeReportData,
  checkQeReportSignature,
  checkQuoteSignature,
  checkTcbInfoSignature,
} from './signature-checks.js';
import * as tcb from './tcb-checks.js';
import { checkConfigId, checkRequiredEvents, checkTdAttributes, checkXfam, identityOf, isDebug } from './td-checks.js';

/** What the attester sent. */
export interface TdxEvidence {
  readonly quote: Uint8Array;
  readonly eventLog: readonly RuntimeEvent[];
  readonly appCompose?: string | undefined;
}

/** What the verifier brings along. The clock is sane: its caller has checked it. */
export interface TdxContext {
  readonly nowMs: number;
  readonly policy: TdxPolicy | undefined;
  readonly endorsements: Endorsements;
  /** SHA-256 of the DER of the trusted roots, hex. */
  readonly roots: readonly string[];
  /** Encoded policies of what is appraised beside the TD; part of the measurement. */
  readonly companions?: readonly Uint8Array[];
}

export interface TdxInspection {
  readonly checks: readonly Check[];
  readonly facts: EvidenceFacts | null;
}

const POLICY_CHECKS = ['TD_ATTRIBUTES', 'XFAM', 'PPID', 'EVENTS'] as const;
const LEVEL_CHECKS = ['TDX_MODULE', 'TCB_STATUS', 'ADVISORY', 'TCB_EVAL_NUMBER'] as const;
const CHAIN_CHECKS = ['ROOT_NOT_PINNED', 'CHAIN', 'ISSUER_NOT_CA', 'SIGNER_NAME'] as const;
const DOCUMENT_CHECKS = ['TCB_INFO_SIGNATURE', 'QE_IDENTITY_SIGNATURE', 'COLLATERAL_STALE'] as const;
const PLATFORM_CHECKS = ['FMSPC', 'PCEID', 'QE_IDENTITY', 'MRSIGNERSEAM', 'SEAM_ATTRIBUTES'] as const;
/** What rests on the collateral. */
const COLLATERAL_CHECKS: readonly string[] = [
  ...CHAIN_CHECKS,
  'CRL_PARSE',
  ...CRL_CHECKS,
  ...DOCUMENT_CHECKS,
  ...PLATFORM_CHECKS,
  ...LEVEL_CHECKS,
];

/** What must have passed before anything in a quote means anything. */
export const TDX_CHECKS: readonly string[] = [
  'VERSION',
  'TEE_TYPE',
  'QE_VENDOR',
  'ATTESTATION_KEY_TYPE',
  'PARSE',
  'TEE_POLICY',
  'SIGNATURE',
  'QE_REPORT_SIGNATURE',
  'QE_REPORT_DATA',
  'RTMR',
  ...POLICY_CHECKS,
  'COLLATERAL',
  ...COLLATERAL_CHECKS,
];

/** A quote that was parsed to its end, with the chain and the extension that it carries. */
export interface ParsedQuote {
  readonly quote: TdxQuote;
  readonly pck: CertificateChain;
  readonly extension: PckExtension;
}

/**
 * Every check of a TDX quote and of what Intel endorses about it; none is left out because another failed, unless there
 * is nothing left to judge, and then it is skipped with that reason. `facts` is there as soon as the quote can be read:
 * it says what the quote claims, which is worth something only together with the checks.
 */
export async function inspectTdx(evidence: TdxEvidence, context: TdxContext): Promise<TdxInspection> {
  const header = parseHeader(evidence.quote);
  if (header === null) return { checks: unread([failed('PARSE', 'shorter than the header of a quote')]), facts: null };
  const headerChecks = [
    checkVersion(header),
    checkTeeType(header),
    checkQeVendor(header),
    checkAttestationKeyType(header),
  ];
  const parsed = readQuote(evidence.quote);
  if (parsed === null) {
    const isKnown = QUOTE_VERSIONS.includes(header.version);
    const parse = isKnown ? failed('PARSE', 'not exactly one quote') : skipped('PARSE', 'nobody knows this version');
    return { checks: unread([...headerChecks, parse]), facts: null };
  }
  const policy = zTdxPolicy.safeParse(context.policy).data;
  const [quoteChecks, { checks, ...judged }] = await Promise.all([
    checkQuote(parsed, evidence),
    checkCollateral(parsed, context, policy),
  ]);
  return {
    checks: [
      ...headerChecks,
      passed('PARSE'),
      policy === undefined ? failed('TEE_POLICY', 'there is no sound policy for TDs') : passed('TEE_POLICY'),
      ...quoteChecks,
      ...checkAgainstPolicy(parsed, evidence, policy),
      ...checks,
    ],
    facts: policy === undefined ? null : await factsOf(parsed, judged, policy, context.companions),
  };
}

const unread = (made: readonly Check[]): Check[] => [
  ...made,
  ...TDX_CHECKS.filter((name) => !made.some((check) => check.name === name)).map((name) =>
    skipped(name, 'the quote could not be read'),
  ),
];

/** Null for anything that is not one quote with its chain. Nothing in it is judged yet. */
export function readQuote(bytes: Uint8Array): ParsedQuote | null {
  const quote = parseQuote(bytes);
  const pck = readPemChain(quote?.pckChain);
  const value = pck?.[0]?.extension(SGX_EXTENSION);
  const extension = value ? parsePckExtension(value) : null;
  return quote === null || pck === null || extension === null ? null : { quote, pck, extension };
}

async function checkQuote({ quote, pck }: ParsedQuote, { eventLog, appCompose }: TdxEvidence): Promise<Check[]> {
  return Promise.all([
    checkQuoteSignature(quote),
    checkQeReportSignature(quote, pck[0]!),
    checkQeReportData(quote),
    checkEventLog(eventLog, quote.report.rtmr[3]),
    checkConfigId(appCompose, quote.report),
  ]);
}

function checkAgainstPolicy(
  { quote, extension }: ParsedQuote,
  { eventLog }: TdxEvidence,
  policy: TdxPolicy | undefined,
): Check[] {
  if (policy === undefined) return POLICY_CHECKS.map((name) => skipped(name, 'there is no policy'));
  return [
    checkTdAttributes(quote.report, policy),
    checkXfam(quote.report, policy),
    tcb.checkPpid(extension, policy),
    checkRequiredEvents(eventLog, policy),
  ];
}

/** The part of an inspection that rests on endorsements. */
interface Judged {
  readonly checks: readonly Check[];
  readonly tcb: readonly (tcb.TcbJudgement | null)[];
  readonly validUntilMs: number;
}

async function checkCollateral(
  parsed: ParsedQuote,
  { endorsements, nowMs, roots }: TdxContext,
  policy: TdxPolicy | undefined,
): Promise<Judged> {
  const collateral = readCollateral(endorsements, parsed.extension.fmspc);
  if ('flaw' in collateral) {
    const rest = COLLATERAL_CHECKS.map((name) => skipped(name, 'the collateral is not there'));
    return { checks: [failed('COLLATERAL', collateral.flaw), ...rest], tcb: [], validUntilMs: 0 };
  }
  const chains = { pck: parsed.pck, tcbInfo: collateral.tcbInfo.chain, qeIdentity: collateral.qeIdentity.chain };
  const levels = levelsOf(parsed, collateral);
  const lists = readLists(endorsements, chains);
  const certificates = Object.values(chains).flat();
  // Everything that has to be verified is started before any of it is waited for.
  const [chainCheck, listChecks, ...documentChecks] = await Promise.all([
    checkChains(chains, nowMs),
    checkLists({ lists, certificates, signedWith: 'ecdsa-p256-sha256' }, nowMs),
    checkTcbInfoSignature(collateral.tcbInfo),
    checkQeIdentitySignature(collateral.qeIdentity),
  ]);
  const checks = [
    passed('COLLATERAL'),
    checkRoots(chains, roots),
    chainCheck,
    checkIssuers(chains),
    checkSignerNames(chains),
    ...listChecks,
    ...documentChecks,
    tcb.checkCollateralValidity(collateral, nowMs),
    ...checkPlatform(parsed, collateral),
    ...checkLevels(parsed, collateral, levels, policy),
  ];
  return { checks, tcb: Object.values(levels), validUntilMs: collateralUntilMs(collateral, chains, lists) };
}

function checkPlatform({ quote, extension }: ParsedQuote, { tcbInfo, qeIdentity }: TdxCollateral): Check[] {
  return [
    tcb.checkFmspc(tcbInfo.value, extension),
    tcb.checkPceId(tcbInfo.value, extension),
    tcb.checkQeIdentity(qeIdentity.value, quote.qeReport),
    tcb.checkModuleSigner(tcbInfo.value, quote.report),
    tcb.checkModuleAttributes(tcbInfo.value, quote.report),
  ];
}

interface Levels {
  readonly platform: tcb.TcbJudgement | null;
  readonly module: tcb.TcbJudgement | null;
  readonly qe: tcb.TcbJudgement | null;
}

const levelsOf = ({ quote, extension }: ParsedQuote, { tcbInfo, qeIdentity }: TdxCollateral): Levels => ({
  platform: tcb.platformLevel(tcbInfo.value, extension, quote.report),
  module: tcb.moduleLevel(tcbInfo.value, quote.report),
  qe: tcb.qeLevel(qeIdentity.value, quote.qeReport),
});

function checkLevels(
  { quote }: ParsedQuote,
  collateral: TdxCollateral,
  { platform, module, qe }: Levels,
  policy: TdxPolicy | undefined,
): Check[] {
  if (policy === undefined) return LEVEL_CHECKS.map((name) => skipped(name, 'there is no policy'));
  return [
    tcb.checkModule(collateral.tcbInfo.value, quote.report, policy),
    tcb.checkTcbStatus(platform, qe, policy),
    tcb.checkAdvisories([platform, module, qe], policy),
    tcb.checkEvaluationNumber(collateral, policy),
  ];
}

/** When the first certificate, list or document expires. */
function collateralUntilMs(collateral: TdxCollateral, chains: TdxChains, lists: ReadLists): number {
  return Math.min(
    ...Object.values(chains).map(validUntilMs),
    ...[collateral.tcbInfo.value, collateral.qeIdentity.value].map(({ nextUpdate }) => nextUpdate),
    ...('flaw' in lists ? [0] : lists.map(({ list }) => list.nextUpdateMs)),
  );
}

async function factsOf(
  { quote }: ParsedQuote,
  { tcb: levels, validUntilMs: untilMs }: Omit<Judged, 'checks'>,
  policy: TdxPolicy,
  companions?: readonly Uint8Array[],
): Promise<EvidenceFacts> {
  const { report } = quote;
  const measurement = await tdxMeasurement(identityOf(report), policy, companions);
  const known = levels.filter((level) => level !== null);
  const code = { measurement, debug: isDebug(report) };
  const cpu = {
    tee: 'tdx',
    ...code,
    tcbStatuses: known.map(({ tcbStatus }) => tcbStatus),
    advisories: tcb.advisoriesOf(known),
  } as const;
  return { ...code, reportData: report.reportData, validUntilMs: untilMs, cpu, gpu: null };
}
