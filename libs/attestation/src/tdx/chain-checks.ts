import { checkThat, failed, passed, type Check } from '@usufruct/kernel';
import { authorityFlaw, checkRoot, pathFlaw, type CertificateChain, type ChainProfile } from '../x509/chain.js';
import type { PckCa } from './collateral.js';

/** The three chains of an appraisal; each ends in the root that it was sent with. */
export interface TdxChains {
  /** PCK certificate, its CA, root. */
  readonly pck: CertificateChain;
  /** TCB signing certificate, root. */
  readonly tcbInfo: CertificateChain;
  readonly qeIdentity: CertificateChain;
}

/** SGX PCK Certificate and CRL Profile, §1.3: everything is ECDSA P-256 with SHA-256. */
export const INTEL: ChainProfile = { signedWith: 'ecdsa-p256-sha256', leafCurve: 'P-256' };
const LENGTHS: Readonly<Record<keyof TdxChains, number>> = { pck: 3, tcbInfo: 2, qeIdentity: 2 };
export const PCK_CAS: Readonly<Record<string, PckCa>> = {
  'Intel SGX PCK Platform CA': 'platform',
  'Intel SGX PCK Processor CA': 'processor',
};
const PCK_NAME = 'Intel SGX PCK Certificate';
export const TCB_SIGNING_NAME = 'Intel SGX TCB Signing';

const named = (chains: TdxChains): readonly (readonly [keyof TdxChains, CertificateChain])[] => [
  ['pck', chains.pck],
  ['tcbInfo', chains.tcbInfo],
  ['qeIdentity', chains.qeIdentity],
];

/** Each chain ends in Intel's root, byte for byte. */
export const checkRoots = ({ pck, tcbInfo, qeIdentity }: TdxChains, pinned: readonly string[]): Check =>
  checkRoot([pck, tcbInfo, qeIdentity], pinned);

/** RFC 5280 §6.1: exact length, issuer names, signatures and validity of all three chains. */
export async function checkChains(chains: TdxChains, nowMs: number): Promise<Check> {
  const flaws = await Promise.all(
    named(chains).map(async ([name, chain]) => {
      const isLong = chain.length === LENGTHS[name];
      const flaw = isLong ? await pathFlaw(chain, INTEL, nowMs) : `${chain.length} certificates, not ${LENGTHS[name]}`;
      return flaw === null ? null : failed('CHAIN', `${name}: ${flaw}`);
    }),
  );
  return flaws.find((flaw) => flaw !== null) ?? passed('CHAIN');
}

/** RFC 5280 §4.2.1.9: in all three chains every issuer is a CA and no leaf is. */
export function checkIssuers(chains: TdxChains): Check {
  for (const [name, chain] of named(chains)) {
    const flaw = authorityFlaw(chain);
    if (flaw !== null) return failed('ISSUER_NOT_CA', `${name}: ${flaw}`);
  }
  return passed('ISSUER_NOT_CA');
}

/**
 * SGX PCK Certificate and CRL Profile, §1.3: who may sign what. Without it a PCK key, which is in the field by the
 * million, could sign TCB info: one that is extracted would lift every revocation.
 */
export function checkSignerNames({ pck, tcbInfo, qeIdentity }: TdxChains): Check {
  const isTcbSigner = (chain: CertificateChain): boolean => chain[0]?.commonName === TCB_SIGNING_NAME;
  const holds =
    pck[0]?.commonName === PCK_NAME && pckCaOf(pck) !== null && isTcbSigner(tcbInfo) && isTcbSigner(qeIdentity);
  return checkThat('SIGNER_NAME', holds, 'a signer has a name that may not sign this');
}

/** Which CA issued the PCK certificate, and therefore whose list may revoke it; null for any other name. */
export const pckCaOf = (pck: CertificateChain): PckCa | null => PCK_CAS[pck[1]?.commonName ?? ''] ?? null;
