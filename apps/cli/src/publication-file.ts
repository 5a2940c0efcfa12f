import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { UPGRADE_CHANGES, type Publication } from '@usufruct/chain';
import { fromBase64, refuse, toBase64, type Address, type Digest } from '@usufruct/kernel';
import { zBase64, zHex32 } from '@usufruct/protocol';
import { z } from 'zod';

const zPrepared = z
  .object({ digest: zHex32<Digest>(), bytes: zBase64(128 * 1024), signature: z.string() })
  .transform(({ bytes, ...rest }) => ({ ...rest, bytes: fromBase64(bytes) }));
const zPublication = z.object({
  chainId: z.string(),
  publisher: zHex32<Address>(),
  packageDigest: z.string(),
  upgrades: z.union([z.literal('burn'), z.object({ delayMs: z.int() })]),
  protocolAccount: zHex32<Address>(),
  publishing: zPrepared.optional(),
  packageId: zHex32().optional(),
  publisherCap: zHex32().optional(),
  upgradeCap: zHex32().nullable().optional(),
  opening: zPrepared.optional(),
  registryId: zHex32().optional(),
  timelockId: zHex32().nullable().optional(),
  upgradeAdminId: zHex32().nullable().optional(),
  changing: z
    .object({ kind: z.enum(UPGRADE_CHANGES), digest: z.string().nullable(), transaction: zPrepared })
    .optional(),
  callPackageId: zHex32().optional(),
});

/** `sui.<network>.json`; of a network that is named by an address, its host. */
export const publicationPath = (network: string): string =>
  `sui.${(URL.parse(network)?.host ?? network).replaceAll(/[^A-Za-z0-9.-]/g, '-')}.json`;

/** What is known of an earlier publication; null when there was none. Refuses `CONFIG_INVALID` for a file that is another. */
export function readPublication(path: string): Publication | null {
  if (!existsSync(path)) return null;
  try {
    return zPublication.parse(JSON.parse(readFileSync(path, 'utf8'))) as Publication;
  } catch (cause) {
    throw refuse('CONFIG_INVALID', { setting: 'publication file', path }, cause);
  }
}

/** Whole or not at all, and on the disk before anything is sent. */
export function keepPublication(path: string, publication: Publication): void {
  const text = JSON.stringify(
    publication,
    (_key, value: unknown) => (value instanceof Uint8Array ? toBase64(value) : value),
    2,
  );
  writeFileSync(`${path}.new`, `${text}\n`, { flush: true });
  renameSync(`${path}.new`, path);
}
