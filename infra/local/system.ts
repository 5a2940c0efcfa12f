import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@usufruct/kernel';
import { zRunnerIdentity, type RunnerIdentity } from '@usufruct/protocol';
import { z } from 'zod';
import { portalConfig, storeUrls, type Endpoints } from './endpoints.js';
import { LocalSystemError } from './errors.js';
import { writeFileDurably } from './files.js';
import { lockHome } from './home-lock.js';
import { migrate } from './migrate.js';
import type { Part, PartEvent } from './part.js';
import { planPorts, type Ports } from './port-memory.js';
import { findPostgres } from './postgres.js';
import { PostgresPart } from './postgres-part.js';
import { PROJECT_ROOT } from './project.js';
import { readOrMakeDevTee, readOrMakeSecrets, type DevTee, type Secrets } from './secrets.js';
import { Service } from './service.js';
import { HOLDER_NAMES, refuseStandIns, standInsOf, type PartName, type SystemSettings } from './settings.js';

export interface StartOptions extends SystemSettings {
  /** `false` for tests only: PostgreSQL without fsync. */
  readonly durable?: boolean;
  /** Key holders that somebody else runs, or will: runner and API are told of them. */
  readonly moreHolderUrls?: readonly string[];
  /** Runners that somebody else runs, or will: the API is told of them. */
  readonly moreRunnerUrls?: readonly string[];
  readonly onEvent?: (event: PartEvent) => void;
}

export interface RunningSystem {
  readonly endpoints: Endpoints;
  readonly ports: Ports;
  /** The parts that are running, in the order in which they were started. */
  parts(): readonly { readonly name: PartName; readonly pid: number | undefined }[];
  /** Ends a part at once and leaves it ended. Resolves when it is gone. */
  kill(name: PartName, signal?: NodeJS.Signals): Promise<void>;
  /** Starts a part that was killed or stopped, with its data; stops it before if it runs. */
  restart(name: PartName): Promise<void>;
  stop(): Promise<void>;
}

const ENDPOINTS_FILE = 'endpoints.json';
/** On one machine nobody waits a minute to see an epoch come. */
const EPOCH_INTERVAL_MS = 2_000;
/** Few questions are asked here: each is divided at once, so that its claim tells its weights. */
const EPOCH_LEAST_RECEIPTS = 1;
const PORTAL_FOLDER = join(PROJECT_ROOT, 'apps/portal/dist');

/**
 * Starts every part as a process of its own, each when those it needs are ready, and waits until all are. What was built
 * last is what runs: call the build before. Refuses `STAND_IN_FORBIDDEN` with a real network; rejects with what the part
 * last said when one does not come up, after stopping the others.
 */
export async function startSystem(options: StartOptions): Promise<RunningSystem> {
  refuseStandIns(options);
  await mkdir(options.home, { recursive: true });
  const unlock = lockHome(options.home);
  const launcher = new Launcher(options);
  try {
    return await launcher.start(unlock);
  } catch (error) {
    await launcher.stopAll();
    unlock();
    throw error;
  }
}

class Launcher {
  private readonly started: Part[] = [];
  private readonly onEvent: (event: PartEvent) => void;

  constructor(private readonly options: StartOptions) {
    this.onEvent = options.onEvent ?? (() => undefined);
  }

  async start(unlock: () => void): Promise<RunningSystem> {
    const { options } = this;
    const secrets = await readOrMakeSecrets(options.home);
    const tee = await readOrMakeDevTee(options.home, systemClock.nowMs());
    const running = options.databaseUrl === undefined ? await findPostgres(options.home) : undefined;
    // A clean stop removes the file.
    const isAfterKill = existsSync(join(options.home, ENDPOINTS_FILE));
    const ports = await planPorts({ ...options, isAfterKill, postgresPort: running?.port }, this.onEvent);
    const databaseUrl = await this.startDatabase(ports);
    const wiring = wire(options, ports);
    const services = servicesOf({ options, ports, wiring, secrets, tee, databaseUrl });
    const run = (...names: PartName[]): Promise<unknown> =>
      Promise.all(names.map((name) => this.run(name, services(name))));
    await run('chain', ...(options.walrus === undefined ? (['store'] as const) : []));
    await run(...HOLDER_NAMES);
    await run('runner');
    const endpoints = await this.describe(wiring, tee);
    await writeFileDurably(join(options.home, 'portal-config.json'), JSON.stringify(portalConfig(endpoints)));
    await run('api');
    await run('portal');
    const endpointsFile = join(options.home, ENDPOINTS_FILE);
    await writeFileDurably(endpointsFile, `${JSON.stringify(endpoints, null, 2)}\n`);
    return {
      endpoints,
      ports,
      parts: () => this.started.map((part) => ({ name: part.name, pid: part.pid })),
      kill: (name, signal = 'SIGKILL') => this.find(name).kill(signal),
      restart: async (name) => {
        await this.find(name).stop();
        await this.find(name).start();
      },
      stop: async () => {
        await rm(endpointsFile, { force: true });
        await this.stopAll();
        unlock();
      },
    };
  }

  /** In the opposite order: nobody loses a part that it still needs. */
  async stopAll(): Promise<void> {
    for (const part of this.started.toReversed()) await part.stop();
  }

  private async startDatabase(ports: Ports): Promise<string> {
    const { home, databaseUrl, durable = true } = this.options;
    if (databaseUrl !== undefined) {
      await migrate(databaseUrl);
      return databaseUrl;
    }
    const part = new PostgresPart({ home, port: ports.postgres, durable }, this.onEvent);
    this.started.push(part);
    await part.start();
    return part.databaseUrl;
  }

  private async run(name: PartName, { entry, environment, url }: Launch): Promise<void> {
    const logFile = join(this.options.home, 'logs', `${name}.log`);
    const part = new Service({ name, entry, url, logFile, environment, onEvent: this.onEvent });
    this.started.push(part);
    await part.start();
  }

  private find(name: PartName): Part {
    const part = this.started.find((one) => one.name === name);
    if (part === undefined) throw new LocalSystemError(`${name} is not a part of this system`);
    return part;
  }

  private async describe(wiring: Wiring, tee: DevTee): Promise<Endpoints> {
    const runner = await askRunner(wiring.urls.runner);
    return {
      apiUrl: wiring.urls.api,
      chainUrl: wiring.urls.chain,
      suiNetwork: this.options.suiNetwork,
      ...wiring.store,
      ...(this.options.walrus === undefined && { storeShards: await shardsOf(wiring.store.aggregatorUrl) }),
      holderUrls: wiring.holderUrls,
      runnerUrls: [wiring.urls.runner],
      portalUrl: wiring.urls.portal,
      teeDevRoot: tee.rootPem,
      runnerProfile: runner.profile,
      runnerMeasurement: runner.measurement,
      standIns: standInsOf(this.options),
    };
  }
}

const zStoreInfo = z.object({ shards: z.int().min(4).max(1_000) });

/** Of the local store, which says it. */
async function shardsOf(url: string): Promise<number> {
  const answer = await fetch(`${url}/v1/info`);
  return zStoreInfo.parse(await answer.json()).shards;
}

interface Wiring {
  readonly urls: Readonly<Record<PartName, string>>;
  readonly holderUrls: readonly string[];
  readonly store: { readonly publisherUrl: string; readonly aggregatorUrl: string };
  readonly origins: string;
}

function wire(options: StartOptions, ports: Ports): Wiring {
  const at = (name: PartName): string => `http://127.0.0.1:${ports[name]}`;
  const urls: Record<PartName, string> = {
    postgres: at('postgres'),
    chain: at('chain'),
    store: at('store'),
    'holder-1': at('holder-1'),
    'holder-2': at('holder-2'),
    'holder-3': at('holder-3'),
    runner: at('runner'),
    api: at('api'),
    portal: at('portal'),
  };
  return {
    urls,
    holderUrls: HOLDER_NAMES.map((name) => urls[name]),
    store: storeUrls(options, urls.store),
    // A browser may name the same machine in either way.
    origins: `${urls.portal},http://localhost:${ports.portal}`,
  };
}

interface Launch {
  readonly entry: string;
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
}

interface ServiceInputs {
  readonly options: StartOptions;
  readonly ports: Ports;
  readonly wiring: Wiring;
  readonly secrets: Secrets;
  readonly tee: DevTee;
  readonly databaseUrl: string;
}

/** The environment of each process, as docs/ARCHITECTURE.md describes it. */
function servicesOf({ options, ports, wiring, secrets, tee, databaseUrl }: ServiceInputs): (name: PartName) => Launch {
  const { urls, holderUrls, store, origins } = wiring;
  const launch = (name: PartName, entry: string, own: Record<string, string>): Launch => ({
    entry,
    url: urls[name],
    environment: {
      PORT: String(ports[name]),
      HOST: '127.0.0.1',
      DATA_DIR: join(options.home, name),
      SUI_NETWORK: options.suiNetwork,
      ALLOWED_ORIGINS: origins,
      ...own,
    },
  });
  const onChain = { CHAIN_URL: urls.chain };
  const holders = { HOLDER_URLS: [...holderUrls, ...(options.moreHolderUrls ?? [])].join(',') };
  return (name) => {
    switch (name) {
      case 'chain':
        return launch(name, 'apps/local-chain/dist/main.js', {});
      case 'store':
        return launch(name, 'libs/walrus/dist/local/main.js', {});
      case 'holder-1':
      case 'holder-2':
      case 'holder-3': {
        const secret = secrets.holderSecrets[HOLDER_NAMES.indexOf(name)] ?? '';
        return launch(name, 'apps/key-holder/dist/main.js', {
          ...onChain,
          HOLDER_SECRET: secret,
          TEE_DEV_ROOT_FILE: tee.rootFile,
        });
      }
      case 'runner':
        return launch(name, 'apps/enclave-runner/dist/main.js', {
          ...onChain,
          ...holders,
          AGGREGATOR_URL: store.aggregatorUrl,
          RUNNER_WALLET_SECRET: secrets.runnerWalletSecret,
          TEE_DEVICE: 'software',
          TEE_DEV_DIR: tee.folder,
          EPOCH_INTERVAL_MS: String(EPOCH_INTERVAL_MS),
          EPOCH_LEAST_RECEIPTS: String(EPOCH_LEAST_RECEIPTS),
          ...options.models,
        });
      case 'api':
        return launch(name, 'apps/api/dist/main.js', {
          ...onChain,
          ...holders,
          DATABASE_URL: databaseUrl,
          RUNNER_URLS: [urls.runner, ...(options.moreRunnerUrls ?? [])].join(','),
          PUBLISHER_URL: store.publisherUrl,
          AGGREGATOR_URL: store.aggregatorUrl,
          AUTH_SECRET: secrets.authSecret,
          SIGN_IN_DOMAIN: new URL(urls.portal).host,
          PORTAL_ORIGIN: urls.portal,
          TEE_DEV_ROOT_FILE: tee.rootFile,
          ...options.keeper,
        });
      case 'portal':
        return launch(name, 'infra/local/dist/portal-main.js', {
          PORTAL_DIR: PORTAL_FOLDER,
          CONFIG_FILE: join(options.home, 'portal-config.json'),
        });
      case 'postgres':
        throw new LocalSystemError('PostgreSQL is not a Node process');
    }
  };
}

async function askRunner(url: string): Promise<RunnerIdentity> {
  const response = await fetch(`${url}/v1/runner`, { signal: AbortSignal.timeout(10_000) });
  const parsed = zRunnerIdentity.safeParse(await response.json());
  if (!parsed.success) throw new LocalSystemError('the runner does not say who it is');
  return parsed.data;
}
