//! Schemas by the ids that stand in front of records, as Schema Registry's serializers write them.
//!
//! ```text
//! record   0 (1 byte) ‖ id (4, big-endian) ‖ datum
//! ```

use std::sync::Arc;

use super::avro::schema::AvroSchema;
use super::avro::{AvroDecoder, AvroEncoder};
use super::{Decoder, Encoder, Format, FormatError, SchemaSettings, Serde, Side};
use crate::registry::{
    self, Outage, SchemaDocument, SchemaRegistry, SchemaType, WatchedRegistry, referenced_texts, write_schema,
};
use crate::types::Column;

/// Where codecs find the schemas of records, and leave those of what they write.
#[derive(Clone, Default)]
pub struct Schemas {
    registry: Option<Arc<dyn SchemaRegistry>>,
}

/// Finds a schema by its id; `None` if there is none. The error says why nobody knows.
pub(super) type SchemaLookup = Arc<dyn Fn(u32) -> Result<Option<AvroSchema>, String> + Send + Sync>;

/// Which side of which topic records are written to.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The topic.
    pub topic: &'a str,
    /// Key or value.
    pub side: Side,
}

impl Subject<'_> {
    fn name(&self) -> String {
        match self.side {
            Side::Key => registry::key_subject(self.topic),
            Side::Value => registry::value_subject(self.topic),
        }
    }

    fn registered_side(&self) -> registry::Side {
        match self.side {
            Side::Key => registry::Side::Key,
            Side::Value => registry::Side::Value,
        }
    }
}

impl Schemas {
    /// The schemas of `registry`; without one, formats that need it have no codec.
    pub fn new(registry: Option<Arc<dyn SchemaRegistry>>) -> Self {
        Self { registry }
    }

    /// The same schemas, and where it is noted when their registry cannot be asked.
    pub fn watched(&self) -> (Self, Outage) {
        let outage = Outage::default();
        let watch = |registry: &Arc<dyn SchemaRegistry>| -> Arc<dyn SchemaRegistry> {
            Arc::new(WatchedRegistry::new(Arc::clone(registry), outage.clone()))
        };
        (Self { registry: self.registry.as_ref().map(watch) }, outage)
    }

    /// The decoder of `serde` for `columns`, of which only those set in `needed` are built.
    pub fn decoder(&self, serde: &Serde, columns: &[Column], needed: &[bool]) -> Result<Box<dyn Decoder>, FormatError> {
        match (&serde.format, &self.registry, columns) {
            (Format::Avro(_), Some(registry), [_, ..]) => {
                let registry = Arc::clone(registry);
                let lookup: SchemaLookup = Arc::new(move |id| avro_schema(&*registry, id));
                Ok(Box::new(AvroDecoder::new(columns, needed, serde.is_bare(columns), lookup)))
            }
            _ => super::decoder(serde, columns, needed),
        }
    }

    /// The encoder of `serde` for `columns` of records of `subject`. Their schema is the one that the statement names, else
    /// the latest that has room for them, else their own, which is registered.
    pub fn encoder(
        &self,
        serde: &Serde,
        columns: &[Column],
        subject: Subject<'_>,
    ) -> Result<Box<dyn Encoder>, FormatError> {
        match (&serde.format, &self.registry, columns) {
            (Format::Avro(settings), Some(registry), [_, ..]) => {
                avro_encoder(&**registry, settings, (columns, serde.is_bare(columns)), subject)
                    .map(|encoder| Box::new(encoder) as Box<dyn Encoder>)
                    .map_err(|reason| FormatError::Schema { subject: subject.name(), reason })
            }
            _ => super::encoder(serde, columns),
        }
    }
}

/// The schema `id`, read.
fn avro_schema(registry: &dyn SchemaRegistry, id: u32) -> Result<Option<AvroSchema>, String> {
    let document = registry.by_id(id).map_err(|error| error.to_string())?;
    document.map(|document| read(registry, &document)).transpose()
}

fn read(registry: &dyn SchemaRegistry, document: &SchemaDocument) -> Result<AvroSchema, String> {
    let references = referenced_texts(document, registry).map_err(|error| error.to_string())?;
    AvroSchema::parse(&document.text, &references).map_err(|fault| fault.to_string())
}

fn avro_encoder(
    registry: &dyn SchemaRegistry,
    settings: &SchemaSettings,
    (columns, bare): (&[Column], bool),
    subject: Subject<'_>,
) -> Result<AvroEncoder, String> {
    if let Some(id) = settings.schema_id {
        let schema = avro_schema(registry, id)?.ok_or_else(|| format!("there is no schema with the id {id}"))?;
        return AvroEncoder::new(columns, bare, id, &schema);
    }
    let unavailable = |error: registry::RegistryError| error.to_string();
    let latest = registry.latest(&subject.name()).map_err(unavailable)?;
    if let Some(latest) = latest.filter(|latest| latest.schema.schema_type == SchemaType::Avro)
        && let Ok(encoder) = AvroEncoder::new(columns, bare, latest.id, &read(registry, &latest.schema)?)
        && encoder.fills_its_schema()
    {
        return Ok(encoder);
    }
    let full_name = settings.full_name.as_deref();
    let own = write_schema(SchemaType::Avro, columns, bare, subject.registered_side(), subject.topic, full_name);
    let id = registry.register(&subject.name(), &own).map_err(unavailable)?;
    AvroEncoder::new(columns, bare, id, &read(registry, &own)?)
}

/// The byte that every record begins with.
const MAGIC: u8 = 0;

/// The id in front of a record, and its datum.
pub(super) fn split_id(record: &[u8]) -> Result<(u32, &[u8]), String> {
    match record.split_first_chunk::<5>() {
        Some(([MAGIC, id @ ..], datum)) => Ok((u32::from_be_bytes(*id), datum)),
        _ => Err("the bytes do not begin with the id of a schema".to_owned()),
    }
}

/// Writes what stands in front of a datum.
pub(super) fn write_id(out: &mut Vec<u8>, id: u32) {
    out.push(MAGIC);
    out.extend_from_slice(&id.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::MemoryRegistry;
    use crate::types::SqlType;
    use arrow::array::{ArrayRef, Int32Array};

    const VALUES: Subject<'static> = Subject { topic: "t", side: Side::Value };

    fn avro(schema_id: Option<u32>) -> Serde {
        let settings = SchemaSettings { schema_id, ..SchemaSettings::default() };
        Serde { format: Format::Avro(settings), wrap_single: true }
    }

    /// The id that records of one column A get, whose subject has the schema `latest`.
    fn id_of(latest: Option<&str>, schema_id: Option<u32>) -> Result<u32, String> {
        let registry = Arc::new(MemoryRegistry::new());
        if let Some(latest) = latest {
            let document = SchemaDocument::new(SchemaType::Avro, latest);
            registry.register_as("t-value", &document, 7).expect("the id is free");
        }
        let schemas = Schemas::new(Some(registry));
        let columns = [Column::new("A", SqlType::Integer)];
        let encoder = schemas.encoder(&avro(schema_id), &columns, VALUES);
        let mut encoder = encoder.map_err(|error| error.to_string())?;
        let values: [ArrayRef; 1] = [Arc::new(Int32Array::from(vec![5]))];
        let encoded = encoder.encode(&values, 1, None);
        let (id, _) = split_id(encoded.bytes.value(0)).expect("an id stands in front");
        let decoded = schemas.decoder(&avro(None), &columns, &[true]).expect("the format has a codec");
        assert_eq!({ decoded }.decode(&encoded.bytes).columns, values);
        Ok(id)
    }

    #[test]
    fn records_have_the_schema_that_has_room_for_them() {
        let record = |fields: &str| format!(r#"{{"type": "record", "name": "r", "fields": [{fields}]}}"#);
        let a = r#"{"name": "a", "type": "int"}"#;
        assert_eq!(id_of(None, None), Ok(1), "their own is registered");
        assert_eq!(id_of(Some(&record(a)), None), Ok(7));
        let with_nullable = format!(r#"{a}, {{"name": "b", "type": ["null", "int"]}}"#);
        assert_eq!(id_of(Some(&record(&with_nullable)), None), Ok(7));
        let with_required = format!(r#"{a}, {{"name": "b", "type": "int"}}"#);
        assert_eq!(id_of(Some(&record(&with_required)), None), Ok(8), "b would have no value");
        assert_eq!(id_of(Some(&record(r#"{"name": "c", "type": "int"}"#)), None), Ok(8));
        assert_eq!(id_of(Some(&record(a)), Some(7)), Ok(7));
        let text = "the schema of t-value cannot be used: there is no schema with the id 9";
        assert_eq!(id_of(Some(&record(a)), Some(9)), Err(text.to_owned()));
    }
}
