//! A copy of all that is shown, into a file.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::rc::Rc;

/// The file into which a session is copied, if it is. Copies of it are the same spool.
#[derive(Debug, Clone, Default)]
pub struct Spool {
    file: Rc<RefCell<Option<Plain>>>,
}

/// A file that gets text without colours.
#[derive(Debug)]
struct Plain {
    file: BufWriter<File>,
    /// Inside of an escape sequence of the terminal.
    escaped: bool,
}

/// A writer whose bytes go to a spool too.
#[derive(Debug)]
pub struct Spooled<W> {
    to: W,
    spool: Spool,
}

impl Spool {
    /// Copies into a new file at `path` from now on.
    pub fn begin(&self, path: &Path) -> io::Result<()> {
        let file = BufWriter::new(File::create(path)?);
        *self.file.borrow_mut() = Some(Plain { file, escaped: false });
        Ok(())
    }

    /// Ends the file; whether there was one.
    pub fn end(&self) -> io::Result<bool> {
        match self.file.borrow_mut().take() {
            Some(mut plain) => plain.file.flush().map(|()| true),
            None => Ok(false),
        }
    }

    /// Writes what a person has typed.
    pub fn typed(&self, text: &str) -> io::Result<()> {
        match self.file.borrow_mut().as_mut() {
            Some(plain) => writeln!(plain.file, "{text}"),
            None => Ok(()),
        }
    }

    /// `to`, with a copy of all it gets in this spool.
    pub fn copying<W: Write>(&self, to: W) -> Spooled<W> {
        Spooled { to, spool: self.clone() }
    }
}

impl Plain {
    /// Writes `bytes` without the sequences that begin with ESC and end with a letter.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for &byte in bytes {
            if byte == 0x1b {
                self.escaped = true;
            } else if self.escaped {
                self.escaped = !byte.is_ascii_alphabetic();
            } else {
                self.file.write_all(&[byte])?;
            }
        }
        Ok(())
    }
}

impl<W: Write> Write for Spooled<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        match self.spool.file.borrow_mut().as_mut() {
            Some(plain) => plain.write(&bytes[..written]).map(|()| written),
            None => Ok(written),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()?;
        match self.spool.file.borrow_mut().as_mut() {
            Some(plain) => plain.file.flush(),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_has_what_was_shown_without_its_colours() {
        let folder = tempfile::tempdir().expect("a folder for the file");
        let path = folder.path().join("session.txt");
        let (spool, mut shown) = (Spool::default(), Vec::new());
        let mut out = spool.copying(&mut shown);
        out.write_all(b"before\n").expect("memory takes every byte");
        spool.begin(&path).expect("the file can be made");
        spool.typed("levada> SHOW STREAMS;").expect("it takes the line");
        out.write_all(b"\x1b[1mName\x1b[0m\nZo\xc3\xab\n").expect("memory takes every byte");
        assert!(spool.end().expect("the file is written"));
        assert!(!spool.end().expect("nothing is to be done"));
        out.write_all(b"after\n").expect("memory takes every byte");
        let kept = std::fs::read_to_string(&path).expect("the file is there");
        assert_eq!(kept, "levada> SHOW STREAMS;\nName\nZoë\n");
        assert_eq!(shown, "before\n\x1b[1mName\x1b[0m\nZoë\nafter\n".as_bytes());
    }
}
