export { appraiseEvidence, failedChecks, supportedProfiles, verifierOf } from './appraise.js';
export { GPU_EVENTS, gpuAttestationPayload, gpuPolicyPayload } from './composite/gpu-events.js';
export type { GpuMode } from './composite/gpu-events.js';
export { canonicalCompose, composeConfigId, composeHash, encodeCompose, isCanonicalCompose } from './app-compose.js';
export { AppraisalDesk, appraisalRefusal } from './appraisal-desk.js';
export type { DeskAnswer, DeskOptions, DeskRequest, EndorsementPort } from './appraisal-desk.js';
export { CHECK_MEANINGS, CHECK_SECTIONS, checkSection } from './check-meanings.js';
export type { CheckSection } from './check-meanings.js';
export { evidenceMeasurement, readGpuEvidence, runtimeRegisterOf, tdxIdentityOf } from './attester.js';
export type { GpuReading } from './attester.js';
export { endorsementsOfItem, itemOfName, nameOfItem } from './endorsements/item.js';
export type { EndorsementBytes, EndorsementItem } from './endorsements/item.js';
export { judgeEndorsement } from './endorsements/judge.js';
export type { EndorsementJudgement, SignedValidity } from './endorsements/judge.js';
export { endorsementNeeds, intelItems } from './endorsements/needs.js';
export { eventDigest, replayEventLog, REGISTER_BYTES } from './event-log.js';
export { exportEat, signResult, verifySignedResult, zSignedResult } from './eat.js';
export type { EatClaims, SignedResult } from './eat.js';
export { makeEvidence } from './evidence.js';
export type { EvidenceRequest } from './evidence.js';
export { encodeCoseSign1, sigStructure } from './cose/sign1.js';
export { inspectNitro, NITRO_CHECKS } from './nitro/inspect.js';
export type { NitroContext, NitroEvidence, NitroInspection } from './nitro/inspect.js';
export { NVIDIA_ENDORSEMENTS } from './nvidia/endorsements.js';
export { GPU_CHECKS, inspectGpus } from './nvidia/inspect.js';
export type { GpuContext, GpuInspection } from './nvidia/inspect.js';
export { nitroMeasurement, zNitroPolicy } from './policy/nitro-policy.js';
export type { NitroIdentity, NitroPolicy } from './policy/nitro-policy.js';
export { encodeNvidiaPolicy, zNvidiaPolicy } from './policy/nvidia-policy.js';
export type { NvidiaPolicy } from './policy/nvidia-policy.js';
export { SNP_PERMISSIONS, SNP_PRODUCTS, snpMeasurement, zSnpPolicy } from './policy/snp-policy.js';
export type { SnpIdentity, SnpPermission, SnpPolicy, SnpProduct } from './policy/snp-policy.js';
export { readTeePolicyBook, teePolicyFor, zTeePolicy, zTeePolicyBook } from './policy/tee-policy-book.js';
export type { TeePolicyBook } from './policy/tee-policy-book.js';
export { encodeTdxPolicy, TCB_STATUSES, tdxMeasurement, zTdxPolicy } from './policy/tdx-policy.js';
export type { TcbStatus, TdxIdentity, TdxPolicy } from './policy/tdx-policy.js';
export { devHardwareRoots, pinnedRoots, productionRoots, rootSetWithDevRoot, verifierRoots } from './roots.js';
export type { RootName, RootSet } from './roots.js';
export { hardwareIdBytes } from './snp/endorsement-key.js';
export type { SnpTcb } from './snp/endorsement-key.js';
export { inspectSnp, SNP_CHECKS, SNP_ENDORSEMENTS } from './snp/inspect.js';
export type { SnpContext, SnpEvidence, SnpInspection } from './snp/inspect.js';
export {
  encodeSoftwareQuote,
  softwareQuoteMessage,
  MEASUREMENT_BYTES,
  SOFTWARE_QUOTE_TAG,
} from './software/quote-format.js';
export type { SoftwareQuote, SoftwareQuoteBody } from './software/quote-format.js';
export { TDX_ENDORSEMENTS } from './tdx/collateral.js';
export type { PckCa } from './tdx/collateral.js';
export { inspectTdx, TDX_CHECKS } from './tdx/inspect.js';
export type { TdxContext, TdxEvidence, TdxInspection } from './tdx/inspect.js';
export type { TeeDevice } from './tee-device.js';
export { encodeOcspRequest } from './x509/ocsp-request.js';
export type * from './types.js';
export { encodePemChain, readPemLoosely } from './x509/pem.js';
