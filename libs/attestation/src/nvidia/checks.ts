import { checkThat, equalBytes, failed, passed, toHex, type Check } from '@usufruct/kernel';
import { hasEcdsaSignature } from '../x509/certificate.js';
import { authorityFlaw, isRootPinned, P384_CHAIN, pathFlaw, type CertificateChain } from '../x509/chain.js';
import { firmwareIdOf } from './device.js';
import type { SpdmExchange } from './exchange.js';
import type { GpuReport } from './report.js';
import type { SwitchReport } from './switch-report.js';

const CHAIN_LENGTH = 5;
/**
 * Evidence that NVIDIA's tools hand out where there is no GPU, from the SDK's own test data. It is genuine, so only its
 * nonce and its device give it away.
 */
const CANNED_NONCE = '931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb';
const CANNED_SERIAL_START = '53c22ba1';

/** What is judged of one device: its exchange and its chain, the leaf first. */
export interface Device {
  readonly report: SpdmExchange;
  readonly chain: CertificateChain;
}
export interface GpuDevice extends Device {
  readonly report: GpuReport;
}
export interface SwitchDevice extends Device {
  readonly report: SwitchReport;
}

/** DSP0274, 10.11: the leaf's key signed request and response with ECDSA P-384 and SHA-384. */
export async function checkGpuSignature({ report, chain }: Device): Promise<Check> {
  const [leaf] = chain;
  const holds = leaf !== undefined && (await hasEcdsaSignature(leaf, 'SHA-384', report.signature, report.signedBytes));
  return checkThat('GPU_SIGNATURE', holds, 'the device did not sign this report');
}

/** The device's chain ends in NVIDIA's device root, byte for byte. */
export const checkGpuRoot = ({ chain }: Device, pinned: readonly string[]): Check =>
  checkThat('GPU_ROOT', isRootPinned(chain, pinned), "the root is not NVIDIA's device root");

/** RFC 5280 §6.1: five certificates; names, signatures, dates, and every issuer is a CA while the leaf is none. */
export async function checkGpuChain({ chain }: Device, nowMs: number): Promise<Check> {
  if (chain.length !== CHAIN_LENGTH) return failed('GPU_CHAIN', `${chain.length} certificates, not ${CHAIN_LENGTH}`);
  const flaw = authorityFlaw(chain) ?? (await pathFlaw(chain, P384_CHAIN, nowMs));
  return flaw === null ? passed('GPU_CHAIN') : failed('GPU_CHAIN', flaw);
}

/** The report was made for this session's nonce. */
export const checkGpuNonce = ({ report }: Device, expected: Uint8Array): Check =>
  checkThat('GPU_NONCE', equalBytes(report.nonce, expected), 'the report was made for another nonce');

/** TCG DICE: the firmware that signed is the one that the leaf was derived from. Both must say which. */
export function checkFirmwareId({ report, chain }: Device): Check {
  const certified = chain[0] === undefined ? null : firmwareIdOf(chain[0]);
  const holds = certified !== null && certified === report.firmwareId;
  return checkThat('GPU_FWID', holds, 'the report does not name the firmware that its certificate is for');
}

/** The same of an NVSwitch, where LS10 says in no report which firmware signed: its certificate alone does. */
export const checkSwitchFirmware = (device: Device): Check =>
  device.report.firmwareId === ''
    ? checkThat('GPU_FWID', firmwareIdOf(device.chain[0]!) !== null, 'its certificate is for no firmware')
    : checkFirmwareId(device);

/** Neither nonce nor device of a report that NVIDIA's tools show where there is no GPU. */
export function checkNotCanned({ report, chain }: Device): Check {
  const isCanned = toHex(report.nonce) === CANNED_NONCE || chain[0]?.serial.startsWith(CANNED_SERIAL_START);
  return checkThat('GPU_CANNED', !isCanned, 'a recorded report that NVIDIA hands out for tests');
}
