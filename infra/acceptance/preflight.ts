import { existsSync, readFileSync } from 'node:fs';

/** The few looks at the machine, so that a test can have another machine. */
export interface Machine {
  exists(path: string): boolean;
  /** Empty where it cannot be read. */
  read(path: string): string;
}

export const thisMachine: Machine = {
  exists: existsSync,
  read: (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  },
};

export const GUEST_INTERFACES = ['/var/run/dstack.sock', '/sys/kernel/config/tsm/report'] as const;

/** What this machine lacks of a TDX guest with NVIDIA GPUs in confidential mode, in words; empty when nothing. */
export function missingHardware({ exists, read }: Machine, nvattest: string): string[] {
  return [
    ...(/^flags\s*:.*\btdx_guest\b/m.test(read('/proc/cpuinfo'))
      ? []
      : ['a TDX guest (/proc/cpuinfo names no flag tdx_guest)']),
    ...(GUEST_INTERFACES.some((path) => exists(path))
      ? []
      : [`an interface to make quotes (${GUEST_INTERFACES.join(' or ')})`]),
    ...(exists('/dev/nvidia0') ? [] : ['an NVIDIA GPU (/dev/nvidia0)']),
    ...(exists(nvattest) ? [] : [`NVIDIA's attestation tool (${nvattest})`]),
  ];
}
