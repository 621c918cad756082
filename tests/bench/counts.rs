//! How many results there must be, counted in the plainest way, so that no pipeline wins by losing some.

use std::collections::{HashMap, HashSet};

use crate::generator::Records;

/// Distinct keys of all `records` together.
pub fn keys(records: &[&Records]) -> usize {
    let keys = records.iter().flat_map(|records| (0..records.len()).map(|row| records.key(row)));
    keys.collect::<HashSet<_>>().len()
}

/// Distinct pairs of a key and a window.
pub fn windows(records: &Records, size_ms: i64, advance_ms: i64) -> usize {
    let mut windows = HashSet::new();
    for row in 0..records.len() {
        let last = records.timestamps[row] / advance_ms * advance_ms;
        for start in (0..).map(|n| last - n * advance_ms).take_while(|start| start + size_ms > records.timestamps[row])
        {
            windows.insert((records.key(row), start));
        }
    }
    windows.len()
}

/// Sessions that are left in the end, and changes on the way: the new session after every record, and one more for every
/// session that it replaces.
pub fn sessions(records: &Records, gap_ms: i64) -> (usize, usize) {
    let mut sessions: HashMap<&[u8], Vec<(i64, i64)>> = HashMap::new();
    let mut changes = 0;
    for row in 0..records.len() {
        let (time, open) = (records.timestamps[row], sessions.entry(records.key(row)).or_default());
        let (mut start, mut end) = (time, time);
        let mut met = Vec::new();
        open.retain(|&(first, last)| {
            let meets = first <= time + gap_ms && last >= time - gap_ms;
            if meets {
                met.push((first, last));
            }
            !meets
        });
        for &(first, last) in &met {
            (start, end) = (start.min(first), end.max(last));
        }
        open.push((start, end));
        // What a record falls into is replaced too, even by a session of the same bounds: semantics 4.5.
        changes += 1 + if (start, end) == (time, time) { 0 } else { met.len() };
    }
    (sessions.values().map(Vec::len).sum(), changes)
}

/// Pairs of equal keys at most `within_ms` apart.
pub fn pairs(left: &Records, right: &Records, within_ms: i64) -> usize {
    let mut times: HashMap<&[u8], Vec<i64>> = HashMap::new();
    for row in 0..left.len() {
        times.entry(left.key(row)).or_default().push(left.timestamps[row]);
    }
    let meets = |row: usize| {
        let times = times.get(right.key(row)).map_or(&[][..], Vec::as_slice);
        times.iter().filter(|time| (*time - right.timestamps[row]).abs() <= within_ms).count()
    };
    (0..right.len()).map(meets).sum()
}
