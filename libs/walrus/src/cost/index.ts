export { encodedBlobBytes, maxBlobBytes, sourceSymbols, symbolBytes, type SourceSymbols } from './encoded-size.js';
export { mostQuiltFiles, quiltBytes } from './quilt-size.js';
export {
  DOCUMENTED_PRICES,
  FROST_PER_WAL,
  STORAGE_UNIT_BYTES,
  extensionCostFrost,
  storageCost,
  type StorageCost,
  type StoragePrices,
} from './storage-cost.js';
