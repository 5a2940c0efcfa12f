import { toHex } from '@usufruct/kernel';
import { readPdis, type SpdmExchange } from './exchange.js';

/** What a GPU says of itself. */
export interface GpuReport extends SpdmExchange {
  readonly driverVersion: string;
  /** As NVIDIA writes it, `96.00.5E.00.01`. */
  readonly vbiosVersion: string;
  /** Name of the VBIOS's manifest in NVIDIA's service: project, its SKU, chip SKU and version. */
  readonly vbiosRimId: string;
  /** Names of the NVSwitches that its links lead to, hex, as the switches write them; one for each link. */
  readonly switchPdis: readonly string[];
}

/** Types of NVIDIA's opaque data. */
const OPAQUE = {
  driverVersion: 3,
  vbiosVersion: 6,
  chipSku: 15,
  project: 17,
  projectSku: 18,
  switchPdis: 22,
} as const;

/** What the opaque data of an exchange says; null where it is not that of a GPU. */
export function readGpuReport(exchange: SpdmExchange): GpuReport | null {
  const versions = versionsOf(exchange.opaque);
  // A GPU writes the eight bytes of a switch's name the other way round than the switch does.
  const switchPdis = readPdis((exchange.opaque.get(OPAQUE.switchPdis) ?? new Uint8Array()).toReversed());
  return versions && switchPdis && { ...exchange, ...versions, switchPdis };
}

function versionsOf(
  fields: ReadonlyMap<number, Uint8Array>,
): Pick<GpuReport, 'driverVersion' | 'vbiosVersion' | 'vbiosRimId'> | null {
  const [driver, vbios] = [fields.get(OPAQUE.driverVersion), fields.get(OPAQUE.vbiosVersion)];
  const text = (type: number): string | null => terminatedText(fields.get(type) ?? new Uint8Array());
  const driverVersion = driver && text(OPAQUE.driverVersion);
  const board = [text(OPAQUE.project), text(OPAQUE.projectSku), text(OPAQUE.chipSku)];
  if (!driverVersion || vbios?.length !== 8 || board.includes(null)) return null;
  // Four bytes little-endian, then one: 00 5e 00 96 01 is 96.00.5E.00.01.
  const parts = [3, 2, 1, 0, 4].map((at) => toHex(vbios.subarray(at, at + 1)).toUpperCase());
  const vbiosRimId = ['NV_GPU_VBIOS', ...board, parts.join('')].join('_');
  return { driverVersion, vbiosVersion: parts.join('.'), vbiosRimId };
}

/** Digits, capitals and dots, and NULs to the end, of which there is at least one. */
function terminatedText(bytes: Uint8Array): string | null {
  const [, text] = /^([0-9A-Z.]{1,32})\0+$/.exec(String.fromCharCode(...bytes)) ?? [];
  return text ?? null;
}
