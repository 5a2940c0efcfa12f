import { describe, expect, it } from '@jest/globals';
import { UsufructError } from '@usufruct/kernel';
import { loadConfig, parseConfig } from './config.js';

const local = {
  apiUrl: 'http://127.0.0.1:4000/',
  chainUrl: 'http://127.0.0.1:4001',
  suiNetwork: 'local',
  publisherUrl: 'http://127.0.0.1:4002',
  aggregatorUrl: 'http://127.0.0.1:4002',
  holderUrls: ['http://127.0.0.1:4003', 'http://127.0.0.1:4004', 'http://127.0.0.1:4005'],
  devWallet: true,
  teeDevRoot: '-----BEGIN CERTIFICATE-----',
};
const { chainUrl: _, teeDevRoot: __, ...shared } = local;
const sui = { packageId: '0x1', registryId: '0x2', coinType: '0x3::usd::USD' };
const real = { ...shared, suiNetwork: 'testnet', devWallet: false, sui };

const refusalOf = (value: unknown): { code: string; details: Readonly<Record<string, string>> } => {
  try {
    parseConfig(value);
  } catch (error) {
    if (error instanceof UsufructError) return { code: error.code, details: error.details };
  }
  throw new Error('expected a refusal');
};

describe('parseConfig', () => {
  it('takes a local and a real configuration, and drops trailing slashes', () => {
    expect(parseConfig(local).apiUrl).toBe('http://127.0.0.1:4000');
    expect(parseConfig(real).devWallet).toBe(false);
  });

  it.each([
    ['development wallet', { ...real, devWallet: true }],
    ['software TEE', { ...real, teeDevRoot: 'PEM' }],
    ['local chain', { ...real, chainUrl: 'http://127.0.0.1:4001' }],
  ])('refuses the %s on a real network', (standIn, config) => {
    expect(refusalOf(config)).toEqual({ code: 'STAND_IN_FORBIDDEN', details: { standIn } });
  });

  it.each([
    ['apiUrl', { ...local, apiUrl: 'javascript:alert(1)' }],
    ['chainUrl', { ...local, chainUrl: undefined }],
    ['holderUrls', { ...local, holderUrls: [] }],
    ['holderUrls.1', { ...local, holderUrls: [local.apiUrl, 'ftp://x'] }],
    ['devWallet', { ...local, devWallet: 'yes' }],
    ['sui', { ...real, sui: undefined }],
    ['sui.registryId', { ...real, sui: { ...sui, registryId: undefined } }],
    ['config.json', null],
  ])('names the bad setting %s', (setting, config) => {
    expect(refusalOf(config)).toEqual({ code: 'CONFIG_INVALID', details: { setting } });
  });
});

describe('loadConfig', () => {
  it('reads config.json beside the portal, wherever that is', async () => {
    const asked: string[] = [];
    const fetch = async (url: URL | RequestInfo): Promise<Response> => {
      asked.push(String(url));
      return Response.json(local);
    };
    await loadConfig(fetch, 'https://example.org/portal/');
    expect(asked).toEqual(['https://example.org/portal/config.json']);
  });

  it('refuses a missing file and one that is not JSON with one code', async () => {
    const missing = async (): Promise<Response> => new Response('', { status: 404 });
    const html = async (): Promise<Response> => new Response('<!doctype html>');
    await expect(loadConfig(missing, 'https://example.org/')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(loadConfig(html, 'https://example.org/')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
