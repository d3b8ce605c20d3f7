//! What must not compile, and in which words: one mistake a file.
//!
//! After a change of compiler or kit: `TRYBUILD=overwrite cargo test -p sdk --test compile_fail`, then read the diff.

#[test]
fn mistakes_are_compile_errors() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
