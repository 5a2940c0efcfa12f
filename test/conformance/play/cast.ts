import { blake2b } from '@noble/hashes/blake2.js';
import { signingPublicKey } from '@usufruct/crypto';
import { concatBytes, fromHex, toHex32, utf8, type Address, type Hex32 } from '@usufruct/kernel';
import { taggedDigest, TAGS, type ChainInfo } from '@usufruct/protocol';

/** 32 bytes that depend on a name only. */
export const word = <T extends Hex32 = Hex32>(name: string): T => taggedDigest(TAGS.objectId, utf8(name)) as Hex32 as T;
export const wordBytes = (name: string): Uint8Array => fromHex(word(name));
const account = (name: string): Address => word(`account ${name}`) as string as Address;

/** Who plays. Anybody may try anything. */
export const FOUNDERS = ['founder', 'second founder'].map(account);
export const OWNERS = ['ada', 'ben', 'cleo', 'dora'].map(account);
export const REQUESTERS = ['requester', 'second requester'].map(account);
export const STRANGER = account('stranger');
export const OPERATORS = [0, 1, 2, 3].map((i) => account(`operator ${i}`));
export const PAYEES = ['payee', 'second payee'].map(account);
export const EVERYBODY: readonly Address[] = [...FOUNDERS, ...OWNERS, ...REQUESTERS, STRANGER, ...OPERATORS, ...PAYEES];

export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}
const keyPair = (name: string): KeyPair => {
  const secretKey = wordBytes(name);
  return { publicKey: signingPublicKey(secretKey), secretKey };
};
export const HOLDER_KEYS = [0, 1, 2, 3].map((i) => keyPair(`holder key ${i}`));
export const RUNNER_KEYS = [0, 1, 2].map((i) => keyPair(`runner key ${i}`));

/** Of MPC sets and FHE hosts. */
export const SIGNER_KEY_PAIRS = [0, 1, 2, 3].map((i) => keyPair(`signer key ${i}`));

export const START_MS = 1_800_000_000_000;
export const MINUTE_MS = 60_000;

/**
 * What the stage opens its registry with. Test scenarios run in the package `0x0`, and the registry is the first
 * object of the second transaction: BLAKE2b-256(0xf1 ‖ transaction ‖ counter).
 */
export const CHAIN: ChainInfo = {
  chainId: 'usufruct-conformance',
  packageId: `0x${'00'.repeat(32)}` as Hex32,
  registryId: toHex32(
    blake2b(concatBytes(Uint8Array.of(0xf1, 1), new Uint8Array(31), new Uint8Array(8)), { dkLen: 32 }),
  ),
  coin: { type: 'stage::COIN', symbol: 'TEST', decimals: 6 },
  protocolAccount: account('protocol'),
  standIn: true,
};
