//! What to do with records of each writer's schema: compiled once, found by what stands in front of the records.

use std::collections::HashMap;

/// Plans by the bytes that name a schema in front of a record. Nearly all records of a topic begin alike: comparing with the
/// last one is nearly all the look-up there is.
pub(super) struct WriterPlans<P> {
    plans: Vec<Known<P>>,
    by_header: HashMap<Box<[u8]>, usize>,
    last: usize,
    /// From here on plans are for this batch only: nobody could say what their schema is.
    kept: usize,
}

/// The bytes that name a schema, and how its records are read, or why they cannot be.
type Known<P> = (Box<[u8]>, Result<P, String>);

/// What is known of a writer's schema.
pub(super) enum Found<P> {
    /// How its records are read, or why they cannot be.
    Plan(Result<P, String>),
    /// It is not there: the next batch asks again.
    Absent(String),
}

impl<P> WriterPlans<P> {
    pub(super) fn new() -> Self {
        Self { plans: Vec::new(), by_header: HashMap::new(), last: 0, kept: 0 }
    }

    /// Forgets what was not there when the last batch was read.
    pub(super) fn begin_batch(&mut self) {
        for (header, _) in self.plans.drain(self.kept..) {
            self.by_header.remove(&header);
        }
    }

    /// The bytes of the last header, if `record` begins with them.
    #[inline]
    pub(super) fn header_of<'r>(&self, record: &'r [u8]) -> Option<&'r [u8]> {
        let (header, _) = self.plans.get(self.last)?;
        record.starts_with(header).then(|| &record[..header.len()])
    }

    /// The plan of records that begin with `header`; `find` makes it if there is none. Nothing may begin with a header that
    /// begins with another one.
    #[inline]
    pub(super) fn get(&mut self, header: &[u8], find: impl FnOnce() -> Found<P>) -> &mut Result<P, String> {
        if self.plans.get(self.last).is_none_or(|(last, _)| **last != *header) {
            self.last = match self.by_header.get(header) {
                Some(index) => *index,
                None => self.add(header, find()),
            };
        }
        &mut self.plans[self.last].1
    }

    fn add(&mut self, header: &[u8], found: Found<P>) -> usize {
        let (plan, is_kept) = match found {
            Found::Plan(plan) => (plan, true),
            Found::Absent(reason) => (Err(reason), false),
        };
        let mut index = self.plans.len();
        self.plans.push((header.into(), plan));
        if is_kept {
            // What is kept stands in front of what is not.
            self.plans.swap(index, self.kept);
            self.by_header.insert(self.plans[index].0.clone(), index);
            index = self.kept;
            self.kept += 1;
        }
        self.by_header.insert(header.into(), index);
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_made_once_and_what_is_absent_is_asked_for_again() {
        let mut plans = WriterPlans::new();
        let mut asked = Vec::new();
        for batch in 0..2 {
            plans.begin_batch();
            for header in [b"a", b"x", b"b", b"a", b"x", b"b"] {
                let plan = plans.get(header, || {
                    asked.push((batch, header[0]));
                    if header == b"x" { Found::Absent("x is absent".to_owned()) } else { Found::Plan(Ok(header[0])) }
                });
                let expected = if header == b"x" { Err("x is absent".to_owned()) } else { Ok(header[0]) };
                assert_eq!(*plan, expected, "batch {batch}");
            }
        }
        assert_eq!(asked, [(0, b'a'), (0, b'x'), (0, b'b'), (1, b'x')]);
        assert_eq!(plans.header_of(b"bcd"), Some(&b"b"[..]));
        assert_eq!(plans.header_of(b"abc"), None);
    }
}
