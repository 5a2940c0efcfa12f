/// A blob on Walrus: a part of a contribution, or its signed manifest.
module usufruct::blob_reference;

/// A blob is empty or larger than the limit.
const EBlobSize: u64 = 150;
/// A lease only becomes longer.
const ELeaseShorter: u64 = 151;

public struct BlobReference has copy, drop, store {
    blob: address,
    size_bytes: u64,
    /// Walrus epoch at which the lease ends.
    end_epoch: u32,
}

/// What a renewal says: the blob's lease now ends later.
public struct LeaseRenewal has copy, drop, store {
    blob: address,
    end_epoch: u32,
}

public fun new(blob: address, size_bytes: u64, end_epoch: u32): BlobReference {
    assert!(size_bytes > 0, EBlobSize);
    BlobReference { blob, size_bytes, end_epoch }
}

public fun blob(self: &BlobReference): address {
    self.blob
}

public fun size_bytes(self: &BlobReference): u64 {
    self.size_bytes
}

public fun end_epoch(self: &BlobReference): u32 {
    self.end_epoch
}

public(package) fun renew(self: &mut BlobReference, end_epoch: u32) {
    assert!(end_epoch > self.end_epoch, ELeaseShorter);
    self.end_epoch = end_epoch;
}

public(package) fun lease_renewal(blob: address, end_epoch: u32): LeaseRenewal {
    LeaseRenewal { blob, end_epoch }
}

public(package) fun assert_at_most(self: &BlobReference, most_bytes: u64) {
    assert!(self.size_bytes <= most_bytes, EBlobSize);
}
