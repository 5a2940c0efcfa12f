import {
  generateKeyPair,
  generateSigningKey,
  holdSigningKey,
  type HpkeKeyPair,
  type SigningKey,
} from '@usufruct/crypto';
import type { RandomSource, RunnerId } from '@usufruct/kernel';
import { runnerIdOf, type BoundKeys } from '@usufruct/protocol';

/**
 * The keys that evidence binds: X25519 to read questions and shares, Ed25519 to sign receipts. They are made inside
 * the TEE at each start, are never written anywhere and end with the process.
 */
export interface RunnerKeys {
  readonly runnerId: RunnerId;
  readonly signing: SigningKey;
  readonly hpke: HpkeKeyPair;
  readonly bound: BoundKeys;
}

export async function generateRunnerKeys(random: RandomSource): Promise<RunnerKeys> {
  const signing = generateSigningKey(random);
  holdSigningKey(signing);
  const hpke = await generateKeyPair(random);
  return {
    runnerId: runnerIdOf<RunnerId>(signing.publicKey),
    signing,
    hpke,
    bound: { hpkePublicKey: hpke.publicKey, signingPublicKey: signing.publicKey },
  };
}
