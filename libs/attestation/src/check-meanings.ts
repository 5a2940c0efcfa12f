/** What a check is about: the processor, the GPUs, the bond between them and the question, or the verifier itself. */
export type CheckSection = 'verifier' | 'processor' | 'gpus' | 'bond';
export const CHECK_SECTIONS: readonly CheckSection[] = ['verifier', 'processor', 'gpus', 'bond'];

const OF_VERIFIER = ['BAD_CLOCK', 'POLICY', 'PROFILE', 'PROFILE_UNSUPPORTED', 'TEE_POLICY', 'GPU_POLICY'];
const OF_BOND =
  'PARSE_BUNDLE NONCE BINDING GPU_MODE GPU_POLICY_EVENT GPU_BINDING USER_DATA DOCUMENT_NONCE PUBLIC_KEY TIMESTAMP'.split(
    ' ',
  );

export function checkSection(name: string): CheckSection {
  if (OF_VERIFIER.includes(name)) return 'verifier';
  if (OF_BOND.includes(name)) return 'bond';
  return /^(GPU|RIM|SWITCH|LINK|OCSP|EAT)(_|$)/.test(name) ? 'gpus' : 'processor';
}

/**
 * What each check of an appraisal means when it has passed, in plain language, for a person who has to decide whether to
 * trust the machine. A check that is missing here is a mistake, which a test finds.
 */
export const CHECK_MEANINGS: Readonly<Record<string, string>> = {
  // the verifier
  BAD_CLOCK: 'The verifier’s clock is plausible, so dates in certificates can be judged.',
  POLICY: 'The DAO’s appraisal policy is complete.',
  PROFILE: 'The DAO accepts this kind of trusted hardware.',
  PROFILE_UNSUPPORTED: 'This verifier knows how to check this kind of evidence.',
  TEE_POLICY: 'It is known what the DAO asks of this hardware.',
  GPU_POLICY: 'It is known what the DAO asks of the graphics processors.',
  // every processor
  PARSE: 'The processor’s evidence is well-formed, and is exactly one.',
  ROOT_NOT_PINNED: 'Every chain of certificates ends in a root of trust of the maker, which is pinned in this program.',
  CHAIN: 'Every certificate is signed by the one above it and valid today.',
  ISSUER_NOT_CA: 'Nobody issued a certificate who is not an authority.',
  SIGNER_NAME: 'Each document was signed by the authority that is there for it, and by no other of the maker’s keys.',
  SIGNATURE: 'The evidence was signed by a key that only such hardware holds.',
  VERSION: 'The evidence has a version that is known here.',
  DEBUG: 'Debugging is off: the operator cannot look into the memory.',
  MEASUREMENT: 'The code that runs, and the conditions it is judged by, are exactly what the DAO has approved.',
  RTMR: 'The recorded start-up events add up to the register in the evidence: none is hidden, none is made up.',
  COLLATERAL: 'What the hardware’s maker says about this platform is at hand.',
  COLLATERAL_STALE: 'What the maker says is current, and not from a time before a flaw was known.',
  CRL_PARSE: 'The maker’s lists of revoked certificates are at hand and can be read.',
  CRL_ISSUER: 'Each list was issued by the authority whose certificates it is about.',
  CRL_SIGNATURE: 'Each list was signed by that authority.',
  CRL_STALE: 'Each list is current.',
  REVOKED: 'No certificate that this rests on has been revoked.',
  TCB_STATUS: 'The platform’s firmware is as recent as the DAO asks.',
  // Intel TDX
  TEE_TYPE: 'The evidence is of a trust domain (TDX) and not of something else by Intel.',
  QE_VENDOR: 'It was made by Intel’s own quoting enclave.',
  ATTESTATION_KEY_TYPE: 'It is signed in the one way that is accepted.',
  QE_REPORT_SIGNATURE: 'The platform’s certified key vouches for the quoting enclave.',
  QE_REPORT_DATA: 'The quoting enclave vouches for the key that signed the evidence.',
  QE_IDENTITY: 'The quoting enclave is the one that Intel published, in a version without known flaws.',
  TD_ATTRIBUTES: 'The machine was started without debugging, migration or anything else the DAO does not allow.',
  XFAM: 'The processor features that the machine may use are ones the DAO accepts.',
  PPID: 'The platform is one that the DAO accepts, where it names any.',
  EVENTS: 'Everything that the DAO wants to see recorded at start-up was recorded, once each.',
  CONFIG_ID: 'The processor’s configuration register names exactly the application that is shown.',
  TCB_INFO_SIGNATURE: 'Intel signed what is known about this platform’s firmware.',
  QE_IDENTITY_SIGNATURE: 'Intel signed what is known about its quoting enclave.',
  FMSPC: 'That document is about this family of platforms.',
  PCEID: 'That document is about this platform’s provisioning.',
  MRSIGNERSEAM: 'The module that isolates trust domains was made by Intel.',
  SEAM_ATTRIBUTES: 'That module runs in its production form.',
  TDX_MODULE: 'That module is one that Intel published.',
  ADVISORY: 'No security advisory applies that the DAO has not accepted.',
  TCB_EVAL_NUMBER: 'Intel’s judgement of the firmware is as recent as the DAO asks.',
  // AMD SEV-SNP
  SIGNATURE_ALGORITHM: 'The report is signed in the one way that is accepted.',
  SIGNING_KEY: 'The report names the kind of key that signed it.',
  TCB_VERSION: 'The certificate is for exactly the firmware that the report names.',
  CHIP_ID: 'The certificate is for exactly the chip that the report names.',
  GUEST_POLICY: 'The machine permits its host nothing that the DAO does not.',
  PLATFORM_INFO: 'The platform has switched on every protection that the DAO asks for.',
  VMPL: 'The report was asked for at a privilege level that the DAO accepts.',
  PRODUCT: 'The processor is of a product line that the DAO accepts.',
  PLATFORM: 'The chip is one that the DAO accepts, where it names any.',
  // AWS Nitro
  PCRS: 'The enclave’s platform registers are ones that the DAO accepts.',
  TIMESTAMP: 'The document was made just now.',
  USER_DATA: 'The document carries the binding of keys and job, and nothing else.',
  DOCUMENT_NONCE: 'The document answers the verifier’s challenge.',
  PUBLIC_KEY: 'The document names no other key.',
  // NVIDIA
  GPU: 'Evidence of graphics processors is there where this kind of hardware can vouch for it, and nowhere else.',
  GPU_PARSE: 'Each graphics processor’s evidence is well-formed, with its certificates.',
  GPU_SIGNATURE: 'Each was signed by that graphics processor’s own key.',
  GPU_ROOT: 'Each chain of certificates ends in NVIDIA’s root for devices, which is pinned in this program.',
  GPU_CHAIN: 'Every certificate of each is signed by the one above it and valid today.',
  GPU_NONCE: 'Each answers this very challenge: it is no recording.',
  GPU_FWID: 'The firmware that runs is the one that the key was made for.',
  GPU_CANNED: 'It is not evidence that is handed out for tests.',
  GPU_TOPOLOGY: 'There are as many graphics processors as the DAO asks for, each shown once.',
  GPU_MODEL: 'Each is of a model that the DAO accepts.',
  GPU_VERSIONS: 'Driver and firmware of each are of versions that the DAO accepts.',
  RIM_DTD: 'NVIDIA’s reference values are in a document that cannot change its own meaning.',
  RIM_PARSE: 'NVIDIA’s reference values for this driver and this firmware are at hand.',
  RIM_SIGNATURE: 'They are signed as they are.',
  RIM_ROOT: 'The signer’s chain ends in NVIDIA’s root for reference values, which is pinned in this program.',
  RIM_CHAIN: 'Every certificate of that chain is signed by the one above it.',
  RIM_EXPIRED: 'Every certificate of that chain is valid today.',
  RIM_VERSION: 'They are for exactly this product, driver and firmware.',
  RIM_MISMATCH: 'What each graphics processor measured is what NVIDIA published.',
  SWITCH_TOPOLOGY: 'There are as many NVLink switches as the DAO asks for, each shown once.',
  SWITCH_VERSIONS: 'Model and firmware of each switch are ones that the DAO accepts.',
  SWITCH_PDI: 'Each switch calls itself what NVIDIA certified.',
  LINK_TOPOLOGY: 'Switches and graphics processors are linked to each other and to no device that is not shown.',
  OCSP_PARSE: 'NVIDIA’s answers about revoked certificates are at hand and can be read.',
  OCSP_CERT_ID: 'Each answer is about the certificate in question.',
  OCSP_RESPONDER: 'Each answer was given by whoever may give it.',
  OCSP_SIGNATURE: 'Each answer is signed.',
  OCSP_STALE: 'Each answer is current.',
  OCSP_STATUS: 'No certificate of a device or of reference values has been revoked.',
  EAT_PARSE: 'NVIDIA’s own verdict is well-formed.',
  EAT_ALGORITHM: 'NVIDIA’s verdict is signed in the one way that is accepted.',
  EAT_KEY: 'The key that signed NVIDIA’s verdict is one of NVIDIA’s.',
  EAT_SIGNATURE: 'That key signed NVIDIA’s verdict as it is.',
  EAT_ISSUER: 'The verdict is that of NVIDIA’s attestation service.',
  EAT_EXPIRED: 'NVIDIA’s verdict is current.',
  EAT_NONCE: 'NVIDIA’s verdict is about this very challenge.',
  EAT_SUBMODULE: 'What the verdict says of each device is what was signed.',
  EAT_RESULT: 'NVIDIA’s verdict is that all devices are good.',
  EAT_DEVICES: 'NVIDIA’s verdict is about the devices that are shown.',
  GPU_TOKEN: 'NVIDIA’s own verdict agrees; nothing rests on it.',
  // the bond
  PARSE_BUNDLE: 'The bundle that holds all of the evidence is well-formed.',
  NONCE: 'The evidence answers the random challenge that this verifier has just made: it is no recording.',
  BINDING: 'The keys that data and questions are encrypted to were made inside, for this job.',
  GPU_MODE: 'The machine recorded at start-up that confidential computing is on, and debugging off, on its GPUs.',
  GPU_POLICY_EVENT: 'The machine looked at its graphics processors under the policy that is in force.',
  GPU_BINDING:
    'The graphics processors shown are the ones that this machine measured, and it vouches for this evidence.',
};
