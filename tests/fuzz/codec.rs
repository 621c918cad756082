//! One format with one schema: what its decoder must do with any bytes at all.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray};
use arrow::compute::filter;

use levada::formats::{
    Decoded, Encoded, Format, FormatError, NullableRepresentation, RecordTexts, SchemaSettings, Schemas, Serde, Side,
    Subject,
};
use levada::registry::MemoryRegistry;
use levada::types::{Column, RowError, SqlType};

use super::rows;
use crate::oracle::random::Random;

/// A format, as it is fuzzed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Json,
    JsonSr,
    Avro,
    Protobuf,
    ProtobufNoSr,
    Delimited,
    Kafka,
}

impl Kind {
    pub fn serde(self, random: &mut Random) -> Serde {
        let nullable =
            random.pick(&[None, Some(NullableRepresentation::Optional), Some(NullableRepresentation::Wrapper)]);
        let settings = SchemaSettings { nullable, ..SchemaSettings::default() };
        let format = match self {
            Self::Json => Format::Json,
            Self::JsonSr => Format::JsonSr(SchemaSettings::default()),
            Self::Avro => Format::Avro(SchemaSettings::default()),
            Self::Protobuf => Format::Protobuf(settings),
            Self::ProtobufNoSr => Format::ProtobufNoSr(settings),
            Self::Delimited => Format::Delimited { delimiter: random.pick(&[',', '|', '\t', 'é']) },
            Self::Kafka => Format::Kafka,
        };
        let wrap_single = !format.can_unwrap() || random.chance(50);
        Serde { format, wrap_single }
    }

    /// Columns of random types; the format may not have room for them.
    fn columns(self, random: &mut Random) -> Vec<Column> {
        match self {
            Self::Kafka => rows::columns(random, 1, 0),
            Self::Delimited => rows::columns(random, 5, 0),
            _ => rows::columns(random, 4, 3),
        }
    }

    /// Pieces of this format.
    pub fn tokens(self) -> &'static [&'static [u8]] {
        match self {
            Self::Json | Self::JsonSr => &[
                b"{",
                b"}",
                b"[",
                b"]",
                b",",
                b":",
                b"\"",
                b"\\",
                b"\\u00",
                b"\\ud83d",
                b"null",
                b"true",
                b"-",
                b"1e400",
                b"\"C0\":",
                b"\"c1\":",
                b"\"F0\":",
                b"\"key\":",
                b"\"value\":",
                b"\"NaN\"",
                b"\xff",
                b" ",
                b"1e-999999999",
                b"0.000000000000000000000000000000000000000000000000000000000000000000000000000000001",
            ],
            Self::Delimited => &[
                b",", b"|", b"\t", b"\"", b"\"\"", b"\n", b"\r", b"\xc3", b" ", b"true", b"NaN", b"1e400", b"0x1p3",
                b"1d",
            ],
            Self::Avro => &[b"\x00", b"\x01", b"\x02", b"\x03", b"\x80", b"\xfe\xff\xff\xff\x0f", b"\x80\x80\x08"],
            Self::Protobuf | Self::ProtobufNoSr => &[
                b"\x0a\x00",
                b"\x12\x02\x08\x01",
                b"\x0b",
                b"\x0c",
                b"\x08\x01",
                b"\x1a\x80\x80\x04",
                b"\x09",
                b"\x0d",
                b"\x0f",
            ],
            Self::Kafka => &[b"\x00\x00\x00\x01"],
        }
    }

    /// What nests in this format.
    pub fn brackets(self) -> &'static [(&'static [u8], &'static [u8])] {
        match self {
            Self::Json | Self::JsonSr => &[
                (b"[", b"]"),
                (b"{\"C0\":", b"}"),
                (b"{\"F0\":", b"}"),
                (b"[[],", b"]"),
                (b"[{\"key\":\"k\",\"value\":", b"}]"),
            ],
            Self::Avro => &[(b"\x02", b"\x00"), (b"\x02\x02", b"\x00")],
            Self::Protobuf | Self::ProtobufNoSr => &[(b"\x0b", b"\x0c"), (b"\x13", b"\x14"), (b"\x0a\x7e", b"")],
            Self::Delimited => &[(b"\"", b"\"")],
            Self::Kafka => &[],
        }
    }
}

/// A codec for columns.
pub struct Codec {
    pub serde: Serde,
    pub columns: Vec<Column>,
    schemas: Schemas,
    registry: Arc<MemoryRegistry>,
    /// Cells that are filled whatever a record's size: of elements that take no bytes there may be so many.
    free_cells: usize,
}

const SUBJECT: Subject<'static> = Subject { topic: "t", side: Side::Value };

impl Codec {
    /// A codec of this kind for random columns that it has room for.
    pub fn random(kind: Kind, random: &mut Random) -> Self {
        loop {
            let (serde, columns) = (kind.serde(random), kind.columns(random));
            let codec = Self::new(serde, columns, Arc::new(MemoryRegistry::new()), 0);
            if codec.encode(&codec.nulls(0), 0).is_ok() {
                return codec;
            }
        }
    }

    pub fn new(serde: Serde, columns: Vec<Column>, registry: Arc<MemoryRegistry>, free_cells: usize) -> Self {
        let schemas = Schemas::new(Some(Arc::<MemoryRegistry>::clone(&registry)));
        Self { serde, columns, schemas, registry, free_cells }
    }

    fn nulls(&self, rows: usize) -> Vec<ArrayRef> {
        self.columns.iter().map(|column| arrow::array::new_null_array(&column.sql_type.arrow(), rows)).collect()
    }

    /// Random rows.
    pub fn rows(&self, random: &mut Random, count: usize) -> Vec<ArrayRef> {
        let texts: Vec<String> = (0..count).map(|_| rows::row(random, &self.columns)).collect();
        let bytes: BinaryArray = texts.iter().map(|text| Some(text.as_bytes())).collect();
        let json = Serde { format: Format::Json, wrap_single: true };
        let needed = vec![true; self.columns.len()];
        let mut decoder = levada::formats::decoder(&json, &self.columns, &needed).expect("JSON has room for all");
        let decoded = decoder.decode(&bytes);
        assert_eq!(decoded.errors, vec![], "rows are JSON");
        decoded.columns
    }

    pub fn encode(&self, columns: &[ArrayRef], rows: usize) -> Result<Encoded, FormatError> {
        let mut encoder = self.schemas.encoder(&self.serde, &self.columns, SUBJECT)?;
        Ok(encoder.encode(columns, rows, None))
    }

    pub fn decode(&self, records: &BinaryArray, needed: &[bool]) -> Decoded {
        let decoder = self.schemas.decoder(&self.serde, &self.columns, needed);
        decoder.expect("what can be written can be read").decode(records)
    }

    /// Records of random rows.
    pub fn seeds(&self, random: &mut Random, count: usize) -> Vec<Vec<u8>> {
        let rows = self.rows(random, count);
        let encoded = self.encode(&rows, count).expect("it has room for the columns");
        encoded.bytes.iter().flatten().map(<[u8]>::to_vec).collect()
    }

    /// Decodes `records` and looks at all that must hold; says which of them were read.
    pub fn check(&self, random: &mut Random, records: &[Vec<u8>]) -> Vec<bool> {
        let bytes: BinaryArray = records.iter().map(Some).collect();
        let decoded = self.decode(&bytes, &vec![true; self.columns.len()]);
        self.check_shape(&decoded, &bytes);
        let is_read = read_rows(&decoded, records.len());
        self.check_alone(random.index(records.len()), &decoded, records);
        self.check_needed(random, &decoded, &bytes, &is_read);
        self.check_again(&decoded, records, &is_read);
        self.check_text(records, &is_read);
        is_read
    }

    fn check_shape(&self, decoded: &Decoded, bytes: &BinaryArray) {
        assert_eq!(decoded.columns.len(), self.columns.len());
        assert!(decoded.errors.is_sorted_by(|a, b| a.row < b.row), "a row has two errors: {:?}", decoded.errors);
        for (array, column) in decoded.columns.iter().zip(&self.columns) {
            assert_eq!((array.len(), array.data_type()), (bytes.len(), &column.sql_type.arrow()));
            array.to_data().validate_full().expect("arrays are valid");
            assert!(decoded.errors.iter().all(|error| array.is_null(error.row as usize)), "a wrong row has values");
            self.check_size(array, column, bytes);
        }
    }

    /// Whether an array is no larger than what it was read from allows: each byte may be a value of every part of the type.
    fn check_size(&self, array: &ArrayRef, column: &Column, bytes: &BinaryArray) {
        const CELL_BYTES: usize = 2 * 34;
        let parts = parts(&column.sql_type);
        let cells = (bytes.values().len() + bytes.len()) * parts + bytes.len() * self.free_cells * parts;
        let allowed = cells * CELL_BYTES + 4_096 * parts;
        let size = array.get_buffer_memory_size();
        assert!(size <= allowed, "{} bytes of {} fill {size}", bytes.values().len(), column.sql_type);
    }

    /// A record is read alone as it is among others.
    fn check_alone(&self, row: usize, decoded: &Decoded, records: &[Vec<u8>]) {
        let alone: BinaryArray = std::iter::once(Some(&records[row])).collect();
        let alone = self.decode(&alone, &vec![true; self.columns.len()]);
        let reason = decoded.errors.iter().find(|error| error.row as usize == row).map(|error| &error.reason);
        assert_eq!(alone.errors.first().map(|error| &error.reason), reason, "alone and among others");
        for (alone, all) in alone.columns.iter().zip(&decoded.columns) {
            assert_eq!(alone, &all.slice(row, 1), "alone and among others");
        }
    }

    /// What is read of fewer columns is the same; errors in columns that nobody needs may go unseen.
    fn check_needed(&self, random: &mut Random, decoded: &Decoded, bytes: &BinaryArray, is_read: &[bool]) {
        let needed: Vec<bool> = self.columns.iter().map(|_| random.chance(50)).collect();
        let fewer = self.decode(bytes, &needed);
        self.check_shape(&fewer, bytes);
        let wrong = fewer.errors.iter().find(|error| is_read[error.row as usize]);
        assert_eq!(wrong, None, "with the columns {needed:?} alone");
        let all = chosen(&decoded.columns, is_read);
        for ((fewer, all), _) in
            chosen(&fewer.columns, is_read).iter().zip(&all).zip(&needed).filter(|(_, needed)| **needed)
        {
            assert_eq!(fewer, all, "with the columns {needed:?} alone");
        }
    }

    /// What was read and is written again, is read again as the same.
    fn check_again(&self, decoded: &Decoded, records: &[Vec<u8>], is_read: &[bool]) {
        let is_kept = is_read.iter().zip(records).enumerate();
        let is_kept: Vec<bool> =
            is_kept.map(|(row, (read, record))| *read && self.is_lossless(decoded, row, record)).collect();
        let rows = chosen(&decoded.columns, &is_kept);
        let count = rows[0].len();
        let written = self.encode(&rows, count).expect("it has room for the columns");
        assert_eq!(written.bytes.len(), count);
        let is_written: Vec<bool> = (0..count).map(|row| written.bytes.is_valid(row)).collect();
        let again = self.decode(&written.bytes, &vec![true; self.columns.len()]);
        assert_eq!(again.errors, vec![], "what was written cannot be read");
        assert_eq!(chosen(&again.columns, &is_written), chosen(&rows, &is_written), "written and read again");
    }

    /// PRINT shows what can be read. JSON has two readers, of which each takes a little that the other does not.
    fn check_text(&self, records: &[Vec<u8>], is_read: &[bool]) {
        let registry = Arc::clone(&self.registry);
        let mut texts = RecordTexts::new(Some(registry));
        let has_text = matches!(self.serde.format, Format::Avro(_) | Format::Protobuf(_));
        for (record, is_read) in records.iter().zip(is_read) {
            let text = texts.text(record);
            assert!(!has_text || !is_read || text.is_some(), "{} has no text", record.escape_ascii());
        }
    }

    /// Whether a row can be written and read again. DELIMITED has an empty field for what is NULL and for what is empty, and
    /// an empty line for a NULL alone, which is no line to its reader, as with ksqlDB. A record of PROTOBUF may say that it is another
    /// message of its schema, which has none of the columns: they are NULL, also those that our message has no NULL for.
    fn is_lossless(&self, decoded: &Decoded, row: usize, record: &[u8]) -> bool {
        let is_empty = |column: &ArrayRef| {
            column.as_binary_opt::<i32>().is_some_and(|bytes| bytes.is_valid(row) && bytes.value(row).is_empty())
        };
        match (&self.serde.format, decoded.columns.as_slice()) {
            (Format::Delimited { .. }, [column]) => column.is_valid(row) && !is_empty(column),
            (Format::Delimited { .. }, columns) => !columns.iter().any(is_empty),
            (Format::Protobuf(_), _) => record.get(5) == Some(&0),
            _ => true,
        }
    }

    /// Writes random rows and looks at what is read of them: why one of them cannot be read. A schema that has no room for
    /// the columns is fine.
    pub fn check_written(&self, random: &mut Random) -> Result<(), String> {
        const ROWS: usize = 4;
        let Ok(written) = self.encode(&self.rows(random, ROWS), ROWS) else { return Ok(()) };
        let records: Vec<Vec<u8>> = written.bytes.iter().flatten().map(<[u8]>::to_vec).collect();
        if records.is_empty() {
            return Ok(());
        }
        self.check(random, &records);
        let read = self.decode(&records.iter().map(Some).collect(), &vec![true; self.columns.len()]);
        let wrong = read.errors.first();
        let shown = |error: &RowError| format!("{}: {}", records[error.row as usize].escape_ascii(), error.reason);
        wrong.map_or(Ok(()), |error| Err(shown(error)))
    }
}

/// Rows that are no error and not null as a whole.
fn read_rows(decoded: &Decoded, rows: usize) -> Vec<bool> {
    let mut is_read: Vec<bool> =
        (0..rows).map(|row| decoded.nulls.as_ref().is_none_or(|nulls| !nulls.value(row))).collect();
    decoded.errors.iter().for_each(|error| is_read[error.row as usize] = false);
    is_read
}

fn chosen(columns: &[ArrayRef], rows: &[bool]) -> Vec<ArrayRef> {
    let rows = BooleanArray::from(rows.to_vec());
    columns.iter().map(|column| filter(column, &rows).expect("as many rows")).collect()
}

/// Columns that a type takes.
pub fn parts(sql_type: &SqlType) -> usize {
    1 + match sql_type {
        SqlType::Array(element) => parts(element),
        SqlType::Map(key, value) => parts(key) + parts(value),
        SqlType::Struct(fields) => fields.iter().map(|field| parts(&field.sql_type)).sum(),
        _ => 0,
    }
}
