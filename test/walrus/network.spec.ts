import { describe, expect, it } from '@jest/globals';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { UsufructError } from '@usufruct/kernel';
import { describeStore } from './contract.js';
import { openNetworkStore } from './network.js';

const network = process.env['USUFRUCT_WALRUS_NETWORK'];

/** Only `npm run test:walrus -- --network …` sets it: a real network costs coins and minutes, and is no part of CI. */
if (network === 'testnet' || network === 'mainnet') {
  describeStore(network, async () => ({ store: openNetworkStore(network, process.env), isRemote: true }));
}

describe('the settings of a real network', () => {
  const aggregator = { WALRUS_AGGREGATOR_URL: 'https://a.example,https://b.example' };
  it('choose who stores and who pays', () => {
    const published = openNetworkStore('testnet', { ...aggregator, WALRUS_PUBLISHER_URL: 'https://p.example' });
    expect(published.abilities).toMatchObject({ paidBy: 'operator', extendable: false });
    const wallet = { WALRUS_WALLET_SECRET: new Ed25519Keypair().getSecretKey() };
    for (const more of [{}, { WALRUS_RELAY_URL: 'https://r.example', WALRUS_MAX_TIP_MIST: '100' }])
      expect(openNetworkStore('testnet', { ...aggregator, ...wallet, ...more }).abilities).toMatchObject({
        paidBy: 'owner',
        extendable: true,
        deletable: true,
        quilts: true,
      });
  });

  it.each([
    ['no aggregator', { WALRUS_PUBLISHER_URL: 'https://p.example' }],
    ['a publisher that is no address', { ...aggregator, WALRUS_PUBLISHER_URL: 'p' }],
    ['no wallet', aggregator],
  ])('are refused: %s', (_, environment) => {
    expect(() => openNetworkStore('testnet', environment)).toThrow(UsufructError);
  });
});
