import { checkThat, failed, passed, type Check } from '@usufruct/kernel';
import { authorityFlaw, isRootPinned, P384_CHAIN, pathFlaw } from '../x509/chain.js';
import type { SpdmExchange } from './exchange.js';
import type { Rim } from './rim.js';

/** Signer, two intermediates, NVIDIA's root. */
const CHAIN_LENGTH = 4;

/** XMLDSig 1.1 §3.2 with ECDSA P-384 and SHA-384: every manifest is what its signer signed. */
export async function checkRimSignature(rims: readonly Rim[]): Promise<Check> {
  for (const rim of rims) if (!(await rim.isSigned())) return failed('RIM_SIGNATURE', 'not signed by its own leaf');
  return passed('RIM_SIGNATURE');
}

/** Every manifest's chain ends in NVIDIA's RIM root, byte for byte. */
export const checkRimRoot = (rims: readonly Rim[], pinned: readonly string[]): Check =>
  checkThat(
    'RIM_ROOT',
    rims.every(({ chain }) => isRootPinned(chain, pinned)),
    "the root is not NVIDIA's RIM root",
  );

/** RFC 5280 §6.1 without the dates: length, names, signatures; every issuer is a CA and the signer is none. */
export async function checkRimChain(rims: readonly Rim[]): Promise<Check> {
  for (const { chain } of rims) {
    if (chain.length !== CHAIN_LENGTH) return failed('RIM_CHAIN', `${chain.length} certificates, not ${CHAIN_LENGTH}`);
    const flaw = authorityFlaw(chain) ?? (await pathFlaw(chain, P384_CHAIN, null));
    if (flaw !== null) return failed('RIM_CHAIN', flaw);
  }
  return passed('RIM_CHAIN');
}

/** RFC 5280 §4.1.2.5: every certificate of every manifest is valid now. */
export const checkRimValidity = (rims: readonly Rim[], nowMs: number): Check =>
  checkThat(
    'RIM_EXPIRED',
    rims.every(({ chain }) =>
      chain.every(({ notBeforeMs, notAfterMs }) => nowMs >= notBeforeMs && nowMs <= notAfterMs),
    ),
    'a certificate of a manifest is not valid now',
  );

/** What a device says of itself; a switch has no driver. */
export interface DeviceVersions {
  readonly model: string;
  readonly driverVersion: string | null;
  readonly firmwareVersion: string;
}

/** Each manifest is for this product, and one is for the driver's version and one for the firmware's. */
export function checkRimVersions(
  { driver, firmware }: { readonly driver: Rim | null; readonly firmware: Rim },
  { model, driverVersion, firmwareVersion }: DeviceVersions,
): Check {
  const isOfDriver = driver === null ? driverVersion === null : driver.version === driverVersion;
  const holds =
    isOfDriver &&
    (driver === null || driver.product === model) &&
    firmware.product === model &&
    firmware.version.toUpperCase() === firmwareVersion;
  return checkThat('RIM_VERSION', holds, 'a manifest is for another product or version');
}

/** Each active index i of a manifest is one of the good values of measurement i + 1; no index is in two manifests. */
export function checkRimValues(rims: readonly Rim[], { measurements }: SpdmExchange): Check {
  const seen = new Set<number>();
  for (const [index, good] of rims.flatMap(({ golden }) => [...golden])) {
    if (seen.has(index)) return failed('RIM_MISMATCH', `index ${index} is in two manifests`);
    seen.add(index);
    const measured = measurements.get(index + 1);
    if (measured === undefined || !good.includes(measured)) return failed('RIM_MISMATCH', `index ${index} differs`);
  }
  return checkThat('RIM_MISMATCH', seen.size > 0, 'the manifests say nothing');
}
