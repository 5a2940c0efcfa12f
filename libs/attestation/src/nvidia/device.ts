import { toHex } from '@usufruct/kernel';
import type { Certificate } from '../x509/certificate.js';
import type { CertificateChain } from '../x509/chain.js';
import { DER_TAG, encodeObjectId, isObjectId, octets, parseDer, type DerElement } from '../x509/der.js';

/** TCG DICE attestation architecture: the firmware (FWID) that a key was derived from, and the device's own key. */
const DICE_COMPOSITE_DEVICE_ID = '2.23.133.5.4.1';
const SHA384 = encodeObjectId('2.16.840.1.101.3.4.2.2');
const FIRMWARE_ID_BYTES = 48;

/** Hex of the FWID in the leaf, SHA-384; null if it has none. */
export function firmwareIdOf(leaf: Certificate): string | null {
  const value = leaf.extension(DICE_COMPOSITE_DEVICE_ID);
  const tree = value && parseDer(value);
  const found = (tree?.children ?? []).filter(isFwid);
  const [fwid, ...more] = found;
  const digest = more.length === 0 ? fwid?.children[1] : undefined;
  const bytes = digest && octets(digest, FIRMWARE_ID_BYTES);
  return bytes ? toHex(bytes) : null;
}

const isFwid = ({ tag, children: [algorithm] }: DerElement): boolean =>
  tag === DER_TAG.sequence && algorithm !== undefined && isObjectId(algorithm, SHA384);

/**
 * Who the device is: the digest of the certificate that its boot ROM holds, the second of the chain. The leaf is made
 * anew with every firmware, so one device could show two of them.
 */
export const deviceIdOf = (chain: CertificateChain): string => chain[1]?.fingerprint ?? '';

/** 'GH100', as the leaf names it: 'GH100 A01 GSP FMC LF'; 'LS10' of 'LS_10 A01 FSP FMC LF', as NVIDIA's tools say it. */
export const modelOf = (chain: CertificateChain): string =>
  chain[0]?.commonName.split(' ')[0]?.replaceAll('_', '') ?? '';

/** Names of NVSwitches as certificates have them. Everything else that NVIDIA certifies is taken for a GPU. */
const SWITCH_MODELS: ReadonlySet<string> = new Set(['LS10']);
export const isSwitch = (chain: CertificateChain): boolean => SWITCH_MODELS.has(modelOf(chain));

/** A byte for the kind of chip, then the eight bytes by which other devices know it: 41 6a5fafcbd9fa5ca3. */
const BOOT_ROM_SERIAL = /^[0-9a-f]{2}([0-9a-f]{16})$/;

/**
 * The name by which links tell a device (PDI), from the serial number of the certificate that its boot ROM holds, so
 * that NVIDIA vouches for it. '' where the serial number has another form: no link leads there.
 */
export const certifiedPdi = (chain: CertificateChain): string =>
  BOOT_ROM_SERIAL.exec(chain[1]?.serial ?? '')?.[1] ?? '';
