import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CHECK_MEANINGS, checkSection } from './check-meanings.js';
import { NITRO_CHECKS } from './nitro/inspect.js';
import { GPU_CHECKS } from './nvidia/inspect.js';
import { SNP_CHECKS } from './snp/inspect.js';
import { TDX_CHECKS } from './tdx/inspect.js';

/** Names that the code gives to checks where it makes them: `failed('NAME', …)` and its like. */
function madeNames(): string[] {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .flatMap((file) => [
      ...readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(
        /\b(?:passed|failed|skipped|checkThat)\(\s*'([A-Z_]+)'/g,
      ),
    ])
    .map(([, name]) => name ?? '');
}

describe('meanings of the checks of an appraisal', () => {
  it('are there for every check that is made or required', () => {
    const names = new Set([...madeNames(), ...TDX_CHECKS, ...SNP_CHECKS, ...NITRO_CHECKS, ...GPU_CHECKS]);
    expect(names.size).toBeGreaterThan(70);
    expect([...names].filter((name) => !(name in CHECK_MEANINGS))).toEqual([]);
    expect(Object.keys(CHECK_MEANINGS).filter((name) => !names.has(name))).toEqual([]);
  });

  it('belong to the processor, the GPUs, their bond or the verifier', () => {
    const sections = ['GPU_SIGNATURE', 'RIM_ROOT', 'GPU_BINDING', 'NONCE', 'SIGNATURE', 'BAD_CLOCK'].map(checkSection);
    expect(sections).toEqual(['gpus', 'gpus', 'bond', 'bond', 'processor', 'verifier']);
  });
});
