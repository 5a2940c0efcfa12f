#[test_only]
/// What unit tests need of the VM.
module std::unit_test;

/// The test runner links it into test builds, so that they cannot be published.
public native fun poison();

/// Ends the life of a value that has no `drop`.
public native fun destroy<T>(v: T);
