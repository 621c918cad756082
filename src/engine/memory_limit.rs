//! `memory.limit`: how much memory the process may take.

use super::EngineError;
use crate::runtime::MemoryPlan;

/// Name of the property.
pub(super) const MEMORY_LIMIT: &str = "memory.limit";

/// What the process takes beside state and cache: write buffers of the store, batches on their way, code.
const BESIDE_BYTES: usize = 224 << 20;
/// Share of the limit that blocks of the store may take, and how much that is at least and at most.
const CACHE_SHARE: usize = 8;
const CACHE_BYTES: (usize, usize) = (32 << 20, 1 << 30);

/// How the memory of the process is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MemoryDivision {
    /// What the process may take, and state of it.
    pub(super) process: MemoryPlan,
    /// What blocks of the store may take.
    pub(super) cache_bytes: usize,
}

const UNITS: [(&str, u32); 8] =
    [("KB", 10), ("MB", 20), ("GB", 30), ("TB", 40), ("K", 10), ("M", 20), ("G", 30), ("T", 40)];

/// The division where the property is `limit`; without it, of half the machine's memory.
pub(super) fn plan(limit: Option<&str>) -> Result<MemoryDivision, EngineError> {
    let limit = match limit {
        Some(text) => parse(text).ok_or_else(|| {
            let text = format!("Invalid value {text} for configuration {MEMORY_LIMIT}: Not a size");
            EngineError::new(text).with_hint("write a number of bytes, or one with a unit: 512MB, 4GB")
        })?,
        None => machine_bytes().map_or(usize::MAX, |bytes| bytes / 2),
    };
    let cache_bytes = (limit / CACHE_SHARE).clamp(CACHE_BYTES.0, CACHE_BYTES.1);
    // The rest has to make do with half of a small limit.
    let state_bytes = limit - (BESIDE_BYTES + cache_bytes).min(limit / 2);
    Ok(MemoryDivision { process: MemoryPlan { process_bytes: limit, state_bytes }, cache_bytes })
}

/// A number of bytes, with or without a unit of powers of 1024.
fn parse(text: &str) -> Option<usize> {
    let text = text.trim().to_ascii_uppercase();
    let (number, shift) = UNITS
        .iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)))
        .unwrap_or_else(|| (text.strip_suffix('B').unwrap_or(&text), 0));
    number.trim().parse::<usize>().ok()?.checked_mul(1 << shift)
}

/// Memory of the machine, or of the control group that the process is in, if that is less.
fn machine_bytes() -> Option<usize> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB"))?;
    let total = total.trim().parse::<usize>().ok()?.checked_mul(1024)?;
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    Some(group.and_then(|text| text.trim().parse().ok()).map_or(total, |group: usize| group.min(total)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_of_bytes_or_has_a_unit() {
        let cases = [
            ("1024", Some(1024)),
            ("512MB", Some(512 << 20)),
            ("512 mb", Some(512 << 20)),
            ("4G", Some(4 << 30)),
            ("100B", Some(100)),
            ("0", Some(0)),
            ("much", None),
            ("-1", None),
            ("1.5GB", None),
            ("99999999999TB", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn a_small_limit_leaves_half_to_the_rest() {
        let plan_of = |limit| plan(Some(limit)).map(|plan| (plan.process.state_bytes >> 20, plan.cache_bytes >> 20));
        assert_eq!(plan_of("100MB").expect("a size"), (50, 32));
        assert_eq!(plan_of("1GB").expect("a size"), (672, 128));
        let error = plan_of("lots").expect_err("no size");
        assert_eq!(error.message, "Invalid value lots for configuration memory.limit: Not a size");
        assert!(plan(None).expect("a machine has memory").process.state_bytes > 0);
    }
}
