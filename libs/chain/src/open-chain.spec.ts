import { describe, expect, it } from '@jest/globals';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { toUsufructError } from '@usufruct/kernel';
import { openChain } from './open-chain.js';
import { keypairSigner } from './signers.js';
import { refuseStandIns } from './stand-ins.js';
import { suiOptionsFrom, suiSettings, type SuiOptions } from './sui/settings.js';
import { SuiChain } from './sui/sui-chain.js';

const refusalOf = (run: () => unknown): unknown[] => {
  try {
    run();
    return ['ok'];
  } catch (thrown) {
    const { code, details } = toUsufructError(thrown);
    return [code, details];
  }
};

describe('openChain', () => {
  const id = `0x${'7'.repeat(64)}`;
  const sui = { packageId: id, registryId: id, coinType: '0x2::sui::SUI' };

  it.each<[string, SuiOptions, string]>([
    ['', sui, 'SUI_NETWORK'],
    ['Testnet', sui, 'SUI_NETWORK'],
    ['file:///etc', sui, 'SUI_NETWORK'],
    ['testnet', { ...sui, grpcUrl: 'nowhere' }, 'SUI_GRPC_URL'],
    ['testnet', { ...sui, sponsorUrl: 'https://gas.example' }, 'SUI_SPONSOR_ADDRESS'],
    ['testnet', { ...sui, sponsorUrl: 'https://gas.example', sponsorAddress: '0x7' }, 'SUI_SPONSOR_ADDRESS'],
    ['testnet', { ...sui, sponsorAddress: id }, 'SUI_SPONSOR_URL'],
    ['testnet', { ...sui, sponsorAddress: id, sponsorUrl: 'nowhere' }, 'SUI_SPONSOR_URL'],
    ['testnet', {}, 'SUI_PACKAGE_ID'],
    ['testnet', { ...sui, packageId: '0x7' }, 'SUI_PACKAGE_ID'],
    ['testnet', { ...sui, callPackageId: '0x7' }, 'SUI_CALL_PACKAGE_ID'],
    ['testnet', { ...sui, registryId: undefined }, 'SUI_REGISTRY_ID'],
    ['mainnet', { ...sui, coinType: undefined }, 'SUI_COIN_TYPE'],
    ['https://fullnode.example', { ...sui, coinType: 'usdc' }, 'SUI_COIN_TYPE'],
  ])('refuses the Sui network %j with %j, naming %s', (suiNetwork, options, setting) => {
    const [code, details] = refusalOf(() => openChain({ suiNetwork, chainUrl: 'http://127.0.0.1:1', sui: options }));
    expect([code, details]).toMatchObject(['CONFIG_INVALID', { setting }]);
  });
  it.each(['testnet', 'mainnet', 'https://fullnode.example'])('opens %s without asking it anything', (suiNetwork) => {
    expect(openChain({ suiNetwork, sui })).toBeInstanceOf(SuiChain);
  });
  it('reads the settings of a network from the environment', () => {
    const environment = { SUI_PACKAGE_ID: id, SUI_REGISTRY_ID: id, SUI_COIN_TYPE: '0x2::sui::SUI' };
    expect(suiSettings('https://fullnode.example/', suiOptionsFrom(environment))).toEqual({
      network: 'custom',
      grpcUrl: 'https://fullnode.example',
      packageId: id,
      callPackageId: id,
      registryId: id,
      coinType: `0x${'2'.padStart(64, '0')}::sui::SUI`,
      sponsor: null,
    });
    const paid = { ...environment, SUI_SPONSOR_URL: 'https://gas.example/sponsor', SUI_SPONSOR_ADDRESS: id };
    expect(suiSettings('testnet', suiOptionsFrom(paid)).sponsor).toEqual({
      url: 'https://gas.example/sponsor',
      address: id,
    });
  });
  it.each([undefined, '', 'nowhere'])('refuses the local chain at %j', (chainUrl) => {
    const [code, details] = refusalOf(() => openChain({ suiNetwork: 'local', chainUrl }));
    expect([code, details]).toMatchObject(['CONFIG_INVALID', { setting: 'CHAIN_URL' }]);
  });
  it('opens the local chain without asking it anything', () => {
    expect(refusalOf(() => openChain({ suiNetwork: 'local', chainUrl: 'http://127.0.0.1:1' }))).toEqual(['ok']);
  });
});

describe('refuseStandIns', () => {
  it('names every stand-in next to a real network', () => {
    expect(
      refusalOf(() => refuseStandIns({ suiNetwork: 'testnet', standIns: ['software TEE', 'local store'] })),
    ).toEqual(['STAND_IN_FORBIDDEN', { suiNetwork: 'testnet', standIns: 'software TEE, local store' }]);
  });
  it.each([
    ['local', ['software TEE']],
    ['testnet', []],
  ])('lets %s with %j be', (suiNetwork, standIns) => {
    expect(refusalOf(() => refuseStandIns({ suiNetwork, standIns }))).toEqual(['ok']);
  });
});

describe('keypairSigner', () => {
  it('is the same wallet from the text of its key and from the keypair', () => {
    const keypair = Ed25519Keypair.fromSecretKey(new Uint8Array(32).fill(7));
    expect(keypairSigner(keypair.getSecretKey()).address).toBe(keypair.toSuiAddress());
    expect(keypairSigner(keypair).address).toBe(keypair.toSuiAddress());
  });
  it('refuses another text without repeating it', () => {
    const [code, details] = refusalOf(() => keypairSigner('suiprivkeysecret'));
    expect([code, JSON.stringify(details).includes('suiprivkeysecret')]).toEqual(['INVALID_ARGUMENT', false]);
  });
});
