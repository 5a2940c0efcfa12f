import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { inspectTdx, pinnedRoots, productionRoots, TDX_ENDORSEMENTS, type TdxPolicy } from '@usufruct/attestation';
import { fromHex, utf8 } from '@usufruct/kernel';
import { bareVerification } from './bare-library.ts';

/** A real quote of version 4 with Intel's collateral; no part of this repository. */
const EVIDENCE_DIR = resolve(process.env['EVIDENCE_DIR'] ?? join(import.meta.dirname, '../../../../shared/evidence'));
export const RECORDED = join(EVIDENCE_DIR, 'tdx/tdx_quote');
/** When the recorder found it up to date. */
const NOW_MS = 1_752_916_563_000;
const POLICY: TdxPolicy = {
  version: 1,
  tcbStatuses: ['UpToDate'],
  advisories: [],
  minTcbEvaluationDataNumber: 17,
  ppids: [],
  tdAttributesAllowed: '0000000000000000',
  xfams: ['e700060000000000', 'e702060000000000', 'e718060000000000'],
  requiredEvents: [],
};

/** The two verifications of the recorded quote. Its report data are another's, so the strict one is without a binding. */
export function recordedQuote(): { readonly bare: () => void; readonly strict: () => Promise<void> } {
  const quote = Uint8Array.from(readFileSync(RECORDED));
  const collateral = JSON.parse(readFileSync(`${RECORDED}_collateral.json`, 'utf8')) as Record<string, string>;
  const fmspc = (JSON.parse(collateral['tcb_info']!) as { fmspc: string }).fmspc.toLowerCase();
  const { rootCrl, pckCrl, tcbInfo, tcbInfoChain, qeIdentity, qeIdentityChain } = TDX_ENDORSEMENTS;
  const signed = (member: string, name: string): Uint8Array =>
    utf8(`{"${member}":${collateral[name]},"signature":"${collateral[`${name}_signature`]}"}`);
  const context = {
    nowMs: NOW_MS,
    policy: POLICY,
    roots: pinnedRoots(productionRoots(), 'intel'),
    endorsements: {
      [rootCrl]: fromHex(collateral['root_ca_crl']!),
      [pckCrl('platform')]: fromHex(collateral['pck_crl']!),
      [tcbInfo(fmspc)]: signed('tcbInfo', 'tcb_info'),
      [tcbInfoChain]: utf8(collateral['tcb_info_issuer_chain']!),
      [qeIdentity]: signed('enclaveIdentity', 'qe_identity'),
      [qeIdentityChain]: utf8(collateral['qe_identity_issuer_chain']!),
    },
  };
  const chain = collateral['tcb_info_issuer_chain']!.split(/(?<=-----END CERTIFICATE-----)/);
  const root = new X509Certificate(chain[1]!).raw;
  return {
    bare: bareVerification(quote, collateral, root, NOW_MS),
    strict: async () => {
      const { checks } = await inspectTdx({ quote, eventLog: [] }, context);
      const failed = checks.filter(({ status }) => status === 'failed').map(({ name }) => name);
      if (failed.length > 0) throw new Error(`refused: ${failed.join(', ')}`);
    },
  };
}
