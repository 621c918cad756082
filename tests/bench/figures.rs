//! The ratios that were committed last, in `tests/bench/figures.csv`: a line `work,ratio` each.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Ratios by the name of the work.
#[derive(Default)]
pub struct Figures(BTreeMap<String, f64>);

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bench/figures.csv")
}

impl Figures {
    /// Those of the file; none if there is none.
    pub fn read() -> Self {
        let Ok(mut reader) = csv::Reader::from_path(path()) else { return Self::default() };
        let rows = reader.deserialize().map(|row| row.expect("every line of figures.csv has a name and a number"));
        Self(rows.collect())
    }

    /// The ratio of `name`, if there was one.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Sets the ratio of `name`.
    pub fn set(&mut self, name: &str, ratio: f64) {
        self.0.insert(name.to_owned(), ratio);
    }

    /// Writes all to the file.
    pub fn write(&self) {
        let mut writer = csv::Writer::from_path(path()).expect("the checkout can be written to");
        writer.write_record(["work", "ratio"]).expect("a file takes lines");
        for (name, ratio) in &self.0 {
            writer.write_record([name.as_str(), &format!("{ratio:.3}")]).expect("a file takes lines");
        }
        writer.flush().expect("a file takes lines");
    }
}
