import { sha256, sign, verify, type SigningKey } from '@usufruct/crypto';
import {
  fromBase64,
  fromHex,
  fromUtf8,
  refuse,
  toBase64,
  toBase64Url,
  toHex,
  utf8,
  type Check,
} from '@usufruct/kernel';
import { LIMITS, TAGS } from '@usufruct/protocol';
import { z } from 'zod';
import type { Appraisal, Endorsements } from './types.js';

/** Name of these claims as a profile of EAT (RFC 9711 §4.3.2). */
const EAT_PROFILE = 'tag:usufruct,2026:attestation-result/v1';
const VERIFIER = 'usufruct-verifier/v1';

/**
 * A result under the names of RFC 9711 (Entity Attestation Token) and of its registry; what has no registered name is
 * under `usufruct`. Claims about processor and GPUs are submodules of their own.
 */
export interface EatClaims {
  readonly eat_profile: string;
  /** Seconds (RFC 7519 §4.1.6, §4.1.4). */
  readonly iat: number;
  readonly exp: number;
  readonly eat_nonce?: string;
  /** RFC 9711 §4.2.17: every check of the appraisal. */
  readonly measres: readonly (readonly [string, readonly (readonly [string, 'success' | 'fail' | 'not-run'])[]])[];
  readonly submods: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly usufruct: Readonly<Record<string, unknown>>;
}

const RESULT_WORDS = { passed: 'success', failed: 'fail', skipped: 'not-run' } as const;

/**
 * The claims of one appraisal, good or bad. Without claims of the evidence when the appraisal was bad.
 *
 * @param endorsements what it rested on: the SHA-256 of each goes along under its name; missing: nothing is said of it
 */
export function exportEat(
  { ok, checks, claims, policyDigest, expiresAtMs }: Appraisal,
  nowMs: number,
  endorsements?: Endorsements,
): EatClaims {
  const judged = checks.map(({ name, status }: Check) => [name, RESULT_WORDS[status]] as const);
  return {
    eat_profile: EAT_PROFILE,
    iat: Math.floor(nowMs / 1000),
    exp: Math.floor(expiresAtMs / 1000),
    ...(claims === undefined ? {} : { eat_nonce: toBase64Url(fromHex(claims.binding.challenge)) }),
    measres: [[VERIFIER, judged]],
    submods: claims === undefined ? {} : submodules(claims),
    usufruct: {
      ok,
      policyDigest,
      ...(endorsements === undefined ? {} : { endorsements: endorsementDigests(endorsements) }),
      ...(claims === undefined
        ? {}
        : {
            profile: claims.profile,
            standIn: claims.standIn,
            evidenceDigest: claims.evidenceDigest,
            jobId: claims.binding.jobId,
            gpuBound: claims.binding.gpu,
            hpkePublicKey: toBase64(claims.hpkePublicKey),
            signingPublicKey: toBase64(claims.signingPublicKey),
          }),
    },
  };
}

/** SHA-256 of each by its name, hex, in the order of the names. */
export const endorsementDigests = (endorsements: Endorsements): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(endorsements)
      .map(([name, bytes]): [string, string] => [name, toHex(sha256(bytes))])
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );

function submodules({ cpu, gpu }: NonNullable<Appraisal['claims']>): EatClaims['submods'] {
  const devices = (gpu?.devices ?? []).map(({ driverVersion, ...device }, i) => [
    `gpu-${i}`,
    { swname: 'driver', swversion: [driverVersion], usufruct: device },
  ]);
  const switches = (gpu?.switches ?? []).map(({ biosVersion, ...device }, i) => [
    `nvswitch-${i}`,
    { swname: 'bios', swversion: [biosVersion], usufruct: device },
  ]);
  const { debug, ...rest } = cpu;
  return {
    // RFC 9711 §4.2.9: a TEE without DEBUG has had debugging off since it was made.
    cpu: { dbgstat: debug ? 'enabled' : 'disabled-since-boot', usufruct: rest },
    ...Object.fromEntries([...devices, ...switches]),
  };
}

/** A result as a verifier hands it on: the claims' exact bytes and an Ed25519 signature over them. */
export const zSignedResult = z.strictObject({
  /** JSON text, base64. */
  claims: z.string().max(64 * 1024),
  /** 32 bytes, base64: which verifier. */
  verifier: z.string().max(64),
  signature: z.string().max(128),
});
export type SignedResult = z.output<typeof zSignedResult>;

/** Sign what an appraisal said, so that who trusts this verifier need not appraise the evidence again. */
export async function signResult(
  result: Appraisal,
  nowMs: number,
  key: SigningKey,
  endorsements?: Endorsements,
): Promise<SignedResult> {
  const message = utf8(JSON.stringify(exportEat(result, nowMs, endorsements)));
  const signature = await sign({ secretKey: key.secretKey, domainTag: TAGS.attestationResult, message });
  return { claims: toBase64(message), verifier: toBase64(key.publicKey), signature: toBase64(signature) };
}

/**
 * The claims of a signed result: signed by one of these verifiers, good, and neither expired nor judged as of a time that
 * has not come. Refuses `ATTESTATION_REFUSED` or `ATTESTATION_STALE`. Of the evidence itself it proves only that this verifier said so.
 */
export async function verifySignedResult(
  signed: SignedResult,
  verifiers: readonly Uint8Array[],
  nowMs: number,
): Promise<EatClaims> {
  const [message, publicKey, signature] = [signed.claims, signed.verifier, signed.signature].map((text) =>
    fromBase64(text, 'signed result'),
  ) as [Uint8Array, Uint8Array, Uint8Array];
  const isKnown = verifiers.some((known) => toHex(known) === toHex(publicKey));
  const holds = isKnown && (await verify({ publicKey, domainTag: TAGS.attestationResult, message, signature }));
  if (!holds) throw refuse('ATTESTATION_REFUSED', { checks: 'VERIFIER' });
  const claims = JSON.parse(fromUtf8(message)) as EatClaims;
  if (claims.eat_profile !== EAT_PROFILE || claims.usufruct['ok'] !== true) {
    throw refuse('ATTESTATION_REFUSED', { checks: 'RESULT' });
  }
  const isCurrent = nowMs < claims.exp * 1000 && claims.iat * 1000 <= nowMs + LIMITS.clockSkewMs;
  if (!isCurrent) throw refuse('ATTESTATION_STALE', {});
  return claims;
}
