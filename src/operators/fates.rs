//! What became of rows that did not simply go on, counted per batch.

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    /// A condition (WHERE, HAVING) was not true.
    Filtered,
    /// It has no key, or a part of its key is null: it was dropped.
    NullKey,
    /// It has no value: it was dropped.
    NullValue,
    /// It came after its window had closed: it was dropped.
    Late,
    /// A join has no partner for it: inner joins drop it, outer ones fill it up with nulls.
    Unmatched,
    /// A join of streams had no partner for it when it came; one may have come later.
    Waited,
    /// A table function gave no row for it.
    Empty,
}

impl Fate {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 7] =
        [Self::Filtered, Self::NullKey, Self::NullValue, Self::Late, Self::Unmatched, Self::Waited, Self::Empty];

    /// The word that is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Filtered => "filtered",
            Self::NullKey => "null_key",
            Self::NullValue => "null_value",
            Self::Late => "late",
            Self::Unmatched => "unmatched",
            Self::Waited => "waited",
            Self::Empty => "empty",
        }
    }
}

/// How many rows met which [`Fate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fates([u64; Fate::ALL.len()]);

impl Fates {
    /// Counts `rows` more.
    pub fn add(&mut self, fate: Fate, rows: usize) {
        self.0[fate as usize] += rows as u64;
    }

    /// Rows that met `fate`.
    pub fn of(&self, fate: Fate) -> u64 {
        self.0[fate as usize]
    }

    /// Adds what `other` has counted.
    pub fn add_all(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, more)| *sum += more);
    }

    /// Those that some row has met, with their counts.
    pub fn met(&self) -> impl Iterator<Item = (Fate, u64)> {
        Fate::ALL.into_iter().map(|fate| (fate, self.of(fate))).filter(|(_, rows)| *rows > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_by_fate() {
        let mut sum = Fates::default();
        sum.add(Fate::Late, 2);
        let mut more = Fates::default();
        more.add(Fate::Late, 3);
        more.add(Fate::Empty, 1);
        sum.add_all(&more);
        assert_eq!(sum.met().collect::<Vec<_>>(), [(Fate::Late, 5), (Fate::Empty, 1)]);
        assert!(Fate::ALL.iter().enumerate().all(|(index, fate)| *fate as usize == index));
    }
}
