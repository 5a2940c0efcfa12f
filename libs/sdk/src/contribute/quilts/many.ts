import type { ClientContext } from '../../context.js';
import { contribute, type ContributeParams } from '../contribute.js';
import type { Contributed } from '../records.js';
import { storeTogether } from './store-together.js';

/** Contribute many files, in their order, the small ones in quilts. The first that is refused ends it; call again. */
export async function contributeMany(
  context: ClientContext,
  files: readonly ContributeParams[],
): Promise<Contributed[]> {
  await storeTogether(context, files);
  const contributed: Contributed[] = [];
  for (const file of files) contributed.push(await contribute(context, file));
  return contributed;
}
