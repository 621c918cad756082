//! CSV files, compressed or not, and pipes that bring one.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use csv::ByteRecord;

use super::{Streams, TopicFailure};
use crate::cli::counted::counted;
use crate::cli::counter::Counter;

const BUFFER_BYTES: usize = 256 << 10;

/// A CSV file with a header row: plain, gzip, or the only file within a zip archive. Can be read several times, so that
/// nothing of it has to stay in memory.
pub(super) struct CsvFile {
    /// As a person calls it.
    name: String,
    content: File,
    packing: Packing,
    delimiter: u8,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zip,
}

impl CsvFile {
    /// Opens the file at `path`, or takes `stdin` for `-`, and reads its header. What can be read only once, such as a
    /// pipe, is copied to a temporary file first.
    pub(super) fn open(path: &Path, delimiter: u8, streams: &mut Streams<'_>) -> Result<Self, TopicFailure> {
        let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
        let failed = |error: io::Error| TopicFailure::File { path: name.clone(), reason: error.to_string() };
        let content = open_content(path, streams).map_err(failed)?.ok_or(TopicFailure::Stopped { appended: 0 })?;
        let packing = Packing::of(path, &content).map_err(failed)?;
        let mut file = Self { name, content, packing, delimiter, header: Vec::new() };
        file.header = file.with_reader(|input| {
            let mut reader = file.reader(input);
            header_of(reader.byte_headers().map_err(|error| error.to_string())?)
        })?;
        Ok(file)
    }

    /// A character that separates the cells of the header better than the delimiter does.
    pub(super) fn likely_delimiter(&self) -> Option<char> {
        let [name] = self.header.as_slice() else { return None };
        [';', '\t', '|', ','].into_iter().find(|&other| other != char::from(self.delimiter) && name.contains(other))
    }

    /// Calls `visit` with each row until it answers `false`.
    pub(super) fn rows(
        &self,
        mut visit: impl FnMut(Row<'_>) -> Result<bool, TopicFailure>,
    ) -> Result<(), TopicFailure> {
        self.with_reader(|input| {
            let mut reader = self.reader(input);
            let mut record = ByteRecord::new();
            while reader.read_byte_record(&mut record).map_err(|error| error.to_string())? {
                let line = record.position().map_or(0, csv::Position::line);
                let cells = match record.len() {
                    found if found == self.header.len() => Ok(&record),
                    found => {
                        Err(format!("{} where the header has {}", counted(found as u64, "cell"), self.header.len()))
                    }
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

    /// How much of the file was read, from 0 to 1, in the course of [`CsvFile::rows`].
    pub(super) fn part_read(&self) -> Option<f64> {
        let (at, all) = ((&self.content).stream_position().ok()?, self.content.metadata().ok()?.len());
        (all > 0).then(|| at as f64 / all as f64)
    }

    fn with_reader<T>(&self, read: impl FnOnce(&mut dyn Read) -> Result<T, String>) -> Result<T, TopicFailure> {
        let failed = |reason: String| TopicFailure::File { path: self.name.clone(), reason };
        let mut content = &self.content;
        content.seek(SeekFrom::Start(0)).map_err(|error| failed(error.to_string()))?;
        let done = match self.packing {
            Packing::Gzip => read(&mut flate2::read::MultiGzDecoder::new(BufReader::new(content))),
            Packing::Zip => within_zip(content, read),
            Packing::Plain => read(&mut BufReader::new(content)),
        };
        done.map_err(failed)
    }

    fn reader<R: Read>(&self, input: R) -> csv::Reader<R> {
        csv::ReaderBuilder::new()
            .flexible(true)
            .delimiter(self.delimiter)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(input)
    }
}

impl Packing {
    /// What the file's name says, or else its first bytes: pipes have no telling name.
    fn of(path: &Path, mut content: &File) -> io::Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "gz" => return Ok(Self::Gzip),
            "zip" => return Ok(Self::Zip),
            "csv" => return Ok(Self::Plain),
            _ => {}
        }
        let mut first = Vec::new();
        content.seek(SeekFrom::Start(0))?;
        content.take(4).read_to_end(&mut first)?;
        Ok(match first.as_slice() {
            [0x1f, 0x8b, ..] => Self::Gzip,
            b"PK\x03\x04" => Self::Zip,
            _ => Self::Plain,
        })
    }
}

/// A file that can be read from its start again and again; none when it was told to stop before there was one.
fn open_content(path: &Path, streams: &mut Streams<'_>) -> io::Result<Option<File>> {
    if path == Path::new("-") {
        return copy_of(&mut streams.input, !streams.is_typed, streams.stop);
    }
    let mut file = File::open(path)?;
    let kind = file.metadata()?;
    if kind.is_file() || kind.is_dir() { Ok(Some(file)) } else { copy_of(&mut file, true, streams.stop) }
}

/// A temporary file with all that `input` brings, which is counted meanwhile if it `counts`; none when it was told to `stop`. It has no name any
/// more, so it goes when it is closed.
fn copy_of(input: &mut dyn Read, counts: bool, stop: &dyn Fn() -> bool) -> io::Result<Option<File>> {
    let mut counter = counts.then(|| Counter::new("read", |count| format!("{count} KiB")));
    let path = temporary_path();
    let mut copy = File::options().read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    let (mut bytes, mut block) = (0, vec![0; BUFFER_BYTES]);
    loop {
        match input.read(&mut block) {
            Ok(0) => return Ok(Some(copy)),
            Ok(length) => {
                copy.write_all(&block[..length])?;
                bytes += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if stop() {
            return Ok(None);
        }
        if let Some(counter) = &mut counter {
            counter.note(bytes >> 10);
        }
    }
}

/// A path that no other import of any process has.
fn temporary_path() -> PathBuf {
    static COPIES: AtomicU64 = AtomicU64::new(0);
    let number = COPIES.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("levada-import-{}-{number}", std::process::id()))
}

fn within_zip<T>(file: &File, read: impl FnOnce(&mut dyn Read) -> Result<T, String>) -> Result<T, String> {
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

fn header_of(record: &ByteRecord) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::with_capacity(record.len());
    for (cell, column) in record.iter().zip(1..) {
        // Spreadsheets mark UTF-8 with three bytes in front of the first name.
        let cell = if column == 1 { cell.strip_prefix(b"\xef\xbb\xbf").unwrap_or(cell) } else { cell };
        let name = std::str::from_utf8(cell).map_err(|_| format!("the name of column {column} is not UTF-8"))?;
        match name.trim() {
            "" => return Err(format!("column {column} has no name in the header")),
            name if names.iter().any(|other| other == name) => return Err(format!("two columns are called '{name}'")),
            name => names.push(name.to_owned()),
        }
    }
    if names.is_empty() { Err("it has no header row".into()) } else { Ok(names) }
}
