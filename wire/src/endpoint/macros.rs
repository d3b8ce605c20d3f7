//! `endpoints!`: the table at the head of a service's `api.rs`.

/// Writes [`Request`](crate::Request) for each line, and `endpoints()`, the list of them all.
///
/// ```
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// wire::endpoints! { greeter:
///     Command Greet(GreetRequest) -> GreetResponse, key name or "world";
///     Gather  List(ListRequest)   -> ListResponse,  page(names: String, 100..1000);
/// }
/// /// Say hello.
/// #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default)]
/// pub struct GreetRequest { /** whom */ pub name: String }
/// /// The greeting.
/// #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
/// pub struct GreetResponse { pub message: String }
/// /// Who was greeted.
/// #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default)]
/// pub struct ListRequest { pub limit: i64, pub cursor: String }
/// /// Names in order.
/// #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
/// pub struct ListResponse { pub names: Vec<String>, pub cursor: String }
///
/// assert_eq!(endpoints().len(), 2);
/// assert_eq!(endpoints()[0].id(), "greeter.greet");
/// ```
///
/// A line is `Kind Name(Request) -> Response`, then for commands and queries one of
/// `key field` · `key field or "default"` · `key field or new` · `key(function, "in words")`,
/// for gathers `page(field: Item, default..max)`, for the rest nothing. In front may stand `internal` (no door knows it),
/// `sensitive` (never logged, its kept reply sealed) and `body(bytes)` (a larger request than 1 MiB).
#[macro_export]
macro_rules! endpoints {
    ($service:ident: $($table:tt)*) => {
        $crate::endpoints!(@lines $service [] $($table)*);
    };
    // One line at a time; `[...]` gathers what `endpoints()` lists.
    (@lines $service:ident [$($done:expr,)*]) => {
        /// Every endpoint of this service, in the order of its table.
        pub fn endpoints() -> Vec<$crate::Endpoint> {
            vec![$($done),*]
        }
    };
    (@lines $service:ident [$($done:expr,)*] $($rest:tt)*) => {
        $crate::endpoints!(@words $service [$($done,)*] {} $($rest)*);
    };
    // The words in front of a line become constants of its request.
    (@words $s:ident [$($done:expr,)*] {$($consts:tt)*} internal $($rest:tt)*) => {
        $crate::endpoints!(@words $s [$($done,)*] {$($consts)* const INTERNAL: bool = true;} $($rest)*);
    };
    (@words $s:ident [$($done:expr,)*] {$($consts:tt)*} sensitive $($rest:tt)*) => {
        $crate::endpoints!(@words $s [$($done,)*] {$($consts)* const SENSITIVE: bool = true;} $($rest)*);
    };
    (@words $s:ident [$($done:expr,)*] {$($consts:tt)*} body($bytes:expr) $($rest:tt)*) => {
        $crate::endpoints!(@words $s [$($done,)*] {$($consts)* const BODY_BYTES_MAX: usize = $bytes;} $($rest)*);
    };
    (@words $s:ident [$($done:expr,)*] $consts:tt $($rest:tt)*) => {
        $crate::endpoints!(@line $s [$($done,)*] $consts $($rest)*);
    };
    (@line $s:ident [$($done:expr,)*] $consts:tt Gather $name:ident($req:ty) -> $resp:ty, page($field:ident: $item:ty, $default:literal..$max:literal); $($rest:tt)*) => {
        $crate::endpoints!(@request $s $consts Gather $name $req, $resp, "", {});
        impl $crate::Page for $req {
            type Item = $item;
            const LIMIT: $crate::endpoint::Limit = $crate::endpoint::Limit { default: $default, max: $max };
            fn wanted(&self) -> (i64, &str) {
                (self.limit.into(), &self.cursor)
            }
            fn page($field: Vec<$item>, cursor: String) -> $resp {
                <$resp>::from(($field, cursor))
            }
        }
        impl From<(Vec<$item>, String)> for $resp {
            fn from(($field, cursor): (Vec<$item>, String)) -> $resp {
                Self { $field, cursor }
            }
        }
        $crate::endpoints!(@lines $s [$($done,)* $crate::Endpoint::paged::<$req>(),] $($rest)*);
    };
    (@line $s:ident [$($done:expr,)*] $consts:tt $kind:ident $name:ident($req:ty) -> $resp:ty, key $field:ident or new; $($rest:tt)*) => {
        $crate::endpoints!(@keyed $s [$($done,)*] $consts $kind $name $req, $resp, concat!(stringify!($field), " or new"),
            { fn key(&self) -> $crate::Key { $crate::Key::or_new(&self.$field) } }, $($rest)*);
    };
    (@line $s:ident [$($done:expr,)*] $consts:tt $kind:ident $name:ident($req:ty) -> $resp:ty, key $field:ident or $default:literal; $($rest:tt)*) => {
        $crate::endpoints!(@keyed $s [$($done,)*] $consts $kind $name $req, $resp, concat!(stringify!($field), " or ", stringify!($default)),
            { fn key(&self) -> $crate::Key { $crate::Key::or_default(&self.$field, $default) } }, $($rest)*);
    };
    (@line $s:ident [$($done:expr,)*] $consts:tt $kind:ident $name:ident($req:ty) -> $resp:ty, key $field:ident; $($rest:tt)*) => {
        $crate::endpoints!(@keyed $s [$($done,)*] $consts $kind $name $req, $resp, stringify!($field),
            { fn key(&self) -> $crate::Key { $crate::Key::of(&self.$field) } }, $($rest)*);
    };
    (@line $s:ident [$($done:expr,)*] $consts:tt $kind:ident $name:ident($req:ty) -> $resp:ty, key($of:expr, $words:literal); $($rest:tt)*) => {
        $crate::endpoints!(@keyed $s [$($done,)*] $consts $kind $name $req, $resp, $words,
            { fn key(&self) -> $crate::Key { $crate::Key::Entity($of(self)) } }, $($rest)*);
    };
    (@line $s:ident [$($done:expr,)*] $consts:tt $kind:ident $name:ident($req:ty) -> $resp:ty; $($rest:tt)*) => {
        $crate::endpoints!(@unkeyed $kind);
        $crate::endpoints!(@keyed $s [$($done,)*] $consts $kind $name $req, $resp, "", {}, $($rest)*);
    };
    (@keyed $s:ident [$($done:expr,)*] $consts:tt $kind:ident $name:ident $req:ty, $resp:ty, $words:expr, $key:tt, $($rest:tt)*) => {
        $crate::endpoints!(@request $s $consts $kind $name $req, $resp, $words, $key);
        $crate::endpoints!(@lines $s [$($done,)* $crate::Endpoint::of::<$req>(),] $($rest)*);
    };
    (@unkeyed Command) => { compile_error!("a Command needs a key: `, key field`"); };
    (@unkeyed Query) => { compile_error!("a Query needs a key: `, key field` (a pure function is `Local`)"); };
    (@unkeyed Gather) => { compile_error!("a Gather needs a page: `, page(field: Item, default..max)`"); };
    (@unkeyed $kind:ident) => {};
    (@request $s:ident {$($consts:tt)*} $kind:ident $name:ident $req:ty, $resp:ty, $words:expr, {$($key:tt)*}) => {
        impl $crate::Request for $req {
            type Response = $resp;
            type Kind = $crate::endpoint::kind::$kind;
            const SERVICE: &'static str = stringify!($s);
            const ENDPOINT: &'static str = stringify!($name);
            const KEY: &'static str = $words;
            $($consts)*
            $($key)*
        }
    };
}
