import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PortPlan } from '#local/ports.js';
import { PART_NAMES, readSettings, type PartName } from '#local/settings.js';
import { startSystem, type RunningSystem } from '#local/system.js';

/** The whole system in a state folder of its own, every part a real process; `stop` removes the folder too. */
export async function startTestSystem({
  durable = false,
  moreHolderUrls = [] as readonly string[],
  moreRunnerUrls = [] as readonly string[],
} = {}): Promise<RunningSystem & { readonly home: string }> {
  const home = mkdtempSync(join(tmpdir(), 'usufruct-'));
  const settings = {
    ...readSettings({ USUFRUCT_HOME: home }),
    preferredPorts: portsOfOurOwn(),
    durable,
    moreHolderUrls,
    moreRunnerUrls,
  };
  const system = await startSystem(settings);
  return {
    ...system,
    home,
    stop: async () => {
      await system.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Test files run side by side: each looks for free ports in another region, under those that outgoing sockets get. */
function portsOfOurOwn(): Record<PartName, number> {
  const base = 10_000 + 20 * randomInt(1_000);
  return Object.fromEntries(PART_NAMES.map((name, i) => [name, base + i])) as Record<PartName, number>;
}

/**
 * For processes beside the system's, which begin later and are killed and begun again: above the system's, and under
 * those that outgoing sockets get, or one of these would take the port while nobody listens.
 */
export async function portsBeside(count: number): Promise<[number, ...number[]]> {
  const plan = new PortPlan();
  let next = 30_100 + 10 * randomInt(240);
  const ports: number[] = [];
  while (ports.length < count) ports.push((next = await plan.take('a process of a test', next)));
  return ports as [number, ...number[]];
}
