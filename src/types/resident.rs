//! Memory of the process.

/// Memory that the process takes, as Linux says.
pub fn resident_bytes() -> Option<usize> {
    const PAGE_BYTES: usize = 4096;
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    pages.split(' ').nth(1)?.parse::<usize>().ok()?.checked_mul(PAGE_BYTES)
}
