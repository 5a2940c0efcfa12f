import { checkThat, failed, passed, skipped, type Check } from '@usufruct/kernel';
import type { Endorsements } from '../types.js';
import type { Certificate } from '../x509/certificate.js';
import { isCrlSignedBy, parseCrl, type RevocationList } from '../x509/crl.js';
import { pckCaOf, type TdxChains } from './chain-checks.js';
import { TDX_ENDORSEMENTS } from './collateral.js';

/** A list with the certificate that must have issued it. */
export interface IssuedList {
  readonly list: RevocationList;
  readonly issuer: Certificate;
}

/** The lists, or which of them is missing or malformed. */
export type ReadLists = readonly IssuedList[] | { readonly flaw: string };

/** The root's list and the one of the CA that issued the PCK certificate. */
export function readLists(endorsements: Endorsements, chains: TdxChains): ReadLists {
  const ca = pckCaOf(chains.pck);
  const [, pckCa, root] = chains.pck;
  if (ca === null || pckCa === undefined || root === undefined) return { flaw: 'the PCK certificate has no known CA' };
  const wanted = [
    { name: TDX_ENDORSEMENTS.rootCrl, issuer: root },
    { name: TDX_ENDORSEMENTS.pckCrl(ca), issuer: pckCa },
  ];
  const lists: IssuedList[] = [];
  for (const { name, issuer } of wanted) {
    const bytes = endorsements[name];
    const list = bytes && parseCrl(bytes);
    if (!list) return { flaw: `${name} is ${bytes === undefined ? 'missing' : 'malformed'}` };
    lists.push({ list, issuer });
  }
  return lists;
}

/** RFC 5280 §5.1.2.3: each list names the CA whose certificates it revokes as its issuer. */
export const checkCrlIssuers = (lists: readonly IssuedList[]): Check =>
  checkThat(
    'CRL_ISSUER',
    lists.every(({ list, issuer }) => list.issuer === issuer.subject),
    'a list has another issuer than the CA whose certificates it is for',
  );

/** RFC 5280 §5.1.1.3: each list is signed by that CA. */
export async function checkCrlSignatures(lists: readonly IssuedList[]): Promise<Check> {
  for (const { list, issuer } of lists) {
    if (!(await isCrlSignedBy(list, issuer))) return failed('CRL_SIGNATURE', 'a list is not signed by its CA');
  }
  return passed('CRL_SIGNATURE');
}

/** RFC 5280 §5.1.2.4, §5.1.2.5: now lies between thisUpdate and nextUpdate of each list. */
export const checkCrlValidity = (lists: readonly IssuedList[], nowMs: number): Check =>
  checkThat(
    'CRL_STALE',
    lists.every(({ list }) => nowMs >= list.thisUpdateMs && nowMs <= list.nextUpdateMs),
    'a list is not current',
  );

/**
 * RFC 5280 §6.3.3: no certificate of any chain is in the list of its issuer, and for each certificate there is such a
 * list. The root, which issued itself, is looked up in its own.
 */
export function checkRevocation(chains: TdxChains, lists: readonly IssuedList[]): Check {
  for (const certificate of [...chains.pck, ...chains.tcbInfo, ...chains.qeIdentity]) {
    const own = lists.filter(({ list }) => list.issuer === certificate.issuer);
    if (own.length === 0) return failed('REVOKED', 'there is no list for one of the issuers');
    if (own.some(({ list }) => list.revoked.has(certificate.serial))) {
      return failed('REVOKED', `revoked: ${certificate.commonName}`);
    }
  }
  return passed('REVOKED');
}

export const CRL_CHECKS = ['CRL_ISSUER', 'CRL_SIGNATURE', 'CRL_STALE', 'REVOKED'] as const;

/** Every check of the lists; when they could not be read, one failed check and why the others were not made. */
export async function checkLists(lists: ReadLists, chains: TdxChains, nowMs: number): Promise<Check[]> {
  if ('flaw' in lists) {
    return [
      failed('CRL_PARSE', lists.flaw),
      ...CRL_CHECKS.map((name) => skipped(name, 'there are no lists to look in')),
    ];
  }
  return [
    passed('CRL_PARSE'),
    checkCrlIssuers(lists),
    await checkCrlSignatures(lists),
    checkCrlValidity(lists, nowMs),
    checkRevocation(chains, lists),
  ];
}
