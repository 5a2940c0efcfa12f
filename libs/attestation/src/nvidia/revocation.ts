import { failed, skipped, type Check } from '@usufruct/kernel';
import type { NvidiaPolicy } from '../policy/nvidia-policy.js';
import type { Endorsements } from '../types.js';
import type { CertificateChain } from '../x509/chain.js';
import { checkOcsp, OCSP_CHECKS, ocspUntilMs, type OcspAnswer } from '../x509/ocsp-checks.js';
import { parseOcsp } from '../x509/ocsp.js';
import { NVIDIA_ENDORSEMENTS } from './endorsements.js';

/** What must be asked about: of a device everything that NVIDIA issued, of a manifest its signer as well. */
export interface Issued {
  readonly devices: readonly CertificateChain[];
  readonly manifests: readonly CertificateChain[];
}

export interface Revocation {
  readonly checks: readonly Check[];
  /** When the first answer, or the certificate of who gave it, expires; infinite where none was judged. */
  readonly untilMs: number;
}

/**
 * RFC 6960: NVIDIA's answers about the chains of devices and manifests. A device makes its own leaf, and nobody answers
 * for a root. All answers must be there, unless the policy says `if-known`: then those are judged that are. Without a
 * policy, which GPU_POLICY refuses, nothing says what must be there.
 */
export async function checkRevocations(
  issued: Issued,
  endorsements: Endorsements,
  { policy, nowMs }: { readonly policy: NvidiaPolicy | undefined; readonly nowMs: number },
): Promise<Revocation> {
  const asked = questions(issued).map(({ certificate, issuer }): OcspAnswer | null => {
    const bytes = endorsements[NVIDIA_ENDORSEMENTS.ocsp(certificate.fingerprint)];
    return bytes === undefined ? null : { certificate, issuer, response: parseOcsp(bytes) };
  });
  const answers = asked.filter((answer) => answer !== null);
  const isWhole = asked.length > 0 && answers.length === asked.length;
  if (policy?.revocation === 'required' && !isWhole) return missing();
  if (answers.length === 0) return unasked(policy);
  return { checks: await checkOcsp(answers, nowMs), untilMs: ocspUntilMs(answers) };
}

function questions({ devices, manifests }: Issued): Omit<OcspAnswer, 'response'>[] {
  const pairs = [...devices.map((chain) => chain.slice(1)), ...manifests].flatMap((chain) =>
    chain.slice(0, -1).map((certificate, i) => ({ certificate, issuer: chain[i + 1]! })),
  );
  return [...new Map(pairs.map((pair) => [pair.certificate.fingerprint, pair])).values()];
}

function missing(): Revocation {
  const rest = OCSP_CHECKS.slice(1).map((name) => skipped(name, 'an answer is missing'));
  return {
    checks: [failed('OCSP_PARSE', 'the policy requires an answer about every certificate'), ...rest],
    untilMs: 0,
  };
}

function unasked(policy: NvidiaPolicy | undefined): Revocation {
  const reason =
    policy === undefined
      ? 'there is no policy'
      : 'the verifier has no answers, and the policy asks only for those that are known';
  return { checks: OCSP_CHECKS.map((name) => skipped(name, reason)), untilMs: Number.POSITIVE_INFINITY };
}
