//! Geohashes: longitude and latitude halved in turn, five halvings a letter.

use crate::Place;

const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

/// Half of the world, and half of that, and so on.
struct Square {
    south: f64,
    north: f64,
    west: f64,
    east: f64,
    /// Whether longitude is halved next.
    halves_longitude: bool,
}

impl Square {
    const WORLD: Self = Self { south: -90.0, north: 90.0, west: -180.0, east: 180.0, halves_longitude: true };

    fn middle(&self) -> Place {
        Place { lat: f64::midpoint(self.south, self.north), lon: f64::midpoint(self.west, self.east) }
    }

    /// Goes on with the upper half, or the lower one.
    fn halve(&mut self, is_upper: bool) {
        let Place { lat, lon } = self.middle();
        let end = match (self.halves_longitude, is_upper) {
            (true, true) => &mut self.west,
            (true, false) => &mut self.east,
            (false, true) => &mut self.south,
            (false, false) => &mut self.north,
        };
        *end = if self.halves_longitude { lon } else { lat };
        self.halves_longitude = !self.halves_longitude;
    }
}

/// The geohash of `place` with so many letters.
pub(crate) fn encoded(place: Place, letters: usize) -> String {
    let mut square = Square::WORLD;
    let letter = |_| {
        let bits = (0..5).fold(0, |bits, _| {
            let middle = square.middle();
            let is_upper = if square.halves_longitude { place.lon >= middle.lon } else { place.lat >= middle.lat };
            square.halve(is_upper);
            bits << 1 | usize::from(is_upper)
        });
        char::from(LETTERS[bits])
    };
    (0..letters).map(letter).collect()
}

/// The middle of the square of `hash`; `None` if it is none.
pub(crate) fn center(hash: &str) -> Option<Place> {
    let mut square = Square::WORLD;
    for letter in hash.bytes() {
        let bits = LETTERS.iter().position(|known| *known == letter.to_ascii_lowercase())?;
        (0..5).rev().for_each(|bit| square.halve(bits >> bit & 1 == 1));
    }
    (!hash.is_empty()).then(|| square.middle())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_that_others_give() {
        let cases = [
            (Place { lat: 57.64911, lon: 10.40744 }, "u4pruydqqvj"),
            (Place { lat: 42.6, lon: -5.6 }, "ezs42"),
            (Place { lat: -25.382_708, lon: -49.265_506 }, "6gkzwgjzn820"),
            (Place { lat: 0.0, lon: 0.0 }, "s0000"),
        ];
        for (place, hash) in cases {
            assert_eq!(encoded(place, hash.len()), hash);
        }
    }

    #[test]
    fn the_middle_of_a_hash_has_that_hash() {
        for hash in ["ezs42", "u4pruydqqvj", "9q8yyk8ytpxr"] {
            let place = center(hash).expect("a geohash");
            assert_eq!(encoded(place, hash.len()), hash);
        }
        assert_eq!(center(""), None);
    }
}
