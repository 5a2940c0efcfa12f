import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { keypairSigner, type WalletSigner } from '@usufruct/chain';
import { asTimestampMs, systemRandom, toHex32, UsufructError, type Clock, type Hex32 } from '@usufruct/kernel';

export const PURPOSE = 'DUO:0000042';
export const PRICE = 1_000_000n;
export const MEASUREMENT = 'cd'.repeat(48);
export const MINUTE_MS = 60_000;

export const wallet = (): WalletSigner => keypairSigner(new Ed25519Keypair());
export const salt = (): Hex32 => toHex32(systemRandom(32));
export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
  );

export class TestClock implements Clock {
  offsetMs = 0;
  nowMs = () => asTimestampMs(Date.now() + this.offsetMs);
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
