import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBase64 } from '@usufruct/kernel';
import { decodeLocalTransaction, toWireJson, type ChainAction } from '@usufruct/protocol';
import { main } from '../main.js';

/** Views by path. Transactions are recorded and refused with `FORBIDDEN`, so that nothing changes. */
class ChainServer {
  readonly views = new Map<string, unknown>();
  readonly sent: ChainAction[] = [];
  url = '';
  private readonly server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { status, body } = this.answer(request.url ?? '', Buffer.concat(chunks).toString());
      response.writeHead(status, { 'content-type': 'application/json' }).end(toWireJson(body));
    });
  });

  private answer(url: string, posted: string): { status: number; body: unknown } {
    if (url === '/v1/transactions') {
      const { bytes } = JSON.parse(posted) as { bytes: string };
      this.sent.push(...decodeLocalTransaction(fromBase64(bytes)).actions);
      return { status: 403, body: { code: 'FORBIDDEN', details: {} } };
    }
    if (url === '/v1/reads') {
      const { reads } = JSON.parse(posted) as { reads: { path: string }[] };
      const answers = reads.map(({ path }) => this.answer(path, ''));
      const body = answers.map((one) =>
        one.status === 200 ? { ok: true, value: one.body } : { ok: false, error: one.body },
      );
      return { status: 200, body };
    }
    if (url.startsWith('/v1/events')) return { status: 200, body: { events: this.views.get('/v1/events') ?? [] } };
    if (url.startsWith('/v1/transactions/')) return { status: 200, body: null };
    const view = this.views.get(url);
    return view === undefined ? { status: 404, body: { code: 'NOT_FOUND', details: {} } } : { status: 200, body: view };
  }
  async start(): Promise<void> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
  stop = () => new Promise((done) => this.server.close(done));
}

type Ask = ((question: string) => Promise<string>) | null;

/** A person with a wallet and a home, before a chain that shows what it was given and does nothing. */
export class CliWorld {
  readonly home = mkdtempSync(join(tmpdir(), 'usufruct-cli-'));
  readonly chain = new ChainServer();

  /** `views`: what the chain shows, by path. */
  static async open(views: Readonly<Record<string, unknown>>): Promise<CliWorld> {
    const world = new CliWorld();
    for (const [path, view] of Object.entries(views)) world.chain.views.set(path, view);
    await world.chain.start();
    const elsewhere = 'http://127.0.0.1:9';
    const endpoints = {
      apiUrl: elsewhere,
      chainUrl: world.chain.url,
      suiNetwork: 'local',
      // A store without the blob answers at once; one that is away is asked again and again.
      publisherUrl: world.chain.url,
      aggregatorUrl: world.chain.url,
      holderUrls: [elsewhere],
    };
    writeFileSync(join(world.home, 'endpoints.json'), JSON.stringify(endpoints));
    await world.run(['wallet', 'new']);
    return world;
  }
  async close(): Promise<void> {
    await this.chain.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  async run(args: readonly string[], ask: Ask = null) {
    const said = { out: '', err: '' };
    const code = await main(['node', 'usufruct', ...args], {
      environment: { USUFRUCT_ENDPOINTS: join(this.home, 'endpoints.json') },
      homeDirectory: this.home,
      streams: { out: (text) => (said.out += text), err: (text) => (said.err += text), bars: null, ask },
    });
    return { code, ...said };
  }
  async json(args: readonly string[]): Promise<Record<string, never>> {
    return JSON.parse((await this.run(['--json', ...args])).out) as Record<string, never>;
  }
}
