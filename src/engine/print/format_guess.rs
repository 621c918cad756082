//! What the bytes of keys or values may be: all formats at first, narrowed by every record.
//!
//! Where the schema registry knows the id at the beginning, and the bytes are of its schema, they are what that says. Else a
//! guess errs on the side of text: four or eight bytes that can all be read are no number, and eight bytes at the end of a
//! key are a window only if they are a time of this age.

use std::fmt;

use serde_json::Value;

use crate::formats::RecordTexts;
use crate::registry::SchemaType;
use crate::types::java_text::write_double;

/// Said where nothing is known.
const SHRUG: &str = "¯\\_(ツ)_/¯";

/// No window of real data begins after this: the year 10000.
const WINDOW_END_MAX: i64 = 253_402_300_800_000;

/// A format without a schema of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plain {
    Int,
    Bigint,
    Double,
    String,
}

/// Something that bytes may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Behind the id of a schema of this language.
    Registered(SchemaType),
    Json,
    Kafka(Plain),
    /// Key, end and start.
    Session(Plain),
    /// Key and start. How long the window is, and whether it overlaps others, the bytes do not say.
    Hopping(Plain),
    Tumbling(Plain),
}

/// In the order in which ksqlDB guesses: the first that fits is how a record is printed.
const OF_KEYS: [Format; 20] = [
    Format::Registered(SchemaType::Avro),
    Format::Registered(SchemaType::Protobuf),
    Format::Json,
    Format::Registered(SchemaType::Json),
    Format::Kafka(Plain::Int),
    Format::Kafka(Plain::Bigint),
    Format::Kafka(Plain::Double),
    Format::Session(Plain::Int),
    Format::Hopping(Plain::Int),
    Format::Tumbling(Plain::Int),
    Format::Session(Plain::Bigint),
    Format::Hopping(Plain::Bigint),
    Format::Tumbling(Plain::Bigint),
    Format::Session(Plain::Double),
    Format::Hopping(Plain::Double),
    Format::Tumbling(Plain::Double),
    Format::Session(Plain::String),
    Format::Hopping(Plain::String),
    Format::Tumbling(Plain::String),
    Format::Kafka(Plain::String),
];

const OF_VALUES: [Format; 8] = [
    Format::Registered(SchemaType::Avro),
    Format::Registered(SchemaType::Protobuf),
    Format::Json,
    Format::Registered(SchemaType::Json),
    Format::Kafka(Plain::Int),
    Format::Kafka(Plain::Bigint),
    Format::Kafka(Plain::Double),
    Format::Kafka(Plain::String),
];

/// What all bytes seen so far may be. Prints itself as the end of ksqlDB's `Key format: …`.
pub struct FormatGuess {
    registered: RecordTexts,
    all: &'static [Format],
    left: Vec<Format>,
    has_seen: bool,
}

impl FormatGuess {
    /// A guess about keys, which may be windowed.
    pub fn of_keys(registered: RecordTexts) -> Self {
        Self { registered, all: &OF_KEYS, left: OF_KEYS.to_vec(), has_seen: false }
    }

    /// A guess about values.
    pub fn of_values(registered: RecordTexts) -> Self {
        Self { registered, all: &OF_VALUES, left: OF_VALUES.to_vec(), has_seen: false }
    }

    /// Schemas that nobody knew may have come since.
    pub fn ask_again(&mut self) {
        self.registered.ask_again();
    }

    /// Why schemas are not known, where their registry could not be asked.
    pub fn failure(&self) -> Option<&str> {
        self.registered.failure()
    }

    /// Gives up the formats that `bytes` are not of. No bytes say nothing.
    pub fn narrow(&mut self, bytes: Option<&[u8]>) {
        let Some(bytes) = bytes else { return };
        self.has_seen = true;
        let registered = self.registered.text(bytes);
        self.left.retain(|format| format.text(bytes, registered.as_ref()).is_some());
    }

    /// `bytes` as text, in the first format that fits all that was seen; if none does, in the first that fits these.
    pub fn text(&mut self, bytes: &[u8]) -> String {
        let registered = self.registered.text(bytes);
        let formats = self.left.iter().chain(self.all);
        formats.into_iter().find_map(|format| format.text(bytes, registered.as_ref())).unwrap_or_else(|| escaped(bytes))
    }

    /// As [`FormatGuess::text`], but texts stay as they are written; `None` for bytes that are nothing known.
    pub fn text_as_written(&mut self, bytes: &[u8]) -> Option<String> {
        let registered = self.registered.text(bytes);
        let mut formats = self.left.iter().chain(self.all);
        formats.find_map(|format| match (format, format.text(bytes, registered.as_ref())?) {
            (Format::Json, _) => std::str::from_utf8(bytes).ok().map(str::to_owned),
            (_, text) => Some(text),
        })
    }
}

impl fmt::Display for FormatGuess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.has_seen {
            return write!(f, "{SHRUG} - no data processed");
        }
        if self.left.is_empty() {
            return write!(f, "{SHRUG} - no format fits all of it");
        }
        let names: Vec<String> = self.left.iter().map(Format::to_string).collect();
        f.write_str(&names.join(" or "))
    }
}

impl Format {
    /// `bytes` as text, if they are of this format. `registered` is what they are by a registered schema.
    fn text(self, bytes: &[u8], registered: Option<&(SchemaType, String)>) -> Option<String> {
        match self {
            Self::Registered(language) => {
                registered.filter(|(found, _)| *found == language).map(|(_, text)| text.clone())
            }
            Self::Json => Some(serde_json::from_slice::<Value>(bytes).ok()?.to_string()),
            Self::Kafka(plain) => plain.text(bytes),
            Self::Hopping(plain) | Self::Tumbling(plain) => {
                let (key, start) = split_time(bytes)?;
                Some(format!("[{}@{start}/-]", plain.key_text(key)?))
            }
            Self::Session(plain) => {
                let (rest, start) = split_time(bytes)?;
                let (key, end) = split_time(rest)?;
                let text = plain.key_text(key)?;
                (start <= end).then(|| format!("[{text}@{start}/{end}]"))
            }
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json => f.write_str("JSON"),
            Self::Registered(SchemaType::Avro) => f.write_str("AVRO"),
            Self::Registered(SchemaType::Protobuf) => f.write_str("PROTOBUF"),
            Self::Registered(SchemaType::Json) => f.write_str("JSON_SR"),
            Self::Kafka(plain) => f.write_str(plain.name()),
            Self::Session(plain) => write!(f, "SESSION({})", plain.name()),
            Self::Hopping(plain) => write!(f, "HOPPING({})", plain.name()),
            Self::Tumbling(plain) => write!(f, "TUMBLING({})", plain.name()),
        }
    }
}

impl Plain {
    fn name(self) -> &'static str {
        match self {
            Self::Int => "KAFKA_INT",
            Self::Bigint => "KAFKA_BIGINT",
            Self::Double => "KAFKA_DOUBLE",
            Self::String => "KAFKA_STRING",
        }
    }

    fn text(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::String => std::str::from_utf8(bytes).ok().map(str::to_owned),
            _ if is_readable(bytes) => None,
            Self::Int => Some(i32::from_be_bytes(bytes.try_into().ok()?).to_string()),
            Self::Bigint => Some(i64::from_be_bytes(bytes.try_into().ok()?).to_string()),
            Self::Double => {
                let mut text = Vec::new();
                write_double(&mut text, f64::from_be_bytes(bytes.try_into().ok()?));
                String::from_utf8(text).ok()
            }
        }
    }

    /// A windowed key is never empty: its bytes would be nothing but times.
    fn key_text(self, key: &[u8]) -> Option<String> {
        if key.is_empty() { None } else { self.text(key) }
    }
}

/// Takes the time at the end of `bytes` off; `None` where there is none that a window could have.
fn split_time(bytes: &[u8]) -> Option<(&[u8], i64)> {
    let (rest, time) = bytes.split_last_chunk()?;
    let time = i64::from_be_bytes(*time);
    (0..WINDOW_END_MAX).contains(&time).then_some((rest, time))
}

fn is_readable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ')
}

/// Bytes that are nothing known: what can be read as it is, the others by their digits.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_graphic() || *byte == b' ' {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(records: &[&[u8]], formats: &str, texts: &[&str]) {
        let mut guess = FormatGuess::of_keys(RecordTexts::default());
        records.iter().for_each(|record| guess.narrow(Some(record)));
        assert_eq!(guess.to_string(), formats);
        let shown: Vec<String> = records.iter().map(|record| guess.text(record)).collect();
        assert_eq!(shown, texts);
    }

    #[test]
    fn texts_and_json() {
        check(&[b"ann"], "KAFKA_STRING", &["ann"]);
        check(&[br#"{"b": 1.10, "a": [ ]}"#], "JSON or KAFKA_STRING", &[r#"{"b":1.10,"a":[]}"#]);
        check(&[b"12", b"x"], "KAFKA_STRING", &["12", "x"]);
        check(&[b"AA10", b"SW-ALPHA"], "KAFKA_STRING", &["AA10", "SW-ALPHA"]);
        check(&["é".as_bytes()], "KAFKA_STRING", &["é"]);
    }

    #[test]
    fn numbers_of_kafkas_serializers() {
        check(&[&7_i32.to_be_bytes()], "KAFKA_INT or KAFKA_STRING", &["7"]);
        check(&[&(-7_i32).to_be_bytes()], "KAFKA_INT", &["-7"]);
        let both = [&7_i64.to_be_bytes()[..], &(-1_i64).to_be_bytes()];
        check(&both, "KAFKA_BIGINT or KAFKA_DOUBLE", &["7", "-1"]);
    }

    #[test]
    fn windowed_keys() {
        let minute = 1_589_500_020_000_i64.to_be_bytes();
        let later = 1_589_500_080_000_i64.to_be_bytes();
        let time = [b"ann", &minute[..]].concat();
        check(&[&time], "HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING)", &["[ann@1589500020000/-]"]);
        let number = [&7_i32.to_be_bytes()[..], &minute].concat();
        let formats = "HOPPING(KAFKA_INT) or TUMBLING(KAFKA_INT) or HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING)";
        check(&[&number], formats, &["[7@1589500020000/-]"]);
        let session = [b"ann", &later[..], &minute].concat();
        check(&[&session], "SESSION(KAFKA_STRING)", &["[ann@1589500020000/1589500080000]"]);
        let uuid = b"6f1c1c4e-6f0e-4f6e-9d0f-0e3c7b1d2a99";
        check(&[uuid], "KAFKA_STRING", &["6f1c1c4e-6f0e-4f6e-9d0f-0e3c7b1d2a99"]);
    }

    #[test]
    fn what_is_not_known_is_shown_by_its_bytes() {
        check(&[b"a\xff\x00"], "¯\\_(ツ)_/¯ - no format fits all of it", &["a\\xff\\x00"]);
        check(&[b"ann", b"\xff"], "¯\\_(ツ)_/¯ - no format fits all of it", &["ann", "\\xff"]);
        assert_eq!(FormatGuess::of_values(RecordTexts::default()).to_string(), "¯\\_(ツ)_/¯ - no data processed");
    }
}
