import { checkThat, concatBytes, equalBytes, failed, type Check } from '@usufruct/kernel';
import { hasEcdsaSignature, type Certificate } from '../x509/certificate.js';
import type { SignedDocument } from './collateral.js';
import type { TdxQuote } from './quote.js';

/** A.3.8, signature of the quote: the attestation key signed header and body. */
export async function checkQuoteSignature({ attestationKey, signature, signedBytes }: TdxQuote): Promise<Check> {
  const holds = await verifiesRaw(attestationKey, signature, signedBytes);
  return checkThat('SIGNATURE', holds, 'the attestation key did not sign header and body');
}

/** A.3.11, signature of the QE report: the PCK signed it. */
export async function checkQeReportSignature(quote: TdxQuote, pck: Certificate): Promise<Check> {
  const holds = await hasEcdsaSignature(pck, 'SHA-256', quote.qeReportSignature, quote.qeReportBytes);
  return checkThat('QE_REPORT_SIGNATURE', holds, "the platform's PCK did not sign the report of the quoting enclave");
}

/** A.3.11, QE report: its report data is SHA-256(attestation key ‖ authentication data) and 32 zeros. */
export async function checkQeReportData(quote: TdxQuote): Promise<Check> {
  const bound = concatBytes(quote.attestationKey, quote.qeAuthenticationData);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bound));
  const expected = concatBytes(digest, new Uint8Array(32));
  return checkThat(
    'QE_REPORT_DATA',
    equalBytes(quote.qeReport.reportData, expected),
    'the quoting enclave does not vouch for this attestation key',
  );
}

/** PCS API v4, TCB info: signed by the TCB signing certificate. */
export const checkTcbInfoSignature = (document: SignedDocument<unknown>): Promise<Check> =>
  checkDocument('TCB_INFO_SIGNATURE', document);

/** PCS API v4, enclave identity: signed by the TCB signing certificate. */
export const checkQeIdentitySignature = (document: SignedDocument<unknown>): Promise<Check> =>
  checkDocument('QE_IDENTITY_SIGNATURE', document);

async function checkDocument(name: string, { chain, signature, signedBytes }: SignedDocument<unknown>): Promise<Check> {
  const [leaf] = chain;
  if (leaf === undefined) return failed(name, 'there is no certificate of its signer');
  const holds = await hasEcdsaSignature(leaf, 'SHA-256', signature, signedBytes);
  return checkThat(name, holds, 'not signed by the leaf of its chain');
}

/** With a raw key of 64 bytes, x ‖ y on P-256; importing refuses a point that is not on the curve. */
async function verifiesRaw(key: Uint8Array, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  try {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
    const point = concatBytes(Uint8Array.of(4), key);
    const imported = await crypto.subtle.importKey('raw', point, algorithm, false, ['verify']);
    const parameters = { name: 'ECDSA', hash: 'SHA-256' };
    return await crypto.subtle.verify(parameters, imported, Uint8Array.from(signature), Uint8Array.from(message));
  } catch {
    return false;
  }
}
