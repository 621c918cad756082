//! The records of one key, by time.

use std::collections::VecDeque;

/// Time and number of a record.
type Timed = (i64, u32);

/// Records in the order of time and arrival. Many keys have one record, for which nothing is allocated.
#[derive(Debug)]
pub(super) enum Times {
    One(Timed),
    /// None too.
    Many(VecDeque<Timed>),
}

impl Default for Times {
    fn default() -> Self {
        Self::Many(VecDeque::new())
    }
}

impl Times {
    fn slices(&self) -> (&[Timed], &[Timed]) {
        match self {
            Self::One(only) => (std::slice::from_ref(only), &[]),
            Self::Many(records) => records.as_slices(),
        }
    }

    /// How many come first for which `is_before` holds: no later one may.
    fn partition_point(&self, is_before: impl Fn(&Timed) -> bool) -> usize {
        let (first, second) = self.slices();
        if second.first().is_some_and(&is_before) {
            first.len() + second.partition_point(is_before)
        } else {
            first.partition_point(is_before)
        }
    }

    /// Those of `time` and later.
    pub(super) fn since(&self, time: i64) -> impl Iterator<Item = Timed> {
        let from = self.partition_point(|(other, _)| *other < time);
        let (first, second) = self.slices();
        first.iter().chain(second).skip(from).copied()
    }

    /// Adds a record behind those for which `is_before` holds.
    pub(super) fn insert(&mut self, timed: Timed, is_before: impl Fn(&Timed) -> bool) {
        let (first, second) = self.slices();
        let last = second.last().or(first.last());
        let at = if last.is_none_or(&is_before) { first.len() + second.len() } else { self.partition_point(is_before) };
        match self {
            Self::Many(records) if records.is_empty() => *self = Self::One(timed),
            Self::Many(records) => records.insert(at, timed),
            Self::One(only) => {
                let mut records = VecDeque::from([*only]);
                records.insert(at, timed);
                *self = Self::Many(records);
            }
        }
    }

    /// Removes the record `number` of `time`, if it is there.
    pub(super) fn remove(&mut self, (time, number): Timed) {
        let place = self.since(time).position(|(_, other)| other == number);
        let from = self.partition_point(|(other, _)| *other < time);
        match (self, place) {
            (Self::Many(records), Some(place)) if records.len() > 1 => _ = records.remove(from + place),
            (records, Some(_)) => *records = Self::default(),
            (_, None) => {}
        }
    }

    /// Removes those before `time`.
    pub(super) fn remove_before(&mut self, time: i64) {
        let gone = self.partition_point(|(other, _)| *other < time);
        match self {
            _ if gone == 0 => {}
            Self::Many(records) if gone < records.len() => _ = records.drain(..gone),
            _ => *self = Self::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn since(times: &Times, time: i64) -> Vec<Timed> {
        times.since(time).collect()
    }

    #[test]
    fn records_are_in_order_whatever_order_they_come_in() {
        let mut times = Times::default();
        assert_eq!(since(&times, 0), []);
        for timed in [(5, 0), (3, 1), (9, 2), (5, 3)] {
            times.insert(timed, |(other, _)| *other <= timed.0);
        }
        assert_eq!(since(&times, 0), [(3, 1), (5, 0), (5, 3), (9, 2)]);
        assert_eq!(since(&times, 5), [(5, 0), (5, 3), (9, 2)]);
        assert_eq!(since(&times, 10), []);
    }

    #[test]
    fn one_record_and_several_are_removed_alike() {
        let mut times = Times::default();
        times.insert((5, 0), |_| true);
        times.remove((5, 1));
        assert_eq!(since(&times, 0), [(5, 0)]);
        times.remove((5, 0));
        assert_eq!(since(&times, 0), []);
        for timed in [(1, 0), (2, 1), (2, 2), (3, 3)] {
            times.insert(timed, |_| true);
        }
        times.remove((2, 2));
        assert_eq!(since(&times, 0), [(1, 0), (2, 1), (3, 3)]);
        times.remove_before(2);
        assert_eq!(since(&times, 0), [(2, 1), (3, 3)]);
        times.remove_before(4);
        assert_eq!(since(&times, 0), []);
    }

    #[test]
    fn the_two_ends_of_a_ring_are_searched_as_one() {
        let mut times = Times::default();
        for time in 0..100 {
            times.insert((time, time as u32), |_| true);
            times.remove_before(time - 5);
            let expected: Vec<Timed> = (3.max(time - 5)..=time).map(|time| (time, time as u32)).collect();
            assert_eq!(since(&times, 3), expected, "at {time}");
        }
    }
}
