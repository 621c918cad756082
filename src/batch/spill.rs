//! Files for what memory has no room for: sorted runs of rows.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that a file is read and written by.
const BUFFER_BYTES: usize = 64 << 10;

/// Where reads put files. They are removed from the folder when they are made, so that none outlives the process.
#[derive(Debug)]
pub struct SpillFolder {
    path: PathBuf,
    made: AtomicU64,
}

impl SpillFolder {
    /// Files in the folder `path`, which is made when the first one is.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), made: AtomicU64::new(0) }
    }

    fn file(&self) -> io::Result<File> {
        fs::create_dir_all(&self.path)?;
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(format!("read-{}-{number}.tmp", std::process::id()));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    }
}

/// Writes a run: entries in their order.
pub(super) struct RunWriter {
    file: BufWriter<File>,
}

impl RunWriter {
    pub(super) fn new(folder: &SpillFolder) -> io::Result<Self> {
        Ok(Self { file: BufWriter::with_capacity(BUFFER_BYTES, folder.file()?) })
    }

    pub(super) fn write(&mut self, key: &[u8], row: &[u8]) -> io::Result<()> {
        for part in [key, row] {
            self.file.write_all(&(part.len() as u64).to_le_bytes())?;
            self.file.write_all(part)?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<RunReader> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(RunReader { file: BufReader::with_capacity(BUFFER_BYTES, file) })
    }
}

/// Reads a run.
pub(super) struct RunReader {
    file: BufReader<File>,
}

impl RunReader {
    /// The next entry: key and row.
    pub(super) fn next(&mut self) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let Some(key) = self.part()? else { return Ok(None) };
        let row = self.part()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(Some((key, row)))
    }

    fn part(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut length = [0; 8];
        match self.file.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut bytes = vec![0; u64::from_le_bytes(length) as usize];
        self.file.read_exact(&mut bytes)?;
        Ok(Some(bytes))
    }
}
