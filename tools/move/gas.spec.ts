import { describe, expect, it } from '@jest/globals';
import { bcs } from '@mysten/bcs';
import { asAmount, asWeight } from '@usufruct/kernel';
import { allocate } from '@usufruct/ledger';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { z } from 'zod';

const zJudgement = z.object({
  rows: z.array(z.object({ call: z.string(), units: z.int().positive(), returned: z.string() })),
});
const { status, stdout } = spawnSync(process.execPath, [resolve('tools/move/gas.mjs')], { encoding: 'utf8' });
const isMissing = status === 3;

describe('a second Sui VM', () => {
  (isMissing ? it.skip : it)(
    `divides money as the ledger library does${isMissing ? ` (skipped: ${stdout.trim()})` : ''}`,
    () => {
      expect(status).toBe(0);
      const { rows } = zJudgement.parse(JSON.parse(stdout));
      for (const count of [1, 8, 64]) {
        const row = rows.find(({ call }) => call === `payout::allocate, ${count} uses`);
        const weights = Array.from({ length: count }, (_, i) => asWeight(BigInt(i + 1)));
        const shares = weights.map((weight, i) => ({ weight, tieKey: new Uint8Array(64).fill(i) }));
        const returned = bcs.vector(bcs.u64()).parse(Buffer.from(row?.returned ?? '', 'base64'));
        expect(returned.map(BigInt)).toEqual(allocate(asAmount(1_000_001n), shares));
      }
    },
  );
});
