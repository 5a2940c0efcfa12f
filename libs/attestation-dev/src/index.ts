export { DEV_BANNER } from './banner.js';
export { createDevPki, loadDevPki, DEV_PKI_FILES } from './dev-pki.js';
export type { DevPki, DevPkiFiles } from './dev-pki.js';
export { measureFiles } from './measure.js';
export type { MeasuredFile } from './measure.js';
export { signSoftwareQuote, SoftwareTee } from './software-tee.js';
export type { SoftwareTeeOptions } from './software-tee.js';
export { issueAuthority, issueCrl, pemOf, signRaw } from './authority.js';
export type { CertificateRequest, CrlRequest, DevAuthority, DevCurve } from './authority.js';
export { devQeIdentity, devTcbInfo, devTdxEndorsements } from './tdx/collateral.js';
export type { CollateralRequest } from './tdx/collateral.js';
export { createTdxPki, DEV_PLATFORM, issuePck, sgxExtension } from './tdx/pki.js';
export type { PlatformFacts, TdxPki } from './tdx/pki.js';
export { DEV_QE, DEV_REPORT, signTdxQuote } from './tdx/quote.js';
export type { HeaderFields, QeFields, QuoteRequest, ReportFields } from './tdx/quote.js';
export { SoftwareTd } from './tdx/software-td.js';
export type { GpuSource, SoftwareTdOptions } from './tdx/software-td.js';
export { createNvidiaPki, createGpuIdentity } from './nvidia/pki.js';
export type { GpuIdentity, NvidiaPki } from './nvidia/pki.js';
export { issueOcsp, issueOcspResponder } from './ocsp.js';
export type { OcspRequest } from './ocsp.js';
export { DEV_GPU, signGpuEvidence, SoftwareGpu } from './nvidia/gpu.js';
export type { GpuEvidenceRequest, GpuFields } from './nvidia/gpu.js';
export { DevNras } from './nvidia/nras.js';
export type { NrasDevice, NrasRequest } from './nvidia/nras.js';
export { DEV_SWITCH, signSwitchEvidence, SoftwareSwitch } from './nvidia/switch.js';
export type { SwitchFields } from './nvidia/switch.js';
export { DEV_RIM_NAMES, devNvidiaEndorsements, devRim, devSwitchEndorsements } from './nvidia/rim.js';
export type { RimRequest } from './nvidia/rim.js';
export {
  createSnpPki,
  DEV_SNP_PLATFORM,
  DEV_SNP_REPORT,
  devSnpEndorsements,
  signSnpEvidence,
  SoftwareSnp,
} from './snp/software-snp.js';
export type {
  SnpAuthority,
  SnpCollateralRequest,
  SnpPki,
  SnpPkiRequest,
  SnpPlatform,
  SnpReportFields,
  SoftwareSnpOptions,
} from './snp/software-snp.js';
export { encodeCbor } from './nitro/cbor.js';
export type { CborInput, CborPairs } from './nitro/cbor.js';
export {
  createNitroPki,
  DEV_NITRO_MODULE,
  DEV_NITRO_PCRS,
  signNitroDocument,
  SoftwareNitro,
} from './nitro/software-nitro.js';
export type {
  NitroDocumentRequest,
  NitroFields,
  NitroPki,
  NitroPkiRequest,
  SoftwareNitroOptions,
} from './nitro/software-nitro.js';
