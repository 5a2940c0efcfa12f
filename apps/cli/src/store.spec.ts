import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { describe, expect, it } from '@jest/globals';
import { keypairSigner } from '@usufruct/chain';
import { UsufructError } from '@usufruct/kernel';
import { memoryJournal } from '@usufruct/sdk';
import { FakeChain } from '@usufruct/testing';
import { openCustody } from './custody.js';
import type { Endpoints } from './endpoints.js';
import { custodyWanted, openStore } from './store.js';

const LOCAL: Endpoints = {
  apiUrl: 'http://127.0.0.1:9',
  chainUrl: 'http://127.0.0.1:9',
  suiNetwork: 'local',
  publisherUrl: 'http://127.0.0.1:9',
  aggregatorUrl: 'http://127.0.0.1:9',
  holderUrls: ['http://127.0.0.1:9'],
  standIns: [],
};
const TESTNET: Endpoints = { ...LOCAL, suiNetwork: 'testnet', aggregatorUrl: 'https://a.example,https://b.example' };
const signer = keypairSigner(new Ed25519Keypair());
const open = (endpoints: Endpoints, environment: Record<string, string> = {}, wallet = signer) =>
  openStore({ endpoints, environment, signer: wallet, journal: memoryJournal() });

describe('how the command line stores', () => {
  it('is by a publisher, unless something else is said', () => {
    expect(open(LOCAL).store.abilities).toMatchObject({ deletable: true, extendable: true, paidBy: 'nobody' });
    expect(open(TESTNET).store.abilities).toMatchObject({ extendable: false, paidBy: 'operator' });
    expect(open(TESTNET, { USUFRUCT_STORE: '' }).storage).toEqual({});
  });

  it('knows how small the quilts of the local store are, and makes none where nobody says it', () => {
    const quilts = (endpoints: Endpoints, environment: Record<string, string> = {}) => {
      const { shards, maxQuiltFiles } = open(endpoints, environment).store.abilities;
      return [shards, maxQuiltFiles];
    };
    expect(quilts({ ...LOCAL, storeShards: 25 })).toEqual([25, 16]);
    expect(quilts({ ...LOCAL, storeShards: 25 }, { USUFRUCT_STORE_SHARDS: '0' })).toEqual([25, 16]);
    expect(quilts(LOCAL)[1]).toBe(0);
    expect(quilts(LOCAL, { USUFRUCT_STORE_SHARDS: '7' })).toEqual([7, 4]);
    expect(quilts(TESTNET)).toEqual([1_000, 666]);
    expect(quilts(TESTNET, { USUFRUCT_STORE_QUILTS: 'no' })).toEqual([1_000, 0]);
  });

  it.each<Record<string, string>>([
    { USUFRUCT_STORE: 'nodes' },
    { USUFRUCT_STORE: 'relay', USUFRUCT_RELAY_URL: 'https://relay.example' },
  ])('may be by the user’s own wallet: %p', (environment) => {
    expect(open(TESTNET, environment).store.abilities).toMatchObject({ deletable: true, paidBy: 'owner' });
  });

  it('may be in an object store, whose key is in the environment', () => {
    const environment = {
      USUFRUCT_STORE: 's3',
      S3_ENDPOINT: 'https://s3.example',
      S3_REGION: 'eu-central-1',
      S3_BUCKET: 'ciphertext',
      S3_ACCESS_KEY_ID: 'an id',
      S3_SECRET_ACCESS_KEY: 'a secret',
    };
    expect(open(TESTNET, environment).store.abilities).toMatchObject({ leaseEpochs: null, paidBy: 'operator' });
    expect(() => open(TESTNET, { ...environment, S3_BUCKET: '' })).toThrow('S3_BUCKET');
  });

  it('gives into custody where somebody knows the objects', () => {
    const custodyOn = (suiNetwork: string) =>
      openCustody({ endpoints: { ...LOCAL, suiNetwork }, environment: {}, signer, chain: new FakeChain() });
    expect(custodyOn('https://sui.example')).toBeUndefined();
    expect([custodyOn('local'), custodyOn('mainnet')]).toEqual([expect.any(Function), expect.any(Function)]);
    expect([custodyWanted({}), custodyWanted({ USUFRUCT_BLOB_CUSTODY: 'yes' })]).toEqual([false, true]);
  });

  it('takes the terms of leases', () => {
    const environment = {
      USUFRUCT_STORE_EPOCHS: '5',
      USUFRUCT_STORE_OWN: 'no',
    };
    expect(open(TESTNET, environment).storage).toEqual({ epochs: 5, own: false });
  });

  it.each<[string, Endpoints, Record<string, string>]>([
    ['USUFRUCT_STORE', TESTNET, { USUFRUCT_STORE: 'cloud' }],
    ['USUFRUCT_STORE', LOCAL, { USUFRUCT_STORE: 'nodes' }],
    ['USUFRUCT_RELAY_URL', TESTNET, { USUFRUCT_STORE: 'relay' }],
    ['USUFRUCT_RELAY_URL', TESTNET, { USUFRUCT_STORE: 'relay', USUFRUCT_RELAY_URL: 'relay' }],
    ['USUFRUCT_MAX_TIP_MIST', TESTNET, { USUFRUCT_MAX_TIP_MIST: '-1' }],
    ['USUFRUCT_STORE_EPOCHS', TESTNET, { USUFRUCT_STORE_EPOCHS: '54' }],
    ['USUFRUCT_STORE_OWN', TESTNET, { USUFRUCT_STORE_OWN: 'maybe' }],
    ['USUFRUCT_STORE_OWN', TESTNET, { USUFRUCT_STORE_OWN: 'no', USUFRUCT_BLOB_CUSTODY: 'yes' }],
    ['USUFRUCT_BLOB_CUSTODY', TESTNET, { USUFRUCT_BLOB_CUSTODY: 'maybe' }],
    ['USUFRUCT_STORE_SHARDS', TESTNET, { USUFRUCT_STORE_SHARDS: '1001' }],
  ])('refuses %s', (setting, endpoints, environment) => {
    expect(() => open(endpoints, environment)).toThrow(UsufructError);
    expect(() => open(endpoints, environment)).toThrow(setting);
  });

  it('needs a wallet that can sign transactions of Sui', () => {
    const { address, signPersonalMessage } = signer;
    const readOnly = { address, signPersonalMessage };
    expect(() => open(TESTNET, { USUFRUCT_STORE: 'nodes' }, readOnly)).toThrow('wallet');
  });
});
