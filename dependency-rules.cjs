/**
 * Which way imports may point: apps → adapters → pure libs → protocol → kernel. `npm run lint` enforces it, and
 * tools/dependency-rules.spec.ts proves for each rule that it can fail. A path is matched after resolution, so an
 * import by package name and one by relative path are judged alike.
 */
const TEST = '\\.(spec|e2e)\\.ts$|^test/|^apps/[^/]+/src/testing/';
const PURE = 'crypto|ledger|consent|attestation|privacy|retrieval';
const ADAPTERS = 'chain|walrus|sdk|service|endorsements|seal';
const BROWSER =
  '^libs/(kernel|protocol|crypto|ledger|consent|attestation|privacy|retrieval|chain|sdk|seal|walrus(?!/src/local/))/';
/** What runs as a process of its own: everything that may stand on the service kit. */
const PROCESSES = '^(apps/(?!portal/)|libs/service/|libs/walrus/src/local/|infra/)';
const GENERATED = '/generated/';
/** What may stand on the software TEE: itself, the two places that choose a TEE at boot, the local system and tests. */
const DEV_USERS =
  '^(libs/(attestation-dev|testing)/|apps/enclave-runner/src/(main\\.ts$|boot/)|apps/key-holder/src/main\\.ts$|infra/|test/)';

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    rule(
      'resolvable',
      'An import that cannot be resolved escapes every other rule.',
      { pathNot: GENERATED },
      { couldNotResolve: true },
    ),
    rule(
      'no-cycles',
      'A cycle has no bottom to start reading from.',
      { pathNot: GENERATED },
      {
        circular: true,
        viaOnly: { pathNot: GENERATED, dependencyTypesNot: ['type-only', 'type-import'] },
      },
    ),
    rule(
      'kernel-is-the-bottom',
      'The kernel imports nothing of ours.',
      { path: '^libs/kernel/' },
      {
        path: '^(libs|apps)/',
        pathNot: '^libs/kernel/',
      },
    ),
    rule(
      'protocol-on-kernel',
      'The protocol imports the kernel only.',
      { path: '^libs/protocol/' },
      {
        path: '^(libs|apps)/',
        pathNot: '^libs/(protocol|kernel)/',
      },
    ),
    rule(
      'pure-on-pure',
      'A pure lib imports pure libs, the protocol and the kernel.',
      { path: `^libs/(${PURE})/`, pathNot: TEST },
      { path: '^(libs|apps)/', pathNot: `^libs/(${PURE}|protocol|kernel)/` },
    ),
    rule(
      'pure-takes-no-framework',
      'A pure lib knows no framework and no database.',
      { path: `^libs/(${PURE}|protocol|kernel)/` },
      { path: 'node_modules/(@nestjs|@prisma|prisma|pg|fastify|mercurius|graphql)/' },
    ),
    rule(
      'browser-libs-take-no-node',
      'These libs run in a browser as they run in Node; a pure one must not reach the outside at all.',
      { path: BROWSER, pathNot: TEST },
      { dependencyTypes: ['core'] },
    ),
    rule(
      'adapters-on-libs',
      'An adapter imports libs, never an app.',
      { path: `^libs/(${ADAPTERS})/` },
      { path: '^apps/' },
    ),
    rule(
      'adapters-below-sdk',
      'The chain and the store do not know the client built on them.',
      { path: '^libs/(chain|walrus)/' },
      {
        path: '^libs/sdk/',
      },
    ),
    rule(
      'service-on-protocol',
      "The service kit is in the runner's trusted computing base: it imports the protocol and the kernel only.",
      { path: '^libs/service/', pathNot: TEST },
      { path: '^(libs|apps)/', pathNot: '^libs/(service|protocol|kernel)/' },
    ),
    rule(
      'service-in-processes',
      'Only what runs as a process stands on the service kit; a lib that a browser loads never does.',
      { pathNot: `${PROCESSES}|${TEST}` },
      { path: '^libs/service/' },
    ),
    rule(
      'endorsements-on-attestation',
      'What fetches from the vendors knows what they sign, and nothing of the system around it.',
      { path: '^libs/endorsements/', pathNot: TEST },
      { path: '^(libs|apps)/', pathNot: '^libs/(endorsements|attestation|protocol|kernel)/' },
    ),
    rule(
      'endorsements-for-verifiers',
      'The verifier fetches them: never a browser, and never the runner that is to be judged.',
      { path: `${BROWSER}|^apps/(portal|enclave-runner)/` },
      { path: '^libs/endorsements/' },
    ),
    rule(
      'seal-on-chain',
      'What speaks to key servers knows the chain that they look at, and nothing of the system around it.',
      { path: '^libs/seal/', pathNot: TEST },
      { path: '^(libs|apps)/', pathNot: '^libs/(seal|chain|protocol|kernel)/' },
    ),
    rule(
      'seal-where-chosen',
      'The weaker key mode is put in where a user or an operator chooses it; nothing else depends on it.',
      { pathNot: `^libs/seal/|^apps/(cli|enclave-runner)/|${TEST}` },
      { path: '^libs/seal/' },
    ),
    rule(
      'dev-attestation-on-libs',
      'The software TEE stands on the pure libs.',
      { path: '^libs/attestation-dev/', pathNot: TEST },
      { path: '^(libs|apps)/', pathNot: `^libs/(attestation-dev|${PURE}|protocol|kernel)/` },
    ),
    rule(
      'dev-attestation-stays-outside',
      'A production build must not contain the software TEE, so nothing but a boot entry may name it.',
      { pathNot: `${DEV_USERS}|${TEST}` },
      { path: '^libs/attestation-dev/' },
    ),
    rule(
      'testing-in-tests',
      'Builders and fakes are for tests.',
      { pathNot: `^libs/testing/|^tools/|${TEST}` },
      {
        path: '^libs/testing/|^apps/[^/]+/src/testing/',
      },
    ),
    rule(
      'apps-apart',
      'Apps speak to each other over their interfaces.',
      { path: '^apps/([^/]+)/', pathNot: TEST },
      { path: '^apps/', pathNot: '^apps/$1/' },
    ),
    rule(
      'runner-without-database',
      "The runner's imports are its trusted computing base.",
      { path: '^apps/enclave-runner/' },
      { path: '^apps/api/|^prisma/|node_modules/(@prisma|prisma|pg|@nestjs)/' },
    ),
    rule(
      'packages-by-their-door',
      "Another package is imported through its index (or the local store's).",
      { path: '^(?:libs|apps)/([^/]+)/' },
      {
        path: '^libs/[^/]+/',
        pathNot: '^libs/($1/|[^/]+/src/index\\.ts$|walrus/src/(local|blob-id|cost|s3|sui)/index\\.ts$)',
      },
    ),
    rule(
      'packages-by-their-door-outside',
      'The same for what lies outside every package.',
      { pathNot: '^(libs|apps)/' },
      {
        path: '^libs/[^/]+/',
        pathNot: '^libs/([^/]+/src/index\\.ts$|walrus/src/(local|blob-id|cost|s3|sui)/index\\.ts$)',
      },
    ),
    rule(
      'api-modules-by-their-door',
      'A module of the API is imported through its index.ts.',
      { path: '^apps/api/src/modules/([^/]+)/' },
      { path: '^apps/api/src/modules/[^/]+/', pathNot: '^apps/api/src/modules/($1/|[^/]+/index\\.ts$)' },
    ),
    rule(
      'api-modules-by-their-door-outside',
      'The same for what lies beside the modules.',
      { path: '^apps/api/src/', pathNot: '^apps/api/src/modules/' },
      { path: '^apps/api/src/modules/', pathNot: '^apps/api/src/modules/[^/]+/index\\.ts$' },
    ),
    rule(
      'api-platform-knows-no-module',
      'The platform knows no feature.',
      { path: '^apps/api/src/platform/' },
      {
        path: '^apps/api/src/modules/',
      },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@usufruct/source', 'import', 'node', 'default'],
    },
  },
};
