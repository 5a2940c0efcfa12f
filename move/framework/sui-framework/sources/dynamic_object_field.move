/// Fields whose values are objects that keep their own place: whoever knows an object's id still finds it.
module sui::dynamic_object_field;

use sui::dynamic_field as field;

/// The name under which the object's id is kept, so that it cannot be taken for a plain field.
public struct Wrapper<Name> has copy, drop, store {
    name: Name,
}

public fun add<Name: copy + drop + store, Value: key + store>(
    object: &mut UID,
    name: Name,
    value: Value,
) {
    let key = Wrapper { name };
    field::add(object, key, object::id(&value));
    field::add_child_object(field_address(object, key), value);
}

public fun remove<Name: copy + drop + store, Value: key + store>(
    object: &mut UID,
    name: Name,
): Value {
    let key = Wrapper { name };
    let id: ID = *field::borrow(object, key);
    let value = field::remove_child_object(field_address(object, key), id.to_address());
    field::remove<Wrapper<Name>, ID>(object, key);
    value
}

public fun exists_<Name: copy + drop + store>(object: &UID, name: Name): bool {
    field::exists_(object, Wrapper { name })
}

fun field_address<Name: copy + drop + store>(object: &UID, key: Wrapper<Name>): address {
    field::hash_type_and_key(object.to_address(), key)
}
