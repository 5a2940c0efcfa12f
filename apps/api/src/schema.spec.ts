import 'reflect-metadata';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import { FakeChain, ManualClock, seededRandom } from '@usufruct/testing';
import { printSchema } from 'graphql';
import { createApp } from './app.js';
import { readConfig } from './platform/config/config.js';

const FILE = new URL('../schema.graphql', import.meta.url);
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Needs neither database nor chain: nothing is asked of them before somebody asks the API. */
async function emittedSchema(): Promise<string> {
  const url = 'http://127.0.0.1:9';
  const config = readConfig({
    PORT: '0',
    CHAIN_URL: url,
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:9/none',
    RUNNER_URLS: url,
    HOLDER_URLS: url,
    PUBLISHER_URL: url,
    AGGREGATOR_URL: url,
    AUTH_SECRET: '00'.repeat(32),
    SIGN_IN_DOMAIN: 'portal.test',
    PORTAL_ORIGIN: url,
  });
  const chain = new FakeChain();
  const app = await createApp({ config, chain, logger: silent, clock: new ManualClock(), random: seededRandom('s') });
  await app.init();
  try {
    return `${printSchema(app.get(GraphQLSchemaHost).schema)}\n`;
  } finally {
    await app.close();
  }
}

describe('schema.graphql', () => {
  it('is what the code emits (npm run schema -w @usufruct/api writes it)', async () => {
    const emitted = await emittedSchema();
    if (process.env['UPDATE_SCHEMA'] === '1') await writeFile(FILE, emitted);
    expect(emitted).toBe(await readFile(FILE, 'utf8'));
  });
});
