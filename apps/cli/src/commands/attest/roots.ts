import { readFileSync } from 'node:fs';
import {
  devHardwareRoots,
  productionRoots,
  rootSetWithDevRoot,
  type RootName,
  type RootSet,
} from '@usufruct/attestation';
import { refuse } from '@usufruct/kernel';

const NAMES: readonly RootName[] = ['software-dev', 'intel', 'amd', 'awsNitro', 'nvidiaDevice', 'nvidiaRim'];

/**
 * The pinned roots of the vendors; with `name=file` (DEV ONLY) generated ones in their place, which every result says.
 * The root of the software TEE alone adds a profile of its own and replaces none.
 */
export function rootsOf(devRoots: readonly string[] | undefined): RootSet {
  if (devRoots === undefined || devRoots.length === 0) return productionRoots();
  const named = new Map(devRoots.map((text) => [nameOf(text), pemOf(text.slice(text.indexOf('=') + 1))]));
  const software = named.get('software-dev');
  return named.size === 1 && software !== undefined
    ? rootSetWithDevRoot(software)
    : devHardwareRoots(Object.fromEntries(named));
}

function nameOf(text: string): RootName {
  const name = NAMES.find((known) => text.startsWith(`${known}=`));
  if (name === undefined)
    throw refuse('INVALID_ARGUMENT', { field: 'dev-root', expected: `${NAMES.join(' | ')}=file` });
  return name;
}

function pemOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw refuse('NOT_FOUND', { object: 'dev-root', path }, cause);
  }
}
