import { checkThat, failed, fromHex, passed, skipped, toHex, type Check } from '@usufruct/kernel';
import type { TcbStatus, TdxPolicy } from '../policy/tdx-policy.js';
import type { QeIdentity, TcbInfo, TdxCollateral } from './collateral.js';
import type { PckExtension } from './pck-extension.js';
import type { QeReport, TdReport } from './quote.js';

/** What Intel says of one level of a platform, a module or an enclave. */
export interface TcbJudgement {
  readonly tcbStatus: TcbStatus;
  readonly advisoryIDs: readonly string[];
}

/** TEE_TCB_SVN (A.3.2.1): byte 0 is the module's SVN, byte 1 its major version, which has identities from 1 on. */
const moduleSvn = ({ teeTcbSvn }: TdReport): number => teeTcbSvn[0]!;
const moduleVersion = ({ teeTcbSvn }: TdReport): number => teeTcbSvn[1]!;

/**
 * PCS API v4, "TCB level" selection: the first level, from the highest down, that no SVN of the platform is below. From
 * module version 1 on the first two TDX components are the module's own, which its identity judges instead.
 */
export function platformLevel(info: TcbInfo, pck: PckExtension, report: TdReport): TcbJudgement | null {
  const skip = moduleVersion(report) > 0 ? 2 : 0;
  const reaches = (svns: ArrayLike<number>, wanted: readonly number[], from: number): boolean =>
    wanted.every((svn, i) => i < from || svns[i]! >= svn);
  const found = info.tcbLevels.find(
    ({ tcb }) =>
      reaches(pck.componentSvns, tcb.sgxtcbcomponents, 0) &&
      pck.pceSvn >= tcb.pcesvn &&
      reaches(report.teeTcbSvn, tcb.tdxtcbcomponents, skip),
  );
  return found ?? null;
}

const svnLevel = (levels: QeIdentity['tcbLevels'], svn: number): TcbJudgement | null =>
  levels.find(({ tcb }) => svn >= tcb.isvsvn) ?? null;

/** Enclave identity, TCB levels: of the quoting enclave. */
export const qeLevel = (identity: QeIdentity, report: QeReport): TcbJudgement | null =>
  svnLevel(identity.tcbLevels, report.isvSvn);

type ModuleIdentity = TcbInfo['tdxModuleIdentities'][number];
const moduleIdentity = (info: TcbInfo, report: TdReport): ModuleIdentity | undefined =>
  info.tdxModuleIdentities.find(({ id }) => id === `TDX_${toHex(Uint8Array.of(moduleVersion(report)))}`);

/** TCB info, tdxModuleIdentities: of the TDX module; null as well for version 0, whose level is the platform's. */
export function moduleLevel(info: TcbInfo, report: TdReport): TcbJudgement | null {
  const identity = moduleIdentity(info, report);
  return identity === undefined ? null : svnLevel(identity.tcbLevels, moduleSvn(report));
}

/** TCB info, fmspc: it is for the family of this platform. */
export const checkFmspc = (info: TcbInfo, pck: PckExtension): Check =>
  checkThat('FMSPC', info.fmspc === pck.fmspc, 'the TCB info is for another family of platforms');

/** TCB info, pceId: and for its provisioning certification enclave. */
export const checkPceId = (info: TcbInfo, pck: PckExtension): Check =>
  checkThat('PCEID', info.pceId === pck.pceId, 'the TCB info is for another PCE');

/** TCB info and enclave identity, issueDate and nextUpdate: both are current. */
export const checkCollateralValidity = ({ tcbInfo, qeIdentity }: TdxCollateral, nowMs: number): Check =>
  checkThat(
    'COLLATERAL_STALE',
    [tcbInfo.value, qeIdentity.value].every(({ issueDate, nextUpdate }) => nowMs >= issueDate && nowMs <= nextUpdate),
    'TCB info or QE identity is not current',
  );

/** TCB info and enclave identity, tcbEvaluationDataNumber: both at least what the policy asks for. */
export const checkEvaluationNumber = ({ tcbInfo, qeIdentity }: TdxCollateral, policy: TdxPolicy): Check =>
  checkThat(
    'TCB_EVAL_NUMBER',
    [tcbInfo.value, qeIdentity.value].every(
      ({ tcbEvaluationDataNumber }) => tcbEvaluationDataNumber >= policy.minTcbEvaluationDataNumber,
    ),
    `an evaluation number below ${policy.minTcbEvaluationDataNumber}`,
  );

/** Enclave identity, QE: signer, product, MISCSELECT and ATTRIBUTES under their masks. DEBUG is part of the mask. */
export function checkQeIdentity(identity: QeIdentity, report: QeReport): Check {
  const holds =
    toHex(report.mrSigner) === identity.mrsigner &&
    report.isvProdId === identity.isvprodid &&
    // The service gives MISCSELECT as the bytes of the report, not as a number.
    isMasked(report.miscSelect, identity.miscselect, identity.miscselectMask) &&
    isMasked(report.attributes, identity.attributes, identity.attributesMask);
  return checkThat('QE_IDENTITY', holds, "the quoting enclave is not the one of Intel's identity");
}

/** TCB info, mrsigner of the module's identity: who signed the TDX module. */
export const checkModuleSigner = (info: TcbInfo, report: TdReport): Check =>
  checkThat(
    'MRSIGNERSEAM',
    toHex(report.mrSignerSeam) === (moduleIdentity(info, report) ?? info.tdxModule).mrsigner,
    'the TDX module has another signer',
  );

/** TCB info, attributes of the module's identity under their mask. */
export function checkModuleAttributes(info: TcbInfo, report: TdReport): Check {
  const { attributes, attributesMask } = moduleIdentity(info, report) ?? info.tdxModule;
  const holds = isMasked(report.seamAttributes, attributes, attributesMask);
  return checkThat('SEAM_ATTRIBUTES', holds, 'the TDX module has attributes that it must not have');
}

/** TCB info, tdxModuleIdentities: the module's version is known, and its own level is one that the policy accepts. */
export function checkModule(info: TcbInfo, report: TdReport, policy: TdxPolicy): Check {
  if (moduleVersion(report) === 0) return passed('TDX_MODULE', 'version 0: judged as a part of the platform');
  if (moduleIdentity(info, report) === undefined) return failed('TDX_MODULE', 'the version of the module is unknown');
  const level = moduleLevel(info, report);
  if (level === null) return failed('TDX_MODULE', 'the SVN of the module is below every level');
  return checkThat('TDX_MODULE', isAccepted(level, policy), `the module is ${level.tcbStatus}`);
}

/** TCB info and enclave identity, tcbStatus: that of the platform and that of the quoting enclave are in the policy. */
export function checkTcbStatus(platform: TcbJudgement | null, qe: TcbJudgement | null, policy: TdxPolicy): Check {
  if (platform === null) return failed('TCB_STATUS', 'the platform is below every level');
  if (qe === null) return failed('TCB_STATUS', 'the quoting enclave is below every level');
  const holds = isAccepted(platform, policy) && isAccepted(qe, policy);
  return checkThat('TCB_STATUS', holds, `platform ${platform.tcbStatus}, quoting enclave ${qe.tcbStatus}`);
}

/** TCB info and enclave identity, advisoryIDs: each that applies is one that the policy accepts. */
export function checkAdvisories(judgements: readonly (TcbJudgement | null)[], policy: TdxPolicy): Check {
  const known = judgements.filter((judgement) => judgement !== null);
  if (known.length === 0) return skipped('ADVISORY', 'no level was found');
  const unlisted = advisoriesOf(known).filter((advisory) => !policy.advisories.includes(advisory));
  return checkThat('ADVISORY', unlisted.length === 0, `not accepted: ${unlisted.join(', ')}`);
}

export const advisoriesOf = (judgements: readonly TcbJudgement[]): string[] =>
  [...new Set(judgements.flatMap(({ advisoryIDs }) => advisoryIDs))].sort();

/** SGX PCK Certificate and CRL Profile, §1.3.5, PPID: the platform is one of the policy's, if it names any. */
export const checkPpid = ({ ppid }: PckExtension, { ppids }: TdxPolicy): Check =>
  ppids.length === 0
    ? passed('PPID', 'the policy names no platforms')
    : checkThat('PPID', ppids.includes(ppid), 'the platform is not one of the policy');

const isAccepted = ({ tcbStatus }: TcbJudgement, { tcbStatuses }: TdxPolicy): boolean =>
  tcbStatuses.some((status) => status === tcbStatus);

function isMasked(actual: Uint8Array, expected: string, mask: string): boolean {
  const [want, under] = [fromHex(expected), fromHex(mask)];
  return actual.every((byte, i) => (byte & under[i]!) === (want[i]! & under[i]!));
}
