import type { Digest } from '@usufruct/kernel';
import { UPGRADE_STATES, zHex32, zTimestampMs } from '@usufruct/protocol';
import { operation } from '@usufruct/sdk';
import { z } from 'zod';

const zUpgrade = z.object({
  digest: zHex32<Digest>(),
  state: z.enum(UPGRADE_STATES),
  readyAtMs: zTimestampMs,
  lapsesAtMs: zTimestampMs,
});
export type AnnouncedUpgrade = z.output<typeof zUpgrade>;

/** The newest announced version of the contracts; only that one can still be used. For everybody. */
export const NEWEST_UPGRADE = operation<Record<string, never>>()(
  `query NewestUpgrade { packageUpgrades(first: 1) { edges { node { digest state readyAtMs lapsesAtMs } } } }`,
  z.object({ packageUpgrades: z.object({ edges: z.array(z.object({ node: zUpgrade })).max(1) }) }),
);

/** What somebody who gave data should know; null when nothing is about to change. */
export function upgradeWords(
  { digest, state, readyAtMs, lapsesAtMs }: AnnouncedUpgrade,
  time: (atMs: number) => string,
): string | null {
  if (state !== 'announced' && state !== 'usable') return null;
  const when = state === 'announced' ? `from ${time(readyAtMs)}` : `any moment from now on, until ${time(lapsesAtMs)}`;
  return (
    `They can be replaced ${when}, by the version with the digest ${digest.slice(2)}, and with them the rules by ` +
    'which keys are released and money is paid. Revoke or withdraw before that if you do not want it.'
  );
}
