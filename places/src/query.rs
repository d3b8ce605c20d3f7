//! `London`, `London, UK`, `Paris, Texas`: which place people mean.

use crate::atlas::Id;
use crate::{Atlas, Place, fold};

/// Names of countries that people write and GeoNames does not have, folded; with the ISO code.
const ALSO_CALLED: &[(&str, &str)] = &[
    ("america", "US"),
    ("bosnia", "BA"),
    ("britain", "GB"),
    ("burma", "MM"),
    ("cape verde", "CV"),
    ("congo", "CD"),
    ("cote divoire", "CI"),
    ("czech republic", "CZ"),
    ("drc", "CD"),
    ("east timor", "TL"),
    ("great britain", "GB"),
    ("holland", "NL"),
    ("korea", "KR"),
    ("macau", "MO"),
    ("macedonia", "MK"),
    ("netherlands", "NL"),
    ("swaziland", "SZ"),
    ("turkey", "TR"),
    ("turkiye", "TR"),
    ("uae", "AE"),
    ("uk", "GB"),
    ("united states of america", "US"),
    ("vatican city", "VA"),
];

impl Atlas {
    /// The place that people mean by a name, with or without a region or a country behind commas. Places that are called so
    /// themselves come before those with such another name, then the one with more people.
    pub fn find(&self, text: &str) -> Option<Place<'_>> {
        // `Washington, D.C.` is a name of its own.
        if let Some(id) = self.ids(&fold(text)).next() {
            return Some(self.place(id));
        }
        let mut parts = text.split([',', '،', '、', '，']).map(fold).filter(|part| !part.is_empty());
        let name = parts.next()?;
        let within: Vec<String> = parts.collect();
        self.ids(&name).find(|id| within.iter().all(|part| self.lies_in(*id, part))).map(|id| self.place(id))
    }

    /// All places that have this name, in the order of [`Atlas::find`].
    pub fn named(&self, name: &str) -> impl Iterator<Item = Place<'_>> {
        self.ids(&fold(name)).map(|id| self.place(id))
    }

    /// By name or code of the region, or by name, ISO code or nickname of the country.
    fn lies_in(&self, id: Id, folded: &str) -> bool {
        let (region, country) = self.within(id);
        let called = |name: &str| fold(name) == folded;
        called(&region.name)
            || called(&region.code)
            || called(&country.name)
            || called(&country.code)
            || called(&country.iso3)
            || ALSO_CALLED.iter().any(|(name, code)| *name == folded && *code == country.code)
    }
}
