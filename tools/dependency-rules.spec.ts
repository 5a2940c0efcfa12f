import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '..');
const LIBS = [
  'kernel',
  'protocol',
  'crypto',
  'consent',
  'attestation',
  'attestation-dev',
  'chain',
  'walrus',
  'sdk',
  'service',
  'endorsements',
  'seal',
  'retrieval',
  'testing',
];
const RULES: { forbidden: { name: string }[] } = createRequire(import.meta.url)('../dependency-rules.cjs');

/** One file that breaks the rule (in some rows: and no other rule), as `importer → imported`. */
const BROKEN: readonly (readonly [rule: string, importer: string, specifier: string])[] = [
  ['resolvable', 'libs/kernel/src/lost.ts', './no-such-file.js'],
  ['no-cycles', 'libs/kernel/src/cycle-a.ts', './cycle-b.js'],
  ['kernel-is-the-bottom', 'libs/kernel/src/up.ts', '@usufruct/protocol'],
  ['protocol-on-kernel', 'libs/protocol/src/up.ts', '@usufruct/crypto'],
  ['pure-on-pure', 'libs/crypto/src/up.ts', '@usufruct/chain'],
  ['pure-on-pure', 'libs/retrieval/src/up.ts', '@usufruct/walrus'],
  ['browser-libs-take-no-node', 'libs/retrieval/src/node.ts', 'node:worker_threads'],
  ['pure-takes-no-framework', 'libs/consent/src/nest.ts', '@nestjs/common'],
  ['browser-libs-take-no-node', 'libs/crypto/src/node.ts', 'node:fs'],
  ['browser-libs-take-no-node', 'libs/walrus/src/node.ts', 'node:http'],
  ['adapters-on-libs', 'libs/sdk/src/up.ts', '../../../apps/api/src/platform/index.js'],
  ['adapters-below-sdk', 'libs/walrus/src/up.ts', '@usufruct/sdk'],
  ['adapters-on-libs', 'libs/service/src/app.ts', '../../../apps/api/src/platform/index.js'],
  ['service-on-protocol', 'libs/service/src/up.ts', '@usufruct/chain'],
  ['service-in-processes', 'libs/walrus/src/served.ts', '@usufruct/service'],
  ['service-in-processes', 'libs/chain/src/served.ts', '@usufruct/service'],
  ['service-in-processes', 'apps/portal/src/served.ts', '@usufruct/service'],
  ['pure-on-pure', 'libs/consent/src/served.ts', '@usufruct/service'],
  ['endorsements-on-attestation', 'libs/endorsements/src/up.ts', '@usufruct/chain'],
  ['endorsements-for-verifiers', 'libs/sdk/src/fetched.ts', '@usufruct/endorsements'],
  ['endorsements-for-verifiers', 'apps/portal/src/fetched.ts', '@usufruct/endorsements'],
  ['endorsements-for-verifiers', 'apps/enclave-runner/src/compute/fetched.ts', '@usufruct/endorsements'],
  ['seal-on-chain', 'libs/seal/src/up.ts', '@usufruct/crypto'],
  ['seal-where-chosen', 'libs/sdk/src/sealed.ts', '@usufruct/seal'],
  ['seal-where-chosen', 'apps/key-holder/src/sealed.ts', '@usufruct/seal'],
  ['browser-libs-take-no-node', 'libs/seal/src/node.ts', 'node:fs'],
  ['adapters-on-libs', 'libs/seal/src/app.ts', '../../../apps/api/src/platform/index.js'],
  ['adapters-on-libs', 'libs/endorsements/src/app.ts', '../../../apps/api/src/platform/index.js'],
  ['dev-attestation-on-libs', 'libs/attestation-dev/src/up.ts', '@usufruct/chain'],
  ['dev-attestation-stays-outside', 'libs/attestation/src/dev.ts', '@usufruct/attestation-dev'],
  ['dev-attestation-stays-outside', 'apps/key-holder/src/decide.ts', '@usufruct/attestation-dev'],
  ['dev-attestation-stays-outside', 'apps/enclave-runner/src/compute/rag.ts', '@usufruct/attestation-dev'],
  ['testing-in-tests', 'apps/api/src/platform/fake.ts', '@usufruct/testing'],
  ['apps-apart', 'apps/key-holder/src/neighbour.ts', '../../local-chain/src/main.js'],
  ['runner-without-database', 'apps/enclave-runner/src/compute/table.ts', '@prisma/client'],
  ['runner-without-database', 'apps/enclave-runner/src/compute/api.ts', '../../../api/src/platform/index.js'],
  ['packages-by-their-door', 'libs/protocol/src/window.ts', '../../kernel/src/inner.js'],
  ['packages-by-their-door', 'apps/api/src/platform/window.ts', '../../../../libs/kernel/src/inner.js'],
  ['packages-by-their-door-outside', 'infra/local/window.ts', '../../libs/kernel/src/inner.js'],
  ['api-modules-by-their-door', 'apps/api/src/modules/job/window.ts', '../consent/consent.service.js'],
  ['api-modules-by-their-door-outside', 'apps/api/src/main.ts', './modules/consent/consent.service.js'],
  ['api-platform-knows-no-module', 'apps/api/src/platform/feature.ts', '../modules/consent/index.js'],
];

/** Imports that must stay allowed, so that a rule which forbids everything is noticed too. */
const ALLOWED: readonly (readonly [importer: string, specifier: string])[] = [
  ['libs/protocol/src/down.ts', '@usufruct/kernel'],
  ['libs/attestation/src/down.ts', '@usufruct/crypto'],
  ['libs/attestation-dev/src/down.ts', '@usufruct/attestation'],
  ['libs/sdk/src/down.ts', '@usufruct/walrus'],
  ['libs/crypto/src/node.spec.ts', 'node:fs'],
  ['libs/crypto/src/fakes.spec.ts', '@usufruct/testing'],
  ['libs/walrus/src/local/node.ts', 'node:http'],
  ['libs/service/src/down.ts', '@usufruct/protocol'],
  ['libs/endorsements/src/down.ts', '@usufruct/attestation'],
  ['libs/seal/src/down.ts', '@usufruct/chain'],
  ['apps/enclave-runner/src/keys/sealed.ts', '@usufruct/seal'],
  ['apps/key-holder/src/fetched.ts', '@usufruct/endorsements'],
  ['libs/walrus/src/local/served.ts', '@usufruct/service'],
  ['apps/enclave-runner/src/boot/served.ts', '@usufruct/service'],
  ['infra/local/served.ts', '@usufruct/service'],
  ['apps/enclave-runner/src/boot/tee.ts', '@usufruct/attestation-dev'],
  ['apps/key-holder/src/main.ts', '@usufruct/attestation-dev'],
  ['apps/local-chain/src/down.ts', '@usufruct/chain'],
  ['apps/api/src/modules/job/door.ts', '../consent/index.js'],
  ['apps/api/src/modules/consent/inside.ts', './consent.service.js'],
  ['apps/api/src/app.ts', './modules/consent/index.js'],
  ['infra/local/store.ts', '@usufruct/walrus/local'],
  ['test/e2e/main.e2e.ts', '@usufruct/testing'],
];

const EXISTING: Readonly<Record<string, string>> = {
  ...Object.fromEntries(LIBS.map((name) => [`libs/${name}/src/index.ts`, 'export const here = 1;\n'])),
  'libs/walrus/src/local/index.ts': 'export const here = 1;\n',
  'libs/kernel/src/inner.ts': 'export const here = 1;\n',
  'libs/kernel/src/cycle-b.ts': "import { here } from './cycle-a.js';\nexport const there = here;\n",
  'apps/local-chain/src/main.ts': 'export const here = 1;\n',
  'apps/api/src/platform/index.ts': 'export const here = 1;\n',
  'apps/api/src/modules/consent/index.ts': 'export const here = 1;\n',
  'apps/api/src/modules/consent/consent.service.ts': 'export const here = 1;\n',
};

interface Report {
  readonly modules: {
    source: string;
    dependencies: { module: string; resolved: string; couldNotResolve: boolean }[];
  }[];
  readonly summary: { violations: { rule: { name: string }; from: string; to: string }[] };
}

describe('dependency-rules.cjs', () => {
  let folder: string;
  let report: Report;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'usufruct-rules-'));
    await layOut(folder);
    report = await cruise(folder);
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(BROKEN)('%s: refuses %s → %s', (rule, importer) => {
    const broken = report.summary.violations.filter((violation) => violation.from === importer);
    expect(broken.map((violation) => violation.rule.name)).toContain(rule);
  });

  it.each(ALLOWED)('allows %s → %s', (importer) => {
    expect(report.modules.map((module) => module.source)).toContain(importer);
    expect(report.summary.violations.filter((violation) => violation.from === importer)).toEqual([]);
  });

  it('has a broken example for every rule', () => {
    const shown = new Set(BROKEN.map(([rule]) => rule));
    expect(RULES.forbidden.map((rule) => rule.name).filter((name) => !shown.has(name))).toEqual([]);
  });

  it('follows `.js` specifiers and workspace packages to their TypeScript sources', () => {
    const resolved = (importer: string): string[] =>
      report.modules.find((module) => module.source === importer)?.dependencies.map((found) => found.resolved) ?? [];
    expect(resolved('libs/protocol/src/down.ts')).toEqual(['libs/kernel/src/index.ts']);
    expect(resolved('infra/local/store.ts')).toEqual(['libs/walrus/src/local/index.ts']);
    expect(resolved('libs/kernel/src/cycle-a.ts')).toEqual(['libs/kernel/src/cycle-b.ts']);
  });
});

async function layOut(folder: string): Promise<void> {
  const files: Record<string, string> = { ...EXISTING };
  for (const [importer, specifier] of [...BROKEN.map(([, ...row]) => row), ...ALLOWED]) {
    files[importer] = `${files[importer] ?? ''}import { here } from '${specifier}';\nexport const used = here;\n`;
  }
  for (const name of LIBS)
    files[`libs/${name}/package.json`] = await readFile(join(ROOT, 'libs', name, 'package.json'), 'utf8');
  for (const name of ['tsconfig.json', 'package.json']) files[name] = await readFile(join(ROOT, name), 'utf8');
  for (const name of ['@nestjs/common', '@prisma/client']) {
    files[`node_modules/${name}/package.json`] = JSON.stringify({ name, version: '1.0.0', main: 'index.js' });
    files[`node_modules/${name}/index.js`] = 'exports.here = 1;\n';
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  await mkdir(join(folder, 'node_modules/@usufruct'), { recursive: true });
  for (const name of LIBS) await symlink(join(folder, 'libs', name), join(folder, 'node_modules/@usufruct', name));
}

function cruise(folder: string): Promise<Report> {
  const program = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [
    program,
    '--config',
    join(ROOT, 'dependency-rules.cjs'),
    '--output-type',
    'json',
    'apps',
    'libs',
    'infra',
    'test',
  ];
  return new Promise((done, fail) => {
    // Violations do not change the exit code of the JSON reporter; anything on stderr is a configuration mistake.
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }, (error, printed, complaint) =>
      error === null ? done(JSON.parse(printed)) : fail(new Error(`${error.message}\n${complaint}`)),
    );
  });
}
