/**
 * What 1,000 files of 10 KiB cost on Walrus's mainnet for a year, each as a blob of its own and in the quilts that the SDK
 * plans for them; then with their manifests, which are blobs, too. Bytes and WAL by the formulas of Walrus's contracts,
 * with the prices that its documentation prints; quilts are encoded here by its own SDK. SUI: of the storage deposit only
 * what the bare `Blob` objects take (Sui's documentation: 100 units a byte, 76 MIST a unit, 99 % given back when it is
 * deleted), so a lower bound, without gas for computation and a relay's tip.
 */
import { encodeQuilt } from '@mysten/walrus';
import { planQuilts } from '@usufruct/sdk';
import { DOCUMENTED_PRICES, encodedBlobBytes, FROST_PER_WAL, storageCost } from '@usufruct/walrus/cost';

const SHARDS = 1_000;
/** Of two weeks each. */
const EPOCHS = 26;
const FILES = 1_000;
const FILE_BYTES = 10 * 1024;
/** Of one part, with a secret dealt to five holders of whom three are needed: a little more than it takes. */
const SIGNED_MANIFEST_BYTES = 700;
/** What files in quilts are called: a digest in hex. */
const IDENTIFIER_BYTES = 64;
/** As a client of a Walrus publisher has them. */
const LIMITS_OF_STORE = { quilts: true, maxQuiltFiles: 666, maxBlobBytes: 8 * 1024 ** 2, shards: SHARDS };
/** id 32, registered_epoch 4, blob_id 32, size 8, encoding_type 1, certified_epoch 5, storage 32 + 4 + 4 + 8, deletable 1. */
const BLOB_OBJECT_BYTES = 131;
const MIST_PER_BYTE = 100 * 76;
const MIST_PER_SUI = 1e9;

export function costOfSmallFiles(): object {
  const files = Array.from({ length: FILES }, () => FILE_BYTES);
  const manifests = Array.from({ length: FILES }, () => SIGNED_MANIFEST_BYTES);
  const single = costOf(files);
  const { filesOfQuilts, blobs } = inQuilts(files);
  const quilted = costOf(blobs);
  return {
    name: 'store.cost',
    files: FILES,
    fileKiB: FILE_BYTES / 1024,
    shards: SHARDS,
    epochs: EPOCHS,
    prices: {
      storageUnitFrost: String(DOCUMENTED_PRICES.storageUnitFrost),
      writeUnitFrost: String(DOCUMENTED_PRICES.writeUnitFrost),
    },
    filesOfQuilts,
    single,
    quilted,
    timesCheaper: {
      wal: Math.round(single.wal / quilted.wal),
      sui: Math.round(single.suiAtLeast / quilted.suiAtLeast),
    },
    withManifests: {
      manifestBytes: SIGNED_MANIFEST_BYTES,
      single: costOf([...files, ...manifests]),
      quilted: costOf([...blobs, ...inQuilts(manifests).blobs]),
    },
  };
}

/** As the SDK plans it: how many files each quilt has, and how large the blobs are, quilts and what is in none. */
function inQuilts(sizes: readonly number[]): { readonly filesOfQuilts: number[]; readonly blobs: number[] } {
  const planned = planQuilts(sizes, LIMITS_OF_STORE);
  const isIn = new Set(planned.flat());
  const alone = sizes.filter((_, i) => !isIn.has(i));
  const quilts = planned.map((places) => quiltBytes(places.map((i) => sizes[i]!)));
  return { filesOfQuilts: planned.map(({ length }) => length), blobs: [...quilts, ...alone] };
}

function quiltBytes(sizes: readonly number[]): number {
  const blobs = sizes.map((size, i) => ({
    contents: new Uint8Array(size),
    identifier: String(i).padStart(IDENTIFIER_BYTES, '0'),
  }));
  return encodeQuilt({ blobs, numShards: SHARDS }).quilt.length;
}

function costOf(blobs: readonly number[]): { blobs: number; storedBytes: number; wal: number; suiAtLeast: number } {
  const encoded = blobs.map((size) => encodedBlobBytes(size, SHARDS));
  const frost = encoded.reduce((sum, bytes) => sum + storageCost(bytes, EPOCHS, DOCUMENTED_PRICES).totalFrost, 0n);
  return {
    blobs: blobs.length,
    storedBytes: encoded.reduce((sum, bytes) => sum + bytes, 0),
    wal: Number(frost) / Number(FROST_PER_WAL),
    suiAtLeast: (blobs.length * BLOB_OBJECT_BYTES * MIST_PER_BYTE) / MIST_PER_SUI,
  };
}
