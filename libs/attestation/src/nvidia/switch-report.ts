import { readPdis, type SpdmExchange } from './exchange.js';

/** What an NVSwitch says of itself. */
export interface SwitchReport extends SpdmExchange {
  /** As NVIDIA writes it, `96.10.6D.00.01`. */
  readonly biosVersion: string;
  /** Name of its manifest in NVIDIA's service. */
  readonly biosRimId: string;
  /** Its own name, hex of 8 bytes. */
  readonly pdi: string;
  /** Names of the GPUs that its links lead to, hex. */
  readonly gpuPdis: readonly string[];
}

/** Types of NVIDIA's opaque data; 26 is eight names, then which of them each link leads to. */
const OPAQUE = { biosVersion: 6, pdi: 22, topology: 26 } as const;
const NAMES_BYTES = 8 * 8;
/** Project, its SKU and the chip's: a switch of this generation does not say them. */
const BOARD = '5612_0002_890';
const VERSION = /^[0-9A-F]{2}(\.[0-9A-F]{2}){4}$/;

/** What the opaque data of an exchange says; null where it is not that of an NVSwitch. */
export function readSwitchReport(exchange: SpdmExchange): SwitchReport | null {
  const { opaque } = exchange;
  const biosVersion = String.fromCharCode(...(opaque.get(OPAQUE.biosVersion)?.subarray(0, 32) ?? []));
  const topology = opaque.get(OPAQUE.topology) ?? new Uint8Array();
  const [pdi, ...more] = readPdis(opaque.get(OPAQUE.pdi) ?? new Uint8Array()) ?? [];
  const gpuPdis = topology.length < NAMES_BYTES ? null : readPdis(topology.subarray(0, NAMES_BYTES));
  const version = biosVersion.toUpperCase();
  if (gpuPdis === null || pdi === undefined || more.length > 0) return null;
  if (!VERSION.test(version)) return null;
  const biosRimId = `NV_SWITCH_BIOS_${BOARD}_${version.replaceAll('.', '')}`;
  return { ...exchange, biosVersion: version, biosRimId, pdi, gpuPdis };
}
