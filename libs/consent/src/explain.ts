import type { UsufructError } from '@usufruct/kernel';
import type { GrantTerms } from '@usufruct/protocol';
import { duoModifier, purposeLabel } from './vocabulary.js';

const KINDS = { rag: 'answering questions', train: 'training a model', stats: 'statistics' } as const;
const PROTECTIONS = {
  tee: 'a trusted execution environment',
  mpc: 'multi-party computation',
  fhe: 'homomorphic encryption',
} as const;

export interface ExplainOptions {
  /** Write an amount of the escrow coin's smallest units for people. */
  readonly amount: (units: bigint) => string;
  /** Write a time for people. */
  readonly time: (atMs: number) => string;
}

/** What a grant allows, one sentence a line, for somebody about to sign it. */
export function explainTerms(terms: GrantTerms, { amount, time }: ExplainOptions): string[] {
  return [
    `May be used for: ${terms.purposes.map(purposeLabel).join(', ') || 'nothing'}.`,
    `By: ${terms.kinds.map((kind) => KINDS[kind]).join(', ') || 'nothing'}.`,
    `Protected by: ${terms.protections.map((protection) => PROTECTIONS[protection]).join(' or ') || 'nothing'}.`,
    `For at least ${amount(terms.priceFloorUnits)} a question or job.`,
    `With a privacy budget of ε = ${epsilon(String(terms.budgetMicroEpsilon))} for training and statistics.`,
    `Until ${time(terms.expiresAtMs)}, unless revoked before. Revoking stops the next release of the key; it cannot recall what was used already.`,
  ];
}

/** What a refusal of `decide` means and what would satisfy the rule, in one or two sentences. */
export function explainRefusal({ code, entry, details }: UsufructError, { amount, time }: ExplainOptions): string {
  const asked = details['asked'] ?? '';
  const allowed = details['allowed'] ?? '';
  const whose = details['rule']?.startsWith('policy.') ? 'The policy of the DAO' : 'The grant';
  switch (code) {
    case 'PURPOSE_DENIED':
      return details['unverifiable'] === undefined
        ? `${whose} does not cover "${purposeLabel(asked)}". It allows: ${labels(allowed)}.`
        : `${whose} carries conditions that cannot be checked yet (${conditions(details['unverifiable'])}), so it allows nothing.`;
    case 'SCOPE_MISMATCH':
      return `${whose} does not allow "${asked}". It allows: ${allowed || 'nothing'}.`;
    case 'GRANT_REVOKED':
      return `The grant was revoked ${time(Number(details['revokedAtMs']))}. The contributor must grant again.`;
    case 'GRANT_EXPIRED':
      return `The grant ended ${time(Number(details['expiredAtMs']))}. The contributor must grant again.`;
    case 'TOMBSTONED': {
      const what = details['rule']?.startsWith('dataset.') ? 'dataset' : 'contribution';
      return `The ${what} was retired for good ${time(Number(details['tombstonedAtMs']))}. No key of it is released again, and no grant changes that.`;
    }
    case 'LICENCE_EXPIRED':
      return `The licence ended ${time(Number(details['expiredAtMs']))}. Buy a new one.`;
    case 'BUDGET_EXHAUSTED':
      return `The privacy budget of the grant is ε = ${epsilon(details['grantedMicroEpsilon'])}; ${epsilon(details['spentMicroEpsilon'])} of it is spent and ${epsilon(details['neededMicroEpsilon'])} would be needed.`;
    case 'ATTESTATION_REFUSED':
      return details['rule'] === 'attestation.measurement'
        ? `The DAO does not approve the code that the evidence measures (${asked}). Its members must approve it, or the runner must run approved code.`
        : `${entry.message}. ${entry.remedy}`;
    case 'PRICE_BELOW_FLOOR':
      return `The price is ${amount(BigInt(asked))}; the contributor asks for at least ${amount(BigInt(details['floorUnits'] ?? '0'))}.`;
    default:
      return `${entry.message}. ${entry.remedy}`;
  }
}

/** `IRB: ethics approval required` where the code is known. */
const conditions = (codes: string): string =>
  codes
    .split(', ')
    .map((code) => {
      const known = duoModifier(code);
      return known === undefined ? code : `${code}, ${known.label}: needs ${known.needs}`;
    })
    .join('; ');

const epsilon = (micro: string | undefined): string =>
  micro !== undefined && /^-?\d+$/.test(micro) ? String(Number(micro) / 1_000_000) : (micro ?? 'not stated');

const labels = (codes: string): string => (codes === '' ? 'nothing' : codes.split(', ').map(purposeLabel).join(', '));
