//! Texts that match a regular expression.

use fastrand::Rng;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

/// How often something is repeated at most that has no limit.
const REPEATED_MAX: u32 = 8;

/// Reads a regular expression.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Hir, String> {
    regex_syntax::parse(text).map_err(|error| format!("'{text}' is no regular expression: {error}"))
}

/// Appends a text that matches `pattern`; anchors and borders of words are passed over.
pub(super) fn draw(pattern: &Hir, random: &mut Rng, out: &mut Vec<u8>) {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(Class::Unicode(class)) => {
            let char = char_of(class, random);
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        }
        HirKind::Class(Class::Bytes(class)) => {
            let bytes: Vec<u8> = class.ranges().iter().flat_map(|range| range.start()..=range.end()).collect();
            out.extend(random.choice(bytes));
        }
        HirKind::Repetition(repetition) => {
            let max = repetition.max.unwrap_or_else(|| repetition.min.saturating_add(REPEATED_MAX));
            for _ in 0..random.u32(repetition.min..=max) {
                draw(&repetition.sub, random, out);
            }
        }
        HirKind::Capture(capture) => draw(&capture.sub, random, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| draw(part, random, out)),
        HirKind::Alternation(parts) => {
            if let Some(part) = random.choice(parts) {
                draw(part, random, out);
            }
        }
    }
}

/// One of the characters of `class`, of those that are printed in ASCII where it has some.
fn char_of(class: &ClassUnicode, random: &mut Rng) -> char {
    let mut printed = ClassUnicode::new([ClassUnicodeRange::new(' ', '~')]);
    printed.intersect(class);
    let class = if printed.ranges().is_empty() { class } else { &printed };
    let size = |range: &ClassUnicodeRange| range.end() as u32 - range.start() as u32 + 1;
    let mut place = random.u32(..class.ranges().iter().map(size).sum::<u32>().max(1));
    for range in class.ranges() {
        if place < size(range) {
            // Between the ranges of a class are the numbers that are no characters.
            return char::from_u32(range.start() as u32 + place).unwrap_or(range.start());
        }
        place -= size(range);
    }
    char::REPLACEMENT_CHARACTER
}
