import { makeEvidence } from '@usufruct/attestation';
import { createDevPki, loadDevPki, SoftwareTee } from '@usufruct/attestation-dev';
import { generateKeyPair, generateSigningKey, type HpkeKeyPair, type SigningKey } from '@usufruct/crypto';
import { fromBase64, type Hex32 } from '@usufruct/kernel';
import type { BoundKeys, EvidenceBundle } from '@usufruct/protocol';
import { TEST_MEASUREMENT } from './builders.js';
import { seededRandom, TEST_NOW_MS } from './values.js';

/** A runner reduced to its keys and its software TEE. */
export interface TestRunner {
  readonly rootPem: string;
  readonly hpke: HpkeKeyPair;
  readonly signing: SigningKey;
  /** Evidence over these challenges (base64); with other keys, to see them refused. */
  evidence(challenges: readonly string[], jobId: Hex32, keys?: Partial<BoundKeys>): Promise<EvidenceBundle>;
}

/** With a PKI of its own, so that two of them do not trust each other's evidence. */
export async function testRunner(name = 'runner', measurement = TEST_MEASUREMENT): Promise<TestRunner> {
  const pki = await loadDevPki(await createDevPki(TEST_NOW_MS));
  const device = await SoftwareTee.create({ pki, measurement });
  const random = seededRandom(`runner-${name}`);
  const hpke = await generateKeyPair(random);
  const signing = generateSigningKey(random);
  return {
    rootPem: pki.rootPem,
    hpke,
    signing,
    evidence: (challenges, jobId, keys) =>
      makeEvidence(device, {
        challenges: challenges.map((challenge) => fromBase64(challenge)),
        jobId,
        keys: { hpkePublicKey: hpke.publicKey, signingPublicKey: signing.publicKey, ...keys },
      }),
  };
}
