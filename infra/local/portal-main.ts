import { jsonLogger, refuse, systemClock, toUsufructError } from '@usufruct/kernel';
import { z } from 'zod';
import { createPortalServer, isBuilt } from './portal-server.js';

const logger = jsonLogger('portal', systemClock, (line) => process.stdout.write(`${line}\n`));
const zEnvironment = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORTAL_DIR: z.string().min(1),
  CONFIG_FILE: z.string().min(1),
});

try {
  const parsed = zEnvironment.safeParse(process.env);
  if (!parsed.success)
    throw refuse('CONFIG_INVALID', { setting: String(parsed.error.issues[0]?.path[0] ?? 'environment') });
  const { PORT, HOST, PORTAL_DIR, CONFIG_FILE } = parsed.data;
  if (!(await isBuilt(PORTAL_DIR)))
    throw refuse('CONFIG_INVALID', { setting: 'PORTAL_DIR', expected: 'a built portal: npm run build' });
  const server = createPortalServer({ folder: PORTAL_DIR, configFile: CONFIG_FILE });
  server.on('error', (error) => {
    logger.error('stopped', { cause: error.message });
    process.exitCode = 1;
  });
  server.listen(PORT, HOST, () => logger.info('listening', { url: `http://${HOST}:${PORT}` }));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      server.close();
      server.closeAllConnections();
    });
  }
} catch (error) {
  const { code, message } = toUsufructError(error);
  logger.error('refused_to_start', { code, message });
  process.exitCode = 1;
}
