import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '#local/settings.js';
import { startSystem, type RunningSystem } from '#local/system.js';

/** The whole system in a state folder of its own, every part a real process; `stop` removes the folder too. */
export async function startTestSystem({ durable = false } = {}): Promise<RunningSystem> {
  const home = mkdtempSync(join(tmpdir(), 'usufruct-'));
  // Any free ports: tests run beside a developer's own system.
  const system = await startSystem({ ...readSettings({ USUFRUCT_HOME: home }), durable });
  return {
    ...system,
    stop: async () => {
      await system.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
