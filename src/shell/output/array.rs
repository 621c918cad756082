//! Lines of JSON as one array.

use std::io::{self, Write};

/// Takes lines, each a JSON value, and writes them as the elements of an array.
pub(super) struct ArrayLines<'a> {
    out: &'a mut dyn Write,
    /// What stands before the next byte: an element begins.
    before: &'static [u8],
    is_between: bool,
}

impl<'a> ArrayLines<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, before: b"[\n", is_between: true }
    }

    /// Ends the array.
    pub(super) fn finish(self) -> io::Result<()> {
        self.out.write_all(if self.before == b"[\n" { b"[]\n" } else { b"\n]\n" })
    }
}

impl Write for ArrayLines<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            if self.is_between {
                self.out.write_all(self.before)?;
                (self.before, self.is_between) = (b",\n", false);
            }
            match line.strip_suffix(b"\n") {
                Some(whole) => {
                    self.out.write_all(whole)?;
                    self.is_between = true;
                }
                None => self.out.write_all(line)?,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parts: &[&str], expected: &str) {
        let mut out = Vec::new();
        let mut array = ArrayLines::new(&mut out);
        parts.iter().try_for_each(|part| array.write_all(part.as_bytes())).expect("memory takes every byte");
        array.finish().expect("memory takes every byte");
        assert_eq!(String::from_utf8_lossy(&out), expected, "{parts:?}");
    }

    #[test]
    fn lines_are_elements_however_they_arrive() {
        check(&[], "[]\n");
        check(&["{\"a\":1}\n"], "[\n{\"a\":1}\n]\n");
        check(&["{\"a\":", "1}\n{}\n", "2\n"], "[\n{\"a\":1},\n{},\n2\n]\n");
    }
}
