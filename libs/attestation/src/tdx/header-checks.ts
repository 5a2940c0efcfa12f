import { checkThat, equalBytes, fromHex, type Check } from '@usufruct/kernel';
import { QUOTE_VERSIONS, type QuoteHeader } from './quote.js';

const TEE_TYPE_TDX = 0x81;
const ECDSA_P256 = 2;
const INTEL_QE_VENDOR = fromHex('939a7233f79c4ca9940a0db3957f0607');

/** Quote header, version (Intel TDX DCAP Quoting Library API, A.3.1 and A.4.1). Version 3 is SGX's. */
export const checkVersion = ({ version }: QuoteHeader): Check =>
  checkThat('VERSION', QUOTE_VERSIONS.includes(version), `quote version ${version}, not 4 or 5`);

/** Quote header, TEE type (A.3.1): 0 is SGX. */
export const checkTeeType = ({ teeType }: QuoteHeader): Check =>
  checkThat('TEE_TYPE', teeType === TEE_TYPE_TDX, 'the quote is not of a TD');

/** Quote header, vendor of the quoting enclave (A.3.1): Intel. */
export const checkQeVendor = ({ qeVendorId }: QuoteHeader): Check =>
  checkThat('QE_VENDOR', equalBytes(qeVendorId, INTEL_QE_VENDOR), "the quoting enclave is not Intel's");

/** Quote header, attestation key type (A.3.1): ECDSA P-256; Intel defines a P-384 one and signs with none yet. */
export const checkAttestationKeyType = ({ attestationKeyType }: QuoteHeader): Check =>
  checkThat('ATTESTATION_KEY_TYPE', attestationKeyType === ECDSA_P256, 'the attestation key is not ECDSA P-256');
