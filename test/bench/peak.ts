import { readFileSync } from 'node:fs';
import { resourceUsage } from 'node:process';

/**
 * The peak resident set of this process. Linux passes a parent's peak on to its child as `maxRSS` (it survives exec),
 * which would charge this process for the caller's buffers; `VmHWM` belongs to this process alone. Elsewhere `maxRSS`
 * is what there is.
 */
export function peakMb(): number {
  const ownKib = /^VmHWM:\s+(\d+) kB$/m.exec(linuxStatus())?.[1];
  return Math.round(((ownKib === undefined ? resourceUsage().maxRSS : Number(ownKib)) * 1024) / 1e6);
}

function linuxStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}
