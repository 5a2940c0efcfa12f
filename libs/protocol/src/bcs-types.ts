import { bcs } from '@mysten/bcs';
import { asId, fromHex, toHex, type Hex32 } from '@usufruct/kernel';

/** 32 bytes on the wire, `0x` hex in code. Generic so that each field keeps its own branded type. */
export const bytes32 = <T extends Hex32>() =>
  bcs.bytes(32).transform<T, T>({
    input: (id) => fromHex(id, 'id'),
    output: (bytes) => asId<T>(`0x${toHex(Uint8Array.from(bytes))}`, 'id'),
  });

/** u64 as bigint on both sides (`@mysten/bcs` reads it as a decimal string). */
export const u64 = <T extends bigint = bigint>() =>
  bcs.u64().transform<T, T>({ input: (value) => value, output: (text) => BigInt(text) as T });

/** u64 milliseconds as a safe number. */
export const u64Number = <T extends number = number>() =>
  bcs.u64().transform<T, T>({ input: (value) => BigInt(value), output: (text) => Number(text) as T });

/** vector<u8> as Uint8Array. */
export const byteVector = () =>
  bcs
    .byteVector()
    .transform<Uint8Array, Uint8Array>({ input: (value) => value, output: (value) => Uint8Array.from(value) });
