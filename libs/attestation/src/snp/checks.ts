import { checkThat, failed, fromHex, passed, skipped, toHex, type Check } from '@usufruct/kernel';
import type { RuntimeEvent } from '@usufruct/protocol';
import { SNP_PERMISSIONS, type SnpIdentity, type SnpPolicy } from '../policy/snp-policy.js';
import { hasEcdsaSignature, type Certificate } from '../x509/certificate.js';
import type { CertificateChain } from '../x509/chain.js';
import { readTcb, type EndorsementKey, type SnpTcb } from './endorsement-key.js';
import { SNP_REPORT_VERSIONS, type SnpReport } from './report.js';

const ECDSA_P384 = 1;
const SIGNING_KEYS: readonly string[] = ['VCEK', 'VLEK'];
/** GUEST_POLICY (SEV-SNP ABI, table 9): bit numbers. Bit 17 is always one; 20 and 22–25 only take from the host. */
const POLICY_BIT = { SMT: 16, one: 17, MIGRATE_MA: 18, DEBUG: 19, CXL_ALLOW: 21 } as const;
const HARMLESS_BITS: readonly number[] = [20, 22, 23, 24, 25];

const hasBit = (bytes: Uint8Array, bit: number): boolean => (bytes[bit >> 3]! & (1 << (bit & 7))) !== 0;

export const isDebug = ({ guestPolicy }: SnpReport): boolean => hasBit(guestPolicy, POLICY_BIT.DEBUG);

/** SEV-SNP ABI, table 23, VERSION. */
export const checkVersion = (version: number): Check =>
  checkThat('VERSION', SNP_REPORT_VERSIONS.includes(version), `report version ${version}, not 2 to 5`);

/** SEV-SNP ABI, table 23, SIGNATURE_ALGO: 1 is ECDSA P-384 with SHA-384, the only one there is. */
export const checkAlgorithm = ({ signatureAlgorithm }: SnpReport): Check =>
  checkThat('SIGNATURE_ALGORITHM', signatureAlgorithm === ECDSA_P384, 'not signed with ECDSA P-384');

/** SEV-SNP ABI, table 23, SIGNING_KEY: the kind of key that the report names is the kind of the certificate. */
export const checkSigningKey = ({ signingKey }: SnpReport, { kind }: EndorsementKey): Check =>
  checkThat('SIGNING_KEY', SIGNING_KEYS[signingKey] === kind, `the report does not say that a ${kind} signed it`);

/** SEV-SNP ABI, table 23, SIGNATURE: by the endorsement key, over everything before it. */
export async function checkSignature({ signature, signedBytes }: SnpReport, leaf: Certificate): Promise<Check> {
  const holds = await hasEcdsaSignature(leaf, 'SHA-384', signature, signedBytes);
  return checkThat('SIGNATURE', holds, 'the endorsement key did not sign the report');
}

/** KDS Interface Specification, 57230, 3.1: who may sign what; a VLEK has an issuer of its own. */
export function checkSignerNames([leaf, ask, ark]: CertificateChain, { kind, product }: EndorsementKey): Check {
  const issuer = kind === 'VLEK' ? `SEV-VLEK-${product}` : `SEV-${product}`;
  const holds =
    leaf?.commonName === `SEV-${kind}` && ask?.commonName === issuer && ark?.commonName === `ARK-${product}`;
  return checkThat('SIGNER_NAME', holds, 'a signer has a name that may not sign this');
}

/** KDS Interface Specification, 57230, table 8: the certificate is for the TCB that the report gives. */
export function checkTcbVersion({ reportedTcb }: SnpReport, { tcb, product }: EndorsementKey): Check {
  const reported = readTcb(reportedTcb, product);
  const holds = TCB_PARTS.every((part) => reported[part] === tcb[part]);
  return checkThat('TCB_VERSION', holds, 'the certificate is for another TCB than the reported one');
}

/**
 * KDS Interface Specification, 57230, table 8, hwID: the certificate is for the chip that the report names. Where the
 * certificate's name of it is shorter, zeros follow in the report.
 */
export function checkChipId({ chipId, isChipMasked }: SnpReport, { hardwareId }: EndorsementKey): Check {
  if (hardwareId === null) return passed('CHIP_ID', 'a VLEK is for all chips of its provider');
  if (isChipMasked) return failed('CHIP_ID', 'the chip hides who it is, although its own key signed');
  return checkThat(
    'CHIP_ID',
    toHex(chipId) === hardwareId.padEnd(2 * chipId.length, '0'),
    'the certificate is for another chip',
  );
}

/** SEV-SNP ABI, table 9, DEBUG: the host could read and write the memory. */
export const checkDebug = (report: SnpReport): Check =>
  checkThat('DEBUG', !isDebug(report), 'the policy of the guest permits debugging: its memory can be read');

/** SEV-SNP ABI, table 9: the guest permits its host nothing that the policy does not, and sets no bit without meaning. */
export function checkGuestPolicy({ guestPolicy }: SnpReport, { permissions }: SnpPolicy): Check {
  if (!hasBit(guestPolicy, POLICY_BIT.one)) return failed('GUEST_POLICY', 'bit 17 is not set');
  const permitted = SNP_PERMISSIONS.filter((name) => permissions.includes(name)).map((name) => POLICY_BIT[name]);
  const known = new Set<number>([...HARMLESS_BITS, POLICY_BIT.one, POLICY_BIT.DEBUG, ...permitted]);
  for (let bit = 16; bit < 64; bit++) {
    if (hasBit(guestPolicy, bit) && !known.has(bit)) return failed('GUEST_POLICY', `bit ${bit} is set`);
  }
  return passed('GUEST_POLICY');
}

const TCB_PARTS = ['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const satisfies readonly (keyof SnpTcb)[];

/** SEV-SNP ABI, 2.2: the reported and the committed TCB (to which the host cannot fall back) reach the policy's. */
export function checkTcb(report: SnpReport, { product }: EndorsementKey, { minTcb }: SnpPolicy): Check {
  const below = [report.reportedTcb, report.committedTcb]
    .map((bytes) => readTcb(bytes, product))
    .flatMap((tcb) => TCB_PARTS.filter((part) => tcb[part] < minTcb[part]));
  return checkThat('TCB_STATUS', below.length === 0, `below the policy: ${[...new Set(below)].join(', ')}`);
}

/** SEV-SNP ABI, table 24, PLATFORM_INFO: every bit that the policy asks for is set. */
export function checkPlatformInfo({ platformInfo }: SnpReport, policy: SnpPolicy): Check {
  const wanted = fromHex(policy.platformInfo);
  const holds = platformInfo.every((byte, i) => (byte & wanted[i]!) === wanted[i]);
  return checkThat('PLATFORM_INFO', holds, 'the platform lacks a protection that the policy asks for');
}

/** SEV-SNP ABI, table 23, VMPL: the privilege level of whoever asked for the report. */
export const checkVmpl = ({ vmpl }: SnpReport, { vmpls }: SnpPolicy): Check =>
  checkThat('VMPL', vmpls.includes(vmpl), `privilege level ${vmpl} is not one of the policy`);

/** KDS Interface Specification, 57230, table 8, productName. */
export const checkProduct = ({ product }: EndorsementKey, { products }: SnpPolicy): Check =>
  checkThat('PRODUCT', products.includes(product), `${product} is not one of the policy's products`);

/** SEV-SNP ABI, table 23, CHIP_ID: the platform is one of the policy's, if it names any. */
export const checkPlatform = ({ chipId }: SnpReport, { chipIds }: SnpPolicy): Check =>
  chipIds.length === 0
    ? passed('PLATFORM', 'the policy names no chips')
    : checkThat('PLATFORM', chipIds.includes(toHex(chipId)), 'the chip is not one of the policy');

/** There is no runtime measurement register, so an event log would be believed by nobody's word. */
export const checkNoEvents = (events: readonly RuntimeEvent[]): Check =>
  events.length === 0
    ? skipped('RTMR', 'SEV-SNP has no runtime measurement register')
    : failed('RTMR', 'SEV-SNP has no runtime measurement register that would vouch for these events');

export const identityOf = (report: SnpReport): SnpIdentity => ({
  launchMeasurement: toHex(report.measurement),
  hostData: toHex(report.hostData),
  idKeyDigest: toHex(report.idKeyDigest),
  authorKeyDigest: toHex(report.authorKeyDigest),
  familyId: toHex(report.familyId),
  imageId: toHex(report.imageId),
  guestSvn: report.guestSvn,
});
