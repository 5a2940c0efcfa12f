import { describe, expect, it } from '@jest/globals';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { Secp256k1Keypair } from '@mysten/sui/keypairs/secp256k1';
import { Secp256r1Keypair } from '@mysten/sui/keypairs/secp256r1';
import { MultiSigPublicKey } from '@mysten/sui/multisig';
import { asId, fromBase64, toBase64, utf8, type Address } from '@usufruct/kernel';
import { encodeWalletSecret, isSignedByEd25519, WalletKey } from './wallet-key.js';
import { verifyWalletSignature } from './wallet.js';

const message = utf8('Usufruct\nPublish an encrypted contribution');
const KEYPAIRS = [
  ['Ed25519', new Ed25519Keypair()],
  ['Secp256k1', new Secp256k1Keypair()],
  ['Secp256r1', new Secp256r1Keypair()],
] as const;
const addressOf = (pair: { toSuiAddress(): string }): Address => asId<Address>(pair.toSuiAddress(), 'address');
const flipAt = (base64: string, at: number) =>
  toBase64(fromBase64(base64).map((byte, i) => (i === at ? byte ^ 1 : byte)));

describe.each(KEYPAIRS)('a %s wallet', (_name, pair) => {
  const address = addressOf(pair);
  const signed = pair.signPersonalMessage(message);

  it('is believed for what it signed', async () => {
    await expect(
      verifyWalletSignature({ address, message, signature: (await signed).signature }),
    ).resolves.toBeUndefined();
  });

  it.each<[string, (signature: string) => Parameters<typeof verifyWalletSignature>[0]]>([
    ['another message', (signature) => ({ address, message: utf8('Usufruct\nRevoke'), signature })],
    ['another address', (signature) => ({ address: addressOf(new Ed25519Keypair()), message, signature })],
    ['an empty address', (signature) => ({ address: '' as Address, message, signature })],
    ['a flipped bit in the signature', (signature) => ({ address, message, signature: flipAt(signature, 8) })],
    ['a flipped bit in the public key', (signature) => ({ address, message, signature: flipAt(signature, 70) })],
    ['another scheme flag', (signature) => ({ address, message, signature: flipAt(signature, 0) })],
    [
      'a cut signature',
      (signature) => ({ address, message, signature: toBase64(fromBase64(signature).subarray(0, 60)) }),
    ],
    ['only a flag', (signature) => ({ address, message, signature: toBase64(fromBase64(signature).subarray(0, 1)) })],
  ])('is not believed with %s', async (_case, change) => {
    const params = change((await signed).signature);
    await expect(verifyWalletSignature(params)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  it('is not believed for a transaction signature of the same bytes', async () => {
    const { signature } = await pair.signTransaction(message);
    await expect(verifyWalletSignature({ address, message, signature })).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    });
  });
});

describe('a key of our own', () => {
  const pair = new Ed25519Keypair();
  const key = new WalletKey(pair.getSecretKey());
  const { address } = key;

  it.each([0, 1, 42, 127, 128, 300, 16_383, 16_384, 70_000])(
    'is the wallet of the same secret: it signs %d bytes as the library does',
    async (length) => {
      const bytes = new Uint8Array(length).fill(7);
      expect(address).toBe(pair.toSuiAddress());
      expect(await key.sign('personalMessage', bytes)).toBe((await pair.signPersonalMessage(bytes)).signature);
      expect(await key.sign('transaction', bytes)).toBe((await pair.signTransaction(bytes)).signature);
    },
  );

  it('has the secret that wallets write down', () => {
    const seed = new Uint8Array(32).map((_, i) => i);
    expect(encodeWalletSecret(seed)).toBe(Ed25519Keypair.fromSecretKey(seed).getSecretKey());
    expect(new WalletKey(seed).address).toBe(new WalletKey(encodeWalletSecret(seed)).address);
  });

  it.each([
    ['of another scheme', new Secp256k1Keypair().getSecretKey()],
    ['with a letter changed', pair.getSecretKey().replace(/.$/, (last) => (last === 'q' ? 'p' : 'q'))],
    ['no secret', 'suiprivkeysecret'],
    ['of 31 bytes', new Uint8Array(31)],
    ['of 33 bytes', new Uint8Array(33)],
  ])('is made of no secret %s', (_what, secret) => {
    expect(() => new WalletKey(secret)).toThrow();
  });

  it('is believed for a transaction that it signed, and for nothing else', async () => {
    const signature = await key.sign('transaction', message);
    const isSigned = (change: object = {}, bytes = message) =>
      isSignedByEd25519('transaction', bytes, { address, signature, ...change });
    expect(await isSigned()).toBe(true);
    expect(await isSigned({}, utf8('another'))).toBe(false);
    expect(await isSigned({ address: addressOf(new Ed25519Keypair()) })).toBe(false);
    expect(await isSigned({ signature: await key.sign('personalMessage', message) })).toBe(false);
    for (const at of [1, 40, 64, 65, 96]) expect(await isSigned({ signature: flipAt(signature, at) })).toBe(false);
    for (const length of [0, 1, 96])
      expect(await isSigned({ signature: toBase64(fromBase64(signature).subarray(0, length)) })).toBe(false);
    expect(await isSigned({ signature: `${signature}A` })).toBe(false);
    const other = await new Secp256k1Keypair().signTransaction(message);
    expect(await isSigned({ signature: other.signature })).toBeUndefined();
  });
});

describe('schemes that are not accepted', () => {
  const address = addressOf(KEYPAIRS[0][1]);

  it('refuses a valid multisig', async () => {
    const [a, b] = [new Ed25519Keypair(), new Ed25519Keypair()];
    const members = [a, b].map((pair) => ({ publicKey: pair.getPublicKey(), weight: 1 }));
    const multisig = MultiSigPublicKey.fromPublicKeys({ threshold: 1, publicKeys: members });
    const signature = multisig.combinePartialSignatures([(await a.signPersonalMessage(message)).signature]);
    await expect(multisig.verifyPersonalMessage(message, signature)).resolves.toBe(true);
    const params = { address: addressOf(multisig), message, signature };
    await expect(verifyWalletSignature(params)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  it.each([
    ['zkLogin', toBase64(Uint8Array.of(5, ...new Uint8Array(100)))],
    ['passkey', toBase64(Uint8Array.of(6, ...new Uint8Array(100)))],
    ['an unknown flag', toBase64(Uint8Array.of(99, ...new Uint8Array(96)))],
    ['nothing', ''],
    ['no base64', '%%%'],
  ])('refuses %s', async (_name, signature) => {
    await expect(verifyWalletSignature({ address, message, signature })).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    });
  });
});
