/**
 * The bare HTTP file transfer that the store's bench compares with: `PUT /N` writes the body to a file, in the file
 * system when it answers, and `GET /N` gives it back. Nothing is encoded, named by its content, or checked.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const folder = await mkdtemp(join(tmpdir(), 'usufruct-plain-'));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = join(folder, (request.url ?? '').replace(/\W/g, ''));
  if (request.method === 'PUT') {
    const file = await open(path, 'w');
    try {
      await file.writeFile(request);
      await file.sync();
    } finally {
      await file.close();
    }
    response.writeHead(200).end();
    return;
  }
  if (request.url === '/readyz') return void response.end();
  response.writeHead(200, { 'content-length': (await stat(path)).size });
  await pipeline(createReadStream(path), response);
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.listen(Number(process.env['PORT']), '127.0.0.1', () => process.stdout.write('listening\n'));
process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close(() => void rm(folder, { recursive: true, force: true }));
});
