import { checkThat, failed, passed, skipped, type Check } from '@usufruct/kernel';
import type { RuntimeEvent } from '@usufruct/protocol';
import { nitroMeasurement, zNitroPolicy, type NitroPolicy } from '../policy/nitro-policy.js';
import type { EvidenceFacts } from '../types.js';
import { checkRoot, parseChain, validUntilMs, type CertificateChain } from '../x509/chain.js';
import * as nitro from './checks.js';
import { parseNitroDocument, type NitroDocument } from './document.js';

/** What the attester sent: a signed document, and the key that it says secrets are to be sealed to. */
export interface NitroEvidence {
  readonly document: Uint8Array;
  readonly hpkePublicKey: Uint8Array;
  readonly eventLog: readonly RuntimeEvent[];
}

/** What the verifier brings along: no endorsements, for the document has its whole chain. The clock is sane. */
export interface NitroContext {
  readonly nowMs: number;
  readonly policy: NitroPolicy | undefined;
  /** SHA-256 of the DER of the trusted roots, hex. */
  readonly roots: readonly string[];
}

export interface NitroInspection {
  readonly checks: readonly Check[];
  readonly facts: EvidenceFacts | null;
}

const POLICY_CHECKS = ['TIMESTAMP', 'PCRS'] as const;

/** What must have passed before anything in a document means anything. */
export const NITRO_CHECKS: readonly string[] = [
  'PARSE',
  'TEE_POLICY',
  'ROOT_NOT_PINNED',
  'CHAIN',
  'ISSUER_NOT_CA',
  'SIGNER_NAME',
  'SIGNATURE',
  'DEBUG',
  'USER_DATA',
  'DOCUMENT_NONCE',
  ...POLICY_CHECKS,
];

/**
 * Every check of an attestation document; none is left out because another failed, unless there is nothing left to
 * judge, and then it is skipped with that reason. AWS publishes no list of revoked enclaves to look in: its certificates
 * live for hours instead.
 */
export async function inspectNitro(evidence: NitroEvidence, context: NitroContext): Promise<NitroInspection> {
  const document = parseNitroDocument(evidence.document);
  const chain = document && parseChain(document.chain);
  if (document === null || chain === null) return { checks: unread(), facts: null };
  const policy = zNitroPolicy.safeParse(context.policy).data;
  const checks = [
    passed('PARSE'),
    checkThat('TEE_POLICY', policy !== undefined, 'there is no sound policy for enclaves of Nitro'),
    checkRoot([chain], context.roots),
    await nitro.checkPath(chain, context.nowMs),
    nitro.checkIssuers(chain),
    nitro.checkSignerNames(chain, document),
    await nitro.checkSignature(document, chain[0]!),
    nitro.checkDebug(document),
    nitro.checkUserData(document),
    nitro.checkDocumentNonce(document),
    nitro.checkPublicKey(document, evidence.hpkePublicKey),
    nitro.checkNoEvents(evidence.eventLog),
    ...checkAgainstPolicy(document, policy, context.nowMs),
  ];
  return { checks, facts: policy === undefined ? null : await factsOf(document, chain, policy) };
}

const unread = (): Check[] => [
  failed('PARSE', 'not exactly one signed attestation document'),
  ...NITRO_CHECKS.slice(1).map((name) => skipped(name, 'the document could not be read')),
];

function checkAgainstPolicy(document: NitroDocument, policy: NitroPolicy | undefined, nowMs: number): Check[] {
  if (policy === undefined) return POLICY_CHECKS.map((name) => skipped(name, 'there is no policy'));
  return [nitro.checkTimestamp(document, policy, nowMs), nitro.checkRegisters(document, policy)];
}

async function factsOf(
  document: NitroDocument,
  chain: CertificateChain,
  policy: NitroPolicy,
): Promise<EvidenceFacts | null> {
  // Without report data there is nothing for the binding to be judged by.
  if (document.userData?.length !== 64) return null;
  const measurement = await nitroMeasurement(nitro.identityOf(document), policy);
  const code = { measurement, debug: nitro.isDebug(document) };
  const cpu = { tee: 'nitro', ...code, tcbStatuses: [], advisories: [] } as const;
  return { ...code, reportData: document.userData, validUntilMs: validUntilMs(chain), cpu, gpu: null };
}
