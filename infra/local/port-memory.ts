import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { readFileIfThere, writeFileDurably } from './files.js';
import type { PartEvent } from './part.js';
import { isPortFree, PortPlan } from './ports.js';
import { PART_NAMES, type PartName, type SystemSettings } from './settings.js';

export type Ports = Readonly<Record<PartName, number>>;

/** Parts of a launcher that was killed give their ports back when they have closed: six seconds, more when busy. */
const WAIT_FOR_OLD_MS = 20_000;
const zPorts = z.partialRecord(z.enum(PART_NAMES), z.number().int().min(1).max(65_535));

export interface PlanSettings extends SystemSettings {
  /** Whether the last launcher was killed: its parts may still be on their way out. */
  readonly isAfterKill: boolean;
  /** Where a PostgreSQL that outlived its launcher is: it is joined there. */
  readonly postgresPort: number | undefined;
}

/**
 * One port for each part: the one asked for, else the one it had before, else its preferred one, else the next free one.
 * Remembered, because a browser keeps what belongs to the portal by its address.
 */
export async function planPorts(settings: PlanSettings, onEvent: (event: PartEvent) => void): Promise<Ports> {
  const path = join(settings.home, 'ports.json');
  const remembered = await readRemembered(path);
  const deadlineMs = Date.now() + (settings.isAfterKill ? WAIT_FOR_OLD_MS : 0);
  const plan = new PortPlan();
  const ports: Partial<Record<PartName, number>> = {};
  // What was asked for comes first, so that no other part takes it by preference.
  const parts = PART_NAMES.toSorted(
    (a, b) => Number(settings.ports[b] !== undefined) - Number(settings.ports[a] !== undefined),
  );
  for (const part of parts) {
    if (part === 'postgres' && settings.postgresPort !== undefined) {
      ports[part] = settings.postgresPort;
      continue;
    }
    const wanted = settings.ports[part] ?? remembered[part];
    if (wanted !== undefined) await untilFree(wanted, deadlineMs);
    const port = await plan.take(part, wanted ?? settings.preferredPorts[part], settings.ports[part]);
    if (remembered[part] !== undefined && port !== remembered[part]) {
      onEvent({
        part,
        text: `is at port ${port} now: ${settings.ports[part] === undefined ? `${remembered[part]} is taken` : 'as asked'}`,
      });
    }
    ports[part] = port;
  }
  const complete = zComplete.parse(ports);
  await writeFileDurably(path, JSON.stringify(complete, null, 2));
  return complete;
}

const zComplete = z.record(z.enum(PART_NAMES), z.number());

async function readRemembered(path: string): Promise<Partial<Record<PartName, number>>> {
  const text = await readFileIfThere(path);
  if (text === undefined) return {};
  try {
    return zPorts.parse(JSON.parse(text));
  } catch {
    return {};
  }
}

async function untilFree(port: number, deadlineMs: number): Promise<void> {
  while (Date.now() < deadlineMs && !(await isPortFree(port))) await sleep(100);
}
