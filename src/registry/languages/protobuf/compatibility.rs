//! Whether messages of one file can be read with another. Bytes hold numbers of fields and the way they are written, no names; so
//! names may change, and types within a group that is written alike.

use std::collections::BTreeMap;

use prost_reflect::prost_types::field_descriptor_proto::Label;
use prost_reflect::{FieldDescriptor, FileDescriptor, Kind, MessageDescriptor, OneofDescriptor};

use super::ProtobufFile;
use crate::registry::compatibility::{FAULTS_MAX, Fault, Sides};

/// Why `reader` cannot read what `writer` has written; nothing where it can.
pub(in crate::registry) fn read_faults(reader: &ProtobufFile, writer: &ProtobufFile, sides: Sides) -> Vec<Fault> {
    let mut comparison = Comparison { sides, reader: &reader.file, writer: &writer.file, faults: Vec::new() };
    let (now, before) = (by_name(reader.file.messages()), by_name(writer.file.messages()));
    comparison.messages("#", &now, &before);
    comparison.faults.truncate(FAULTS_MAX);
    comparison.faults
}

struct Comparison<'a> {
    sides: Sides,
    reader: &'a FileDescriptor,
    writer: &'a FileDescriptor,
    faults: Vec<Fault>,
}

fn by_name(messages: impl Iterator<Item = MessageDescriptor>) -> BTreeMap<String, MessageDescriptor> {
    let own = messages.filter(|message| !message.is_map_entry());
    own.map(|message| (message.name().to_owned(), message)).collect()
}

impl Comparison<'_> {
    fn fault(&mut self, kind: &'static str, path: &str, text: &str) {
        let Sides { reader, writer } = self.sides;
        let description = format!("at {path} of the {reader} schema, compared with the {writer} one: {text}");
        self.faults.push(Fault { kind, description, path: path.to_owned(), info: String::new() });
    }

    fn messages(
        &mut self,
        path: &str,
        now: &BTreeMap<String, MessageDescriptor>,
        before: &BTreeMap<String, MessageDescriptor>,
    ) {
        for (name, old) in before {
            let path = format!("{path}/{name}");
            match now.get(name) {
                Some(new) => {
                    self.fields(&path, new, old);
                    self.messages(&path, &by_name(new.child_messages()), &by_name(old.child_messages()));
                }
                None => self.fault("MESSAGE_REMOVED", &path, "the message is not there any more"),
            }
        }
    }

    fn fields(&mut self, path: &str, new: &MessageDescriptor, old: &MessageDescriptor) {
        for before in old.fields() {
            let path = format!("{path}/{}", before.number());
            match new.get_field(before.number()) {
                Some(now) => self.field(&path, &now, &before),
                None if before.is_required() => {
                    self.fault("REQUIRED_FIELD_REMOVED", &path, "a field that is required was removed");
                }
                None => {}
            }
        }
        for now in new.fields() {
            if now.is_required() && old.get_field(now.number()).is_none() {
                let path = format!("{path}/{}", now.number());
                self.fault("REQUIRED_FIELD_ADDED", &path, "a field that is required was added");
            }
        }
        self.oneofs(path, new, old);
    }

    /// Of a oneof, the field that was written last counts: fields that come together would erase each other.
    fn oneofs(&mut self, path: &str, new: &MessageDescriptor, old: &MessageDescriptor) {
        let real = |message: &MessageDescriptor| -> Vec<OneofDescriptor> {
            message.oneofs().filter(|oneof| !oneof.is_synthetic()).collect()
        };
        let before = real(old);
        for now in real(new) {
            let path = format!("{path}/{}", now.name());
            let numbers: Vec<u32> = now.fields().map(|field| field.number()).collect();
            let moved = |number: &&u32| old.get_field(**number).is_some_and(|field| oneof_of(&field).is_none());
            let moved: Vec<String> = numbers.iter().filter(moved).map(ToString::to_string).collect();
            match before.iter().find(|other| other.name() == now.name()) {
                Some(other) => {
                    for number in &moved {
                        let text = format!("field {number} was moved into a oneof that was there");
                        self.fault("FIELD_MOVED_TO_EXISTING_ONEOF", &path, &text);
                    }
                    let removed: Vec<u32> = other.fields().map(|field| field.number()).collect();
                    for number in removed.into_iter().filter(|number| !numbers.contains(number)) {
                        let text = format!("field {number} was removed from the oneof");
                        self.fault("ONEOF_FIELD_REMOVED", &path, &text);
                    }
                }
                None if moved.len() > 1 => {
                    let text = format!("the fields {} were moved into one oneof", moved.join(", "));
                    self.fault("MULTIPLE_FIELDS_MOVED_TO_ONEOF", &path, &text);
                }
                None => {}
            }
        }
    }

    fn field(&mut self, path: &str, new: &FieldDescriptor, old: &FieldDescriptor) {
        match (new.is_map(), old.is_map()) {
            (true, true) => {
                if let (Some(now), Some(before)) = (new.kind().as_message(), old.kind().as_message()) {
                    let key = (now.map_entry_key_field().kind(), before.map_entry_key_field().kind());
                    self.kinds(&format!("{path}/key"), &key.0, &key.1);
                    let value = (now.map_entry_value_field().kind(), before.map_entry_value_field().kind());
                    self.kinds(&format!("{path}/value"), &value.0, &value.1);
                }
            }
            (false, false) => {
                if self.kinds(path, &new.kind(), &old.kind()) {
                    self.labels(path, new, old);
                }
            }
            (is_map, _) => {
                let text = if is_map { "the field became a map" } else { "the field was a map" };
                self.fault("FIELD_KIND_CHANGED", path, text);
            }
        }
        match (new.is_required(), old.is_required()) {
            (true, false) => self.fault("REQUIRED_FIELD_ADDED", path, "the field has become required"),
            (false, true) => self.fault("REQUIRED_FIELD_REMOVED", path, "the field was required"),
            _ => {}
        }
    }

    /// Several numbers are packed into one value, of which a reader of a single one understands nothing.
    fn labels(&mut self, path: &str, new: &FieldDescriptor, old: &FieldDescriptor) {
        let is_repeated = |field: &FieldDescriptor| field.field_descriptor_proto().label() == Label::Repeated;
        let is_delimited = matches!(old.kind(), Kind::String | Kind::Bytes | Kind::Message(_));
        if is_repeated(new) != is_repeated(old) && !is_delimited {
            let text = if is_repeated(new) { "the field became repeated" } else { "the field was repeated" };
            self.fault("FIELD_NUMERIC_LABEL_CHANGED", path, text);
        }
    }

    /// Whether values of `old` can be read as `new`.
    fn kinds(&mut self, path: &str, new: &Kind, old: &Kind) -> bool {
        let (kind, text) = match (new, old) {
            (Kind::Message(now), Kind::Message(before)) => {
                let (now, before) = (local_name(now, self.reader), local_name(before, self.writer));
                if now == before {
                    return true;
                }
                ("FIELD_NAMED_TYPE_CHANGED", format!("the type went from {before} to {now}"))
            }
            (Kind::Message(_), other) => ("FIELD_KIND_CHANGED", format!("the type {other:?} became a message")),
            (other, Kind::Message(_)) => ("FIELD_KIND_CHANGED", format!("a message became the type {other:?}")),
            (now, before) if group(now) == group(before) => return true,
            (now, before) => ("FIELD_SCALAR_KIND_CHANGED", format!("the type went from {before:?} to {now:?}")),
        };
        self.fault(kind, path, &text);
        false
    }
}

fn oneof_of(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}

/// The name without the package of its file: a package may change as a whole.
fn local_name(message: &MessageDescriptor, file: &FileDescriptor) -> String {
    let (name, package) = (message.full_name(), file.package_name());
    let local = if message.parent_file() == *file { name.strip_prefix(package) } else { None };
    local.map_or_else(|| format!(".{name}"), |local| local.trim_start_matches('.').to_owned())
}

/// Types that are written alike.
fn group(kind: &Kind) -> u8 {
    match kind {
        Kind::Int32 | Kind::Uint32 | Kind::Int64 | Kind::Uint64 | Kind::Bool | Kind::Enum(_) => 0,
        Kind::Sint32 | Kind::Sint64 => 1,
        Kind::Fixed32 | Kind::Sfixed32 => 2,
        Kind::Fixed64 | Kind::Sfixed64 => 3,
        Kind::String | Kind::Bytes => 4,
        Kind::Float => 5,
        Kind::Double => 6,
        Kind::Message(_) => 7,
    }
}
