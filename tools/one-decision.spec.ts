import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';

/**
 * There is one decision about consent. Whoever releases, uses or advises calls it; nothing beside it looks at what a
 * grant allows. The chain itself is the exception: it judges once more when it pays, and conformance tests hold it to
 * the contracts.
 */
const ROOT = resolve(import.meta.dirname, '..');
const DECISION = 'libs/consent/src/';
const CHAIN = 'apps/local-chain/src/machine/';
const NOT_OURS = /node_modules|\/dist\/|\/generated\/|\.(spec|e2e)\.tsx?$|^libs\/testing\//;

/** Those whose yes means something, and where they ask. */
const DECIDERS = [
  'apps/key-holder/src/decisions/release-decision.ts',
  'apps/enclave-runner/src/compute/session/consent.ts',
  'apps/api/src/modules/consent/consent.service.ts',
  'libs/sdk/src/grants.ts',
];

/** What only a second decision would do. */
const SIGNS: Readonly<Record<string, RegExp>> = {
  'a function of that name': /\bexport (async )?function decide\b|\bexport const decide\b/,
  'a refusal that only a decision gives':
    /\brefused?\(\s*'(GRANT_(REQUIRED|REVOKED|EXPIRED)|PURPOSE_DENIED|PRICE_BELOW_FLOOR|LICENCE_(REQUIRED|EXPIRED))'/,
  'the terms of a grant compared with a use':
    /\bterms\.(purposes|kinds|protections)\.(includes|some|every)\b|[<>]=?\s*[\w.]*priceFloorUnits\b|\bpriceFloorUnits\s*[<>]/,
  'coverage of a purpose': /\bpurposeCovers?\(|\bpurposesCover\(/,
};
/** Coverage for choosing from a list: what is offered to somebody who chooses, not what is allowed. */
const CHOOSING = [
  'apps/portal/src/features/governance/purpose-fields.tsx',
  'apps/portal/src/features/consent/grant-form.tsx',
];

function signsIn(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '');
  return Object.entries(SIGNS).flatMap(([sign, pattern]) => (pattern.test(code) ? [sign] : []));
}

async function* sources(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(join(ROOT, folder), { withFileTypes: true })) {
    const path = relative(ROOT, join(ROOT, folder, entry.name));
    if (NOT_OURS.test(entry.isDirectory() ? `${path}/` : path)) continue;
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.tsx?$/.test(path)) yield path;
  }
}

describe('one decision', () => {
  const texts = new Map<string, string>();
  beforeAll(async () => {
    for (const top of ['apps', 'libs', 'infra']) {
      for await (const path of sources(top)) texts.set(path, await readFile(join(ROOT, path), 'utf8'));
    }
  });

  it('is made nowhere else', () => {
    expect(texts.size).toBeGreaterThan(300);
    const found = [...texts]
      .filter(([path]) => !path.startsWith(DECISION) && !path.startsWith(CHAIN) && !CHOOSING.includes(path))
      .flatMap(([path, text]) => signsIn(text).map((sign) => `${path}: ${sign}`));
    expect(found).toEqual([]);
  });

  it.each(DECIDERS)('%s asks it', (path) => {
    const text = texts.get(path) ?? '';
    expect(text).toMatch(/import \{[^}]*\bdecide\b[^}]*\} from '@usufruct\/consent'/);
    expect(text).toMatch(/\bdecide\(\{/);
  });

  it('the portal asks through the client library', () => {
    const portal = [...texts].filter(([path]) => path.startsWith('apps/portal/src/'));
    expect(portal.filter(([, text]) => /\bgrants\.explain\(/.test(text)).map(([path]) => path)).toEqual([
      'apps/portal/src/features/consent/decision.tsx',
    ]);
  });

  it('a second one would be seen', () => {
    expect(signsIn("export function decide(input: Input) { throw refuse('GRANT_REVOKED'); }")).toHaveLength(2);
    expect(signsIn('if (grant.terms.kinds.includes(job.kind)) release();')).toHaveLength(1);
    expect(signsIn('return price >= grant.terms.priceFloorUnits;')).toHaveLength(1);
    expect(signsIn('purposesCover(grant.terms.purposes, asked)')).toHaveLength(1);
    expect(
      signsIn('const decision = decide({ contribution }); if (!decision.ok) return no(decision.refusal);'),
    ).toEqual([]);
  });
});
