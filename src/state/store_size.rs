//! How large a store is, known without looking.

/// Size of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSize {
    /// The store.
    pub store: String,
    /// Its entries.
    pub entries: u64,
    /// Bytes of their keys and values, about: entries times what one had on average when it was read or written.
    pub bytes: u64,
}

/// What entries weigh on average.
#[derive(Debug, Default, Clone, Copy)]
pub struct EntryWeight {
    entries: u64,
    bytes: u64,
}

impl EntryWeight {
    /// Takes note of an entry that was read or written.
    pub fn note(&mut self, key: &[u8], value: &[u8]) {
        self.entries += 1;
        self.bytes += (key.len() + value.len()) as u64;
    }

    /// What `entries` weigh.
    pub fn of(&self, entries: usize) -> u64 {
        let bytes = u128::from(self.bytes) * entries as u128 / u128::from(self.entries.max(1));
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_weigh_what_they_did_on_average() {
        let mut weight = EntryWeight::default();
        assert_eq!(weight.of(5), 0, "nothing was seen yet");
        weight.note(b"ab", b"1234");
        weight.note(b"cd", b"12");
        assert_eq!(weight.of(10), 50);
    }
}
