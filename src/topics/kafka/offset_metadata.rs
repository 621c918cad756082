//! The text that goes with a committed offset: the partition's time, as Kafka Streams keeps it there (semantics 8.2).
//!
//! Base64 of `u8 version, i64 partition time` and, in version 2, an `i32` count of entries that Levada does not write.

use crate::types::java_text::{read_base64, write_base64};

const VERSION: u8 = 2;

/// The text for `partition_time`.
pub(super) fn encode(partition_time: i64) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&partition_time.to_be_bytes());
    let mut text = Vec::new();
    write_base64(&mut text, &bytes);
    String::from_utf8(text).expect("base64 is ASCII")
}

/// The partition time in `text`; -1 when there is none that is understood.
pub(super) fn decode(text: &str) -> i64 {
    let mut bytes = Vec::new();
    if !read_base64(&mut bytes, text.as_bytes()) {
        return -1;
    }
    match bytes.as_slice() {
        [1 | 2, time @ ..] => time.first_chunk().map_or(-1, |time| i64::from_be_bytes(*time)),
        _ => -1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back() {
        for time in [-1, 0, 1_357_034_400_000, i64::MAX] {
            assert_eq!(decode(&encode(time)), time);
        }
    }

    #[test]
    fn other_texts_have_no_time() {
        for text in ["", "no base64!", "AA==", "CQAAAAAAAAAB"] {
            assert_eq!(decode(text), -1, "{text}");
        }
        assert_eq!(decode("AQAAAAAAAAAF"), 5, "version 1");
    }
}
