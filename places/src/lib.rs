//! Where on earth: cities by name, the city nearest to a point, the time zone of a point. Embedded, without a network.
//!
//! 34,006 places of GeoNames (15,000 people and more, and capitals), 146,000 other names of theirs, zone polygons of the whole
//! globe, oceans included. `data/NOTICE` has the licences, `examples/pack` makes the file from what registries serve.
//!
//! Absent on purpose: a runtime, the services' kit, and a clock: `time`, `weather`, `prayer` and `geocoding` share it.

mod atlas;
mod column;
mod fold;
mod near;
#[doc(hidden)]
pub mod pack;
mod query;
mod read;
mod zone;

#[cfg(test)]
mod tests;

pub use atlas::{Atlas, Place};
pub use column::Damaged;
pub use fold::fold;
pub use zone::zone_at;

use std::sync::LazyLock;

/// Unpacked at first use, which takes 22 ms and 7 MiB: a node that never asks does not pay. Never changed afterwards, so
/// every node and every run answers alike.
static ATLAS: LazyLock<Atlas> =
    LazyLock::new(|| Atlas::read(include_bytes!("../data/places.bin")).expect("checked in, and read by a test"));

/// The place that people mean by `London`, `London, UK` or `Paris, Texas`: see [`Atlas::find`].
pub fn find(text: &str) -> Option<Place<'static>> {
    ATLAS.find(text)
}

/// All places of this name: see [`Atlas::named`].
pub fn named(name: &str) -> impl Iterator<Item = Place<'static>> {
    ATLAS.named(name)
}

/// The place nearest to a point, and how far it is in kilometres: see [`Atlas::nearest`].
pub fn nearest(latitude: f64, longitude: f64, within_km: f64) -> Option<(Place<'static>, f64)> {
    ATLAS.nearest(latitude, longitude, within_km)
}

/// The place with most people in this time zone, by its IANA name as GeoNames writes it.
pub fn largest_in(timezone: &str) -> Option<Place<'static>> {
    ATLAS.largest_in(timezone)
}

/// Every place, those with most people first.
pub fn all() -> impl Iterator<Item = Place<'static>> {
    ATLAS.iter()
}
