import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packageDigest, type MovePackage } from '@usufruct/chain';
import { refuse } from '@usufruct/kernel';
import { zHex32 } from '@usufruct/protocol';
import { z } from 'zod';

const zPackage = z.object({ modules: z.array(z.base64()).min(1), dependencies: z.array(zHex32()) });
const zPinned = z.object({ digest: z.string().regex(/^[0-9a-f]{64}$/) });
/** `apps/cli/{src,dist}` → the project, where the contracts and their compiler are. */
const PROJECT = resolve(import.meta.dirname, '../../..');
const PRINT_PACKAGE = `
  const { runCompiler } = await import(process.argv[1]);
  process.stdout.write(JSON.stringify(await runCompiler(['package'])));`;

export interface PinnedPackage extends MovePackage {
  readonly digest: string;
}

/**
 * The contracts to publish: from a file, or compiled now from this project's sources. Either way their digest is computed
 * from the bytes and must be the pinned one: `CONFIG_INVALID` otherwise.
 */
export async function pinnedPackage(file: string | undefined, project = PROJECT): Promise<PinnedPackage> {
  const pack = parse(zPackage, file === undefined ? await compile(project) : read(file), 'package');
  const pinned = parse(zPinned, read(join(project, 'move/usufruct/digest.json')), 'pinned digest');
  const digest = packageDigest(pack);
  if (digest !== pinned.digest) {
    throw refuse('CONFIG_INVALID', {
      setting: 'package',
      reason: `its digest is ${digest}, pinned is ${pinned.digest}`,
    });
  }
  return { ...pack, digest };
}

function read(path: string): string {
  if (!existsSync(path)) throw refuse('NOT_FOUND', { object: 'file', path });
  return readFileSync(path, 'utf8');
}

function parse<S extends z.ZodType>(schema: S, text: string, setting: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw refuse('CONFIG_INVALID', { setting, reason: 'not of the expected form' }, cause);
  }
}

/** In a process of its own: the compiler is a tool of the project and no part of this program. */
async function compile(project: string): Promise<string> {
  const compiler = join(project, 'tools/move/run.mjs');
  if (!existsSync(compiler)) {
    throw refuse('CONFIG_INVALID', {
      setting: 'package',
      reason: 'no compiler here; give a compiled package by --package',
    });
  }
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', PRINT_PACKAGE, compiler], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (piece) => (printed += String(piece)));
  await new Promise((ended) => child.on('close', ended));
  return printed;
}
