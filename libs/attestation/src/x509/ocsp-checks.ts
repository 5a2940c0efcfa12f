import { checkThat, failed, passed, skipped, toHex, type Check } from '@usufruct/kernel';
import { hasEcdsaSignature, isSignedBy, keyBits, purposesOf, type Certificate } from './certificate.js';
import { rawEcdsa } from './der-values.js';
import { encodeObjectId } from './der.js';
import type { OcspResponse } from './ocsp.js';
import { certificateIdOf } from './ocsp-request.js';

/** What was asked about, and the answer; null where there is none or it is malformed. */
export interface OcspAnswer {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  readonly response: OcspResponse | null;
}

export const OCSP_CHECKS = [
  'OCSP_PARSE',
  'OCSP_CERT_ID',
  'OCSP_RESPONDER',
  'OCSP_SIGNATURE',
  'OCSP_STALE',
  'OCSP_STATUS',
] as const;

const OCSP_SIGNING = toHex(encodeObjectId('1.3.6.1.5.5.7.3.9'));
/** Key usage, basic constraints and, for responders, extended key usage are understood here. */
const UNDERSTOOD: ReadonlySet<string> = new Set(['2.5.29.15', '2.5.29.19', '2.5.29.37']);
const SIGNATURE_HALF = 48;

/** Every check of the answers, each about all of them: a check fails if it fails for one. */
export async function checkOcsp(answers: readonly OcspAnswer[], nowMs: number): Promise<Check[]> {
  const read = answers.filter((answer): answer is ReadAnswer => answer.response !== null);
  if (read.length !== answers.length) {
    const rest = OCSP_CHECKS.slice(1).map((name) => skipped(name, 'an answer could not be read'));
    return [failed('OCSP_PARSE', 'an answer is missing or malformed, or says that there is none'), ...rest];
  }
  const responders = await Promise.all(read.map((answer) => responderOf(answer, nowMs)));
  return [
    passed('OCSP_PARSE'),
    await checkCertificateIds(read),
    checkResponders(responders),
    await checkSignatures(read, responders),
    checkTimes(read, nowMs),
    checkStatuses(read),
  ];
}

type ReadAnswer = OcspAnswer & { readonly response: OcspResponse };

/** RFC 6960 §3.2, 1: each answer is about the certificate that was asked about. */
async function checkCertificateIds(answers: readonly ReadAnswer[]): Promise<Check> {
  for (const { certificate, issuer, response } of answers) {
    const expected = await certificateIdOf(certificate, issuer, response.about.hash);
    const { issuerNameHash, issuerKeyHash, serial } = response.about;
    const holds =
      issuerNameHash === expected.issuerNameHash &&
      issuerKeyHash === expected.issuerKeyHash &&
      serial === expected.serial;
    if (!holds) return failed('OCSP_CERT_ID', 'an answer is about another certificate');
  }
  return passed('OCSP_CERT_ID');
}

/** RFC 6960 §4.2.2.2: who answers is the issuer, or whom the issuer itself named for this. */
const checkResponders = (responders: readonly (Certificate | null)[]): Check =>
  checkThat('OCSP_RESPONDER', !responders.includes(null), 'an answer is from somebody who may not give it');

/** The signer of an answer if it may sign it; null if not, or if it is not there. */
async function responderOf({ issuer, response }: ReadAnswer, nowMs: number): Promise<Certificate | null> {
  for (const candidate of [issuer, ...response.certificates]) {
    if (!(await isNamed(candidate, response))) continue;
    const may = candidate.fingerprint === issuer.fingerprint || (await isDelegated(candidate, issuer, nowMs));
    return may ? candidate : null;
  }
  return null;
}

/** RFC 6960 §4.2.2.3: by name, or by the SHA-1 of its key, which only looks it up. */
async function isNamed(candidate: Certificate, { responderName, responderKeyHash }: OcspResponse): Promise<boolean> {
  if (responderName !== '') return candidate.subject === responderName;
  const digest = await crypto.subtle.digest('SHA-1', Uint8Array.from(keyBits(candidate)));
  return toHex(new Uint8Array(digest)) === responderKeyHash;
}

/** Issued by the issuer directly, for OCSP signing and nothing that makes it a CA, and valid now. */
async function isDelegated(responder: Certificate, issuer: Certificate, nowMs: number): Promise<boolean> {
  const isMeant =
    purposesOf(responder).includes(OCSP_SIGNING) &&
    responder.maySignData &&
    !responder.isAuthority &&
    !responder.maySignCertificates &&
    responder.critical.every((type) => UNDERSTOOD.has(type));
  const isCurrent = nowMs >= responder.notBeforeMs && nowMs <= responder.notAfterMs;
  const isIssued = responder.issuer === issuer.subject && responder.signedWith === 'ecdsa-p384-sha384';
  return isMeant && isCurrent && isIssued && isSignedBy(responder, issuer);
}

/** RFC 6960 §3.2, 2: ECDSA P-384 with SHA-384 by that signer. */
async function checkSignatures(
  answers: readonly ReadAnswer[],
  responders: readonly (Certificate | null)[],
): Promise<Check> {
  for (const [i, { response }] of answers.entries()) {
    const responder = responders[i];
    if (!responder) return skipped('OCSP_SIGNATURE', 'nobody may have signed one of the answers');
    if (!(await isSigned(response, responder)))
      return failed('OCSP_SIGNATURE', 'an answer is not signed by who gives it');
  }
  return passed('OCSP_SIGNATURE');
}

async function isSigned(response: OcspResponse, responder: Certificate): Promise<boolean> {
  if (!response.isEcdsaSha384) return false;
  try {
    const signature = rawEcdsa(response.signature, SIGNATURE_HALF);
    return await hasEcdsaSignature(responder, 'SHA-384', signature, response.signedBytes);
  } catch {
    return false;
  }
}

/** RFC 6960 §3.2, 5 and 6: now lies between thisUpdate and nextUpdate. */
const checkTimes = (answers: readonly ReadAnswer[], nowMs: number): Check =>
  checkThat(
    'OCSP_STALE',
    answers.every(({ response }) => nowMs >= response.thisUpdateMs && nowMs <= response.nextUpdateMs),
    'an answer is not current',
  );

/** RFC 6960 §2.2: only good is good; a responder that does not know a certificate affirms nothing. */
function checkStatuses(answers: readonly ReadAnswer[]): Check {
  const bad = answers.find(({ response }) => response.status !== 'good');
  return bad === undefined
    ? passed('OCSP_STATUS')
    : failed('OCSP_STATUS', `${bad.response.status}: ${bad.certificate.commonName}`);
}

/** When the first answer must be asked for again, or a certificate that came with one expires. */
export const ocspUntilMs = (answers: readonly OcspAnswer[]): number =>
  Math.min(...answers.map(({ response }) => (response === null ? 0 : answeredUntilMs(response))));

/** The same of one answer. */
export const answeredUntilMs = ({ nextUpdateMs, certificates }: OcspResponse): number =>
  Math.min(nextUpdateMs, ...certificates.map(({ notAfterMs }) => notAfterMs));
