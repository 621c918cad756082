//! Windowed keys as Kafka Streams lays them out: key bytes, then the window.
//!
//! ```text
//! time      key ‖ start (8 bytes, big-endian)
//! session   key ‖ end (8 bytes) ‖ start (8 bytes); the end is inclusive
//! ```

use crate::types::WindowKind;

/// Start and end of a window, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Inclusive start.
    pub start: i64,
    /// End: exclusive for time windows, inclusive for sessions.
    pub end: i64,
}

/// Puts a window behind the bytes of a key.
pub fn join(mut key: Vec<u8>, window: Window, kind: WindowKind) -> Vec<u8> {
    if kind == WindowKind::Session {
        key.extend(window.end.to_be_bytes());
    }
    key.extend(window.start.to_be_bytes());
    key
}

/// Takes the window off the bytes of a key; `None` if they are too few.
pub fn split(bytes: &[u8], kind: WindowKind) -> Option<(&[u8], Window)> {
    let (rest, start) = bytes.split_last_chunk()?;
    let start = i64::from_be_bytes(*start);
    match kind {
        WindowKind::Time { size_ms } => Some((rest, Window { start, end: start.saturating_add(size_ms) })),
        WindowKind::Session => {
            let (rest, end) = rest.split_last_chunk()?;
            Some((rest, Window { start, end: i64::from_be_bytes(*end) }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_joined_is_split() {
        let window = Window { start: 30_000, end: 60_000 };
        for kind in [WindowKind::Time { size_ms: 30_000 }, WindowKind::Session] {
            let bytes = join(b"k".to_vec(), window, kind);
            assert_eq!(split(&bytes, kind), Some((&b"k"[..], window)));
        }
        assert_eq!(join(vec![], window, WindowKind::Session)[..8], 60_000_i64.to_be_bytes());
        assert_eq!(split(b"short", WindowKind::Session), None);
    }
}
