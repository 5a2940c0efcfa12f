import { describe, expect, it } from '@jest/globals';
import { verifyWalletSignature } from '@usufruct/crypto';
import { asId, utf8, type Address } from '@usufruct/kernel';
import { DevWallet, FIRST_ACCOUNTS, type KeyStorage } from './dev-wallet.js';

function storage(): KeyStorage & { readonly items: Map<string, string> } {
  const items = new Map<string, string>();
  return { items, getItem: (key) => items.get(key) ?? null, setItem: (key, value) => void items.set(key, value) };
}
const local = { suiNetwork: 'local', devWallet: true };
const namesOf = (wallet: DevWallet): (string | undefined)[] => wallet.accounts.map((account) => account.label);

describe('DevWallet', () => {
  it.each([
    { suiNetwork: 'testnet', devWallet: true },
    { suiNetwork: 'mainnet', devWallet: true },
    { suiNetwork: 'https://fullnode.example', devWallet: true },
    { suiNetwork: 'local', devWallet: false },
  ])('refuses to exist with %p, and writes nothing', (config) => {
    const store = storage();
    expect(() => new DevWallet(config, store)).toThrow(expect.objectContaining({ code: 'STAND_IN_FORBIDDEN' }));
    expect(store.items.size).toBe(0);
  });

  it('keeps its accounts over a reload', () => {
    const store = storage();
    const before = new DevWallet(local, store);
    before.addAccount('Dora');
    const after = new DevWallet(local, store);
    expect(namesOf(after)).toEqual([...FIRST_ACCOUNTS, 'Dora']);
    expect(after.accounts.map((a) => a.address)).toEqual(before.accounts.map((a) => a.address));
  });

  it('signs personal messages that a verifier accepts, for the account that was asked', async () => {
    const wallet = new DevWallet(local, storage());
    const [first, second] = wallet.accounts;
    const message = utf8('Usufruct\nExecute a transaction on the local chain');
    const { signature } = await wallet.features['sui:signPersonalMessage'].signPersonalMessage({
      message,
      account: second!,
    });
    await verifyWalletSignature({ address: asId<Address>(second!.address, 'address'), message, signature });
    await expect(
      verifyWalletSignature({ address: asId<Address>(first!.address, 'address'), message, signature }),
    ).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  it('signs for no account but its own', async () => {
    const wallet = new DevWallet(local, storage());
    const other = new DevWallet(local, storage()).accounts[0]!;
    const sign = wallet.features['sui:signPersonalMessage'].signPersonalMessage;
    await expect(sign({ message: utf8('x'), account: other })).rejects.toMatchObject({ code: 'WRONG_WALLET' });
  });

  it('tells its listeners of a new account and refuses a name twice', () => {
    const wallet = new DevWallet(local, storage());
    let told = 0;
    const stop = wallet.features['standard:events'].on('change', ({ accounts }) => (told = accounts?.length ?? -1));
    wallet.addAccount('Dora');
    expect(told).toBe(FIRST_ACCOUNTS.length + 1);
    stop();
    wallet.addAccount('Emil');
    expect(told).toBe(FIRST_ACCOUNTS.length + 1);
    expect(() => wallet.addAccount(' Dora ')).toThrow(expect.objectContaining({ code: 'ALREADY_EXISTS' }));
    expect(() => wallet.addAccount('  ')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('does not overwrite stored keys that it cannot read', () => {
    const store = storage();
    store.setItem('usufruct.dev-wallet.v1', '[{"name":"Ada"}]');
    expect(() => new DevWallet(local, store)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(store.items.get('usufruct.dev-wallet.v1')).toBe('[{"name":"Ada"}]');
  });
});
