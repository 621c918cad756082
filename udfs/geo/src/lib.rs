//! An example of a plug-in: scalar functions over places on the earth, one of them with a file that it reads once. The README says how to
//! build and to call them.

mod areas;
mod square;

use levada_udf::{Struct, plugin, scalar};

use crate::areas::Areas;

plugin![geohash, geohash_center, area_of];

/// A place on the earth.
#[derive(Debug, Clone, Copy, PartialEq, Struct)]
struct Place {
    /// Degrees north of the equator.
    lat: f64,
    /// Degrees east of Greenwich.
    lon: f64,
}

/// The geohash of a place: a text that places close by begin with, too.
#[scalar(category = "GEOGRAPHY", example("geohash(57.64911, 10.40744, 11)" = "'u4pruydqqvj'"))]
fn geohash(
    /// Degrees north of the equator, -90 to 90.
    lat: f64,
    /// Degrees east of Greenwich, -180 to 180.
    lon: f64,
    /// Letters to give, 1 to 12: 5 are a square of about 5 km, 7 one of about 150 m.
    letters: i32,
) -> Result<String, String> {
    if !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon) {
        return Err(format!("({lat}, {lon}) is no place on the earth"));
    }
    let letters = usize::try_from(letters).ok().filter(|letters| (1..=12).contains(letters));
    let letters = letters.ok_or("a geohash has 1 to 12 letters")?;
    Ok(square::encoded(Place { lat, lon }, letters))
}

/// The middle of the square that a geohash stands for.
#[scalar(category = "GEOGRAPHY", example("geohash_center('s')" = "STRUCT(lat := 22.5E0, lon := 22.5E0)"))]
fn geohash_center(
    /// 0 to 9 and a to z but a, i, l and o.
    hash: &str,
) -> Result<Place, String> {
    square::center(hash).ok_or_else(|| format!("'{hash}' is no geohash"))
}

/// The first area of the file `ksql.functions.area_of.file` in which a place lies; NULL if it lies in none.
#[scalar(category = "GEOGRAPHY")]
fn area_of(
    #[resource] areas: &Areas,
    /// Degrees north of the equator.
    lat: f64,
    /// Degrees east of Greenwich.
    lon: f64,
) -> Option<&'static str> {
    areas.of(Place { lat, lon })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_are_none_are_errors() {
        assert_eq!(geohash(91.0, 0.0, 5), Err("(91, 0) is no place on the earth".to_owned()));
        assert_eq!(geohash(0.0, 0.0, 13), Err("a geohash has 1 to 12 letters".to_owned()));
        assert!(geohash(f64::NAN, 0.0, 5).is_err());
        assert_eq!(geohash_center("ail"), Err("'ail' is no geohash".to_owned()));
    }
}
