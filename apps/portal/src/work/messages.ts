import type { Address, DatasetId, WireError } from '@usufruct/kernel';
import type { Contributed, ContributeProgress } from '@usufruct/sdk';
import type { PortalConfig } from '../app/config.js';

/** Between the page and its worker. Both are the same build and the same origin, so the types are all the check. */
export type ToWorker =
  | {
      readonly type: 'contribute';
      readonly id: string;
      readonly config: PortalConfig;
      readonly owner: Address;
      readonly datasetId: DatasetId;
      readonly file: File;
      /** Files that wait for the same dataset: the small ones are stored together with it. */
      readonly waiting: readonly { readonly id: string; readonly file: File }[];
    }
  | { readonly type: 'signed'; readonly requestId: number; readonly signature: string }
  | { readonly type: 'not-signed'; readonly requestId: number; readonly error: WireError };

export type FromWorker =
  | { readonly type: 'progress'; readonly id: string; readonly progress: ContributeProgress }
  /** Only the page can reach the wallet. */
  | {
      readonly type: 'sign';
      readonly requestId: number;
      readonly owner: Address;
      /** A message, or a transaction of Sui. */
      readonly what: 'message' | 'transaction';
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'done'; readonly id: string; readonly result: Contributed }
  | { readonly type: 'failed'; readonly id: string; readonly error: WireError };

/** Names a contribution in the journal: the same file dropped again goes on instead of starting anew. */
export const contributionKey = (datasetId: string, file: Pick<File, 'name' | 'size' | 'lastModified'>): string =>
  [datasetId, encodeURIComponent(file.name), file.size, file.lastModified].join('~');
