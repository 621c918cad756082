//! Schemas by the ids that stand in front of records, as Schema Registry's serializers write them.
//!
//! ```text
//! record   0 (1 byte) ‖ id (4, big-endian) ‖ datum
//! ```

use std::sync::Arc;

use super::avro::{AvroDecoder, AvroEncoder};
use super::json_sr::{self, JsonSrDecoder};
use super::protobuf::{Framing, ProtobufDecoder, ProtobufEncoder};
use super::{Decoder, Encoder, Format, FormatError, SchemaSettings, Serde, Side};
use crate::registry::avro::AvroSchema;
use crate::registry::json_schema::JsonSchema;
use crate::registry::protobuf::ProtobufSchema;
use crate::registry::{
    self, Outage, SchemaDocument, SchemaRegistry, SchemaType, WatchedRegistry, referenced_texts, references_of,
    write_schema,
};
use crate::types::Column;

/// Where codecs find the schemas of records, and leave those of what they write.
#[derive(Clone, Default)]
pub struct Schemas {
    registry: Option<Arc<dyn SchemaRegistry>>,
}

/// Finds a schema by its id; `None` if there is none. The error says why nobody knows.
pub(super) type SchemaLookup<S> = Arc<dyn Fn(u32) -> Result<Option<S>, String> + Send + Sync>;

/// Which side of which topic records are written to.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The topic.
    pub topic: &'a str,
    /// Key or value.
    pub side: Side,
}

impl Subject<'_> {
    pub(super) fn name(&self) -> String {
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

    /// Where they are.
    pub(super) fn registry(&self) -> Option<Arc<dyn SchemaRegistry>> {
        self.registry.clone()
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
        let (Some(registry), [_, ..]) = (&self.registry, columns) else {
            return super::decoder(serde, columns, needed);
        };
        let bare = serde.is_bare(columns);
        Ok(match &serde.format {
            Format::Avro(_) => Box::new(AvroDecoder::new(columns, needed, bare, lookup(registry))),
            Format::JsonSr(_) => Box::new(JsonSrDecoder::new(columns, needed, bare, lookup(registry))),
            Format::Protobuf(_) => {
                Box::new(ProtobufDecoder::new(columns, needed, Framing::Registered(lookup(registry))))
            }
            _ => return super::decoder(serde, columns, needed),
        })
    }

    /// The encoder of `serde` for `columns` of records of `subject`. Their schema is the one that the statement names, else
    /// the latest that has room for them, else their own, which is registered.
    pub fn encoder(
        &self,
        serde: &Serde,
        columns: &[Column],
        subject: Subject<'_>,
    ) -> Result<Box<dyn Encoder>, FormatError> {
        let (Some(registry), [_, ..], Some(settings)) = (&self.registry, columns, serde.format.schema_settings())
        else {
            return super::encoder(serde, columns);
        };
        let writer = Writer { registry: &**registry, settings, columns, bare: serde.is_bare(columns), subject };
        let encoder = match &serde.format {
            Format::Avro(_) => writer.encoder::<AvroSchema>(),
            Format::JsonSr(_) => writer.encoder::<JsonSchema>(),
            Format::Protobuf(_) => writer.encoder::<ProtobufSchema>(),
            _ => return super::encoder(serde, columns),
        };
        encoder.map_err(|reason| FormatError::Schema { subject: subject.name(), reason })
    }
}

/// A language of schemas, by which records are written.
trait Language: Sized + 'static {
    const TYPE: SchemaType;

    /// Reads `document`.
    fn read(registry: &dyn SchemaRegistry, document: &SchemaDocument) -> Result<Self, String>;

    /// The encoder by this schema, which has the id `id`, and whether the schema is as good as one of the columns' own: it asks
    /// for nothing that they do not have.
    fn encoder(&self, id: u32, writer: &Writer<'_>) -> Result<(Box<dyn Encoder>, bool), String>;
}

impl Language for AvroSchema {
    const TYPE: SchemaType = SchemaType::Avro;

    fn read(registry: &dyn SchemaRegistry, document: &SchemaDocument) -> Result<Self, String> {
        let references = referenced_texts(document, registry).map_err(|error| error.to_string())?;
        Self::parse(&document.text, &references)
    }

    fn encoder(&self, id: u32, writer: &Writer<'_>) -> Result<(Box<dyn Encoder>, bool), String> {
        let encoder = AvroEncoder::new(writer.columns, writer.bare, id, self)?;
        let is_filled = encoder.fills_its_schema();
        Ok((Box::new(encoder), is_filled))
    }
}

impl Language for JsonSchema {
    const TYPE: SchemaType = SchemaType::Json;

    fn read(registry: &dyn SchemaRegistry, document: &SchemaDocument) -> Result<Self, String> {
        let references = references_of(document, registry).map_err(|error| error.to_string())?;
        Self::parse(&document.text, &references)
    }

    fn encoder(&self, id: u32, writer: &Writer<'_>) -> Result<(Box<dyn Encoder>, bool), String> {
        let filled = json_sr::encoder(writer.columns, writer.bare, id, self)?;
        Ok((Box::new(filled.encoder), filled.is_filled))
    }
}

impl Language for ProtobufSchema {
    const TYPE: SchemaType = SchemaType::Protobuf;

    fn read(registry: &dyn SchemaRegistry, document: &SchemaDocument) -> Result<Self, String> {
        let references = referenced_texts(document, registry).map_err(|error| error.to_string())?;
        Self::parse(&document.text, &references)
    }

    fn encoder(&self, id: u32, writer: &Writer<'_>) -> Result<(Box<dyn Encoder>, bool), String> {
        let settings = writer.settings;
        let message = self.select(settings.full_name.as_deref()).map_err(|known| match &settings.full_name {
            Some(name) => format!("the schema has no message {name}; it has {}", known.join(", ")),
            None => "the schema has no message".to_owned(),
        })?;
        let encoder = ProtobufEncoder::new(writer.columns, self, message, Some(id))?;
        let is_filled = encoder.has_own_names() && (settings.nullable.is_none() || encoder.keeps_nulls());
        Ok((Box::new(encoder), is_filled))
    }
}

/// Finds schemas of the language `L` in `registry`.
fn lookup<L: Language>(registry: &Arc<dyn SchemaRegistry>) -> SchemaLookup<L> {
    let registry = Arc::clone(registry);
    Arc::new(move |id| by_id(&*registry, id))
}

/// The schema `id`, read.
fn by_id<L: Language>(registry: &dyn SchemaRegistry, id: u32) -> Result<Option<L>, String> {
    let Some(document) = registry.by_id(id).map_err(|error| error.to_string())? else { return Ok(None) };
    if document.schema_type != L::TYPE {
        return Err(format!(
            "the schema {id} is of the language {}, not {}",
            document.schema_type.name(),
            L::TYPE.name()
        ));
    }
    L::read(registry, &document).map(Some)
}

/// What is written, and where to.
struct Writer<'a> {
    registry: &'a dyn SchemaRegistry,
    settings: &'a SchemaSettings,
    columns: &'a [Column],
    bare: bool,
    subject: Subject<'a>,
}

impl Writer<'_> {
    fn encoder<L: Language>(&self) -> Result<Box<dyn Encoder>, String> {
        let registry = self.registry;
        if let Some(id) = self.settings.schema_id {
            let schema: L = by_id(registry, id)?.ok_or_else(|| no_schema(id))?;
            return Ok(schema.encoder(id, self)?.0);
        }
        let unavailable = |error: registry::RegistryError| error.to_string();
        let latest = registry.latest(&self.subject.name()).map_err(unavailable)?;
        if let Some(latest) = latest.filter(|latest| latest.schema.schema_type == L::TYPE)
            && let Ok((encoder, true)) = L::read(registry, &latest.schema)?.encoder(latest.id, self)
        {
            return Ok(encoder);
        }
        let (side, style) = (self.subject.registered_side(), self.settings.style());
        let own = write_schema(L::TYPE, self.columns, self.bare, side, self.subject.topic, style);
        let id = registry.register(&self.subject.name(), &own).map_err(unavailable)?;
        Ok(L::read(registry, &own)?.encoder(id, self)?.0)
    }
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

/// Said of records whose schema nobody knows.
pub(super) fn no_schema(id: u32) -> String {
    format!("there is no schema with the id {id}")
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
