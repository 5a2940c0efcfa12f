import {
  endorsementNeeds,
  manifestNeeds,
  nameOfItem,
  type EndorsementItem,
  type EndorsementNeed,
  type RootSet,
} from '@usufruct/attestation';
import type { EvidenceBundle } from '@usufruct/protocol';
import type { HeldItem } from './folder/endorsement-folder.js';

export type ObtainedItem<T> = T & { readonly item: EndorsementItem };

/**
 * Everything that evidence needs, each once: what the evidence names, and then what is to be asked about the signers of
 * manifests, which only the manifests name.
 */
export async function obtainNeeds<T extends { readonly held: HeldItem | null }>(
  bundle: EvidenceBundle,
  roots: RootSet,
  get: (need: EndorsementNeed) => Promise<T>,
): Promise<readonly ObtainedItem<T>[]> {
  const all = (needs: readonly EndorsementNeed[]): Promise<ObtainedItem<T>[]> =>
    Promise.all(needs.map(async (need) => ({ ...(await get(need)), item: need.item })));
  const first = await all(await endorsementNeeds(bundle, roots));
  const known = new Set(first.map(({ item }) => nameOfItem(item)));
  const manifests = first.flatMap(({ item, held }) =>
    item.kind === 'nvidia-rim' && held !== null ? [held.bytes] : [],
  );
  const further = new Map(manifests.flatMap(manifestNeeds).map((need) => [nameOfItem(need.item), need]));
  return [...first, ...(await all([...further.values()].filter(({ item }) => !known.has(nameOfItem(item)))))];
}
