//! Areas with names, from a file: a line `name: lat lon, lat lon, lat lon` for each, corners in order.

use std::fs;

use levada_udf::{Configuration, Resource};

use crate::Place;

/// The areas of a file, in its order.
#[derive(Debug)]
pub(crate) struct Areas(Vec<Area>);

#[derive(Debug)]
struct Area {
    /// Kept as long as the process: results need not copy it.
    name: &'static str,
    corners: Vec<Place>,
}

impl Resource for Areas {
    fn open(configuration: &Configuration) -> Result<Self, String> {
        let Some(file) = configuration.get("file") else { return Ok(Self(Vec::new())) };
        let text = fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
        Self::read(&text).map_err(|error| format!("{file}, {error}"))
    }
}

impl Areas {
    /// The areas that `text` lists.
    fn read(text: &str) -> Result<Self, String> {
        let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        let areas = lines.map(|(line, number)| {
            area(line).ok_or(format!("line {number}: write it as name: lat lon, lat lon, lat lon"))
        });
        areas.collect::<Result<_, _>>().map(Self)
    }

    /// The first area in which `place` lies.
    pub(crate) fn of(&self, place: Place) -> Option<&'static str> {
        self.0.iter().find(|area| area.has(place)).map(|area| area.name)
    }
}

fn area(line: &str) -> Option<Area> {
    let (name, corners) = line.split_once(':')?;
    let corner = |text: &str| {
        let (lat, lon) = text.trim().split_once(' ')?;
        Some(Place { lat: lat.parse().ok()?, lon: lon.trim().parse().ok()? })
    };
    let corners: Vec<Place> = corners.split(',').map(corner).collect::<Option<_>>()?;
    (corners.len() > 2).then(|| Area { name: name.trim().to_owned().leak(), corners })
}

impl Area {
    /// Whether a line from `place` eastwards meets the border an odd number of times.
    fn has(&self, place: Place) -> bool {
        let nexts = self.corners.iter().cycle().skip(1);
        let meets = |(a, b): &(&Place, &Place)| {
            (a.lat > place.lat) != (b.lat > place.lat)
                && place.lon < (b.lon - a.lon) * (place.lat - a.lat) / (b.lat - a.lat) + a.lon
        };
        self.corners.iter().zip(nexts).filter(meets).count() % 2 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_lies_in_the_first_area_around_it() {
        let areas = Areas::read("old town: 1 1, 1 2, 2 2, 2 1\n\ncity: 0 0, 0 5, 5 5, 5 0\n").expect("a good file");
        let of = |lat, lon| areas.of(Place { lat, lon });
        assert_eq!([of(1.5, 1.5), of(3.0, 3.0), of(6.0, 3.0)], [Some("old town"), Some("city"), None]);
    }

    #[test]
    fn a_line_that_is_no_area_is_told_with_its_number() {
        let error = Areas::read("city: 0 0, 0 5, 5 5\nnowhere: 1 1").expect_err("two corners are too few");
        assert_eq!(error, "line 2: write it as name: lat lon, lat lon, lat lon");
    }

    #[test]
    fn the_file_is_the_one_that_is_configured() {
        let configuration = Configuration::new("area_of", [("ksql.functions.area_of.file", "no/such/file")]);
        let error = Areas::open(&configuration).expect_err("it is not there");
        assert!(error.starts_with("cannot read no/such/file:"), "{error}");
        assert!(Areas::open(&Configuration::default()).is_ok_and(|areas| areas.0.is_empty()));
    }
}
