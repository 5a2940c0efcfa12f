import { describe, expect, it } from '@jest/globals';
import { UsufructError } from '@usufruct/kernel';
import { MEASURED_SETTINGS } from '../enclave/settings.js';
import { readSettings, refuseStandIns, standInsOf } from './settings.js';

const refusalOf = (work: () => unknown): { code: string; details: object } => {
  try {
    work();
  } catch (error) {
    if (error instanceof UsufructError) return { code: error.code, details: error.details };
    throw error;
  }
  throw new Error('accepted');
};

describe('the settings of npm start', () => {
  it('needs none', () => {
    const settings = readSettings({});
    expect(settings).toMatchObject({ suiNetwork: 'local', databaseUrl: undefined, walrus: undefined, ports: {} });
    expect(settings.home.endsWith('.usufruct')).toBe(true);
    expect(new Set(Object.values(settings.preferredPorts)).size).toBe(Object.keys(settings.preferredPorts).length);
  });

  it('takes the real parts that are named, and counts an empty variable as not set', () => {
    const settings = readSettings({
      DATABASE_URL: 'postgresql://u:p@host/db',
      WALRUS_PUBLISHER_URL: 'https://publisher.example/',
      WALRUS_AGGREGATOR_URL: 'https://aggregator.example',
      SUI_NETWORK: '',
      HOLDER_2_PORT: '6002',
    });
    expect(settings.walrus).toEqual({
      publisherUrl: 'https://publisher.example',
      aggregatorUrl: 'https://aggregator.example',
    });
    expect(settings.ports).toEqual({ 'holder-2': 6002 });
    expect(standInsOf(settings)).toEqual(['software TEE', 'development wallet', 'local chain']);
  });

  it('passes on what is asked of the lease keeper and which models there are, and nothing else', () => {
    expect(readSettings({})).toMatchObject({ keeper: {}, models: {} });
    const environment = { LEASE_RENEW_EPOCHS: '20', MAIL_FILE: '', AUTH_SECRET: 'x', EMBEDDER_PASSAGE_PREFIX: 'p: ' };
    const { keeper, models } = readSettings(environment);
    expect([keeper, models]).toEqual([{ LEASE_RENEW_EPOCHS: '20' }, { EMBEDDER_PASSAGE_PREFIX: 'p: ' }]);
  });

  it('passes on every setting of models that is measured in an enclave, and no other', () => {
    const names = MEASURED_SETTINGS.filter((name) => /^(GENERATOR|EMBEDDER|RERANKER)(_|$)/.test(name));
    const environment = Object.fromEntries([...names, 'EPOCH_INTERVAL_MS'].map((name) => [name, '1']));
    expect(Object.keys(readSettings(environment).models ?? {}).toSorted()).toEqual(names.toSorted());
    expect(names).toContain('RERANKER_MODEL_PATH');
  });

  it.each([
    ['API_PORT', { API_PORT: '0' }],
    ['API_PORT', { API_PORT: '70000' }],
    ['PORTAL_PORT', { PORTAL_PORT: '80a' }],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://x' }],
    ['WALRUS_AGGREGATOR_URL', { WALRUS_PUBLISHER_URL: 'https://p.example' }],
    ['WALRUS_PUBLISHER_URL', { WALRUS_AGGREGATOR_URL: 'https://a.example' }],
    ['WALRUS_PUBLISHER_URL', { WALRUS_PUBLISHER_URL: 'ftp://p', WALRUS_AGGREGATOR_URL: 'https://a.example' }],
  ])('refuses a wrong %s by its name', (setting, environment) => {
    expect(refusalOf(() => readSettings(environment))).toEqual({ code: 'CONFIG_INVALID', details: { setting } });
  });

  it('refuses to start stand-ins beside a real network, and names each', () => {
    const refusal = refusalOf(() => refuseStandIns(readSettings({ SUI_NETWORK: 'mainnet' })));
    expect(refusal).toEqual({
      code: 'STAND_IN_FORBIDDEN',
      details: { suiNetwork: 'mainnet', standIns: 'software TEE, development wallet, local store' },
    });
    expect(() => refuseStandIns(readSettings({ SUI_NETWORK: 'local' }))).not.toThrow();
  });
});
