import type { ContributionId } from '@usufruct/kernel';
import { hex } from './common.js';
import { address, objectId, struct } from './move-types.js';

const fields = { contribution_id: address<ContributionId>(), blob: hex, object: objectId };

export const BLOB_EVENT_LAYOUTS = {
  BlobPutInCustody: struct('blob_events::BlobPutInCustody', fields),
  BlobWithdrawn: struct('blob_events::BlobWithdrawn', fields),
};
