//! CSV files, compressed or not.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::ByteRecord;

use super::TopicFailure;

const BUFFER_BYTES: usize = 256 << 10;

/// A CSV file with a header row: plain, `.gz`, or the only file within a `.zip`. Can be read several times, so that
/// nothing of it has to stay in memory.
pub(super) struct CsvFile {
    path: PathBuf,
    /// What a pipe has given: it cannot be read twice.
    spooled: Option<Vec<u8>>,
    /// Column names, unique and not empty.
    pub(super) header: Vec<String>,
}

/// A row of a CSV file.
pub(super) struct Row<'a> {
    /// Number of its line in the file, from 1.
    pub(super) line: u64,
    /// Its cells, as many as the header has; or why it is no row.
    pub(super) cells: Result<&'a ByteRecord, String>,
}

impl CsvFile {
    /// Opens the file at `path` and reads its header.
    pub(super) fn open(path: &Path) -> Result<Self, TopicFailure> {
        let spooled = spool(path)
            .map_err(|error| TopicFailure::File { path: path.display().to_string(), reason: error.to_string() })?;
        let mut file = Self { path: path.to_owned(), spooled, header: Vec::new() };
        file.header = file.with_reader(|input| {
            let mut reader = reader(input);
            header_of(reader.byte_headers().map_err(|error| error.to_string())?)
        })?;
        Ok(file)
    }

    /// Calls `visit` with each row until it answers `false`.
    pub(super) fn rows(
        &self,
        mut visit: impl FnMut(Row<'_>) -> Result<bool, TopicFailure>,
    ) -> Result<(), TopicFailure> {
        self.with_reader(|input| {
            let mut reader = reader(input);
            let mut record = ByteRecord::new();
            while reader.read_byte_record(&mut record).map_err(|error| error.to_string())? {
                let line = record.position().map_or(0, csv::Position::line);
                let cells = match record.len() {
                    found if found == self.header.len() => Ok(&record),
                    found => Err(format!("{found} cells where the header has {}", self.header.len())),
                };
                match visit(Row { line, cells }) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(failure) => return Ok(Err(failure)),
                }
            }
            Ok(Ok(()))
        })?
    }

    fn with_reader<T>(&self, read: impl FnOnce(&mut dyn Read) -> Result<T, String>) -> Result<T, TopicFailure> {
        let failed = |reason: String| TopicFailure::File { path: self.path.display().to_string(), reason };
        if let Some(spooled) = &self.spooled {
            return read(&mut spooled.as_slice()).map_err(failed);
        }
        let file = File::open(&self.path).map_err(|error| failed(error.to_string()))?;
        let extension = self.path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let done = match extension.to_ascii_lowercase().as_str() {
            "gz" => read(&mut flate2::read::MultiGzDecoder::new(BufReader::new(file))),
            "zip" => within_zip(file, read),
            _ => read(&mut BufReader::new(file)),
        };
        done.map_err(failed)
    }
}

/// All of standard input (`-`) or of what is no regular file; `None` for a file.
fn spool(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        let mut file = File::open(path)?;
        if file.metadata()?.is_file() {
            return Ok(None);
        }
        file.read_to_end(&mut bytes)?;
    }
    Ok(Some(bytes))
}

fn within_zip<T>(file: File, read: impl FnOnce(&mut dyn Read) -> Result<T, String>) -> Result<T, String> {
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|error| error.to_string())?;
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let names: Vec<&String> = names.iter().filter(|name| is_csv(name)).collect();
    match names.as_slice() {
        [name] => read(&mut archive.by_name(name).map_err(|error| error.to_string())?),
        [] => Err("there is no .csv file in it".into()),
        several => Err(format!("there are {} .csv files in it, not one", several.len())),
    }
}

/// What some systems add to every archive is not meant.
fn is_csv(name: &str) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) && !name.starts_with("__MACOSX/")
}

fn reader<R: Read>(input: R) -> csv::Reader<R> {
    csv::ReaderBuilder::new().flexible(true).buffer_capacity(BUFFER_BYTES).from_reader(input)
}

fn header_of(record: &ByteRecord) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::with_capacity(record.len());
    for (cell, column) in record.iter().zip(1..) {
        // Spreadsheets mark UTF-8 with three bytes in front of the first name.
        let cell = if column == 1 { cell.strip_prefix(b"\xef\xbb\xbf").unwrap_or(cell) } else { cell };
        let name = std::str::from_utf8(cell).map_err(|_| format!("the name of column {column} is not UTF-8 text"))?;
        match name.trim() {
            "" => return Err(format!("column {column} has no name in the header")),
            name if names.iter().any(|other| other == name) => return Err(format!("two columns are called '{name}'")),
            name => names.push(name.to_owned()),
        }
    }
    if names.is_empty() { Err("it has no header row".into()) } else { Ok(names) }
}
