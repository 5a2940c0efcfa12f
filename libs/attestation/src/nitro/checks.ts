import { checkThat, equalBytes, failed, passed, skipped, toHex, type Check } from '@usufruct/kernel';
import type { RuntimeEvent } from '@usufruct/protocol';
import type { NitroIdentity, NitroPolicy } from '../policy/nitro-policy.js';
import { hasEcdsaSignature, type Certificate } from '../x509/certificate.js';
import { authorityFlaw, P384_CHAIN, pathFlaw, type CertificateChain } from '../x509/chain.js';
import type { NitroDocument } from './document.js';

/** PCR0 to PCR2: image, kernel and application; all zeros in an enclave that was started in debug mode. */
const CODE_REGISTERS = [0, 1, 2] as const;
const REPORT_DATA_BYTES = 64;
/** Clocks of hypervisor and verifier may differ a little. */
const CLOCK_SKEW_MS = 60_000;
const ROOT_NAME = 'aws.nitro-enclaves';

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** NSM API, attestation_process.md, 3.2.4 and RFC 9052 §4.4: ES384 by the key of the document's certificate. */
export async function checkSignature(document: NitroDocument, leaf: Certificate): Promise<Check> {
  const holds =
    leaf.maySignData && (await hasEcdsaSignature(leaf, 'SHA-384', document.signature, document.signedBytes));
  return checkThat('SIGNATURE', holds, 'the key of its certificate did not sign the document, or may not sign');
}

/** RFC 5280 §6.1: names, signatures and dates, all P-384 with SHA-384. */
export async function checkPath(chain: CertificateChain, nowMs: number): Promise<Check> {
  const flaw = await pathFlaw(chain, P384_CHAIN, nowMs);
  return checkThat('CHAIN', flaw === null, flaw ?? '');
}

/** RFC 5280 §4.2.1.9: every issuer is a CA for so many below it, and the signer of the document is none. */
export function checkIssuers(chain: CertificateChain): Check {
  const flaw = authorityFlaw(chain);
  return checkThat('ISSUER_NOT_CA', flaw === null, flaw ?? '');
}

/**
 * Names as the hypervisor's hierarchy has them: root 'aws.nitro-enclaves', issuers below that name, and a signer that is
 * named after the module of the document.
 */
export function checkSignerNames([leaf, ...issuers]: CertificateChain, { moduleId }: NitroDocument): Check {
  const names = issuers.map(({ commonName }) => commonName);
  const holds =
    names.at(-1) === ROOT_NAME &&
    names.slice(0, -1).every((name) => name.endsWith(`.${ROOT_NAME}`)) &&
    (leaf?.commonName.startsWith(`${moduleId}.`) ?? false);
  return checkThat('SIGNER_NAME', holds, 'a signer has a name that may not sign this');
}

export const isDebug = ({ pcrs }: NitroDocument): boolean =>
  CODE_REGISTERS.some((index) => isZero(pcrs.get(index) ?? new Uint8Array()));

/** AWS Nitro Enclaves User Guide, attestation: registers of zeros mean debug mode, in which the console can be read. */
export const checkDebug = (document: NitroDocument): Check =>
  checkThat('DEBUG', !isDebug(document), 'PCR0, PCR1 or PCR2 is zero or not there: the enclave runs in debug mode');

/** The document is as young as the policy wants it, and not from the future. */
export function checkTimestamp({ timestampMs }: NitroDocument, { maxAgeMs }: NitroPolicy, nowMs: number): Check {
  if (timestampMs > nowMs + CLOCK_SKEW_MS) return failed('TIMESTAMP', 'the document is from the future');
  return checkThat('TIMESTAMP', nowMs - timestampMs <= maxAgeMs, 'the document is older than the policy allows');
}

/** Registers besides the code's: each that the policy names has one of its values. */
export function checkRegisters({ pcrs }: NitroDocument, { registers }: NitroPolicy): Check {
  for (const { index, values } of registers) {
    const pcr = pcrs.get(index);
    if (pcr === undefined || !values.includes(toHex(pcr))) return failed('PCRS', `PCR${index} is not approved`);
  }
  return registers.length === 0 ? passed('PCRS', 'the policy names no further register') : passed('PCRS');
}

/** ATTESTATION.md, Binding: the user data is report data, 64 bytes. What it binds is judged by NONCE and BINDING. */
export const checkUserData = ({ userData }: NitroDocument): Check =>
  checkThat('USER_DATA', userData?.length === REPORT_DATA_BYTES, 'the user data is not 64 bytes of report data');

/** The nonce of the document is the challenge that report data ends in: who only knows Nitro sees it there. */
export function checkDocumentNonce({ nonce, userData }: NitroDocument): Check {
  if (userData?.length !== REPORT_DATA_BYTES) return skipped('DOCUMENT_NONCE', 'there is no report data');
  const holds = nonce !== null && equalBytes(nonce, userData.subarray(REPORT_DATA_BYTES / 2));
  return checkThat('DOCUMENT_NONCE', holds, 'the nonce is not the challenge of the report data');
}

/** The public key of the document, if it has one, is the key that secrets will be sealed to. */
export function checkPublicKey({ publicKey }: NitroDocument, hpkePublicKey: Uint8Array): Check {
  if (publicKey === null) return skipped('PUBLIC_KEY', 'the document names no key; report data binds it');
  return checkThat('PUBLIC_KEY', equalBytes(publicKey, hpkePublicKey), 'the document names another key');
}

/** There is no runtime measurement register that an event log could be checked against. */
export const checkNoEvents = (events: readonly RuntimeEvent[]): Check =>
  events.length === 0
    ? skipped('RTMR', 'an enclave has no runtime measurement register')
    : failed('RTMR', 'an enclave has no runtime measurement register that would vouch for these events');

const pcrHex = ({ pcrs }: NitroDocument, index: number): string => toHex(pcrs.get(index) ?? new Uint8Array(48));
export const identityOf = (document: NitroDocument): NitroIdentity => ({
  pcr0: pcrHex(document, 0),
  pcr1: pcrHex(document, 1),
  pcr2: pcrHex(document, 2),
});
