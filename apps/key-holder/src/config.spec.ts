import { describe, expect, it } from '@jest/globals';
import { readConfig } from './config.js';

const good = {
  PORT: '4001',
  DATA_DIR: '/var/lib/holder',
  CHAIN_URL: 'http://127.0.0.1:4000',
  HOLDER_SECRET: '0123456789abcdef'.repeat(4),
};

describe('configuration', () => {
  it('is read with its defaults', () => {
    expect(readConfig({ ...good, ALLOWED_ORIGINS: 'http://a, http://b,' })).toMatchObject({
      port: 4001,
      host: '127.0.0.1',
      suiNetwork: 'local',
      allowedOrigins: ['http://a', 'http://b'],
      verifier: { policyFile: undefined, endorsementsDir: undefined, isOffline: false, devRootFile: undefined },
      sealingTerms: { maxAgeMs: 86_400_000, graceMs: 600_000 },
      standIns: ['local chain'],
    });
  });

  it.each([
    ['PORT', { PORT: 'x' }],
    ['PORT', { PORT: '70000' }],
    ['PORT', { PORT: undefined }],
    ['DATA_DIR', { DATA_DIR: '' }],
    ['HOLDER_SECRET', { HOLDER_SECRET: 'ab' }],
    ['HOLDER_SECRET', { HOLDER_SECRET: '0'.repeat(64) }],
    ['HOLDER_SECRET', { HOLDER_SECRET: 'A'.repeat(64) }],
    ['ANCHOR_INTERVAL_MS', { ANCHOR_INTERVAL_MS: '1' }],
    ['STORAGE_KEY_MAX_AGE_MS', { STORAGE_KEY_MAX_AGE_MS: '0' }],
    ['BACKUP_RECIPIENT', { BACKUP_DIR: '/backups' }],
    ['BACKUP_DIR', { BACKUP_RECIPIENT: '/recipient.json' }],
    ['BACKUP_INTERVAL_MS', { BACKUP_INTERVAL_MS: '1' }],
    ['SEALING_KEY_MAX_AGE_MS', { SEALING_KEY_MAX_AGE_MS: '999' }],
    ['SEALING_KEY_MAX_AGE_MS', { SEALING_KEY_MAX_AGE_MS: String(7 * 86_400_000 + 1) }],
    ['SEALING_KEY_GRACE_MS', { SEALING_KEY_GRACE_MS: '0' }],
    ['SEALING_KEY_GRACE_MS', { SEALING_KEY_GRACE_MS: '3600001' }],
    ['UNREGISTERED_TERM_MS', { UNREGISTERED_TERM_MS: '86400000' }],
  ])('names %s when it is wrong, and not its value', (setting, change) => {
    const environment = { ...good, ...change };
    expect(() => readConfig(environment)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', details: { setting } }),
    );
  });

  it('keeps the keyring with the data unless it is told where', () => {
    expect(readConfig(good).keyringDir).toBe('/var/lib/holder/keyring');
    expect(readConfig({ ...good, KEYRING_DIR: '/keys' }).keyringDir).toBe('/keys');
  });

  it('makes backups only where it is told to', () => {
    expect(readConfig(good).backup).toBeUndefined();
    expect(readConfig({ ...good, BACKUP_DIR: '/b', BACKUP_RECIPIENT: '/r.json' }).backup).toEqual({
      dir: '/b',
      recipientFile: '/r.json',
      intervalMs: 86_400_000,
      retentionMs: 2_592_000_000,
    });
  });

  it('accepts a software TEE beside the local chain and says so', () => {
    expect(readConfig({ ...good, TEE_DEV_ROOT_FILE: '/root.pem' }).standIns).toHaveLength(2);
  });

  it.each(['testnet', 'mainnet', 'https://node.example'])('refuses to start with one on %s', (SUI_NETWORK) => {
    for (const standIn of [{ TEE_DEV_ROOT_FILE: '/root.pem' }, { TEE_DEV_HARDWARE_ROOTS_FILE: '/roots.json' }]) {
      const environment = { ...good, SUI_NETWORK, ...standIn };
      expect(() => readConfig(environment)).toThrow(expect.objectContaining({ code: 'STAND_IN_FORBIDDEN' }));
    }
    expect(readConfig({ ...good, SUI_NETWORK }).standIns).toEqual([]);
  });
});
