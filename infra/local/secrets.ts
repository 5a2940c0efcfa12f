import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { createDevPki, DEV_PKI_FILES, type DevPkiFiles } from '@usufruct/attestation-dev';
import { z } from 'zod';
import { LocalSystemError } from './errors.js';
import { readFileIfThere, writeFileDurably } from './files.js';
import { HOLDER_NAMES } from './settings.js';

const OWNER_ONLY = 0o600;
const zHexKey = z.string().regex(/^[0-9a-f]{64}$/);
const zSecrets = z.object({
  holderSecrets: z.array(zHexKey).length(HOLDER_NAMES.length),
  authSecret: zHexKey,
  runnerWalletSecret: z.string().startsWith('suiprivkey'),
});
export type Secrets = z.output<typeof zSecrets>;

/** The keys of this home: made once, readable by their owner only. They are worth as much as the local chain: nothing. */
export async function readOrMakeSecrets(home: string): Promise<Secrets> {
  const path = join(home, 'secrets.json');
  const text = await readFileIfThere(path);
  if (text !== undefined) {
    const parsed = zSecrets.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new LocalSystemError(`${path} is damaged; with other keys the data of this home cannot be opened`);
  }
  const secrets: Secrets = {
    holderSecrets: HOLDER_NAMES.map(() => randomBytes(32).toString('hex')),
    authSecret: randomBytes(32).toString('hex'),
    runnerWalletSecret: new Ed25519Keypair().getSecretKey(),
  };
  await writeFileDurably(path, JSON.stringify(secrets, null, 2), OWNER_ONLY);
  return secrets;
}

export interface DevTee {
  readonly folder: string;
  readonly rootFile: string;
  readonly rootPem: string;
}

/** The software TEE's PKI, as files. The last one written is the one looked for, so a kill between leaves none. */
export async function readOrMakeDevTee(home: string, nowMs: number): Promise<DevTee> {
  const folder = join(home, 'tee-dev');
  const rootFile = join(folder, DEV_PKI_FILES.root);
  const known = await readFileIfThere(rootFile);
  if (known !== undefined) return { folder, rootFile, rootPem: known };
  const made: DevPkiFiles = await createDevPki(nowMs);
  for (const part of ['leafKey', 'leaf', 'intermediate', 'root'] as const) {
    await writeFileDurably(join(folder, DEV_PKI_FILES[part]), made[part], part === 'leafKey' ? OWNER_ONLY : 0o644);
  }
  return { folder, rootFile, rootPem: made.root };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
