import { refuseStandIns } from '@usufruct/chain';
import { readSettings, zSharedSettings, type Environment } from '@usufruct/service';

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly allowedOrigins: readonly string[];
}

const zEnvironment = zSharedSettings.omit({ CHAIN_URL: true });

/** Refuses `CONFIG_INVALID` with the setting's name, and `STAND_IN_FORBIDDEN` with a real network. */
export function readConfig(environment: Environment): Config {
  const { PORT, HOST, DATA_DIR, SUI_NETWORK, ALLOWED_ORIGINS } = readSettings(zEnvironment, environment);
  refuseStandIns({ suiNetwork: SUI_NETWORK, standIns: ['local chain'] });
  return { host: HOST, port: PORT, dataDir: DATA_DIR, allowedOrigins: ALLOWED_ORIGINS };
}
