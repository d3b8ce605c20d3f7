//! All places in memory, about as compact as they are packed.

/// Degrees are kept as whole hundred-thousandths: a metre.
pub(crate) const STEPS_A_DEGREE: f64 = 1e5;

/// A place's number: the more people, the smaller.
pub type Id = u32;

/// A city, town or capital.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place<'a> {
    /// As its people and English maps write it: `London`, `São Paulo`.
    pub name: &'a str,
    /// The first-level division: `England`, `Texas`; empty where there is none.
    pub region: &'a str,
    /// In English.
    pub country: &'a str,
    /// ISO 3166-1, two letters.
    pub country_code: &'a str,
    pub latitude: f64,
    pub longitude: f64,
    pub population: u32,
    /// The IANA name: `Europe/London`.
    pub timezone: &'a str,
}

/// Places by name and by latitude.
pub struct Atlas {
    pub(crate) countries: Vec<Country>,
    pub(crate) regions: Vec<Region>,
    pub(crate) zones: Vec<String>,
    pub(crate) spots: Vec<Spot>,
    pub(crate) names: Texts,
    pub(crate) by_latitude: Vec<Id>,
    /// Folded names in order; places called so themselves before those with such another name.
    pub(crate) keys: Texts,
    /// For each key: the place, twice, plus one for another name.
    pub(crate) owners: Vec<u32>,
}

pub(crate) struct Country {
    pub code: String,
    pub iso3: String,
    pub name: String,
}

pub(crate) struct Region {
    pub country: usize,
    pub code: String,
    pub name: String,
}

pub(crate) struct Spot {
    pub latitude: i32,
    pub longitude: i32,
    pub population: u32,
    pub region: u16,
    pub zone: u16,
}

/// Many short texts behind one another.
#[derive(Default)]
pub(crate) struct Texts {
    pub bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Texts {
    pub fn with_capacity(texts: usize, bytes: usize) -> Texts {
        Texts { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(texts) }
    }

    pub fn get(&self, n: usize) -> &[u8] {
        let start = if n == 0 { 0 } else { self.ends[n - 1] as usize };
        &self.bytes[start..self.ends[n] as usize]
    }

    /// Ends a text; the next one begins.
    pub fn end(&mut self) {
        self.ends.push(u32::try_from(self.bytes.len()).expect("unpacked under 16 MiB"));
    }
}

impl Atlas {
    pub(crate) fn place(&self, id: Id) -> Place<'_> {
        let spot = &self.spots[id as usize];
        let (region, country) = self.within(id);
        Place {
            name: str::from_utf8(self.names.get(id as usize)).expect("checked when it was read"),
            region: &region.name,
            country: &country.name,
            country_code: &country.code,
            latitude: self.latitude(id),
            longitude: self.longitude(id),
            population: spot.population,
            timezone: &self.zones[usize::from(spot.zone)],
        }
    }

    pub(crate) fn latitude(&self, id: Id) -> f64 {
        f64::from(self.spots[id as usize].latitude) / STEPS_A_DEGREE
    }

    pub(crate) fn longitude(&self, id: Id) -> f64 {
        f64::from(self.spots[id as usize].longitude) / STEPS_A_DEGREE
    }

    pub(crate) fn within(&self, id: Id) -> (&Region, &Country) {
        let region = &self.regions[usize::from(self.spots[id as usize].region)];
        (region, &self.countries[region.country])
    }

    /// All that have this name, already folded: their own before others, then by people.
    pub(crate) fn ids<'a>(&'a self, folded: &str) -> impl Iterator<Item = Id> + use<'a> {
        let (wanted, all) = (folded.as_bytes(), self.owners.len());
        let (mut low, mut high) = (0, all);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.keys.get(middle) < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let end = (low..all).find(|n| self.keys.get(*n) != wanted).unwrap_or(all);
        self.owners[low..end].iter().map(|owner| owner >> 1)
    }

    /// The place with most people in this zone.
    pub fn largest_in(&self, timezone: &str) -> Option<Place<'_>> {
        let zone = self.zones.iter().position(|name| name == timezone)?;
        let id = self.spots.iter().position(|spot| usize::from(spot.zone) == zone)?;
        Some(self.place(id as Id))
    }

    /// How many places there are.
    pub fn count(&self) -> usize {
        self.spots.len()
    }

    /// How many names lead to them, their own included.
    pub fn name_count(&self) -> usize {
        self.owners.len()
    }

    /// Each place, those with most people first.
    pub fn iter(&self) -> impl Iterator<Item = Place<'_>> {
        (0..self.spots.len()).map(|id| self.place(id as Id))
    }
}
