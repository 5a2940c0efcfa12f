/// A small map. Here only as the type of what `test_scenario`'s natives return.
module sui::vec_map;

public struct Entry<K: copy, V> has copy, drop, store {
    key: K,
    value: V,
}

public struct VecMap<K: copy, V> has copy, drop, store {
    contents: vector<Entry<K, V>>,
}

public fun length<K: copy, V>(self: &VecMap<K, V>): u64 {
    self.contents.length()
}
