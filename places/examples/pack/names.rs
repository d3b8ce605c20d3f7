//! Which names of a city are worth their bytes.

use anyhow::{Context, Result};
use places::fold;
use serde_json::Value;
use std::collections::BTreeSet;

/// Cities from this size on keep their names in other scripts: they are half of all bytes.
const FOREIGN_FROM: u64 = 100_000;
/// Longer ones are sentences.
const NAME_BYTES_MAX: usize = 80;

/// Folded name, whether it is another than the city's own, number of the city; in the order of the packed file.
pub fn keys(cities: &[&Value]) -> Result<Vec<(String, bool, u32)>> {
    let mut keys = BTreeSet::new();
    for (id, city) in (0..).zip(cities) {
        let own = fold(city["name"].as_str().context("name")?);
        let people = city["population"].as_u64().unwrap_or_default();
        for other in city["alternatenames"].as_array().context("alternatenames")? {
            let other = other.as_str().context("alternatenames are texts")?;
            let folded = fold(other);
            if is_worth(other, people) && folded != own && !folded.is_empty() && folded.len() <= NAME_BYTES_MAX {
                keys.insert((folded, true, id));
            }
        }
        keys.insert((own, false, id));
    }
    Ok(keys.into_iter().collect())
}

/// GeoNames writes machine transliterations ("kaelkuettae") in lower case: nobody asks for those.
fn is_worth(name: &str, people: u64) -> bool {
    let is_latin =
        name.chars().all(|c| u32::from(c) < 0x250 || (0x1e00..0x1f00).contains(&u32::from(c)) || is_quote(c));
    if is_latin { name.chars().next().is_some_and(char::is_uppercase) } else { people >= FOREIGN_FROM }
}

fn is_quote(c: char) -> bool {
    matches!(c, '\u{2018}' | '\u{2019}' | '\u{2bb}' | '\u{2bc}')
}
