import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPortalServer } from './portal-server.js';

describe('the portal server', () => {
  let folder: string;
  let server: Server;
  let port: number;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'usufruct-portal-spec-'));
    await mkdir(join(folder, 'dist/assets'), { recursive: true });
    await writeFile(join(folder, 'secret.txt'), 'secret');
    await writeFile(join(folder, 'config'), '{"apiUrl":"http://127.0.0.1:1"}');
    await writeFile(join(folder, 'dist/.build.json'), '{}');
    await writeFile(join(folder, 'dist/index.html'), '<!doctype html>');
    await writeFile(join(folder, 'dist/assets/app-1a2b.js'), 'run()');
    server = createPortalServer({ folder: join(folder, 'dist'), configFile: join(folder, 'config') });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    port = address !== null && typeof address === 'object' ? address.port : 0;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await rm(folder, { recursive: true, force: true });
  });

  /** By `node:http`, which sends the path as it is; `fetch` would tidy it first. */
  const ask = (path: string): Promise<{ status: number; type: string; cache: string; body: string }> =>
    new Promise((done, fail) => {
      get({ host: '127.0.0.1', port, path }, (response) => {
        let body = '';
        response.on('data', (chunk) => (body += chunk));
        response.on('end', () =>
          done({
            status: response.statusCode ?? 0,
            type: response.headers['content-type'] ?? '',
            cache: response.headers['cache-control'] ?? '',
            body,
          }),
        );
      }).on('error', fail);
    });

  it('serves pages, files named by their content, and the configuration', async () => {
    const page = { status: 200, type: 'text/html; charset=utf-8', cache: 'no-cache', body: '<!doctype html>' };
    expect(await ask('/')).toEqual(page);
    expect(await ask('/ask/some-question')).toEqual(page);
    expect(await ask('/assets/app-1a2b.js')).toEqual({
      status: 200,
      type: 'text/javascript; charset=utf-8',
      cache: 'public, max-age=31536000, immutable',
      body: 'run()',
    });
    expect(await ask('/config.json')).toMatchObject({
      status: 200,
      type: 'application/json',
      body: '{"apiUrl":"http://127.0.0.1:1"}',
    });
  });

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/.build.json',
    '/assets/none.js',
    '/%00.js',
    '/%zz.js',
  ])('gives nothing for %s', async (path) => {
    const answer = await ask(path);
    expect({ status: answer.status, leaked: answer.body.includes('secret') }).toEqual({ status: 404, leaked: false });
  });
});
