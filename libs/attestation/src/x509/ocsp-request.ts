import { concatBytes, fromHex, toHex } from '@usufruct/kernel';
import { keyBits, parseCertificate, type Certificate } from './certificate.js';
import { DER_TAG, encodeObjectId } from './der.js';
import type { OcspCertificateId } from './ocsp.js';

/** RFC 6960 §4.1.1, CertID: the issuer by the hashes of its name and key, the certificate by its serial number. */
export async function certificateIdOf(
  certificate: Certificate,
  issuer: Certificate,
  hash: OcspCertificateId['hash'],
): Promise<OcspCertificateId> {
  const digest = async (bytes: Uint8Array): Promise<string> =>
    toHex(new Uint8Array(await crypto.subtle.digest(hash, Uint8Array.from(bytes))));
  const [issuerNameHash, issuerKeyHash] = await Promise.all([digest(fromHex(issuer.subject)), digest(keyBits(issuer))]);
  return { hash, issuerNameHash, issuerKeyHash, serial: certificate.serial };
}

/**
 * What to ask a responder about a certificate: an OCSPRequest in DER (RFC 6960 §4.1.1) with SHA-384, which is what
 * NVIDIA's responder wants, and without a nonce, so that the answer can be kept. Null unless both are certificates.
 */
export async function encodeOcspRequest(certificateDer: Uint8Array, issuerDer: Uint8Array): Promise<Uint8Array | null> {
  const [certificate, issuer] = [parseCertificate(certificateDer), parseCertificate(issuerDer)];
  if (certificate === null || issuer === null) return null;
  const { issuerNameHash, issuerKeyHash, serial } = await certificateIdOf(certificate, issuer, 'SHA-384');
  const identifier = encodeObjectId('2.16.840.1.101.3.4.2.2');
  const algorithm = element(DER_TAG.sequence, element(DER_TAG.objectId, identifier), element(DER_TAG.null));
  const id = element(
    DER_TAG.sequence,
    algorithm,
    element(DER_TAG.octetString, fromHex(issuerNameHash)),
    element(DER_TAG.octetString, fromHex(issuerKeyHash)),
    element(DER_TAG.integer, fromHex(serial)),
  );
  // OCSPRequest { tbsRequest { requestList { Request { reqCert } } } }
  return [1, 2, 3, 4].reduce<Uint8Array>((inner) => element(DER_TAG.sequence, inner), id);
}

/** One element of DER of less than 256 bytes, as everything here is. */
function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const contents = concatBytes(...parts);
  const length = contents.length < 0x80 ? [contents.length] : [0x81, contents.length];
  return concatBytes(Uint8Array.of(tag, ...length), contents);
}
