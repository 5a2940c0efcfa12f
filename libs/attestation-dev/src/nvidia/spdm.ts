import { concatBytes, utf8 } from '@usufruct/kernel';
import { pemOf, signRaw, type DevAuthority } from '../authority.js';
import type { GpuIdentity, NvidiaPki } from './pki.js';

const MEASUREMENT_BYTES = 48;
const zeros = (length: number): Uint8Array => new Uint8Array(length);
const u16le = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8);
const u24le = (value: number): Uint8Array => Uint8Array.of(value & 0xff, (value >> 8) & 0xff, value >> 16);

/** One field of NVIDIA's opaque data. */
export const opaqueField = (type: number, value: Uint8Array): Uint8Array =>
  concatBytes(u16le(type), u16le(value.length), value);

/** The name by which links tell a device: the serial number of its boot ROM's certificate without its first byte. */
export const pdiOf = ({ bootRom }: GpuIdentity): string => bootRom.serial.slice(2);

export interface ExchangeRequest {
  readonly pki: NvidiaPki;
  readonly identity: GpuIdentity;
  readonly nonce: Uint8Array;
  /** By index from 1, 48 bytes each; what is missing is zero. */
  readonly measurements: ReadonlyMap<number, Uint8Array>;
  readonly blocks: number;
  readonly opaque: Uint8Array;
  /** Who signs, when it is not the leaf. */
  readonly signer?: DevAuthority | undefined;
}

/** DEV ONLY: an SPDM 1.1 exchange (DSP0274, 10.11), its signature and the chain of the key. */
export async function signExchange(request: ExchangeRequest): Promise<Uint8Array<ArrayBuffer>> {
  const { pki, identity, nonce, measurements, blocks, opaque, signer = identity.leaf } = request;
  const record = concatBytes(
    ...Array.from({ length: blocks }, (_, i) =>
      concatBytes(
        Uint8Array.of(i + 1, 1),
        u16le(MEASUREMENT_BYTES + 3),
        Uint8Array.of(1),
        u16le(MEASUREMENT_BYTES),
        measurements.get(i + 1) ?? zeros(MEASUREMENT_BYTES),
      ),
    ),
  );
  const signed = concatBytes(
    Uint8Array.of(0x11, 0xe0, 0x01, 0xff),
    nonce,
    Uint8Array.of(0),
    Uint8Array.of(0x11, 0x60, 0, 0, blocks),
    u24le(record.length),
    record,
    zeros(32),
    u16le(opaque.length),
    opaque,
  );
  const chain = pemOf(identity.leaf, identity.bootRom, pki.provisioner, pki.identityCa, pki.deviceRoot);
  return concatBytes(signed, await signRaw(signer.keys, signed, 'P-384'), utf8(chain));
}
