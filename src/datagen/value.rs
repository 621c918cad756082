//! Values as JSON text.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;

use super::pattern;
use super::source::{Affix, Iteration, IterationForm, Length, Node, Spread, TimeUnit};
use crate::types::calendar::DAY_MS;

/// Makes rows of one source.
pub(super) struct Maker {
    root: Node,
    random: Rng,
    text: String,
}

impl Maker {
    pub(super) fn new(root: Node, seed: u64) -> Self {
        Self { root, random: Rng::with_seed(seed), text: String::new() }
    }

    /// Appends the JSON text of the next row.
    pub(super) fn row(&mut self, time_ms: i64, out: &mut Vec<u8>) {
        Writer { random: &mut self.random, text: &mut self.text, time_ms, out }.value(&mut self.root);
    }
}

struct Writer<'a> {
    random: &'a mut Rng,
    /// A text before it is quoted.
    text: &'a mut String,
    time_ms: i64,
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    fn value(&mut self, node: &mut Node) {
        match node {
            Node::Null => self.raw("null"),
            Node::Nullable { odds, inner } => {
                if self.random.f64() < *odds {
                    self.raw("null");
                } else {
                    self.value(inner);
                }
            }
            Node::Options { texts, pick } => {
                let index = pick.draw(texts.len(), self.random);
                self.raw(&texts[index]);
            }
            Node::Iteration(iteration) => self.iteration(iteration),
            Node::Whole { min, max, spread } => {
                let width = max.wrapping_sub(*min) as u64;
                let place = match spread {
                    Spread::Uniform => self.random.u64(..width.max(1)),
                    spread => (spread.draw(width as f64, self.random) as u64).min(width.saturating_sub(1)),
                };
                self.number(min.wrapping_add_unsigned(place));
            }
            Node::Number { min, max, spread } => {
                let number = *min + spread.draw(*max - *min, self.random);
                self.double(number);
            }
            Node::Boolean { odds } => {
                let text = if self.random.f64() < *odds { "true" } else { "false" };
                self.raw(text);
            }
            Node::Text { affix, length } => {
                let body: String = (0..length.draw(self.random)).map(|_| self.random.alphanumeric()).collect();
                self.text(affix, &body);
            }
            Node::Pattern { affix, pattern } => {
                let mut body = Vec::new();
                pattern::draw(pattern, self.random, &mut body);
                self.text(affix, &String::from_utf8_lossy(&body));
            }
            Node::Uuid => {
                let text = uuid::Builder::from_random_bytes(self.random.u128(..).to_be_bytes()).into_uuid().to_string();
                self.text(&Affix::default(), &text);
            }
            Node::Bytes { length } => {
                let bytes: Vec<u8> = (0..length.draw(self.random)).map(|_| self.random.u8(..)).collect();
                self.text(&Affix::default(), &STANDARD.encode(bytes));
            }
            Node::Decimal { digits, scale } => self.decimal(*digits, *scale),
            Node::Time(unit) => {
                let time = match unit {
                    TimeUnit::Days => self.time_ms.div_euclid(DAY_MS),
                    TimeUnit::MillisOfDay => self.time_ms.rem_euclid(DAY_MS),
                    TimeUnit::Millis => self.time_ms,
                };
                self.number(time);
            }
            Node::Array { items, length } => self.several(*length, ('[', ']'), |writer| writer.value(items)),
            Node::Map { keys, values, length } => self.several(*length, ('{', '}'), |writer| {
                writer.value(keys);
                writer.raw(":");
                writer.value(values);
            }),
            Node::Record(fields) => {
                let mut before = '{';
                for (name, node) in fields {
                    self.out.push(before as u8);
                    self.raw(name);
                    self.raw(":");
                    self.value(node);
                    before = ',';
                }
                self.raw(if before == '{' { "{}" } else { "}" });
            }
        }
    }

    fn several(&mut self, length: Length, (open, close): (char, char), mut item: impl FnMut(&mut Self)) {
        self.out.push(open as u8);
        for index in 0..length.draw(self.random) {
            if index > 0 {
                self.raw(",");
            }
            item(self);
        }
        self.out.push(close as u8);
    }

    fn iteration(&mut self, iteration: &mut Iteration) {
        let now = iteration.advance();
        match &iteration.form {
            IterationForm::Whole => self.number(now as i64),
            IterationForm::Number => self.double(now),
            IterationForm::Text(affix) => self.text(affix, &(now as i64).to_string()),
            IterationForm::Boolean => self.raw(if now as i64 % 2 == 0 { "false" } else { "true" }),
        }
    }

    fn decimal(&mut self, digits: u32, scale: u32) {
        let text: String = (0..digits).map(|_| char::from(b'0' + self.random.u8(..10))).collect();
        let (whole, fraction) = text.split_at((digits - scale) as usize);
        let whole = whole.trim_start_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        let _ = write!(self.out, "{}{point}{fraction}", if whole.is_empty() { "0" } else { whole });
    }

    fn text(&mut self, affix: &Affix, body: &str) {
        self.text.clear();
        [affix.prefix.as_str(), body, affix.suffix.as_str()].iter().for_each(|part| self.text.push_str(part));
        // Memory takes any text.
        let _ = serde_json::to_writer(&mut *self.out, self.text.as_str());
    }

    fn number(&mut self, number: i64) {
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    fn double(&mut self, number: f64) {
        self.out.extend_from_slice(ryu::Buffer::new().format_finite(number).as_bytes());
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}
