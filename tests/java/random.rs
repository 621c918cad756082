//! Random values: those that functions stumble over come often.

use arrow::datatypes::i256;
use levada::expr::Literal;

use super::call::Value;
use crate::crash::Random;

/// One of `items`.
pub fn pick<T: Clone>(random: &mut Random, items: &[T]) -> T {
    items[random.next(items.len() as u64) as usize].clone()
}

/// A number from `from` to `to`.
pub fn between(random: &mut Random, from: i64, to: i64) -> i64 {
    let width = to.wrapping_sub(from).wrapping_add(1) as u64;
    // Numbers of the generator have 31 bits.
    let wide = random.next(1 << 31) << 31 | random.next(1 << 31);
    from.wrapping_add((if width == 0 { wide } else { wide % width }) as i64)
}

/// Whether it happens, once in `times`.
pub fn once_in(random: &mut Random, times: u64) -> bool {
    random.next(times) == 0
}

/// Characters for all that texts may hold: letters with another case, combining marks, NUL, ends of lines, wide ones.
const CHARACTERS: [&str; 7] = [
    "abcxyzABC 0129",
    "aéßÄöÑñÿŉǆİıſ",
    "ΑΣΌσςάϊя́ЁҐΐ",
    "\u{0}\t\n\r \u{85}\u{A0}\u{2028}\u{3000}\u{B}\u{1C}\u{1F}",
    "e\u{301}\u{345}\u{308}n\u{303}\u{200D}\u{AD}",
    "日本한ﬁﬀＡｚ٣߀\u{FFFD}\u{E000}\u{D7FF}",
    "😀👍🏽𐐀𐐨𝟘𝔘\u{10FFFF}\u{10000}",
];

/// A text of at most `max` characters.
pub fn text(random: &mut Random, max: u64) -> String {
    let sets = 1 + random.next(3);
    let mut characters: Vec<char> = Vec::new();
    for _ in 0..sets {
        characters.extend(pick(random, &CHARACTERS).chars());
    }
    let length = random.next(max + 1);
    (0..length).map(|_| pick(random, &characters)).collect()
}

/// Ranges of letters that were there in Unicode 10, so that any JDK knows them.
const LETTERS: [(u32, u32); 12] = [
    (0x20, 0x7E),
    (0xA0, 0x24F),
    (0x370, 0x377),
    (0x37A, 0x3FF),
    (0x400, 0x52F),
    (0x531, 0x556),
    (0x10A0, 0x10C5),
    (0x13A0, 0x13F5),
    (0x1E00, 0x1FFE),
    (0x2C60, 0x2C7F),
    (0xFB00, 0xFB06),
    (0x10400, 0x1044F),
];

/// A text of letters of many scripts, and what stands between words.
pub fn letters(random: &mut Random, max: u64) -> String {
    let range = pick(random, &LETTERS);
    let length = random.next(max + 1);
    let one = |_| {
        let range = if once_in(random, 4) { pick(random, &LETTERS) } else { range };
        match random.next(8) {
            0 => pick(random, &['Σ', ' ', '\'', '\u{301}', '.', 'İ', 'ß', '\t', '😀', '\u{AD}']),
            _ => char::from_u32(between(random, range.0.into(), range.1.into()) as u32).unwrap_or('x'),
        }
    };
    // Unicode 16 has given this one a capital letter.
    (0..length).map(one).filter(|letter| *letter != 'ƛ').collect()
}

pub fn string(text: impl Into<String>) -> Value {
    Value::new(Literal::String(text.into()))
}

pub fn integer(value: i64) -> Value {
    Value::new(Literal::Integer(value as i32))
}

pub fn bigint(value: i64) -> Value {
    Value::new(Literal::Bigint(value))
}

pub fn double(value: f64) -> Value {
    Value::new(Literal::Double(value))
}

pub fn bytes(random: &mut Random) -> Value {
    let length = random.next(6);
    Value::new(Literal::Bytes((0..length).map(|_| pick(random, &[0, 1, 0x61, 0x7F, 0x80, 0xC3, 0xFF])).collect()))
}

/// Any INTEGER, the ends and small ones often.
pub fn any_integer(random: &mut Random) -> i64 {
    match random.next(3) {
        0 => between(random, -9, 9),
        1 => between(random, i32::MIN.into(), i32::MAX.into()),
        _ => pick(random, &[i32::MIN, i32::MAX, 0, 1, -1, 10, 1 << 30]).into(),
    }
}

/// Any BIGINT, the ends and small ones often.
pub fn any_bigint(random: &mut Random) -> i64 {
    match random.next(3) {
        0 => between(random, -9, 9),
        1 => between(random, i64::MIN, i64::MAX) >> random.next(40),
        _ => pick(random, &[i64::MIN, i64::MAX, 0, 1, -1, 1 << 53, (1 << 53) + 1]),
    }
}

/// Any DOUBLE, `is_finite` or not.
pub fn any_double(random: &mut Random, is_finite: bool) -> f64 {
    let edges = [0.0, -0.0, 1.0, -1.5, 0.5, 2.5, 1e7, 1e-3, 1e21, 1e300, 5e-324, f64::MAX, f64::MIN_POSITIVE, 9.3e18];
    let value = match random.next(5) {
        0 => pick(random, &edges),
        1 => between(random, -1_000_000, 1_000_000) as f64 / 1000.0,
        2 => between(random, -99, 99) as f64 * 10_f64.powi(between(random, -30, 30) as i32),
        3 => pick(random, &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.125]),
        _ => f64::from_bits(between(random, i64::MIN, i64::MAX) as u64),
    };
    if is_finite && !value.is_finite() { 0.1 } else { value }
}

/// A DECIMAL of at most `digits` digits.
pub fn decimal(random: &mut Random, digits: i64) -> Value {
    let precision = between(random, 1, digits);
    let scale = between(random, 0, precision);
    decimal_of(random, precision as u8, scale as u8)
}

/// A DECIMAL of this type.
pub fn decimal_of(random: &mut Random, precision: u8, scale: u8) -> Value {
    let length = between(random, 0, precision.into());
    let digits: String = match random.next(4) {
        0 => "9".repeat(length as usize),
        1 => format!("{}{}", random.next(10), "0".repeat((length.max(1) - 1) as usize)),
        2 => format!("{}5", "4".repeat((length.max(1) - 1) as usize)),
        _ => (0..length).map(|_| char::from(b'0' + random.next(10) as u8)).collect(),
    };
    let value = i256::from_string(&format!("0{digits}")).expect("digits");
    Value::new(Literal::Decimal(if once_in(random, 2) { value.wrapping_neg() } else { value }, precision, scale))
}

/// A number as people and programs write it, now and then wrong.
pub fn number_text(random: &mut Random) -> String {
    let sign = pick(random, &["", "", "-", "+"]);
    let whole = pick(random, &["0", "1", "12", "007", "2147483647", "2147483648", "9223372036854775807", "9", ""]);
    let fraction = pick(random, &["", "", "", ".", ".5", ".995", ".000000000000000000001", ".12345678901234567890"]);
    let exponent = pick(random, &["", "", "", "", "e5", "E-3", "e400", "e", "e+2"]);
    let (before, after) = (pick(random, &["", "", "", " ", "\t"]), pick(random, &["", "", "", " ", "x", "d", "f"]));
    format!("{before}{sign}{whole}{fraction}{exponent}{after}")
}
