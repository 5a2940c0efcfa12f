import { clear } from './jest-setup.mjs';

export default async function tearDown() {
  if (process.env.USUFRUCT_TEST_HOME !== undefined) await clear(process.env.USUFRUCT_TEST_HOME);
}
