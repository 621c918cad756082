//! Lines of an input that may pause: what has come is handed over before anybody waits for more.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

const BLOCK_BYTES: usize = 64 << 10;
const BLOCKS_WAITING: usize = 16;
/// How often somebody who waits can change his mind.
const PATIENCE: Duration = Duration::from_millis(100);

/// What comes next of an input.
pub(super) enum Next<'a> {
    /// A line, without its end, with its number from 1.
    Line(u64, &'a [u8]),
    /// Nothing right now; asking again waits for a moment.
    Pause,
    /// Nothing any more.
    End,
}

/// Lines read by a thread of its own.
pub(super) struct Lines {
    blocks: Receiver<io::Result<Vec<u8>>>,
    buffer: Vec<u8>,
    start: usize,
    number: u64,
    ended: bool,
    paused: bool,
}

impl Lines {
    /// The lines of `input`. The thread that reads ends with the input, or after this was dropped.
    pub(super) fn of(input: Box<dyn Read + Send>) -> Self {
        let (sender, blocks) = sync_channel(BLOCKS_WAITING);
        thread::spawn(move || {
            for block in (Blocks { input, ended: false }) {
                if sender.send(block).is_err() {
                    return;
                }
            }
        });
        Self { blocks, buffer: Vec::new(), start: 0, number: 0, ended: false, paused: false }
    }

    /// The next line, or that there is none (yet).
    pub(super) fn next(&mut self) -> io::Result<Next<'_>> {
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.buffer[self.start..]) {
                return Ok(self.line(length, length + 1));
            }
            if self.ended {
                let length = self.buffer.len() - self.start;
                return Ok(if length == 0 { Next::End } else { self.line(length, length) });
            }
            match self.receive() {
                Ok(block) => {
                    self.paused = false;
                    self.buffer.drain(..self.start);
                    self.start = 0;
                    self.buffer.extend(block?);
                }
                Err(RecvTimeoutError::Disconnected) => self.ended = true,
                Err(RecvTimeoutError::Timeout) => {
                    self.paused = true;
                    return Ok(Next::Pause);
                }
            }
        }
    }

    /// A block that is there; waits for one only after a pause was announced.
    fn receive(&self) -> Result<io::Result<Vec<u8>>, RecvTimeoutError> {
        if self.paused {
            return self.blocks.recv_timeout(PATIENCE);
        }
        self.blocks.try_recv().map_err(|error| match error {
            TryRecvError::Empty => RecvTimeoutError::Timeout,
            TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
        })
    }

    fn line(&mut self, length: usize, consumed: usize) -> Next<'_> {
        let line = &self.buffer[self.start..self.start + length];
        self.start += consumed;
        self.number += 1;
        Next::Line(self.number, line.strip_suffix(b"\r").unwrap_or(line))
    }
}

struct Blocks {
    input: Box<dyn Read + Send>,
    ended: bool,
}

impl Iterator for Blocks {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            match self.input.read(&mut block) {
                Ok(0) => return None,
                Ok(length) => {
                    block.truncate(length);
                    return Some(Ok(block));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(blocks: &'static [&'static str], expected: &[&str]) {
        let input = blocks.iter().fold(Box::new(io::empty()) as Box<dyn Read + Send>, |before, block| {
            Box::new(before.chain(block.as_bytes()))
        });
        let mut lines = Lines::of(input);
        let mut found = Vec::new();
        loop {
            match lines.next().expect("the input can be read") {
                Next::Line(number, line) => {
                    assert_eq!(number, found.len() as u64 + 1);
                    found.push(String::from_utf8(line.to_vec()).expect("the specs write text"));
                }
                Next::Pause => {}
                Next::End => break,
            }
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_do_not_depend_on_how_they_arrive() {
        check(&[], &[]);
        check(&["a\nb\n"], &["a", "b"]);
        check(&["a\r\nb"], &["a", "b"]);
        check(&["on", "e\n", "\n", "tw", "o"], &["one", "", "two"]);
    }

    #[test]
    fn long_lines_stay_whole() {
        let line = "x".repeat(300_000);
        let mut lines = Lines::of(Box::new(io::Cursor::new(line.clone())));
        loop {
            match lines.next().expect("the input can be read") {
                Next::Line(_, found) => break assert!(found == line.as_bytes()),
                Next::Pause => {}
                Next::End => panic!("the line is missing"),
            }
        }
    }
}
