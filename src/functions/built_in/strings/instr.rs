//! `INSTR(text, part[, position[, occurrence]])`.

use levada_udf::scalar;

use super::utf16::Utf16;

/// The position of one text in another, 0 if it is not there.
#[scalar(name = "instr", example("INSTR('corporate floor', 'or')" = "2"))]
pub(super) fn first(text: Option<&str>, part: Option<&str>) -> i32 {
    nth_from(text, part, 1, 1)
}

/// The same, from a position on.
#[scalar(name = "instr", example("INSTR('corporate floor', 'or', -3)" = "5"))]
pub(super) fn first_from(
    text: Option<&str>,
    part: Option<&str>,
    /// Where it is searched from; if negative, so far from the end, and backwards.
    position: i32,
) -> i32 {
    nth_from(text, part, position, 1)
}

/// The same of a later one.
#[scalar(name = "instr", example("INSTR('corporate floor', 'or', 3, 2)" = "14"))]
pub(super) fn nth_from(
    text: Option<&str>,
    part: Option<&str>,
    /// Where it is searched from; if negative, so far from the end, and backwards.
    position: i32,
    /// Which one: 1 is the first that is found.
    occurrence: i32,
) -> i32 {
    let (Some(text), Some(part)) = (text, part) else { return 0 };
    let distance = position.unsigned_abs() as usize;
    let skipped = usize::try_from(occurrence).ok().and_then(|occurrence| occurrence.checked_sub(1));
    let units = Utf16::new(text);
    let found = skipped.filter(|_| distance <= units.len()).and_then(|skipped| {
        if position < 0 {
            backwards(text, units, part, units.len() - distance, skipped)
        } else {
            forwards(text, units, part, distance.saturating_sub(1), skipped)
        }
    });
    found.map_or(0, |unit| unit as i32 + 1)
}

/// The unit where `part` begins, at `start` or later; so many are skipped. They may overlap.
fn forwards(text: &str, units: Utf16<'_>, part: &str, start: usize, mut skipped: usize) -> Option<usize> {
    let Some(character) = part.chars().next() else {
        return start.checked_add(skipped).filter(|unit| *unit <= units.len());
    };
    let mut from = units.byte_from(start);
    loop {
        let byte = from + text[from..].find(part)?;
        if skipped == 0 {
            return Some(units.unit_at(byte));
        }
        skipped -= 1;
        from = byte + character.len_utf8();
    }
}

/// The unit where `part` begins, at `start` or before; so many are skipped. They may overlap.
fn backwards(text: &str, units: Utf16<'_>, part: &str, start: usize, mut skipped: usize) -> Option<usize> {
    if part.is_empty() {
        return start.checked_sub(skipped);
    }
    let mut end = units.byte_at(start) + part.len();
    loop {
        let byte = text[..text.floor_char_boundary(end)].rfind(part)?;
        if skipped == 0 {
            return Some(units.unit_at(byte));
        }
        skipped -= 1;
        end = byte + part.len() - 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::utf16::naive;
    use super::*;

    #[test]
    fn it_is_searched_from_a_position_in_either_direction() {
        let text = "corporate floor";
        let cases = [
            ("or", 1, 1, 2),
            ("or", 3, 1, 5),
            ("or", 3, 2, 14),
            ("or", 3, 3, 0),
            ("or", -2, 1, 14),
            ("or", -3, 1, 5),
            ("or", -3, 2, 2),
            ("or", 15, 1, 0),
            ("or", 16, 1, 0),
            ("or", -16, 1, 0),
            ("or", i32::MIN, 1, 0),
            ("or", 0, 1, 2),
            ("or", 1, 0, 0),
            ("", 3, 1, 3),
            ("x", 1, 1, 0),
        ];
        for (part, position, occurrence, found) in cases {
            let call = format!("{part} {position} {occurrence}");
            assert_eq!(nth_from(Some(text), Some(part), position, occurrence), found, "{call}");
        }
        assert_eq!((first(None, Some("a")), first(Some("a"), None), first(Some("a😀b"), Some("b"))), (0, 0, 4));
    }

    proptest! {
        #[test]
        fn it_is_what_a_list_of_units_gives(
            text in naive::texts(),
            part in naive::texts(),
            part_len in 0_usize..3,
            position in -12_i32..12,
            occurrence in 0_i32..4,
        ) {
            let part: String = part.chars().take(part_len).collect();
            let (units, wanted) = (naive::units(&text), naive::units(&part));
            let len = units.len() as i32;
            let begins = |at: &i32| units[*at as usize..].starts_with(&wanted);
            let nth = (occurrence - 1) as usize;
            let found = if occurrence < 1 || position.abs() > len {
                None
            } else if position < 0 {
                (0..=len + position).rev().filter(begins).nth(nth)
            } else {
                ((position - 1).max(0)..=len).filter(begins).nth(nth)
            };
            prop_assert_eq!(nth_from(Some(&text), Some(&part), position, occurrence), found.map_or(0, |at| at + 1));
        }
    }
}
