//! How the bytes of keys and values are shown.

use std::sync::Arc;

use super::hex::digits;
use super::key_format::{KeyFormat, shown};
use crate::engine::FormatGuess;
use crate::formats::RecordTexts;
use crate::registry::{SchemaRegistry, SchemaType};

/// What bytes are to be taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ReadAs {
    /// What all that were read may be: by the schema that they name, as text, as a number, as a key with a window
    Auto,
    /// Nothing but bytes: 0x and their digits
    #[value(alias = "raw")]
    Hex,
    /// Text
    #[value(name = "kafka:string", alias = "text")]
    KafkaString,
    /// 4 bytes, an INTEGER
    #[value(name = "kafka:int")]
    KafkaInt,
    /// 8 bytes, a BIGINT
    #[value(name = "kafka:bigint")]
    KafkaBigint,
    /// 8 bytes, a DOUBLE
    #[value(name = "kafka:double")]
    KafkaDouble,
    /// JSON text
    Json,
    /// Avro, by the schema that the bytes name; shown as JSON
    Avro,
    /// Protobuf, by the schema that the bytes name; shown as JSON
    Protobuf,
    /// JSON behind the id of its schema
    #[value(name = "json_sr")]
    JsonSr,
}

/// How keys, or values, become text.
pub(super) struct BytesText {
    read_as: ReadAs,
    guess: FormatGuess,
    registered: RecordTexts,
}

impl BytesText {
    /// For keys, with schemas of `registry`.
    pub(super) fn of_keys(read_as: ReadAs, registry: Option<Arc<dyn SchemaRegistry>>) -> Self {
        let registered = RecordTexts::new(registry).as_json();
        Self { read_as, guess: FormatGuess::of_keys(registered.clone()), registered }
    }

    /// For values, with schemas of `registry`.
    pub(super) fn of_values(read_as: ReadAs, registry: Option<Arc<dyn SchemaRegistry>>) -> Self {
        let registered = RecordTexts::new(registry).as_json();
        Self { read_as, guess: FormatGuess::of_values(registered.clone()), registered }
    }

    /// Looks at what will be shown.
    pub(super) fn look_at<'a>(&mut self, all: impl Iterator<Item = Option<&'a [u8]>>) {
        if self.read_as == ReadAs::Auto {
            all.for_each(|bytes| self.guess.narrow(bytes));
        }
    }

    /// Schemas that nobody knew may have come since.
    pub(super) fn ask_again(&mut self) {
        self.registered.ask_again();
        self.guess.ask_again();
    }

    /// Why schemas are not known, where their registry could not be asked.
    pub(super) fn failure(&self) -> Option<&str> {
        self.registered.failure().or_else(|| self.guess.failure())
    }

    /// `bytes` as text; those that are not what they are taken for by their digits.
    pub(super) fn text(&mut self, bytes: &[u8]) -> String {
        match self.read_as {
            ReadAs::Auto => {
                let known = self.guess.text_as_written(bytes).filter(|text| !text.contains('\0'));
                known.unwrap_or_else(|| shown(bytes, None))
            }
            ReadAs::Hex => digits(bytes),
            ReadAs::KafkaString => shown(bytes, Some(KeyFormat::KafkaString)),
            ReadAs::KafkaInt => shown(bytes, Some(KeyFormat::KafkaInt)),
            ReadAs::KafkaBigint => shown(bytes, Some(KeyFormat::KafkaBigint)),
            ReadAs::KafkaDouble => shown(bytes, Some(KeyFormat::KafkaDouble)),
            ReadAs::Json => shown(bytes, Some(KeyFormat::Json)),
            ReadAs::Avro => self.registered(SchemaType::Avro, bytes),
            ReadAs::Protobuf => self.registered(SchemaType::Protobuf, bytes),
            ReadAs::JsonSr => self.registered(SchemaType::Json, bytes),
        }
    }

    fn registered(&mut self, language: SchemaType, bytes: &[u8]) -> String {
        let text = self.registered.text(bytes).filter(|(found, _)| *found == language);
        text.map_or_else(|| digits(bytes), |(_, text)| text)
    }
}
