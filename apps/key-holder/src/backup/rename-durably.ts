import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Within one folder; a file whose bytes are on the disk has its new name there, too, when it returns. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  const folder = await open(dirname(to), 'r');
  await folder.sync().finally(() => folder.close());
}
