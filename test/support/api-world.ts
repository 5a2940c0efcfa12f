import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { openChain, type Chain, type WalletSigner } from '@usufruct/chain';
import { asTimestampMs, systemRandom, utf8, type Logger } from '@usufruct/kernel';
import { createApp, startApp, stopApp } from '../../apps/api/src/app.js';
import { ProjectionService } from '../../apps/api/src/modules/projection/index.js';
import { readConfig, type Config } from '../../apps/api/src/platform/config/config.js';
import type { StorePort } from '../../apps/api/src/platform/store/index.js';
import { Prisma, PrismaService } from '../../apps/api/src/platform/prisma/index.js';
import { serve, type RunningServer } from '../../apps/local-chain/src/server/server.js';
import { DaoWorld } from '../../apps/local-chain/src/testing/dao-world.js';
import { TestClock } from '../../apps/local-chain/src/testing/world.js';
import { createTestDatabase, type TestDatabase } from '../../infra/local/test-database.js';

/**
 * The system's time, because the database's queue has no other, and as much later as a test has advanced it. The queue
 * does not follow an advance: what is queued after one runs later than the test expects.
 */
class RunningClock extends TestClock {
  constructor() {
    super(0);
  }
  override nowMs(): ReturnType<TestClock['nowMs']> {
    return asTimestampMs(Date.now() + super.nowMs());
  }
}

export interface GraphqlAnswer {
  readonly status: number;
  // Answers of ad-hoc queries: each test knows the shape that it asked for.
  readonly data: Record<string, any> | null; // oxlint-disable-line no-explicit-any
  readonly errors: { readonly message: string; readonly extensions: { readonly code: string; details: object } }[];
}

export interface LoggedLine {
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The API on a real database and a real local chain, in this process; runners are the test's own. */
export class ApiWorld {
  readonly log: LoggedLine[] = [];
  readonly logger: Logger = {
    info: (event, fields = {}) => void this.log.push({ level: 'info', event, fields }),
    warn: (event, fields = {}) => void this.log.push({ level: 'warn', event, fields }),
    error: (event, fields = {}) => void this.log.push({ level: 'error', event, fields }),
  };
  app!: NestFastifyApplication;
  url = '';

  private constructor(
    readonly dao: DaoWorld,
    readonly chain: Chain,
    readonly config: Config,
    private readonly server: RunningServer,
    private readonly database: TestDatabase,
    private readonly store: StorePort | undefined,
  ) {}

  static async start(settings: Readonly<Record<string, string>> = {}, store?: StorePort): Promise<ApiWorld> {
    return ApiWorld.over(new DaoWorld({ clock: new RunningClock() }), settings, store);
  }
  /** On a chain of another world, which gets the clock that this needs. */
  static async on<W extends DaoWorld>(
    make: (options: { readonly clock: TestClock }) => W,
  ): Promise<{ readonly world: ApiWorld; readonly dao: W }> {
    const dao = make({ clock: new RunningClock() });
    return { world: await ApiWorld.over(dao, {}), dao };
  }

  private static async over(
    dao: DaoWorld,
    settings: Readonly<Record<string, string>>,
    store?: StorePort,
  ): Promise<ApiWorld> {
    const quiet: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const server = await serve(dao.chain, { host: '127.0.0.1', port: 0, allowedOrigins: [], logger: quiet });
    const database = await createTestDatabase();
    const config = readConfig({
      PORT: '0',
      CHAIN_URL: server.url,
      DATABASE_URL: database.url,
      RUNNER_URLS: 'http://127.0.0.1:9',
      HOLDER_URLS: 'http://127.0.0.1:9',
      PUBLISHER_URL: 'http://127.0.0.1:9',
      AGGREGATOR_URL: 'http://127.0.0.1:9',
      AUTH_SECRET: '5c'.repeat(32),
      SIGN_IN_DOMAIN: 'portal.test',
      PORTAL_ORIGIN: 'http://portal.test',
      // Rounds are a test's own, where it has a store.
      LEASE_INTERVAL_MS: '0',
      ...settings,
    });
    const chain = openChain({ suiNetwork: 'local', chainUrl: server.url });
    const world = new ApiWorld(dao, chain, config, server, database, store);
    await world.startApi();
    return world;
  }

  async startApi(): Promise<void> {
    this.app = await this.anotherApi();
    this.url = await this.app.getUrl();
  }
  /** A second process on the same database, as far as the database can tell. The caller stops it. */
  async anotherApi(): Promise<NestFastifyApplication> {
    const { config, chain, logger, store, dao } = this;
    const given = { config, chain, logger, clock: dao.clock, random: systemRandom };
    const app = await createApp({ ...given, ...(store !== undefined && { store }) });
    await startApp(app, 0, '127.0.0.1');
    return app;
  }
  async stopApi(): Promise<void> {
    await stopApp(this.app);
  }
  async close(): Promise<void> {
    await this.stopApi();
    await this.server.close();
    await this.dao.chain.close();
    await this.database.drop();
  }

  async ask(query: string, variables: object = {}, token?: string): Promise<GraphqlAnswer> {
    return this.post(JSON.stringify({ query, variables }), token);
  }
  async post(body: string, token?: string): Promise<GraphqlAnswer> {
    const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization },
      body,
    });
    const answer = (await response.json()) as Omit<GraphqlAnswer, 'status'>;
    return { status: response.status, data: answer.data, errors: answer.errors ?? [] };
  }
  /** The one field that was asked for; fails with the API's own words when there are errors. */
  // oxlint-disable-next-line no-explicit-any
  async field(query: string, variables: object = {}, token?: string): Promise<any> {
    const { data, errors } = await this.ask(query, variables, token);
    if (errors.length > 0 || data === null) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0];
  }

  async signIn(wallet: WalletSigner): Promise<string> {
    return (await this.session(wallet)).accessToken;
  }
  async session(wallet: WalletSigner): Promise<{ accessToken: string; refreshToken: string }> {
    const challenge = await this.challenge(wallet);
    const signature = await wallet.signPersonalMessage(utf8(challenge.message));
    return this.answer(wallet.address, challenge.nonce, signature);
  }
  challenge(wallet: WalletSigner): Promise<{ message: string; nonce: string }> {
    return this.field(
      `mutation ($address: Hex32!) { signInChallenge(address: $address) { ... on SignInChallenge { message nonce } } }`,
      { address: wallet.address },
    );
  }
  // oxlint-disable-next-line no-explicit-any
  answer(address: string, nonce: string, signature: string): Promise<any> {
    return this.field(
      `mutation ($input: SignInInput!) { signIn(input: $input) {
        ... on Session { accessToken refreshToken } ... on Refusal { code remedy } } }`,
      { input: { address, nonce, signature } },
    );
  }

  /** Every row of the projection, table by table, as text. */
  async projected(): Promise<string> {
    const prisma = this.app.get(PrismaService, { strict: false });
    const all: unknown[] = [];
    for (const table of this.app.get(ProjectionService, { strict: false }).tables()) {
      const rows = await prisma.$queryRaw<{ row: string }[]>`select t::text as row from ${Prisma.raw(`"${table}"`)} t`;
      all.push([table, rows.map(({ row }) => row).sort()]);
    }
    return JSON.stringify(all);
  }

  /** Wait until the API tells what the chain has told so far. */
  async settled(): Promise<void> {
    const last = (await this.chain.events(0)).at(-1)?.seq ?? 0;
    const isThere = async (): Promise<boolean> =>
      (await this.field('{ chainInfo { projectedSeq } }')).projectedSeq >= last;
    await eventually(isThere).catch((error: unknown) => {
      throw new Error(`the projection does not follow: ${JSON.stringify(this.log.slice(-3))}`, { cause: error });
    });
  }
}

export async function eventually(holds: () => Promise<boolean>, limitMs = 30_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export interface RunnerRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  // oxlint-disable-next-line no-explicit-any
  readonly body: any;
}
export interface RunnerReply {
  readonly status?: number;
  readonly body: unknown;
}
/** A runner that says what the test lets it say; `undefined` cuts the connection. */
export class ScriptedRunner {
  readonly requests: RunnerRequest[] = [];
  private constructor(
    private readonly server: Server,
    readonly url: string,
    public reply: (request: RunnerRequest) => Promise<RunnerReply | undefined> | RunnerReply | undefined,
  ) {}

  static async start(): Promise<ScriptedRunner> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const runner = new ScriptedRunner(server, `http://127.0.0.1:${port}`, () => undefined);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const { method = '', url: path = '', headers } = request;
        const told = { method, path, headers, body: text && JSON.parse(text) };
        runner.requests.push(told);
        void Promise.resolve(runner.reply(told)).then((reply) => {
          if (reply === undefined) return request.socket.destroy();
          response.writeHead(reply.status ?? 200, { 'content-type': 'application/json' });
          return response.end(JSON.stringify(reply.body));
        });
      });
    });
    return runner;
  }
  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
