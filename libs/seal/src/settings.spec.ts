import { describe, expect, it } from '@jest/globals';
import type { Hex32 } from '@usufruct/kernel';
import { idOf } from '@usufruct/testing';
import { sealSettings } from './settings.js';

describe('the key servers of a party', () => {
  const servers = (...each: object[]) => ({ SEAL_KEY_SERVERS: JSON.stringify(each) });
  const a = { objectId: idOf<Hex32>('a') };
  const b = { objectId: idOf<Hex32>('b'), aggregatorUrl: 'https://b.test', apiKeyName: 'X-Key' };
  const secret = { SEAL_API_KEY: JSON.stringify({ [b.objectId]: 'deadbeef' }) };
  it('are none where none is named', () => {
    expect(sealSettings({})).toBeNull();
    expect(sealSettings({ SEAL_KEY_SERVERS: '' })).toBeNull();
  });
  it('are named, with a majority or what it says as threshold', () => {
    const keyServers = [a, { ...b, apiKey: 'deadbeef' }];
    expect(sealSettings({ ...servers(a, b), ...secret })).toEqual({ keyServers, threshold: 2 });
    expect(sealSettings({ ...servers(a, b), ...secret, SEAL_THRESHOLD: '1' })).toEqual({ keyServers, threshold: 1 });
  });
  it.each([
    ['no JSON', { SEAL_KEY_SERVERS: 'a,b' }, 'SEAL_KEY_SERVERS'],
    ['no list', { SEAL_KEY_SERVERS: '{}' }, 'SEAL_KEY_SERVERS'],
    ['an empty list', servers(), 'SEAL_KEY_SERVERS'],
    ['no id', servers({ objectId: '0x1' }), 'SEAL_KEY_SERVERS'],
    ['one twice', servers(a, a), 'SEAL_KEY_SERVERS'],
    ['a field too many', servers({ ...a, weight: 2 }), 'SEAL_KEY_SERVERS'],
    ['a key among what is public', servers({ ...a, apiKey: 'deadbeef' }), 'SEAL_KEY_SERVERS'],
    ['no key where one is wanted', servers(a, b), 'SEAL_API_KEY'],
    ['a key that nobody wants', { ...servers(a), ...secret }, 'SEAL_API_KEY'],
    ['keys that are no JSON', { ...servers(a, b), SEAL_API_KEY: 'deadbeef' }, 'SEAL_API_KEY'],
    ['a file as aggregator', servers({ ...a, aggregatorUrl: 'file:///etc' }), 'SEAL_KEY_SERVERS'],
    [
      'more than 16',
      servers(...Array.from({ length: 17 }, (_, i) => ({ objectId: idOf(`${i}`) }))),
      'SEAL_KEY_SERVERS',
    ],
    ['a threshold of none', { ...servers(a, b), ...secret, SEAL_THRESHOLD: '0' }, 'SEAL_THRESHOLD'],
    ['a threshold of too many', { ...servers(a, b), ...secret, SEAL_THRESHOLD: '3' }, 'SEAL_THRESHOLD'],
  ])('are refused as %s', (_name, environment, setting) => {
    expect.assertions(2);
    try {
      sealSettings(environment);
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', details: { setting } });
      expect(String(error)).not.toContain('deadbeef');
    }
  });
});
