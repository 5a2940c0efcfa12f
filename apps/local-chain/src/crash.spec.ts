import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LocalChainClient, type PreparedTransaction } from '@usufruct/chain';
import { asAmount } from '@usufruct/kernel';
import { Book, journalEntryOf, walletAccount } from '@usufruct/ledger';
import type { ChainAction, ChainEvent } from '@usufruct/protocol';
import { walletOf } from './testing/world.js';

const MAIN = resolve(import.meta.dirname, '../dist/main.js');
const wallets = ['ada', 'ben', 'cleo'].map((name) => walletOf(name));
const started: Pick<Started, 'child' | 'ended'>[] = [];
let dataDir: string;

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly lines: Record<string, unknown>[];
  /** Its exit code, when all that it said has been read, too. */
  readonly ended: Promise<number | null>;
}
async function startProcess(environment: Record<string, string> = {}): Promise<Started> {
  const child = spawn(process.execPath, [MAIN], {
    env: { PORT: '0', DATA_DIR: dataDir, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  started.push({ child, ended });
  const lines: Record<string, unknown>[] = [];
  const url = await new Promise<string>((done, fail) => {
    child.once('close', () => done(''));
    child.once('error', fail);
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const parts = text.split('\n');
      text = parts.pop()!;
      for (const part of parts) {
        const line = JSON.parse(part) as Record<string, unknown>;
        lines.push(line);
        if (line['event'] === 'listening') done(String(line['url']));
      }
    });
  });
  return { child, url, lines, ended };
}

beforeAll(() => {
  if (!existsSync(MAIN)) throw new Error('run `npm run build` first: this test starts the built process');
});
afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
  await rm(dataDir, { recursive: true, force: true });
});

/** Three wallets pass money around until the chain dies; returns what each of them had sent and been told. */
async function load(client: LocalChainClient, sent: PreparedTransaction[], told: Set<string>): Promise<void> {
  const one = async (from: number): Promise<void> => {
    for (let n = 0; ; n++) {
      const to = wallets[(from + 1 + (n % 2)) % 3]!.address;
      const transfer: ChainAction = { kind: 'transfer', to, amountUnits: asAmount(BigInt(1 + (n % 9))) };
      const mint: ChainAction = { kind: 'mint', to: wallets[from]!.address, amountUnits: asAmount(10n) };
      const transaction = await client.prepare([mint, transfer], wallets[from]!);
      sent.push(transaction);
      await client.send(transaction);
      told.add(transaction.digest);
    }
  };
  await Promise.allSettled(wallets.map((_, i) => one(i)));
}

const allEvents = async (client: LocalChainClient): Promise<ChainEvent[]> => {
  const events: ChainEvent[] = [];
  for (let page = await client.events(0); page.length > 0; page = await client.events(events.length)) {
    events.push(...page);
  }
  return events;
};

describe('the process', () => {
  it('loses nothing that it told, and invents nothing, when it is killed in the middle of its work', async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'local-chain-'));
    const sent: PreparedTransaction[] = [];
    const told = new Set<string>();
    for (const afterMs of [150, 300, 70]) {
      const { child, url } = await startProcess();
      const client = new LocalChainClient({ url, timeoutMs: 30_000, lookUpAfterMs: [1] });
      const before = told.size;
      const loading = load(client, sent, told);
      // Three times six are more than the fifteen of below, also where nothing more is told before it dies.
      while (told.size < before + 6) await new Promise((next) => setTimeout(next, 5));
      await new Promise((next) => setTimeout(next, afterMs));
      child.kill('SIGKILL');
      await loading;
    }
    const { url } = await startProcess();
    const client = new LocalChainClient({ url });
    const events = await allEvents(client);
    expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => i + 1));
    const book = new Book();
    for (const event of events) book.record(journalEntryOf(event));
    book.assertBacked();
    for (const { address } of wallets) {
      expect(await client.balanceOf(address)).toBe(book.balanceOf(walletAccount(address)));
    }
    // Whatever was told is there; whatever was not told is there as a whole, or not at all and can be sent again.
    const perTransaction = Map.groupBy(events, (event) => event.transaction);
    for (const transaction of sent) {
      const outcome = await client.transaction(transaction.digest);
      if (told.has(transaction.digest)) expect(outcome?.status).toBe('succeeded');
      expect(perTransaction.get(transaction.digest) ?? []).toHaveLength(outcome === null ? 0 : 2);
      expect((await client.send(transaction)).events[0]!.seq > events.length).toBe(outcome === null);
    }
    expect(told.size).toBeGreaterThan(15);
  }, 180_000);

  it('stops cleanly on SIGTERM while somebody waits for events', async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'local-chain-'));
    const { child, url, lines, ended } = await startProcess();
    const waiting = fetch(`${url}/v1/events?waitMs=20000`);
    await fetch(`${url}/healthz`);
    child.kill('SIGTERM');
    expect(await (await waiting).json()).toEqual({ events: [] });
    expect(await ended).toBe(0);
    expect(lines.at(-1)).toMatchObject({ event: 'stopped' });
  });

  it.each([
    ['a real network', { SUI_NETWORK: 'testnet' }, 'STAND_IN_FORBIDDEN', 'standIns', 'local chain'],
    ['no data folder', { DATA_DIR: '' }, 'CONFIG_INVALID', 'setting', 'DATA_DIR'],
    ['a port that is none', { PORT: '65536' }, 'CONFIG_INVALID', 'setting', 'PORT'],
  ])('refuses to start with %s', async (_name, environment, code, key, value) => {
    dataDir = await mkdtemp(join(tmpdir(), 'local-chain-'));
    const { lines, ended } = await startProcess(environment);
    expect(await ended).toBe(1);
    expect(lines.at(-1)).toMatchObject({ event: 'start.failed', code, details: { [key]: value } });
  });
});
