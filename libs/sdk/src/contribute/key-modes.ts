import type { ContributionId, DatasetId } from '@usufruct/kernel';
import { decodeManifest, KEY_MODE_WORDS, KEY_MODES, type ContributionView, type KeyMode } from '@usufruct/protocol';
import type { ClientContext } from '../context.js';
import { fetchManifest } from './manifest-blob.js';
import { mapWindow } from './map-window.js';

/** A manifest is small, and there can be 10,000: beyond this many, what was read speaks for itself alone. */
export const KEY_MODES_AT_MOST = 200;
const AT_ONCE = 8;

export interface KeyModesOfDataset {
  /** By contribution; null where the manifest cannot be read, or is not the registered one. */
  readonly modes: ReadonlyMap<ContributionId, KeyMode | null>;
  /** Living contributions of the dataset that were not looked at. */
  readonly notRead: number;
}

/**
 * Who gives out the keys of a dataset's contributions, by the manifests in the store, each compared with the digest
 * that its owner registered on the chain: what a contributor, a steward or a requester wants to see before deciding.
 * The newest come first. Declined and retired ones are left out.
 */
export async function keyModesOf(context: ClientContext, datasetId: DatasetId): Promise<KeyModesOfDataset> {
  const all = await context.chain.contributionsOf(datasetId);
  const living = all
    .filter(({ state, tombstonedAtMs }) => state !== 'declined' && tombstonedAtMs === null)
    .toReversed();
  const chosen = living.slice(0, KEY_MODES_AT_MOST);
  const modes = await mapWindow(each(chosen), AT_ONCE, (one) => keyModeOf(context, one));
  return { modes: new Map(chosen.map(({ id }, i) => [id, modes[i]!])), notRead: living.length - chosen.length };
}

export type KeyModeCounts = Readonly<Record<KeyMode | 'unreadable' | 'notRead', number>>;

/** How many contributions are under which key mode. */
export function countKeyModes({ modes, notRead }: KeyModesOfDataset): KeyModeCounts {
  const found = [...modes.values()];
  const of = (mode: KeyMode | null): number => found.filter((one) => one === mode).length;
  return { holders: of('holders'), seal: of('seal'), unreadable: of(null), notRead };
}

/** In words: what is weaker in full wherever there is some of it, and what could not be seen never counted as strong. */
export const explainKeyModes = (counts: KeyModeCounts): string[] => [
  ...KEY_MODES.filter((mode) => counts[mode] > 0).map((mode) => `keys of ${counts[mode]}: ${KEY_MODE_WORDS[mode]}`),
  ...(counts.unreadable > 0 ? [`keys of ${counts.unreadable}: their manifests cannot be read`] : []),
  ...(counts.notRead > 0 ? [`keys of ${counts.notRead} more were not looked at`] : []),
];

/** Of one contribution, in words. */
export const explainKeyMode = (mode: KeyMode | null): string =>
  mode === null
    ? 'who gives out its key is not known now: its manifest cannot be read'
    : `its key is given out by ${KEY_MODE_WORDS[mode]}`;

/** Null where the store does not give the manifest that is registered. */
export async function keyModeOf({ store }: ClientContext, contribution: ContributionView): Promise<KeyMode | null> {
  try {
    return decodeManifest(await fetchManifest(store, contribution)).keys.kind;
  } catch {
    return null;
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T, void> {
  yield* items;
}
