//! `INITCAP(text)`.

use levada_udf::scalar;

/// Every word with a capital first letter and small ones after it.
#[scalar(name = "initcap", example("INITCAP('the quick fox')" = "'The Quick Fox'"))]
pub(super) fn initcap(text: &str) -> String {
    let small = if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase() };
    let small = small.trim_start_matches(is_blank);
    let mut words = String::with_capacity(small.len());
    for word in small.split_inclusive(is_blank) {
        let first = word.chars().next().filter(|first| first.len_utf16() == 1);
        // To Java a character past U+FFFF is two, and neither has another case.
        words.extend(first.into_iter().flat_map(char::to_uppercase));
        words.push_str(&word[first.map_or(0, char::len_utf8)..]);
    }
    words
}

/// What stands between words.
fn is_blank(character: char) -> bool {
    matches!(character, '\t'..='\r' | ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_stands_between_blanks() {
        let cases = [
            ("the   Quick br0wn fOx", "The   Quick Br0wn Fox"),
            ("  some_string\tx ", "Some_string\tX "),
            ("o'NEIL-smith", "O'neil-smith"),
            ("éCOLE ÉTÉ", "École Été"),
            (" ", ""),
            ("𐐨𐐀 ΑΣ ßa", "𐐨𐐨 Ας SSa"),
        ];
        for (text, expected) in cases {
            assert_eq!(initcap(text), expected, "{text}");
        }
    }
}
