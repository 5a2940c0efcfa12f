/// Types as values.
module std::type_name;

use std::ascii::String;

public struct TypeName has copy, drop, store {
    name: String,
}

/// The type's full name; packages appear under the id of their first version.
public native fun with_original_ids<T>(): TypeName;

/// The id of the first version of the package that defines `T`.
public native fun original_id<T>(): address;

public fun into_string(self: TypeName): String {
    let TypeName { name } = self;
    name
}
