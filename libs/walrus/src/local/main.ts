import { systemClock } from '@usufruct/kernel';
import { runService } from '@usufruct/service';
import { readConfig } from './config.js';
import { startLocalStore } from './start.js';

await runService('local-store', (logger) => startLocalStore(readConfig(process.env), systemClock, logger));
