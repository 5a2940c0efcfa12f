import { createServer, type Server, type ServerResponse } from 'node:http';
import { readFile, stat } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};
const SECURITY = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
} as const;

export interface PortalFiles {
  /** Vite's output. */
  readonly folder: string;
  /** What `/config.json` answers; read at each request. */
  readonly configFile: string;
}

/** The portal's static files, read-only; a path without an ending is a page of the portal itself. */
export function createPortalServer(files: PortalFiles): Server {
  return createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/' } = incoming;
    incoming.resume();
    if (method !== 'GET' && method !== 'HEAD')
      return send(outgoing, 405, 'text/plain; charset=utf-8', 'method not allowed\n');
    answer(files, url, outgoing).catch(() => send(outgoing, 404, 'text/plain; charset=utf-8', 'not found\n'));
  });
}

async function answer(files: PortalFiles, url: string, outgoing: ServerResponse): Promise<void> {
  const path = decodeURIComponent(new URL(url, 'http://portal').pathname);
  if (path === '/healthz' || path === '/readyz') return send(outgoing, 200, 'application/json', '{"status":"ok"}');
  if (path === '/config.json') return send(outgoing, 200, 'application/json', await readFile(files.configFile));
  const file = filePath(files.folder, path);
  const content = await readFile(file);
  // Vite puts a hash of the content into the name of everything under assets.
  const isNamedByContent = path.startsWith('/assets/');
  send(outgoing, 200, TYPES[extname(file)] ?? 'application/octet-stream', content, isNamedByContent);
}

/** Throws for whatever lies outside the folder, and for dotfiles. */
function filePath(folder: string, path: string): string {
  const relative = normalize(path)
    .split(sep)
    .filter((part) => part !== '');
  if (path.includes('\0') || relative.some((part) => part.startsWith('.'))) throw new Error('outside');
  const isPage = extname(path) === '';
  return isPage ? join(folder, 'index.html') : join(folder, ...relative);
}

function send(
  outgoing: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
  mayKeep = false,
): void {
  outgoing.writeHead(status, {
    ...SECURITY,
    'content-type': type,
    'content-length': typeof body === 'string' ? Buffer.byteLength(body) : body.length,
    'cache-control': mayKeep ? 'public, max-age=31536000, immutable' : 'no-cache',
  });
  outgoing.end(outgoing.req.method === 'HEAD' ? undefined : body);
}

/** Whether the portal has been built. */
export const isBuilt = (folder: string): Promise<boolean> =>
  stat(join(folder, 'index.html')).then(
    () => true,
    () => false,
  );
