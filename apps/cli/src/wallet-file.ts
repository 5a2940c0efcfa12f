import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { keypairSigner, refuseStandIns, type WalletSigner } from '@usufruct/chain';
import { encodeWalletSecret } from '@usufruct/crypto';
import { refuse, type RandomSource } from '@usufruct/kernel';
import { z } from 'zod';

export const DEV_WALLET_LABEL =
  'DEVELOPMENT WALLET: a stand-in. Its key lies in this file; never send real money to it.';
const zWalletFile = z.object({ label: z.literal(DEV_WALLET_LABEL), secretKey: z.string().max(256) });
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/** Make a wallet whose key lies in a file (0600). Refuses to overwrite one, and with a real network. */
export function createWalletFile(path: string, suiNetwork: string, random: RandomSource): WalletSigner {
  refuseStandIns({ suiNetwork, standIns: ['development wallet'] });
  const secretKey = encodeWalletSecret(random(32));
  const content = `${JSON.stringify({ label: DEV_WALLET_LABEL, secretKey }, null, 2)}\n`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, content, { mode: OWNER_ONLY, flag: 'wx', flush: true });
  } catch (cause) {
    throw refuse('ALREADY_EXISTS', { object: 'wallet file', path }, cause);
  }
  return keypairSigner(secretKey);
}

/** Refuses `CONFIG_INVALID` when there is no wallet, it is not one, or others may read it; `STAND_IN_FORBIDDEN` with a real network. */
export function openWalletFile(path: string, suiNetwork: string): WalletSigner {
  refuseStandIns({ suiNetwork, standIns: ['development wallet'] });
  const secretKey = readWallet(path);
  if ((statSync(path).mode & OTHERS) !== 0) {
    throw refuse('CONFIG_INVALID', { setting: 'wallet file', reason: 'others may read it; chmod 600', path });
  }
  return keypairSigner(secretKey);
}

function readWallet(path: string): string {
  try {
    return zWalletFile.parse(JSON.parse(readFileSync(path, 'utf8'))).secretKey;
  } catch (cause) {
    throw refuse(
      'CONFIG_INVALID',
      { setting: 'wallet file', reason: 'none here; make one with: usufruct wallet new', path },
      cause,
    );
  }
}
