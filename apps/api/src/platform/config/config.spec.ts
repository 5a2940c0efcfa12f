import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@usufruct/testing';
import { readConfig, readProjectionConfig } from './config.js';

const complete = {
  PORT: '4000',
  CHAIN_URL: 'http://127.0.0.1:1',
  DATABASE_URL: 'postgresql://u:p@h/d',
  RUNNER_URLS: 'http://127.0.0.1:2, http://127.0.0.1:3/',
  HOLDER_URLS: 'http://127.0.0.1:4',
  PUBLISHER_URL: 'http://127.0.0.1:5',
  AGGREGATOR_URL: 'http://127.0.0.1:5',
  AUTH_SECRET: 'ab'.repeat(32),
  SIGN_IN_DOMAIN: 'localhost:5173',
  PORTAL_ORIGIN: 'http://localhost:5173',
};

describe('configuration', () => {
  it('splits lists, drops trailing slashes, and puts the portal first among the origins', () => {
    const config = readConfig({ ...complete, ALLOWED_ORIGINS: 'https://a.example, https://b.example' });
    expect(config.runnerUrls).toEqual(['http://127.0.0.1:2', 'http://127.0.0.1:3']);
    expect(config.origins).toEqual(['http://localhost:5173', 'https://a.example', 'https://b.example']);
    expect(config.host).toBe('127.0.0.1');
  });

  it.each([
    ['PORT', 'many'],
    ['CHAIN_URL', undefined],
    ['DATABASE_URL', 'mysql://x'],
    ['RUNNER_URLS', ''],
    ['HOLDER_URLS', 'ftp://x'],
    ['AUTH_SECRET', 'ab'],
    ['SIGN_IN_DOMAIN', 'two words'],
    ['PORTAL_ORIGIN', undefined],
  ])('refuses a wrong %s by name and keeps its value to itself', (setting, value) => {
    const run = () => readConfig({ ...complete, [setting]: value });
    expect(run).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', details: { setting } }));
  });

  it('asks for the chain and the database only, where nothing but the projection is made', () => {
    const { CHAIN_URL, DATABASE_URL } = complete;
    const config = readProjectionConfig({ CHAIN_URL, DATABASE_URL }, seededRandom('rebuild'));
    expect(config).toMatchObject({ chainUrl: CHAIN_URL, databaseUrl: DATABASE_URL, suiNetwork: 'local' });
    expect(config.authSecret).toMatch(/^[0-9a-f]{64}$/);
    for (const [setting, settings] of Object.entries({ CHAIN_URL: { DATABASE_URL }, DATABASE_URL: { CHAIN_URL } })) {
      const run = () => readProjectionConfig(settings, seededRandom('rebuild'));
      expect(run).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', details: { setting } }));
    }
  });

  it('needs no address of a local chain when a real network is configured', () => {
    expect(readConfig({ ...complete, CHAIN_URL: undefined, SUI_NETWORK: 'testnet' }).suiNetwork).toBe('testnet');
  });
});
