import { describe, expect, it } from '@jest/globals';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { toUsufructError } from '@usufruct/kernel';
import { openChain } from './open-chain.js';
import { keypairSigner } from './signers.js';
import { refuseStandIns } from './stand-ins.js';

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
  it.each(['testnet', 'mainnet', 'https://fullnode.example', ''])('refuses the Sui network %j', (suiNetwork) => {
    const [code, details] = refusalOf(() => openChain({ suiNetwork, chainUrl: 'http://127.0.0.1:1' }));
    expect([code, details]).toMatchObject(['CONFIG_INVALID', { setting: 'SUI_NETWORK' }]);
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
