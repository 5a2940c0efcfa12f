import {
  checkThat,
  failed,
  passed,
  skipped,
  verdictOf,
  type Address,
  type Check,
  type Verdict,
} from '@usufruct/kernel';
import { walletStatementBytes, type GrantView } from '@usufruct/protocol';
import { zConsentFacts, zConsentProof, type ConsentFacts, type ConsentProof } from './consent-facts.js';
import {
  consentReceipt,
  consentReceiptDigest,
  consentReceiptStatement,
  notStated,
  withoutProof,
} from './consent-receipt.js';
import { canonicalJson, toJson, type JsonObject } from './json.js';

/** Every check, in the order in which it is made. */
export const CONSENT_RECEIPT_CHECKS = ['FORM', 'DOCUMENT', 'CONSISTENT', 'FIELDS', 'SIGNATURE', 'ON_CHAIN'] as const;
type CheckName = (typeof CONSENT_RECEIPT_CHECKS)[number];

export interface VerifyConsentReceiptOptions {
  /** Resolves when the wallet of `address` signed `message` as a personal message, rejects otherwise. */
  readonly verifySignature: (signed: {
    readonly address: Address;
    readonly message: Uint8Array;
    readonly signature: string;
  }) => Promise<void>;
  /** The grant as the chain has it now; left out offline. */
  readonly grantNow?: GrantView;
  /** True: an unsigned view of the chain's facts is no failure by itself; it proves nothing without `grantNow`. */
  readonly isUnsignedAllowed?: boolean;
}

/**
 * Verify a consent receipt without any network. A failed check is data and never thrown.
 *
 * It proves that the document says what its facts say, that they do not contradict each other, and that the wallet
 * that gave the grant issued exactly this document. Offline it does not prove that the chain has such a grant, nor that
 * it was not revoked later.
 */
export async function verifyConsentReceipt(
  document: JsonObject,
  options: VerifyConsentReceiptOptions,
): Promise<Verdict> {
  const facts = zConsentFacts.safeParse(document['usufruct:facts']);
  const proof = zConsentProof.optional().safeParse(document['usufruct:proof']);
  if (!facts.success || !proof.success) {
    const rest = CONSENT_RECEIPT_CHECKS.slice(1).map((name) => skipped(name, 'the receipt could not be read'));
    return verdictOf([failed('FORM', `no ${facts.success ? 'proof' : 'facts'} of the expected form`), ...rest]);
  }
  return verdictOf([
    passed('FORM'),
    checkDocument(document, facts.data),
    checkConsistent(facts.data),
    checkFields(facts.data),
    await checkSignature(document, facts.data, proof.data, options),
    checkOnChain(facts.data, options.grantNow),
  ]);
}

/** The facts of a receipt that `verifyConsentReceipt` could read, or null. */
export function consentFactsOf(document: JsonObject): ConsentFacts | null {
  const facts = zConsentFacts.safeParse(document['usufruct:facts']);
  return facts.success ? facts.data : null;
}

function checkDocument(document: JsonObject, facts: ConsentFacts): Check {
  const isSame = canonicalJson(withoutProof(document)) === canonicalJson(consentReceipt(facts));
  return checkThat('DOCUMENT' satisfies CheckName, isSame, 'the document says something else than its facts');
}

function checkConsistent({ grant, contribution, given, revoked, issuedAtMs }: ConsentFacts): Check {
  const name: CheckName = 'CONSISTENT';
  if (grant.contributionId !== contribution.id) return failed(name, 'the grant is for another contribution');
  if (grant.grantor !== contribution.owner) return failed(name, 'the grant is not by the owner');
  if (given.atMs !== grant.givenAtMs) return failed(name, 'the grant was given at another time');
  if ((revoked?.atMs ?? null) !== grant.revokedAtMs) return failed(name, 'the grant was revoked at another time');
  if (revoked !== null && revoked.atMs < given.atMs) return failed(name, 'revoked before it was given');
  return checkThat(
    name,
    given.atMs < grant.terms.expiresAtMs && given.atMs <= issuedAtMs,
    'the times contradict each other',
  );
}

function checkFields({ stated }: ConsentFacts): Check {
  const missing = notStated(stated);
  const name: CheckName = 'FIELDS';
  return missing.length === 0 ? passed(name) : skipped(name, `nobody stated: ${missing.join(', ')}`);
}

async function checkSignature(
  document: JsonObject,
  facts: ConsentFacts,
  proof: ConsentProof | undefined,
  { verifySignature, isUnsignedAllowed }: VerifyConsentReceiptOptions,
): Promise<Check> {
  const name: CheckName = 'SIGNATURE';
  if (proof === undefined) {
    return isUnsignedAllowed === true
      ? skipped(name, "an unsigned view of the chain's facts: ask the chain")
      : failed(name, 'nobody signed it');
  }
  if (proof.address !== facts.grant.grantor) return failed(name, 'signed by another wallet than the grant');
  if (proof.digest !== consentReceiptDigest(document)) return failed(name, 'the signature is for another document');
  try {
    const message = walletStatementBytes(consentReceiptStatement(facts));
    await verifySignature({ address: proof.address, message, signature: proof.signature });
    return passed(name, `by ${proof.address}`);
  } catch {
    return failed(name, 'the wallet did not sign this document');
  }
}

function checkOnChain({ grant }: ConsentFacts, grantNow: GrantView | undefined): Check {
  const name: CheckName = 'ON_CHAIN';
  if (grantNow === undefined) return skipped(name, 'not compared with the chain: a later revocation would not show');
  const then = { ...grant, revokedAtMs: null };
  const now = { ...grantNow, revokedAtMs: null };
  if (canonicalText(then) !== canonicalText(now)) return failed(name, 'the chain has another grant of this id');
  if (grant.revokedAtMs === grantNow.revokedAtMs) return passed(name);
  return grant.revokedAtMs === null
    ? failed(name, 'the consent was withdrawn after the receipt was issued')
    : failed(name, 'the chain has another time of revocation');
}

const canonicalText = (grant: GrantView): string => canonicalJson(toJson(grant));
