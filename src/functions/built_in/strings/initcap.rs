//! `INITCAP(text)`.

use levada_udf::scalar;

/// Every word with a capital first letter and small ones after it.
#[scalar(name = "initcap", example("INITCAP('the quick fox')" = "'The Quick Fox'"))]
pub(super) fn initcap(text: &str) -> String {
    let text = text.trim_start_matches(is_blank);
    let mut words = String::with_capacity(text.len());
    for word in text.split_inclusive(is_blank) {
        let mut characters = word.chars();
        words.extend(characters.next().into_iter().flat_map(char::to_uppercase));
        let rest = characters.as_str();
        if rest.is_ascii() {
            words.extend(rest.bytes().map(|byte| char::from(byte.to_ascii_lowercase())));
        } else {
            words.push_str(&rest.to_lowercase());
        }
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
        ];
        for (text, expected) in cases {
            assert_eq!(initcap(text), expected, "{text}");
        }
    }
}
