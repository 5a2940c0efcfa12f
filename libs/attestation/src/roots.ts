import { refuse, type Brand } from '@usufruct/kernel';
import type { EvidenceProfile } from '@usufruct/protocol';
import { X509Certificate } from './x509.js';

interface PinnedRoots {
  /** DER of the trusted roots of each profile. A root of one vendor says nothing about another's evidence. */
  readonly byProfile: ReadonlyMap<EvidenceProfile, readonly Uint8Array[]>;
}

/**
 * The roots that a verifier trusts. Branded: the only ways to get one are the two functions below, so no caller can
 * pass roots that it read from anywhere; nothing in this package reads the environment, a file or the network.
 */
export type RootSet = Brand<PinnedRoots, 'RootSet'>;

const rootSet = (roots: readonly (readonly [EvidenceProfile, readonly Uint8Array[]])[]): RootSet =>
  ({ byProfile: new Map(roots) }) as PinnedRoots as RootSet;

/** What a production verifier trusts. A profile that is not listed has no pinned root: its evidence is refused. */
export const productionRoots = (): RootSet => rootSet([]);

/**
 * DEV ONLY: the production roots and, for the profile `software-dev` alone, the root of one software TEE. It cannot
 * add or replace a root of a hardware profile. The caller must refuse to run with it on a real network.
 * Refuses `CONFIG_INVALID` when the text is not one certificate.
 */
export function rootSetWithDevRoot(rootPem: string): RootSet {
  try {
    const { rawData } = new X509Certificate(rootPem);
    return rootSet([...productionRoots().byProfile, ['software-dev', [new Uint8Array(rawData)]]]);
  } catch (cause) {
    throw refuse('CONFIG_INVALID', { setting: 'root of the software TEE', expected: 'one PEM certificate' }, cause);
  }
}

export const pinnedRoots = (roots: RootSet, profile: EvidenceProfile): readonly Uint8Array[] =>
  roots.byProfile.get(profile) ?? [];
