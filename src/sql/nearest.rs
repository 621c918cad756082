//! The word or the name that somebody has probably meant.

/// The word of `words` that `word`, in any case, is a slip of: a few letters wrong, missing, too many or swapped, or only
/// its beginning. `None` if nothing is near: a far-fetched guess is worse than none.
pub(super) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > WORD_MAX {
        return None;
    }
    let word = word.to_uppercase();
    let distances = words.into_iter().filter_map(|other| Some((distance(&word, length, other)?, other)));
    distances.min_by_key(|(distance, _)| *distance).map(|(_, other)| other)
}

/// No word of the language is so long that a longer one is a slip of it.
const WORD_MAX: usize = 24;
/// A shorter beginning says nothing.
const PREFIX_MIN: usize = 3;

/// How far apart two words in capitals are, unless that is too far.
fn distance(word: &str, length: usize, other: &str) -> Option<usize> {
    if length >= PREFIX_MIN && other.starts_with(word) {
        return Some(other.len() - word.len());
    }
    let distance = strsim::osa_distance(word, other);
    (distance <= slips_max(length)).then_some(distance)
}

/// How many slips a word of this length may have.
fn slips_max(length: usize) -> usize {
    match length {
        0..=2 => 0,
        3..=5 => 1,
        6..=8 => 2,
        _ => 3,
    }
}

/// Longer names have none that are similar: comparing two takes time as the product of their lengths.
const SIMILAR_LENGTH_MAX: usize = 256;

/// The names of `known` that `name`, in any case, is a slip of: up to a third of its letters, nearest first, at most three.
///
/// More generous than the search for keywords: names are longer, and there are fewer of them to be taken for another.
pub fn similar_names<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    if name.len() > SIMILAR_LENGTH_MAX {
        return Vec::new();
    }
    let wanted = name.to_uppercase();
    let allowed = (wanted.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = known
        .filter(|other| other.len() <= 2 * SIMILAR_LENGTH_MAX)
        .map(|other| (strsim::osa_distance(&wanted, &other.to_uppercase()), other))
        .filter(|(distance, _)| *distance <= allowed)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(3).map(|(_, other)| other.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found() {
        let words = ["SELECT", "CREATE", "DROP", "DESCRIBE", "TERMINATE"];
        let cases = [
            ("selct", "SELECT"),
            ("CRATE", "CREATE"),
            ("dorp", "DROP"),
            ("desc", "DESCRIBE"),
            ("SELECTT", "SELECT"),
            ("terimnaet", "TERMINATE"),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, words), Some(expected), "{word}");
        }
    }

    #[test]
    fn other_words_are_not_guessed_at() {
        let words = ["SELECT", "CREATE", "DROP", "SET", "AS"];
        for word in ["banana", "x", "", "is", "RUN", "quit", "éé", &"select".repeat(1_000)] {
            assert_eq!(nearest(word, words), None, "{word}");
        }
    }

    /// Comparing two names of a million characters would take hours.
    #[test]
    fn endless_names_are_like_no_other() {
        let endless = "a".repeat(1_000_000);
        assert_eq!(similar_names(&endless, [endless.as_str()].into_iter()), Vec::<String>::new());
        assert_eq!(similar_names("AB", [endless.as_str(), "AC"].into_iter()), ["AC"]);
    }

    #[test]
    fn near_names_are_found_nearest_first() {
        let known = ["CARRIER", "CARRIERS", "ORIGIN", "DEST"];
        let cases: [(&str, &[&str]); 4] = [
            ("CARIER", &["CARRIER", "CARRIERS"]),
            ("carriers", &["CARRIERS", "CARRIER"]),
            ("ORGIN", &["ORIGIN"]),
            ("XYZ", &[]),
        ];
        for (name, expected) in cases {
            assert_eq!(similar_names(name, known.into_iter()), expected, "{name}");
        }
    }
}
