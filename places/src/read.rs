//! The packed file, read.

use crate::atlas::{Atlas, Country, Id, Region, Spot, Texts};
use crate::column::{Damaged, Reader};
use flate2::bufread::ZlibDecoder;
use std::io::Read;

/// What a packed file begins with; the rest is one zlib stream, whose checksum says whether it is whole.
pub const MAGIC: &[u8] = b"places 1\n";
/// Added to hundred-thousandths of degrees before packing, so that no number is below 0.
pub const LATITUDE_MAX: i32 = 9_000_000;
/// As [`LATITUDE_MAX`].
pub const LONGITUDE_MAX: i32 = 18_000_000;
/// More than the file unpacks to: a damaged one cannot fill the memory.
const UNPACKED_BYTES_MAX: u64 = 16 << 20;

impl Atlas {
    /// What [`pack::write`](crate::pack::write) wrote.
    pub fn read(file: &[u8]) -> Result<Atlas, Damaged> {
        // Room for all at once: growing step by step would leave three times as much behind.
        let mut plain = Vec::with_capacity((file.len() * 5 / 2).min(UNPACKED_BYTES_MAX as usize));
        let packed = file.strip_prefix(MAGIC).ok_or(Damaged("it does not begin as it should"))?;
        let unpacked = ZlibDecoder::new(packed).take(UNPACKED_BYTES_MAX).read_to_end(&mut plain);
        unpacked.map_err(|_| Damaged("it does not unpack"))?;
        let mut from = Reader::new(&plain);
        let countries = many(&mut from, |from| {
            Ok(Country { code: from.text()?.into(), iso3: from.text()?.into(), name: from.text()?.into() })
        })?;
        let regions = many(&mut from, |from| {
            Ok(Region { country: from.number()? as usize, code: from.text()?.into(), name: from.text()?.into() })
        })?;
        let zones = many(&mut from, |from| from.text().map(String::from))?;
        let count = from.count()?;
        let (spots, names) = (read_spots(&mut from, count)?, read_names(&mut from, count)?);
        let (keys, owners) = read_keys(&mut from)?;
        let mut by_latitude: Vec<Id> = (0..count as Id).collect();
        by_latitude.sort_unstable_by_key(|id| spots[*id as usize].latitude);
        let atlas = Atlas { countries, regions, zones, spots, names, by_latitude, keys, owners };
        if !from.is_empty() || !atlas.holds_together() {
            return Err(Damaged("its parts do not fit"));
        }
        Ok(atlas)
    }

    /// Every number points at something, and the keys are in order.
    fn holds_together(&self) -> bool {
        self.regions.iter().all(|region| region.country < self.countries.len())
            && self.spots.iter().all(|spot| usize::from(spot.region) < self.regions.len())
            && self.spots.iter().all(|spot| usize::from(spot.zone) < self.zones.len())
            && self.owners.iter().all(|owner| (owner >> 1) < self.spots.len() as u32)
            && (1..self.owners.len()).all(|n| self.keys.get(n - 1) <= self.keys.get(n))
    }
}

fn many<'a, T>(from: &mut Reader<'a>, one: impl Fn(&mut Reader<'a>) -> Result<T, Damaged>) -> Result<Vec<T>, Damaged> {
    (0..from.count()?).map(|_| one(from)).collect()
}

fn read_spots(from: &mut Reader, count: usize) -> Result<Vec<Spot>, Damaged> {
    let (latitudes, longitudes) = (from.planes(count, 4)?, from.planes(count, 4)?);
    let (populations, regions, zones) = (from.planes(count, 4)?, from.planes(count, 2)?, from.planes(count, 2)?);
    let degrees = |value: u32, beyond: i32| i32::try_from(value).map_or(0, |value| value - beyond);
    Ok((0..count)
        .map(|n| Spot {
            latitude: degrees(latitudes[n], LATITUDE_MAX),
            longitude: degrees(longitudes[n], LONGITUDE_MAX),
            population: populations[n],
            region: regions[n] as u16,
            zone: zones[n] as u16,
        })
        .collect())
}

fn read_names(from: &mut Reader, count: usize) -> Result<Texts, Damaged> {
    let mut names = Texts::default();
    for _ in 0..count {
        names.bytes.extend_from_slice(from.text()?.as_bytes());
        names.end();
    }
    Ok(names)
}

/// Sorted, so each is packed as how many bytes it shares with the one before, and the rest.
fn read_keys(from: &mut Reader) -> Result<(Texts, Vec<u32>), Damaged> {
    let count = from.count()?;
    let owners = from.planes(count, 3)?;
    let (shared, own) = (from.bytes(count)?, from.bytes(count)?);
    let length = |column: &[u8]| column.iter().map(|byte| usize::from(*byte)).sum::<usize>();
    let bytes = (length(shared) + length(own)).min(UNPACKED_BYTES_MAX as usize);
    let mut keys = Texts::with_capacity(count, bytes);
    let mut before = 0..0;
    for (shared, own) in shared.iter().zip(own) {
        let start = keys.bytes.len();
        if usize::from(*shared) > before.len() {
            return Err(Damaged("a name shares more than there is"));
        }
        keys.bytes.extend_from_within(before.start..before.start + usize::from(*shared));
        keys.bytes.extend_from_slice(from.bytes(usize::from(*own))?);
        keys.end();
        before = start..keys.bytes.len();
    }
    Ok((keys, owners))
}
