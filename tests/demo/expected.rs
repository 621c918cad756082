//! What the demo must give, computed from the CSV files.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;

use super::Row;

/// Columns of the results, in the order in which the rows here have them. Rows of topics begin with key and time.
pub const CARRIER_HOURS: [&str; 8] =
    ["carrier", "windowstart", "flights", "cancelled", "late", "delay_avg", "delay_min", "delay_max"];
pub const DAILY_STATUS: [&str; 8] =
    ["status", "windowstart", "flights", "united", "jetblue", "delta", "others", "miles"];
pub const WORST_ROUTES: [&str; 4] = ["route", "flights", "delay_avg", "delay_max"];
pub const TROUBLED_PLANES: [&str; 4] = ["tailnum", "windowstart", "late_departures", "delay_total"];
pub const CANCELLED: [&str; 4] = ["flight", "origin", "dest", "plane"];
pub const DIVERTED: [&str; 5] = ["flight", "tailnum", "origin", "dest", "dep_delay"];
pub const CANCELLED_FAR: [&str; 4] = ["dest_name", "tzone", "carrier", "flight"];
pub const LATE_BY_PLANE: [&str; 5] = ["carrier", "flight", "origin", "dest", "dep_delay"];
pub const DEPARTURES: [&str; 8] =
    ["origin_name", "dest", "destination", "airline", "flight_number", "dep_delay", "arr_delay", "punctuality"];
pub const ALERTS: [&str; 4] = ["flight_number", "dep_delay", "threshold", "message"];

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The files of the demo, read.
pub struct Month {
    flights: Vec<Flight>,
    airlines: HashMap<String, String>,
    airports: HashMap<String, Airport>,
}

struct Flight {
    carrier: String,
    number: String,
    tailnum: Option<String>,
    origin: String,
    dest: String,
    departed: bool,
    dep_delay: Option<i64>,
    arr_delay: Option<i64>,
    distance: i64,
    hour_ms: i64,
}

struct Airport {
    name: String,
    zone: String,
}

impl Flight {
    fn status(&self) -> &'static str {
        match (self.departed, self.arr_delay) {
            (false, _) => "CANCELLED",
            (true, None) => "DIVERTED",
            (true, Some(16..)) => "LATE",
            (true, Some(_)) => "ON TIME",
        }
    }

    fn delayed_by_more_than(&self, minutes: i64) -> bool {
        self.dep_delay.is_some_and(|delay| delay > minutes)
    }

    fn route(&self) -> String {
        format!("{} -> {}", self.origin, self.dest)
    }

    fn label(&self) -> String {
        format!("{} {}", self.carrier, self.number)
    }

    fn punctuality(&self) -> String {
        match self.dep_delay {
            Some(late @ 1..) => format!("{late} MINS LATE"),
            Some(early @ ..=-1) => format!("{} MINS EARLY", early.unsigned_abs()),
            _ => "ON TIME".to_owned(),
        }
    }

    /// Key and time of a record about this flight, then `cells`.
    fn record<const N: usize>(&self, key: &str, cells: [String; N]) -> Row {
        [key.to_owned(), self.hour_ms.to_string()].into_iter().chain(cells).collect()
    }
}

/// Count and delays of some flights.
#[derive(Default)]
struct Delays {
    flights: usize,
    known: Vec<i64>,
}

impl Delays {
    fn add(&mut self, flight: &Flight) {
        self.flights += 1;
        self.known.extend(flight.dep_delay);
    }

    /// The mean of the delays that are known, 0 when none is.
    fn mean(&self) -> f64 {
        if self.known.is_empty() { 0.0 } else { self.known.iter().sum::<i64>() as f64 / self.known.len() as f64 }
    }
}

impl Month {
    /// Reads the files in `folder`.
    pub fn read(folder: &Path) -> Self {
        let open = |name| std::fs::File::open(folder.join(name)).expect("the repository ships the file");
        let flights = Lines::read(flate2::read::GzDecoder::new(open("flights-2013-01.csv.gz")));
        let airlines = Lines::read(open("airlines.csv"));
        let airports = Lines::read(open("airports.csv"));
        let airport = |line: &Line| Airport { name: line.text("name"), zone: line.text("tzone") };
        Self {
            flights: flights.iter().map(|line| flight(&line)).collect(),
            airlines: airlines.iter().map(|line| (line.text("carrier"), line.text("name"))).collect(),
            airports: airports.iter().map(|line| (line.text("faa"), airport(&line))).collect(),
        }
    }

    /// Rows of `CARRIER_HOURS`.
    pub fn carrier_hours(&self) -> Vec<Row> {
        let mut groups: BTreeMap<(&str, i64), (Delays, usize, usize)> = BTreeMap::new();
        for flight in &self.flights {
            let start = flight.hour_ms - flight.hour_ms % HOUR_MS;
            let (delays, cancelled, late) = groups.entry((&flight.carrier, start)).or_default();
            delays.add(flight);
            *cancelled += usize::from(!flight.departed);
            *late += usize::from(flight.delayed_by_more_than(15));
        }
        let row = |((carrier, start), (delays, cancelled, late)): ((&str, i64), (Delays, usize, usize))| {
            vec![
                carrier.to_owned(),
                start.to_string(),
                delays.flights.to_string(),
                cancelled.to_string(),
                late.to_string(),
                delays.mean().to_string(),
                or_null(delays.known.iter().min()),
                or_null(delays.known.iter().max()),
            ]
        };
        groups.into_iter().map(row).collect()
    }

    /// Rows of `DAILY_STATUS`.
    pub fn daily_status(&self) -> Vec<Row> {
        let mut groups: BTreeMap<(&str, i64), [i64; 6]> = BTreeMap::new();
        for flight in &self.flights {
            let start = flight.hour_ms - flight.hour_ms % DAY_MS;
            let column = match flight.carrier.as_str() {
                "UA" => 1,
                "B6" => 2,
                "DL" => 3,
                _ => 4,
            };
            let counts = groups.entry((flight.status(), start)).or_default();
            counts[0] += 1;
            counts[column] += 1;
            counts[5] += flight.distance;
        }
        let row = |((status, start), counts): ((&str, i64), [i64; 6])| {
            [status.to_owned(), start.to_string()].into_iter().chain(counts.map(|count| count.to_string())).collect()
        };
        groups.into_iter().map(row).collect()
    }

    /// Rows of `WORST_ROUTES`.
    pub fn worst_routes(&self) -> Vec<Row> {
        let mut routes: BTreeMap<String, Delays> = BTreeMap::new();
        for flight in self.departed() {
            routes.entry(flight.route()).or_default().add(flight);
        }
        routes.retain(|_, delays| delays.flights >= 50 && delays.mean() > 25.0);
        let row = |(route, delays): (String, Delays)| {
            vec![route, delays.flights.to_string(), delays.mean().to_string(), or_null(delays.known.iter().max())]
        };
        routes.into_iter().map(row).collect()
    }

    /// Rows of `TROUBLED_PLANES`.
    pub fn troubled_planes(&self) -> Vec<Row> {
        let mut planes: BTreeMap<(&str, i64), (usize, i64)> = BTreeMap::new();
        for flight in self.very_late() {
            let (Some(tailnum), Some(delay)) = (&flight.tailnum, flight.dep_delay) else { continue };
            let (count, minutes) = planes.entry((tailnum, flight.hour_ms - flight.hour_ms % DAY_MS)).or_default();
            *count += 1;
            *minutes += delay;
        }
        planes.retain(|_, (count, _)| *count >= 3);
        let row = |((tailnum, start), (count, minutes)): ((&str, i64), (usize, i64))| {
            vec![tailnum.to_owned(), start.to_string(), count.to_string(), minutes.to_string()]
        };
        planes.into_iter().map(row).collect()
    }

    /// Records of `CANCELLED`.
    pub fn cancelled(&self) -> Vec<Row> {
        let record = |flight: &Flight| {
            let plane = flight.tailnum.as_ref().map_or(String::new(), |tailnum| format!("PLANE {tailnum}"));
            let cells = [flight.number.clone(), flight.origin.clone(), flight.dest.clone(), plane];
            flight.record(&flight.carrier, cells)
        };
        self.with_status("CANCELLED").map(record).collect()
    }

    /// Records of `DIVERTED`.
    pub fn diverted(&self) -> Vec<Row> {
        let record = |flight: &Flight| {
            let tailnum = or_null(flight.tailnum.as_ref());
            let (origin, dest) = (flight.origin.clone(), flight.dest.clone());
            let cells = [flight.number.clone(), tailnum, origin, dest, or_null(flight.dep_delay.as_ref())];
            flight.record(&flight.carrier, cells)
        };
        self.with_status("DIVERTED").map(record).collect()
    }

    /// Records of `CANCELLED_FAR`.
    pub fn cancelled_far(&self) -> Vec<Row> {
        let record = |flight: &Flight| {
            let airport = self.airports.get(&flight.dest)?;
            let (name, zone) = (airport.name.clone(), airport.zone.clone());
            let far = zone.starts_with("America/Los") || zone == "America/Denver" || zone == "Pacific/Honolulu";
            far.then(|| flight.record(&flight.dest, [name, zone, flight.carrier.clone(), flight.number.clone()]))
        };
        self.with_status("CANCELLED").filter_map(record).collect()
    }

    /// Records of `LATE_BY_PLANE`.
    pub fn late_by_plane(&self) -> Vec<Row> {
        let record = |flight: &Flight| {
            let (carrier, number) = (flight.carrier.clone(), flight.number.clone());
            let (origin, dest) = (flight.origin.clone(), flight.dest.clone());
            let cells = [carrier, number, origin, dest, or_null(flight.dep_delay.as_ref())];
            flight.record(&or_null(flight.tailnum.as_ref()), cells)
        };
        self.very_late().map(record).collect()
    }

    /// Records of `DEPARTURES`.
    pub fn departures(&self) -> Vec<Row> {
        let record = |flight: &Flight| {
            let cells = [
                or_null(self.airports.get(&flight.origin).map(|airport| &airport.name)),
                flight.dest.clone(),
                self.destination(flight),
                or_null(self.airlines.get(&flight.carrier)),
                flight.label(),
                or_null(flight.dep_delay.as_ref()),
                or_null(flight.arr_delay.as_ref()),
                flight.punctuality(),
            ];
            flight.record(&flight.origin, cells)
        };
        self.departed().map(record).collect()
    }

    /// Records of `ALERTS`.
    pub fn alerts(&self) -> Vec<Row> {
        let record = |flight: &Flight| {
            let threshold = match flight.origin.as_str() {
                "EWR" => 240,
                "JFK" => 180,
                "LGA" => 300,
                _ => return None,
            };
            let airline = self.airlines.get(&flight.carrier)?;
            let message = format!("{airline} to {}: {}", self.destination(flight), flight.punctuality());
            let cells = [flight.label(), or_null(flight.dep_delay.as_ref()), threshold.to_string(), message];
            flight.delayed_by_more_than(threshold).then(|| flight.record(&flight.origin, cells))
        };
        self.departed().filter_map(record).collect()
    }

    fn departed(&self) -> impl Iterator<Item = &Flight> {
        self.flights.iter().filter(|flight| flight.departed)
    }

    fn very_late(&self) -> impl Iterator<Item = &Flight> {
        self.flights.iter().filter(|flight| flight.delayed_by_more_than(60))
    }

    fn with_status(&self, status: &str) -> impl Iterator<Item = &Flight> {
        self.flights.iter().filter(move |flight| flight.status() == status)
    }

    fn destination(&self, flight: &Flight) -> String {
        match self.airports.get(&flight.dest) {
            Some(airport) => format!("{} ({})", airport.name, flight.dest),
            None => flight.dest.clone(),
        }
    }
}

fn flight(line: &Line) -> Flight {
    let time = chrono::DateTime::parse_from_rfc3339(&line.text("time_hour")).expect("the file has ISO times");
    Flight {
        carrier: line.text("carrier"),
        number: line.text("flight"),
        tailnum: line.known("tailnum"),
        origin: line.text("origin"),
        dest: line.text("dest"),
        departed: line.known("dep_time").is_some(),
        dep_delay: line.number("dep_delay"),
        arr_delay: line.number("arr_delay"),
        distance: line.number("distance").expect("every flight has a distance"),
        hour_ms: time.timestamp_millis(),
    }
}

fn or_null(value: Option<impl ToString>) -> String {
    value.map_or("null".to_owned(), |value| value.to_string())
}

/// A CSV file with a header.
struct Lines {
    header: csv::StringRecord,
    records: Vec<csv::StringRecord>,
}

/// One line of it.
struct Line<'a> {
    header: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
}

impl Lines {
    fn read(file: impl Read) -> Self {
        let mut reader = csv::Reader::from_reader(file);
        let header = reader.headers().expect("the file has a header").clone();
        let records = reader.records().map(|record| record.expect("the file is well formed")).collect();
        Self { header, records }
    }

    fn iter(&self) -> impl Iterator<Item = Line<'_>> {
        self.records.iter().map(|record| Line { header: &self.header, record })
    }
}

impl Line<'_> {
    fn text(&self, column: &str) -> String {
        let index = self.header.iter().position(|name| name == column).expect("the file has the column");
        self.record[index].to_owned()
    }

    fn known(&self, column: &str) -> Option<String> {
        Some(self.text(column)).filter(|text| text != "NA")
    }

    fn number(&self, column: &str) -> Option<i64> {
        self.known(column).map(|text| text.parse().expect("the column holds whole numbers"))
    }
}
