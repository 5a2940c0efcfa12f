import { refuse } from '@usufruct/kernel';
import { listen, readSettings, runService, zSharedSettings } from '@usufruct/service';
import { z } from 'zod';
import { createPortalServer, isBuilt } from './portal-server.js';

/** Files go out at once; what is open for longer is a browser's connection on which nothing was asked. */
const CLOSE_WITHIN_MS = 500;
const zEnvironment = zSharedSettings.pick({ PORT: true, HOST: true }).extend({
  PORTAL_DIR: z.string().min(1),
  CONFIG_FILE: z.string().min(1),
});

await runService('portal', async (logger) => {
  const { PORT, HOST, PORTAL_DIR, CONFIG_FILE } = readSettings(zEnvironment, process.env);
  if (!(await isBuilt(PORTAL_DIR)))
    throw refuse('CONFIG_INVALID', { setting: 'PORTAL_DIR', expected: 'a built portal: npm run build' });
  const server = createPortalServer({ folder: PORTAL_DIR, configFile: CONFIG_FILE });
  const running = await listen(server, { host: HOST, port: PORT, logger, closeWithinMs: CLOSE_WITHIN_MS });
  logger.info('listening', { url: running.url });
  return running;
});
