//! The packed file, written: `examples/pack` gathers what goes in.

use crate::atlas::{Id, STEPS_A_DEGREE};
use crate::column::Writer;
use crate::read::{LATITUDE_MAX, LONGITUDE_MAX, MAGIC};
use flate2::{Compression, write::ZlibEncoder};
use std::io::Write;

/// What is packed; places in the order of their people, most first.
pub struct Packed {
    /// Two-letter code, three-letter code, English name.
    pub countries: Vec<(String, String, String)>,
    pub regions: Vec<PackedRegion>,
    pub zones: Vec<String>,
    pub places: Vec<PackedPlace>,
    /// Folded names, each with its place and whether it is another name than its own; sorted by all three, `false` first.
    pub keys: Vec<(String, bool, Id)>,
}

pub struct PackedRegion {
    pub country: u32,
    pub code: String,
    pub name: String,
}

pub struct PackedPlace {
    pub name: String,
    pub latitude: f64,
    pub longitude: f64,
    pub population: u32,
    pub region: u32,
    pub zone: u32,
}

/// The file that [`Atlas::read`] reads.
pub fn write(packed: &Packed) -> Vec<u8> {
    let mut to = Writer::default();
    let length = |n: usize| u32::try_from(n).expect("there are not so many places on earth");
    to.number(length(packed.countries.len()));
    for (code, iso3, name) in &packed.countries {
        [code, iso3, name].into_iter().for_each(|text| to.text(text));
    }
    to.number(length(packed.regions.len()));
    for region in &packed.regions {
        to.number(region.country);
        to.text(&region.code);
        to.text(&region.name);
    }
    to.number(length(packed.zones.len()));
    packed.zones.iter().for_each(|zone| to.text(zone));
    to.number(length(packed.places.len()));
    let column = |of: &dyn Fn(&PackedPlace) -> u32| packed.places.iter().map(of).collect::<Vec<_>>();
    to.planes(&column(&|place| shifted(place.latitude, LATITUDE_MAX)), 4);
    to.planes(&column(&|place| shifted(place.longitude, LONGITUDE_MAX)), 4);
    to.planes(&column(&|place| place.population), 4);
    to.planes(&column(&|place| place.region), 2);
    to.planes(&column(&|place| place.zone), 2);
    packed.places.iter().for_each(|place| to.text(&place.name));
    write_keys(&mut to, packed);
    let mut zipped = ZlibEncoder::new(MAGIC.to_vec(), Compression::best());
    zipped.write_all(&to.0).and_then(|()| zipped.finish()).expect("memory takes all")
}

fn shifted(degrees: f64, beyond: i32) -> u32 {
    let steps = (degrees * STEPS_A_DEGREE).round() as i32 + beyond;
    u32::try_from(steps).expect("degrees within ±90 and ±180")
}

fn write_keys(to: &mut Writer, packed: &Packed) {
    to.number(u32::try_from(packed.keys.len()).expect("names are fewer"));
    let owners: Vec<u32> = packed.keys.iter().map(|(_, other, id)| id * 2 + u32::from(*other)).collect();
    to.planes(&owners, 3);
    let (mut shared, mut own, mut rest) = (vec![], vec![], vec![]);
    let mut before: &[u8] = &[];
    for (key, ..) in &packed.keys {
        let key = key.as_bytes();
        let same = before.iter().zip(key).take_while(|(a, b)| a == b).count();
        shared.push(u8::try_from(same).expect("a name is under 256 bytes"));
        own.push(u8::try_from(key.len() - same).expect("a name is under 256 bytes"));
        rest.extend_from_slice(&key[same..]);
        before = key;
    }
    [shared, own, rest].into_iter().for_each(|column| to.0.extend(column));
}
