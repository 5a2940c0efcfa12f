import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { asAmount, asTimestampMs, type GrantId } from '@usufruct/kernel';
import {
  aDao,
  aDecision,
  aGrant,
  aLicence,
  anAttestation,
  aPolicy,
  idOf,
  someClaims,
  someTerms,
} from '@usufruct/testing';
import fc from 'fast-check';
import { decide } from './decide.js';
import { DECISION_PARTS, type DecisionInput } from './decision-input.js';

/** The library as a browser loads it: bundled by what bundles the portal. */
const BUNDLE = `
  import { build } from 'vite';
  const built = await build({
    configFile: false, logLevel: 'silent', root: process.cwd(), publicDir: false,
    resolve: { conditions: ['@usufruct/source', 'browser', 'module', 'import', 'default'] },
    build: { write: false, minify: true, target: 'es2022',
      lib: { entry: 'libs/consent/src/index.ts', formats: ['iife'], name: 'consent' } },
  });
  process.stdout.write([built].flat()[0].output[0].code);
`;

let inBrowser: typeof decide;
beforeAll(async () => {
  const args = ['--no-warnings', '--input-type=module', '-e', BUNDLE];
  const options = { cwd: resolve(import.meta.dirname, '../../..'), maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  // What a page has, and nothing of Node: no process, no Buffer, no require.
  const page = createContext({ TextEncoder, TextDecoder, URL, atob, btoa });
  inBrowser = runInContext(`${stdout}; consent.decide`, page);
}, 120_000);

const said = (decision: typeof decide, input: DecisionInput): unknown => {
  const result = decision(input);
  if (result.ok) return { grantId: result.value.grant.id, unjudged: [...result.value.unjudged] };
  return { code: result.refusal.code, details: { ...result.refusal.details } };
};

const whole = aDecision();
const T = whole.nowMs;
const at = fc.integer({ min: -2, max: 2 }).map((offset) => asTimestampMs(T + offset));
const CODES = ['dpv:ResearchAndDevelopment', 'dpv:AcademicResearch', 'DUO:0000042', 'DUO:0000004', 'DUO:0000021'];
const codes = fc.subarray(CODES);
const someGrant = fc
  .record({ id: fc.constantFrom('a', 'b', 'c'), purposes: codes, end: at, revoked: fc.option(at), floor: fc.nat(2) })
  .map(({ id, purposes, end, revoked, floor }) =>
    aGrant({
      id: idOf<GrantId>(id),
      revokedAtMs: revoked,
      terms: someTerms({ purposes, expiresAtMs: end, priceFloorUnits: asAmount(BigInt(floor) * 1_000_000n) }),
    }),
  );
const someInput: fc.Arbitrary<DecisionInput> = fc
  .record({
    grants: fc.array(someGrant, { maxLength: 3 }),
    allowed: fc.oneof(fc.constant(CODES.slice(0, 4)), codes),
    purpose: fc.constantFrom(...CODES),
    end: at,
    debug: fc.boolean(),
    paused: fc.constantFrom(true, false, false, false),
    mustJudge: fc.subarray([...DECISION_PARTS]),
    left: fc.subarray([...DECISION_PARTS]),
  })
  .map(({ grants, allowed, purpose, end, debug, paused, mustJudge, left }) => {
    const input = {
      ...whole,
      grants: [...grants, aGrant()].slice(0, 3),
      dao: aDao({ paused, policy: aPolicy({ purposes: allowed }) }),
      use: { ...whole.use, purpose },
      licences: [aLicence({ expiresAtMs: end })],
      attestation: anAttestation({ expiresAtMs: end, claims: someClaims({ debug }) }),
      mustJudge,
    };
    return Object.fromEntries(
      Object.entries(input).filter(([name]) => !left.some((part) => part === name)),
    ) as typeof input;
  });

describe('the decision in a browser', () => {
  it('is the one that API and key holders make, to the last detail', () => {
    fc.assert(
      fc.property(someInput, (input) => {
        expect(said(inBrowser, input)).toEqual(said(decide, input));
      }),
      { numRuns: 500 },
    );
  });

  it('says yes and no there', () => {
    expect(said(inBrowser, whole)).toEqual({ grantId: aGrant().id, unjudged: [] });
    const codesSaid = new Set(
      fc
        .sample(someInput, { numRuns: 1_000, seed: 1 })
        .map((input) => (said(inBrowser, input) as { code?: string }).code ?? 'YES'),
    );
    for (const code of ['YES', 'DAO_PAUSED', 'PURPOSE_DENIED', 'JOB_STATE']) expect(codesSaid).toContain(code);
  });
});
