import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { keypairSigner, type WalletSigner } from '@usufruct/chain';
import type { Endpoints } from './players.js';
import { portsBeside } from './system.js';

const ENTRY = resolve(import.meta.dirname, '../../apps/enclave-runner/dist/main.js');
const READY_LIMIT_MS = 60_000;

export interface SystemAround {
  readonly home: string;
  readonly endpoints: Endpoints;
}

/** A runner beside the system's own: a process with a disk and a wallet of its own, which a test can kill. */
export interface SecondRunner {
  readonly url: string;
  /** What it earns comes here. */
  readonly wallet: WalletSigner;
  /** Rejects when it ends before it is ready. */
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Resolves when its next such request to the chain ("METHOD /path body") has come. That one gets no answer. */
  stuckAt(pattern: RegExp): Promise<void>;
  close(): Promise<void>;
}

/** Known by its address before anything runs. `around` is asked when it is started. */
export async function secondRunner(around: () => SystemAround): Promise<SecondRunner> {
  const [port] = await portsBeside(1);
  const url = `http://127.0.0.1:${port}`;
  const keypair = new Ed25519Keypair();
  const line = chainLine(() => around().endpoints.chainUrl);
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill('SIGKILL');
    await gone;
  };
  return {
    url,
    wallet: keypairSigner(keypair),
    start: async () => {
      // A test that failed may have left one.
      await kill();
      const { home, endpoints } = around();
      const dataDir = join(home, 'runner-2');
      mkdirSync(dataDir, { recursive: true });
      const env = {
        PATH: process.env['PATH'] ?? '',
        PORT: String(port),
        HOST: '127.0.0.1',
        DATA_DIR: dataDir,
        SUI_NETWORK: 'local',
        CHAIN_URL: await line.url(),
        HOLDER_URLS: endpoints.holderUrls.join(','),
        AGGREGATOR_URL: endpoints.aggregatorUrl,
        RUNNER_WALLET_SECRET: keypair.getSecretKey(),
        TEE_DEVICE: 'software',
        TEE_DEV_DIR: join(home, 'tee-dev'),
        EPOCH_INTERVAL_MS: '0',
      };
      const log = openSync(join(home, 'logs', 'runner-2.log'), 'a');
      const started = spawn(process.execPath, ['--no-warnings', ENTRY], { env, stdio: ['ignore', log, log] });
      closeSync(log);
      child = started;
      await ready(url, () => started.exitCode ?? started.signalCode);
    },
    kill,
    stuckAt: line.stuckAt,
    close: async () => {
      await kill();
      await line.close();
    },
  };
}

async function ready(url: string, ended: () => number | NodeJS.Signals | null): Promise<void> {
  for (const endMs = Date.now() + READY_LIMIT_MS; ;) {
    const how = ended();
    if (how !== null) throw new Error(`ended with ${how}`);
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    if (answer?.ok === true) return;
    if (Date.now() > endMs) throw new Error(`${url} did not come up`);
    await sleep(50);
  }
}

/** Between one process and the chain: passes everything on, but what a test holds back. */
function chainLine(chainUrl: () => string) {
  let holding: { pattern: RegExp; came: () => void } | undefined;
  const pass = async (from: IncomingMessage, to: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/', headers } = from;
    const body = await buffer(from);
    if (holding?.pattern.test(`${method} ${url} ${body.toString('utf8')}`) === true) {
      const { came } = holding;
      holding = undefined;
      return came();
    }
    const onward = request(`${chainUrl()}${url}`, { method, headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    onward.on('error', () => to.destroy());
    to.on('close', () => onward.destroy());
    onward.end(body);
  };
  const server = createServer((from, to) => void pass(from, to).catch(() => to.destroy()));
  const listening = new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: async (): Promise<string> => {
      await listening;
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    stuckAt: (pattern: RegExp): Promise<void> => new Promise((came) => (holding = { pattern, came })),
    close: (): Promise<void> =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
