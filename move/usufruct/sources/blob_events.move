/// Where the `Blob` objects of contributions are. Apart from `events`: no projection is built from these.
module usufruct::blob_events;

use sui::event;

public struct BlobPutInCustody has copy, drop {
    contribution_id: address,
    blob: address,
    object: ID,
}

public struct BlobWithdrawn has copy, drop {
    contribution_id: address,
    blob: address,
    object: ID,
}

public(package) fun blob_put_in_custody(contribution_id: address, blob: address, object: ID) {
    event::emit(BlobPutInCustody { contribution_id, blob, object });
}

public(package) fun blob_withdrawn(contribution_id: address, blob: address, object: ID) {
    event::emit(BlobWithdrawn { contribution_id, blob, object });
}
