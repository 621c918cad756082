//! Who is connected with whom, found from one side.

use rpds::RedBlackTreeSetSync;

/// Pairs of names, ordered by the first.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    pairs: RedBlackTreeSetSync<(String, String)>,
}

impl Links {
    pub(super) fn add(&mut self, from: &str, to: &str) {
        self.pairs.insert_mut((from.to_owned(), to.to_owned()));
    }

    pub(super) fn remove(&mut self, from: &str, to: &str) {
        self.pairs.remove_mut(&(from.to_owned(), to.to_owned()));
    }

    /// All that `from` is connected with, in order.
    pub(super) fn of(&self, from: &str) -> impl Iterator<Item = &str> {
        let wanted = from.to_owned();
        let begin = (wanted.clone(), String::new());
        self.pairs.range(begin..).take_while(move |(from, _)| *from == wanted).map(|(_, to)| to.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_by_their_beginning_only() {
        let mut links = Links::default();
        for (from, to) in [("A", "3"), ("B", "2"), ("A", "1"), ("AB", "4"), ("A", "1")] {
            links.add(from, to);
        }
        let of = |links: &Links, from: &str| links.of(from).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(of(&links, "A"), ["1", "3"]);
        assert_eq!(of(&links, "AB"), ["4"]);
        links.remove("A", "1");
        links.remove("A", "2");
        assert_eq!(of(&links, "A"), ["3"]);
        assert!(of(&links, "C").is_empty());
    }
}
