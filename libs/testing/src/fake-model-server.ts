import { createServer, type Server, type ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ModelAsked {
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly model: string;
  readonly system: string;
  readonly user: string;
  /** As it was sent, whole. */
  readonly body: Readonly<Record<string, unknown>>;
}
/** What it writes, or what it does instead. */
export type ModelScript = (asked: ModelAsked) => string | ((response: ServerResponse) => void) | Promise<string>;

/**
 * A model server without a model: chat completions as a stream over a Unix socket, by a script. It obeys whoever wrote
 * the script, so that what is tested is what we do with its words, and not its manners.
 */
export class FakeModelServer {
  readonly asked: ModelAsked[] = [];
  script: ModelScript = () => 'NO ANSWER';

  private constructor(
    private readonly server: Server,
    private readonly directory: string,
    readonly socketPath: string,
  ) {}

  static async start(): Promise<FakeModelServer> {
    const directory = mkdtempSync(join(tmpdir(), 'model-'));
    const socketPath = join(directory, 'model.sock');
    const server = createServer();
    const fake = new FakeModelServer(server, directory, socketPath);
    server.on('request', (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(pieces).toString('utf8')) as Record<string, unknown>;
        void fake.answer({ url: request.url ?? '', headers: request.headers, ...readBody(body) }, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    return fake;
  }

  private async answer(asked: ModelAsked, response: ServerResponse): Promise<void> {
    this.asked.push(asked);
    const written = await this.script(asked);
    if (typeof written === 'function') return written(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const delta of written.match(/[^]{1,7}/g) ?? []) response.write(modelEvent(delta));
    response.end('data: [DONE]\n\n');
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** One event of the stream, as the servers send them. */
export const modelEvent = (content: string): string =>
  `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] })}\n\n`;

function readBody(body: Readonly<Record<string, unknown>>): Omit<ModelAsked, 'url' | 'headers'> {
  const messages = body['messages'] as { readonly role: string; readonly content: string }[];
  const contentOf = (role: string): string => messages.find((message) => message.role === role)?.content ?? '';
  return { model: String(body['model']), system: contentOf('system'), user: contentOf('user'), body };
}
