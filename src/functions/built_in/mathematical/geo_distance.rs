//! `GEO_DISTANCE(lat1, lon1, lat2, lon2 [, units])`.

use levada_udf::scalar;

const RADIUS_KM: f64 = 6371.0;
const RADIUS_MILES: f64 = 3959.0;

/// The distance of two points on the globe, in kilometres unless a unit is given.
#[scalar(name = "geo_distance", example("GEO_DISTANCE(0, 0, 0, 180)" = "PI() * 6371E0"))]
pub(super) fn kilometres(
    /// Latitude of the first point, in degrees.
    lat1: f64,
    /// Longitude of the first point, in degrees.
    lon1: f64,
    /// Latitude of the second point, in degrees.
    lat2: f64,
    /// Longitude of the second point, in degrees.
    lon2: f64,
) -> Result<f64, String> {
    distance((lat1, lon1), (lat2, lon2), RADIUS_KM)
}

/// The same in a unit.
#[scalar(name = "geo_distance", example("GEO_DISTANCE(0, 0, 0, 180, 'MI')" = "PI() * 3959E0"))]
pub(super) fn in_units(
    /// Latitude of the first point, in degrees.
    lat1: f64,
    /// Longitude of the first point, in degrees.
    lon1: f64,
    /// Latitude of the second point, in degrees.
    lat2: f64,
    /// Longitude of the second point, in degrees.
    lon2: f64,
    /// `KM` or `MI`, or the word.
    units: &str,
) -> Result<f64, String> {
    let is = |names: &[&str]| names.iter().any(|name| units.eq_ignore_ascii_case(name));
    let radius = if is(&["km", "kilometer", "kilometers", "kilometre", "kilometres"]) {
        RADIUS_KM
    } else if is(&["mi", "mile", "miles"]) {
        RADIUS_MILES
    } else {
        return Err(format!("distances are in kilometres (KM) or miles (MI), not in '{units}'"));
    };
    distance((lat1, lon1), (lat2, lon2), radius)
}

/// Length of the great circle between two points, by the haversine formula.
fn distance((lat1, lon1): (f64, f64), (lat2, lon2): (f64, f64), radius: f64) -> Result<f64, String> {
    if let Some(lat) = [lat1, lat2].into_iter().find(|lat| lat.abs() > 90.0) {
        return Err(format!("a latitude is from -90 to 90 degrees, not {lat}"));
    }
    if let Some(lon) = [lon1, lon2].into_iter().find(|lon| lon.abs() > 180.0) {
        return Err(format!("a longitude is from -180 to 180 degrees, not {lon}"));
    }
    let half_chord = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let across = half_chord(lon2 - lon1) * lat1.to_radians().cos() * lat2.to_radians().cos();
    // Rounding may take the sum past 1 for points on opposite sides of the globe.
    let sum = half_chord(lat2 - lat1) + across;
    let sine = if sum > 1.0 { 1.0 } else { sum.sqrt() };
    Ok(2.0 * sine.asin() * radius)
}

#[cfg(test)]
mod tests {
    use super::{in_units, kilometres};

    #[test]
    fn opposite_points_are_half_the_globe_apart() {
        let half = std::f64::consts::PI * 6371.0;
        assert_eq!(kilometres(90.0, 0.0, -90.0, 0.0), Ok(half));
        for (lat, lon) in [(0.0, 0.0), (12.3, 45.6), (-89.9, 179.9), (33.3, -0.1)] {
            let opposite = if lon > 0.0 { lon - 180.0 } else { lon + 180.0 };
            let found = kilometres(lat, lon, -lat, opposite).expect("good points");
            assert!((found - half).abs() < 1.0, "({lat}, {lon}): {found}");
        }
    }

    #[test]
    fn units_are_words_in_any_case() {
        for (units, expected) in [("mi", 3959.0), ("Miles", 3959.0), ("KM", 6371.0), ("kilometRes", 6371.0)] {
            assert_eq!(in_units(0.0, 0.0, 0.0, 180.0, units), Ok(std::f64::consts::PI * expected), "{units}");
        }
        assert!(in_units(0.0, 0.0, 0.0, 0.0, "yards").is_err_and(|reason| reason.contains("'yards'")));
    }

    #[test]
    fn points_beyond_the_globe_are_refused() {
        for [lat, lon] in [[90.5, 0.0], [-91.0, 0.0], [0.0, 180.5], [0.0, -181.0]] {
            assert!(kilometres(lat, lon, 0.0, 0.0).is_err(), "({lat}, {lon})");
            assert!(kilometres(0.0, 0.0, lat, lon).is_err(), "({lat}, {lon})");
        }
    }
}
