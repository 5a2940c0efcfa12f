import type { HolderSetId } from '@usufruct/kernel';
import { account } from './common.js';
import { address, bytes, struct, u32, u8, vector } from './move-types.js';

const holderSetId = address<HolderSetId>();

export const LIFECYCLE_EVENT_LAYOUTS = {
  HolderSetRotated: struct('lifecycle_events::HolderSetRotated', {
    holder_set_id: holderSetId,
    version: u32,
    operators: vector(account),
    signing_public_keys: vector(bytes),
    sealing_public_keys: vector(bytes),
    threshold: u8,
  }),
  HolderTombstoned: struct('lifecycle_events::HolderTombstoned', {
    holder_set_id: holderSetId,
    member: u8,
    signing_public_key: bytes,
  }),
};
