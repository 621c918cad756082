//! Which records of a partition are too old or too much.
//!
//! Records go from the front of a partition and by whole chunks, so the start offset is all that has to be remembered.

use super::{ChunkSummary, TopicConfig};

/// How many of the first `chunks` go: those whose newest record is older than `retention_ms`, and those without which
/// the partition still has `retention_bytes`.
pub(super) fn expired(chunks: &[ChunkSummary], config: &TopicConfig, now_ms: i64) -> usize {
    too_old(chunks, config, now_ms).max(too_much(chunks, config))
}

fn too_old(chunks: &[ChunkSummary], config: &TopicConfig, now_ms: i64) -> usize {
    let Some(retention_ms) = config.retention_ms else { return 0 };
    let oldest_kept = now_ms.saturating_sub(retention_ms);
    chunks.iter().take_while(|chunk| chunk.timestamp_max < oldest_kept).count()
}

fn too_much(chunks: &[ChunkSummary], config: &TopicConfig) -> usize {
    let Some(retention_bytes) = config.retention_bytes else { return 0 };
    let mut kept: u64 = chunks.iter().map(|chunk| chunk.bytes).sum();
    let goes = |chunk: &&ChunkSummary| {
        let fits = kept - chunk.bytes >= retention_bytes;
        kept -= if fits { chunk.bytes } else { 0 };
        fits
    };
    chunks.iter().take_while(goes).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(retention_ms: Option<i64>, retention_bytes: Option<u64>, chunks: &[(i64, u64)], expected: usize) {
        let summary = |&(timestamp_max, bytes)| ChunkSummary {
            offset_last: 0,
            rows: 1,
            bytes,
            timestamp_max,
            tombstones: 0,
            cleaned_at_ms: -1,
        };
        let chunks: Vec<_> = chunks.iter().map(summary).collect();
        let config = TopicConfig { retention_ms, retention_bytes, ..TopicConfig::with_partitions(1) };
        assert_eq!(expired(&chunks, &config, 1_000), expected, "{chunks:?}");
    }

    #[test]
    fn without_settings_everything_stays() {
        check(None, None, &[(0, 1_000_000)], 0);
    }

    #[test]
    fn chunks_go_once_their_newest_record_is_too_old() {
        check(Some(100), None, &[(899, 1), (900, 1)], 1);
        check(Some(100), None, &[(1, 1), (2, 1)], 2);
        // A chunk with a newer record keeps what is behind it.
        check(Some(100), None, &[(950, 1), (2, 1)], 0);
        check(Some(i64::MAX), None, &[(i64::MIN + 2000, 1)], 0);
    }

    #[test]
    fn chunks_go_while_enough_bytes_remain() {
        check(None, Some(100), &[(0, 60), (0, 60), (0, 60)], 1);
        check(None, Some(100), &[(0, 50), (0, 50), (0, 50), (0, 50)], 2);
        check(None, Some(100), &[(0, 99)], 0);
        check(None, Some(0), &[(0, 99)], 1);
    }

    #[test]
    fn the_stricter_setting_wins() {
        check(Some(100), Some(60), &[(1, 60), (2, 60), (999, 60)], 2);
        check(Some(1_000), Some(60), &[(1, 60), (2, 60), (999, 60)], 2);
    }
}
