import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { projectionSources } from './projection-sources.js';

describe('where the projection is made from', () => {
  const database = { DATABASE_URL: 'postgresql://u@h/d' };
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'usufruct-sources-'));
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  it('is what the environment names', async () => {
    const environment = { ...database, CHAIN_URL: 'http://127.0.0.1:1', USUFRUCT_HOME: home };
    expect(await projectionSources(environment)).toEqual({
      ...database,
      CHAIN_URL: 'http://127.0.0.1:1',
      SUI_NETWORK: 'local',
    });
    expect(await projectionSources({ ...database, SUI_NETWORK: 'testnet', USUFRUCT_HOME: home })).toEqual({
      ...database,
      SUI_NETWORK: 'testnet',
    });
  });

  it('is else the local system, which must have been started', async () => {
    await expect(projectionSources({ USUFRUCT_HOME: home })).rejects.toThrow('no database');
    await expect(projectionSources({ ...database, USUFRUCT_HOME: home })).rejects.toThrow('no chain');
    const endpoints = { chainUrl: 'http://127.0.0.1:7', suiNetwork: 'local', apiUrl: 'http://127.0.0.1:8' };
    await writeFile(join(home, 'endpoints.json'), JSON.stringify(endpoints));
    expect(await projectionSources({ ...database, CHAIN_URL: '', USUFRUCT_HOME: home })).toMatchObject({
      CHAIN_URL: 'http://127.0.0.1:7',
    });
  });
});
