//! Protobuf schemas as a registry sees them: files with all their names resolved, as text or as a serialized descriptor.

mod compatibility;
mod known_files;
mod option_text;
mod print;

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::FileDescriptorProto;
use prost_reflect::{DescriptorPool, FileDescriptor};

pub(super) use compatibility::read_faults;

/// A parsed file.
#[derive(Debug)]
pub(in crate::registry) struct ProtobufFile {
    file: FileDescriptor,
}

/// What a file is called that says no name of its own.
const OWN_NAME: &str = "schema.proto";

impl ProtobufFile {
    /// Reads `text`, a `.proto` file or the base64 text of a `FileDescriptorProto`; `references` are what it may import, by name,
    /// each after those that it imports itself.
    pub(super) fn parse(text: &str, references: &[(String, String)]) -> Result<Self, String> {
        let mut pool = DescriptorPool::new();
        for (name, text) in references {
            if pool.get_file_by_name(name).is_none() {
                let parsed = source(text, name)?.named(name);
                add(&mut pool, parsed, 0)?;
            }
        }
        let own = source(text, OWN_NAME)?;
        let given = own.name().to_owned();
        let is_free = !given.is_empty() && pool.get_file_by_name(&given).is_none();
        let name = if is_free { given } else { OWN_NAME.to_owned() };
        add(&mut pool, own.named(&name), 0)?;
        let file = pool.get_file_by_name(&name).ok_or("the file is not among those that were read")?;
        if file.messages().len() == 0 && file.enums().len() == 0 && file.extensions().len() == 0 {
            return Err("it has no message, enum or extension".to_owned());
        }
        Ok(Self { file })
    }

    /// The text that all files have that say the same.
    pub(super) fn canonical_text(&self) -> String {
        print::print(&self.file)
    }

    /// The file as the base64 text of its descriptor.
    pub(super) fn serialized(&self) -> String {
        STANDARD.encode(self.file.encode_to_vec())
    }
}

/// A file as it came: its descriptor with what prost knows of it, or with all bytes, which hold custom options too.
enum Source {
    Parsed(FileDescriptorProto),
    Serialized(FileDescriptorProto, Vec<u8>),
}

impl Source {
    fn descriptor(&self) -> &FileDescriptorProto {
        match self {
            Self::Parsed(descriptor) | Self::Serialized(descriptor, _) => descriptor,
        }
    }

    fn name(&self) -> &str {
        self.descriptor().name()
    }

    fn named(self, name: &str) -> Self {
        match self {
            Self::Parsed(descriptor) => Self::Parsed(FileDescriptorProto { name: Some(name.to_owned()), ..descriptor }),
            Self::Serialized(descriptor, mut bytes) => {
                // The last value of a field counts.
                let last = FileDescriptorProto { name: Some(name.to_owned()), ..FileDescriptorProto::default() };
                bytes.extend(last.encode_to_vec());
                Self::Serialized(FileDescriptorProto { name: Some(name.to_owned()), ..descriptor }, bytes)
            }
        }
    }
}

fn source(text: &str, name: &str) -> Result<Source, String> {
    if let Some(bytes) = STANDARD.decode(text.trim()).ok().filter(|bytes| !bytes.is_empty())
        && let Ok(descriptor) = FileDescriptorProto::decode(bytes.as_slice())
    {
        return Ok(Source::Serialized(descriptor, bytes));
    }
    let parsed = protox_parse::parse(name, text).or_else(|error| {
        // Without this line a file is of the older kind, in which fields have labels; who leaves out both means the newer.
        let newer =
            (!text.contains("syntax")).then(|| protox_parse::parse(name, &format!("syntax = \"proto3\";{text}")));
        newer.and_then(Result::ok).ok_or(error)
    });
    parsed.map(Source::Parsed).map_err(|error| error.to_string())
}

/// Imports that lead to imports.
const IMPORTS_MAX: usize = 100;

/// Adds a file, after those files of everybody's that it imports.
fn add(pool: &mut DescriptorPool, source: Source, depth: usize) -> Result<(), String> {
    if depth > IMPORTS_MAX {
        return Err("its imports lead back to itself".to_owned());
    }
    for import in &source.descriptor().dependency {
        if pool.get_file_by_name(import).is_some() {
            continue;
        }
        let known = known_files::descriptor(import)?;
        let known =
            known.ok_or_else(|| format!("the import \"{import}\" is neither a reference nor known to everybody"))?;
        add(pool, Source::Parsed(known), depth + 1)?;
    }
    let added = match source {
        Source::Parsed(descriptor) => pool.add_file_descriptor_proto(descriptor),
        Source::Serialized(_, bytes) => pool.decode_file_descriptor_proto(bytes.as_slice()),
    };
    added.map_err(|error| error.to_string())
}
