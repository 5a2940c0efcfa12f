export default {
  testEnvironment: 'node',
  globalSetup: './tools/jest-setup.mjs',
  globalTeardown: './tools/jest-teardown.mjs',
  testSequencer: './tools/jest-sequencer.mjs',
  testEnvironmentOptions: { customExportConditions: ['@usufruct/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest'] },
  moduleNameMapper: { '^poseidon-lite$': '<rootDir>/tools/jest-no-poseidon.mjs', '^(\\.{1,2}/.*)\\.js$': '$1' },
  testMatch: ['<rootDir>/{apps,libs,infra,tools,test}/**/*.{spec,e2e}.ts'],
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/.usufruct/'],
  // Several times what the slowest takes on two quiet cores: a busy machine is no failure.
  testTimeout: 60_000,
};
