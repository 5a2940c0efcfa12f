import { checkThat, failed, passed, skipped, type Check } from '@usufruct/kernel';
import type { Certificate } from './certificate.js';
import { isCrlSignedBy, type CrlSignature, type RevocationList } from './crl.js';

/** A list with the certificate that must have issued it. */
export interface IssuedList {
  readonly list: RevocationList;
  readonly issuer: Certificate;
}

/** The lists, or which of them is missing or malformed. */
export type ReadLists = readonly IssuedList[] | { readonly flaw: string };

/** RFC 5280 §5.1.2.3: each list names the CA whose certificates it revokes as its issuer. */
export const checkCrlIssuers = (lists: readonly IssuedList[]): Check =>
  checkThat(
    'CRL_ISSUER',
    lists.every(({ list, issuer }) => list.issuer === issuer.subject),
    'a list has another issuer than the CA whose certificates it is for',
  );

/** RFC 5280 §5.1.1.3: each list is signed by that CA. */
export async function checkCrlSignatures(lists: readonly IssuedList[], signedWith: CrlSignature): Promise<Check> {
  const signed = await Promise.all(lists.map(({ list, issuer }) => isCrlSignedBy(list, issuer, signedWith)));
  return checkThat('CRL_SIGNATURE', signed.every(Boolean), 'a list is not signed by its CA');
}

/** RFC 5280 §5.1.2.4, §5.1.2.5: now lies between thisUpdate and nextUpdate of each list. */
export const checkCrlValidity = (lists: readonly IssuedList[], nowMs: number): Check =>
  checkThat(
    'CRL_STALE',
    lists.every(({ list }) => nowMs >= list.thisUpdateMs && nowMs <= list.nextUpdateMs),
    'a list is not current',
  );

/**
 * RFC 5280 §6.3.3: none of the certificates is in the list of its issuer, and for each there is such a list. A root,
 * which issued itself, is looked up in its own.
 */
export function checkRevocation(certificates: readonly Certificate[], lists: readonly IssuedList[]): Check {
  for (const certificate of certificates) {
    const own = lists.filter(({ list }) => list.issuer === certificate.issuer);
    if (own.length === 0) return failed('REVOKED', 'there is no list for one of the issuers');
    if (own.some(({ list }) => list.revoked.has(certificate.serial))) {
      return failed('REVOKED', `revoked: ${certificate.commonName}`);
    }
  }
  return passed('REVOKED');
}

export const CRL_CHECKS = ['CRL_ISSUER', 'CRL_SIGNATURE', 'CRL_STALE', 'REVOKED'] as const;

/** What is looked up where, and how the lists are signed. */
export interface Lookup {
  readonly lists: ReadLists;
  readonly certificates: readonly Certificate[];
  readonly signedWith: CrlSignature;
}

/** Every check of the lists; when they could not be read, one failed check and why the others were not made. */
export async function checkLists({ lists, certificates, signedWith }: Lookup, nowMs: number): Promise<Check[]> {
  if ('flaw' in lists) {
    return [
      failed('CRL_PARSE', lists.flaw),
      ...CRL_CHECKS.map((name) => skipped(name, 'there are no lists to look in')),
    ];
  }
  return [
    passed('CRL_PARSE'),
    checkCrlIssuers(lists),
    await checkCrlSignatures(lists, signedWith),
    checkCrlValidity(lists, nowMs),
    checkRevocation(certificates, lists),
  ];
}
