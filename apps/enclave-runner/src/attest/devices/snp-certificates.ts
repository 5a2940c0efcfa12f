import { toHex } from '@usufruct/kernel';

/**
 * The host's table of certificates behind an extended report (GHCB specification 56421, 4.1.8.1): entries of a GUID
 * (16), an offset (4) and a length (4), little-endian, up to one of zeros; then the certificates.
 */
const ENTRY_BYTES = 24;
const ENTRIES_AT_MOST = 16;
/** VCEK 63da758d-e664-4564-adc5-f4b93be8accd and VLEK a8074bc2-a25a-483e-aae6-39c045a0b8a1, as their bytes lie there. */
const ENDORSEMENT_KEYS = ['63da758de6644564adc5f4b93be8accd', 'a8074bc2a25a483eaae639c045a0b8a1'];
const END = '00'.repeat(16);

/** DER of the VCEK or VLEK; null where the table has none or does not add up. */
export function endorsementKeyOf(table: Uint8Array): Uint8Array | null {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  for (let i = 0; i < ENTRIES_AT_MOST; i += 1) {
    const at = i * ENTRY_BYTES;
    if (at + ENTRY_BYTES > table.length) return null;
    const guid = toHex(table.subarray(at, at + 16));
    if (guid === END) return null;
    if (!ENDORSEMENT_KEYS.includes(guid)) continue;
    const [offset, length] = [view.getUint32(at + 16, true), view.getUint32(at + 20, true)];
    return length > 0 && offset + length <= table.length ? table.slice(offset, offset + length) : null;
  }
  return null;
}
