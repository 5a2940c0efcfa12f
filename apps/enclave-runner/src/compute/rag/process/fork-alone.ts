import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { permissionsFor } from './permissions.js';

/** Sources run as they are, in tests: what they import as `.js` stands beside them as `.ts`. */
const LOAD_SOURCES =
  "import{registerHooks}from'node:module';registerHooks({resolve:(s,c,n)=>n(c.parentURL?.endsWith('.ts')&&s.startsWith('.')?s.replace(/\\.js$/,'.ts'):s,c)})";
const OF_SOURCES = [
  '--conditions=@usufruct/source',
  '--import',
  `data:text/javascript,${encodeURIComponent(LOAD_SOURCES)}`,
];
export interface AloneOptions {
  /** That it runs code of, with what lies beside them. */
  readonly packages: readonly string[];
  /** V8's own limit where there is none. */
  readonly heapMb?: number;
  readonly args?: readonly string[];
}

/**
 * A process for what may go wrong: it runs the file of that name, which stands beside the one whose `import.meta.url` is
 * given, with an empty environment and no permission but to read its code. Messages are as between threads, but copied.
 *
 * It is the same user's process in the same guest: whoever takes over V8 itself in one is in the guest
 * (docs/THREAT_MODEL.md).
 */
export function forkAlone(besides: string, name: string, { packages, heapMb, args = [] }: AloneOptions): ChildProcess {
  const isSource = besides.endsWith('.ts');
  const child = fork(fileURLToPath(new URL(`./${name}${isSource ? '.ts' : '.js'}`, besides)), args, {
    env: {},
    execArgv: [
      ...permissionsFor(packages),
      ...(heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`]),
      ...(isSource ? OF_SOURCES : []),
    ],
    serialization: 'advanced',
    // What V8 says when it dies quotes nothing, but nobody reads it.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // An error that nobody listens to would end this process.
  child.on('error', () => undefined);
  return child;
}
