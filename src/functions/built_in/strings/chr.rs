//! `CHR(code)`.

use levada_udf::{Shown, scalar};

use super::utf16::HALF;

/// The character with this code point, or of this \uXXXX escape.
#[scalar(name = "chr", example("CHR(75)" = "'K'"))]
pub(super) fn of_code_point(code: i32) -> Option<Shown<char>> {
    let code = u32::try_from(code).ok().filter(|code| *code <= u32::from(char::MAX))?;
    Some(Shown(char::from_u32(code).unwrap_or(HALF)))
}

/// The same of escapes.
#[scalar(name = "chr", example(r"CHR('\u004b')" = "'K'"))]
pub(super) fn of_escapes(code: &str) -> Option<String> {
    // An escape has six characters: \uXXXX.
    let (escapes, rest) = code.as_bytes().as_chunks::<6>();
    if escapes.is_empty() || !rest.is_empty() {
        return None;
    }
    let units = escapes.iter().copied().map(unit).collect::<Option<Vec<u16>>>()?;
    Some(char::decode_utf16(units).map(|decoded| decoded.unwrap_or(HALF)).collect())
}

fn unit(escape: [u8; 6]) -> Option<u16> {
    let digits = escape.strip_prefix(br"\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)? as u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_points_that_do_not_exist_are_null() {
        let chr = |code| of_code_point(code).map(|shown| shown.0);
        let codes = [75, 0x1F600, 0xD800, 0x0011_0000, -1];
        assert_eq!(codes.map(chr), [Some('K'), Some('😀'), Some('?'), None, None]);
    }

    #[test]
    fn what_is_not_all_escapes_is_null() {
        let cases = [
            (r"\u004b", Some("K")),
            (r"\u004B\u597d", Some("K好")),
            (r"\ud83d\ude00", Some("😀")),
            (r"\ud83d", Some("?")),
            ("75", None),
            (r"\u004", None),
            (r"\u+04b", None),
            (r"\u004bK", None),
            ("", None),
            ("äöü", None),
        ];
        for (escapes, expected) in cases {
            assert_eq!(of_escapes(escapes).as_deref(), expected, "{escapes}");
        }
    }
}
