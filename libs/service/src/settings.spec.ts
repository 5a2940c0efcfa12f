import { describe, expect, it } from '@jest/globals';
import { readSettings, zSharedSettings } from './settings.js';

const good = { PORT: '8080', DATA_DIR: '/data' };

describe('the shared settings', () => {
  it('have these defaults', () => {
    expect(readSettings(zSharedSettings, good)).toEqual({
      PORT: 8080,
      HOST: '127.0.0.1',
      DATA_DIR: '/data',
      SUI_NETWORK: 'local',
      ALLOWED_ORIGINS: [],
    });
  });

  it('are read as they are meant', () => {
    const given = { PORT: '0', CHAIN_URL: 'http://chain:1//', ALLOWED_ORIGINS: ' http://a, ,http://b,' };
    expect(readSettings(zSharedSettings, { ...good, ...given })).toMatchObject({
      PORT: 0,
      CHAIN_URL: 'http://chain:1',
      ALLOWED_ORIGINS: ['http://a', 'http://b'],
    });
  });

  it.each([
    ['PORT', undefined],
    ['PORT', ''],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '1e3'],
    ['PORT', ' 80'],
    ['PORT', '80.5'],
    ['HOST', ''],
    ['DATA_DIR', undefined],
    ['DATA_DIR', ''],
    ['SUI_NETWORK', ''],
    ['CHAIN_URL', 'secret'],
    ['CHAIN_URL', 'file:///secret'],
    ['CHAIN_URL', ''],
  ])('refuse %s = %j by its name, without its value', (setting, value) => {
    const environment = { ...good, [setting]: value };
    expect(() => readSettings(zSharedSettings, environment)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        details: { setting },
        message: `The configuration is not valid (setting: ${setting})`,
      }),
    );
  });
});
