import { failed, passed, skipped, type Check } from '@usufruct/kernel';
import type { Endorsements } from '../types.js';
import type { GpuDevice, SwitchDevice } from './checks.js';
import { modelOf } from './device.js';
import { NVIDIA_ENDORSEMENTS } from './endorsements.js';
import * as rimChecks from './rim-checks.js';
import { hasDoctype, parseRim, type Rim } from './rim.js';
import { worstOf } from './worst.js';

const VALUE_CHECKS = ['RIM_VERSION', 'RIM_MISMATCH'] as const;
const RIM_CHECKS = ['RIM_SIGNATURE', 'RIM_ROOT', 'RIM_CHAIN', 'RIM_EXPIRED', ...VALUE_CHECKS] as const;
export const MANIFEST_CHECKS = ['RIM_DTD', 'RIM_PARSE', ...RIM_CHECKS] as const;

/** Manifests of one device: of its driver, if it has one, and of its firmware. */
export interface Manifests {
  readonly driver: Rim | null;
  readonly firmware: Rim;
}
export const rimsOf = ({ driver, firmware }: Manifests): Rim[] => (driver === null ? [firmware] : [driver, firmware]);

/** What could not be read is the failed check that says why. */
export type ReadManifests = Manifests | { readonly flaw: Check };

export function readGpuManifests({ report, chain }: GpuDevice, endorsements: Endorsements): ReadManifests {
  const driver = readManifest(NVIDIA_ENDORSEMENTS.driverRimId(modelOf(chain), report.driverVersion), endorsements);
  const firmware = readManifest(report.vbiosRimId, endorsements);
  if ('flaw' in driver) return driver;
  return 'flaw' in firmware ? firmware : { driver, firmware };
}

export function readSwitchManifests({ report }: SwitchDevice, endorsements: Endorsements): ReadManifests {
  const firmware = readManifest(report.biosRimId, endorsements);
  return 'flaw' in firmware ? firmware : { driver: null, firmware };
}

function readManifest(id: string, endorsements: Endorsements): Rim | { readonly flaw: Check } {
  const name = NVIDIA_ENDORSEMENTS.rim(id);
  const bytes = endorsements[name];
  if (bytes === undefined) return { flaw: failed('RIM_PARSE', `${name} is missing`) };
  if (hasDoctype(bytes)) return { flaw: failed('RIM_DTD', `${name} has a document type`) };
  return parseRim(bytes) ?? { flaw: failed('RIM_PARSE', `${name} is malformed`) };
}

/** A device and what its manifests must say: the versions that it gives of itself. */
export interface Described {
  readonly device: GpuDevice | SwitchDevice;
  readonly driverVersion: string | null;
  readonly firmwareVersion: string;
  readonly manifests: ReadManifests;
}

/** Every check of every manifest; a check fails if it fails for one device. */
export async function checkManifests(
  described: readonly Described[],
  { nowMs, rimRoots }: { readonly nowMs: number; readonly rimRoots: readonly string[] },
): Promise<Check[]> {
  const flaw = described.map(({ manifests }) => ('flaw' in manifests ? manifests.flaw : null)).find(Boolean);
  if (flaw) {
    const names = MANIFEST_CHECKS.filter((name) => name !== flaw.name);
    return [flaw, ...names.map((name) => skipped(name, 'a manifest could not be read'))];
  }
  const perDevice = await Promise.all(
    described.map(async ({ device: { report, chain }, driverVersion, firmwareVersion, manifests }) => {
      if ('flaw' in manifests) return [];
      const rims = rimsOf(manifests);
      const versions = { model: modelOf(chain), driverVersion, firmwareVersion };
      return [
        await rimChecks.checkRimSignature(rims),
        rimChecks.checkRimRoot(rims, rimRoots),
        await rimChecks.checkRimChain(rims),
        rimChecks.checkRimValidity(rims, nowMs),
        rimChecks.checkRimVersions(manifests, versions),
        rimChecks.checkRimValues(rims, report),
      ];
    }),
  );
  return [passed('RIM_DTD'), passed('RIM_PARSE'), ...worstOf(RIM_CHECKS, perDevice)];
}
