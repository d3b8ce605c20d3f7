//! The place nearest to a point.

use crate::{Atlas, Place};

/// A degree of latitude is never shorter than this on a sphere of the earth's mean radius.
const KM_A_DEGREE: f64 = 111.19;
const EARTH_RADIUS_KM: f64 = 6371.0;

impl Atlas {
    /// The place nearest to a point and how far it is in kilometres, if there is one `within_km`. Looks only at places of
    /// about the same latitude: 20 µs at 50 km.
    pub fn nearest(&self, latitude: f64, longitude: f64, within_km: f64) -> Option<(Place<'_>, f64)> {
        let reach = within_km / KM_A_DEGREE;
        let south = self.by_latitude.partition_point(|id| self.latitude(*id) < latitude - reach);
        let band = self.by_latitude[south..].iter().take_while(|id| self.latitude(**id) <= latitude + reach);
        let mut best: Option<(u32, f64)> = None;
        for id in band {
            let km = distance_km((latitude, longitude), (self.latitude(*id), self.longitude(*id)));
            // At the same distance the one with more people, which has the smaller id.
            let is_nearer = best.is_none_or(|(other, least)| km < least || km == least && *id < other);
            if km <= within_km && is_nearer {
                best = Some((*id, km));
            }
        }
        best.map(|(id, km)| (self.place(id), km))
    }
}

/// Along the surface of a sphere (haversine): within 0.6 % of the real earth.
fn distance_km(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat_a, lat_b) = (a.0.to_radians(), b.0.to_radians());
    let (up, across) = ((lat_b - lat_a) / 2.0, (b.1 - a.1).to_radians() / 2.0);
    let h = up.sin().powi(2) + lat_a.cos() * lat_b.cos() * across.sin().powi(2);
    2.0 * EARTH_RADIUS_KM * h.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let (london, paris, sydney) = ((51.5074, -0.1278), (48.8566, 2.3522), (-33.8688, 151.2093));
        assert_eq!(distance_km(london, paris).round(), 344.0);
        assert_eq!(distance_km(london, sydney).round(), 16994.0);
        assert_eq!(distance_km(london, london), 0.0);
        // Across the date line, and over a pole.
        assert_eq!(distance_km((0.0, 179.5), (0.0, -179.5)).round(), 111.0);
        assert_eq!(distance_km((89.5, 0.0), (89.5, 180.0)).round(), 111.0);
    }
}
