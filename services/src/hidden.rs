//! Types that hold a secret do not show it where things are printed for developers: logs, panics, failed assertions.

/// `Debug` with no field shown.
macro_rules! hidden {
    ($($type:ident),*) => {$(
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type)).finish_non_exhaustive()
            }
        }
    )*};
}
pub(crate) use hidden;
