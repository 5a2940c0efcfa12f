import { deal, type Share } from '@usufruct/crypto';
import {
  asTimestampMs,
  type Address,
  type ContributionId,
  type Digest,
  type Hex32,
  type HolderSetId,
  type DatasetId,
  type RandomSource,
} from '@usufruct/kernel';
import type { WalletSigner } from '@usufruct/chain';
import {
  daoPolicyDigest,
  deriveId,
  encodeManifest,
  manifestDigest,
  WALLET_ACTIONS,
  walletStatementBytes,
  type HeldKeys,
  type Manifest,
} from '@usufruct/protocol';
import { aPolicy } from './builders.js';
import { idOf, seededRandom, TEST_NOW_MS } from './values.js';

export type ManifestChanges = Partial<Omit<Manifest, 'keys'>> & Partial<Omit<HeldKeys, 'kind'>>;

export interface DealtManifest {
  readonly manifest: Manifest & { readonly keys: HeldKeys };
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly shares: readonly Share[];
  /** The shared secret that the shares combine to. */
  readonly secret: Uint8Array;
}

/** A valid manifest of the test world, with freshly dealt 2-of-3 shares that match its commitments. */
export function dealManifest(
  owner: Address,
  { threshold = 2, holderCount = 3, commitments: otherCommitments, ...changes }: ManifestChanges = {},
  random: RandomSource = seededRandom('manifest'),
): DealtManifest {
  const { secret, shares, commitments } = deal({ threshold, holderCount, random });
  const datasetId = changes.datasetId ?? idOf<DatasetId>('dataset');
  const salt = changes.salt ?? idOf<Hex32>('salt');
  const manifest = {
    version: 1 as const,
    chainId: 'local:test',
    datasetId,
    contributionId: deriveId<ContributionId>('contribution', datasetId, owner, salt),
    owner,
    salt,
    holderSetId: idOf<HolderSetId>('holder-set'),
    keys: { kind: 'holders' as const, threshold, holderCount, commitments: otherCommitments ?? commitments },
    parts: [{ blob: idOf<Hex32>('part'), sha256: idOf<Digest>('part-hash'), sizeBytes: 4_000 }],
    keyCommitment: idOf<Digest>('key-commitment'),
    policyDigest: daoPolicyDigest(aPolicy()),
    createdAtMs: asTimestampMs(TEST_NOW_MS - 60_000),
    ...changes,
  };
  const bytes = encodeManifest(manifest);
  return { manifest, bytes, digest: manifestDigest(bytes), shares, secret };
}

/** The wallet's signature that makes a manifest its owner's. */
export const signManifest = (wallet: WalletSigner, { manifest, digest }: DealtManifest): Promise<string> =>
  wallet.signPersonalMessage(
    walletStatementBytes({ action: WALLET_ACTIONS.manifest, chainId: manifest.chainId, digest }),
  );
