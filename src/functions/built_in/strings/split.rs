//! `SPLIT(value, delimiter)`.

use levada_udf::scalar;

/// The parts between delimiters.
#[scalar(name = "split", example("SPLIT('a,b,', ',')" = "ARRAY['a', 'b', '']"))]
pub(super) fn texts<'a>(
    value: &'a str,
    /// What stands between parts. It is literal; an empty one parts every character from the next.
    delimiter: &str,
) -> Vec<&'a str> {
    if !delimiter.is_empty() {
        value.split(delimiter).collect()
    } else if value.is_empty() {
        vec![value]
    } else {
        value.split_inclusive(|_| true).collect()
    }
}

/// The same of bytes.
#[scalar(name = "split")]
pub(super) fn bytes<'a>(value: &'a [u8], delimiter: &[u8]) -> Vec<&'a [u8]> {
    if delimiter.is_empty() && !value.is_empty() {
        return value.chunks(1).collect();
    }
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while !delimiter.is_empty() && at < value.len() {
        if value[at..].starts_with(delimiter) {
            parts.push(&value[start..at]);
            at += delimiter.len();
            start = at;
        } else {
            at += 1;
        }
    }
    parts.push(&value[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_parts_are_kept() {
        let cases: [(&str, &str, &[&str]); 8] = [
            ("a$$b.c", "$$", &["a", "b.c"]),
            ("$$abc$$", "$$", &["", "abc", ""]),
            ("a$$$b", "$$", &["a", "$b"]),
            ("$$$$", "$$", &["", "", ""]),
            ("abc", "$$", &["abc"]),
            ("", "$$", &[""]),
            ("a.b", "", &["a", ".", "b"]),
            ("", "", &[""]),
        ];
        for (value, delimiter, parts) in cases {
            assert_eq!(texts(value, delimiter), parts, "{value} {delimiter}");
            let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
            assert_eq!(bytes(value.as_bytes(), delimiter.as_bytes()), parts, "{value} {delimiter}");
        }
        assert_eq!(texts("é😀", ""), ["é", "😀"]);
    }
}
