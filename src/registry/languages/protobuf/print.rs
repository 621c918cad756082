//! Descriptors to the text of a `.proto` file.

use std::ops::Range;

use prost_reflect::prost_types::field_descriptor_proto::Label;
use prost_reflect::prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto};
use prost_reflect::{
    DescriptorPool, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    OneofDescriptor, ServiceDescriptor, Syntax,
};

use super::option_text::{options, quoted};

pub(super) fn print(file: &FileDescriptor) -> String {
    let syntax = file.syntax();
    let (package, pool) = (file.package_name().to_owned(), file.parent_pool().clone());
    let mut printer = Printer { out: String::new(), depth: 0, syntax, package, pool };
    printer.file(file);
    printer.out
}

struct Printer {
    out: String,
    depth: usize,
    syntax: Syntax,
    package: String,
    pool: DescriptorPool,
}

/// One past the greatest number that a field may have.
const NUMBERS_END: u32 = 536_870_912;

impl Printer {
    fn line(&mut self, text: &str) {
        self.out.extend(std::iter::repeat_n("  ", self.depth));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn blank(&mut self) {
        if !self.out.ends_with("\n\n") && !self.out.ends_with("{\n") {
            self.out.push('\n');
        }
    }

    fn block(&mut self, head: &str, body: impl FnOnce(&mut Self)) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.line("}");
    }

    fn file(&mut self, file: &FileDescriptor) {
        self.line(&format!("syntax = \"{}\";", if self.syntax == Syntax::Proto2 { "proto2" } else { "proto3" }));
        if !file.package_name().is_empty() {
            self.line(&format!("package {};", file.package_name()));
        }
        let proto = file.file_descriptor_proto();
        if !proto.dependency.is_empty() {
            self.blank();
        }
        for (index, import) in proto.dependency.iter().enumerate() {
            let is_public = proto.public_dependency.contains(&(index as i32));
            let is_weak = proto.weak_dependency.contains(&(index as i32));
            let word = if is_public {
                "public "
            } else if is_weak {
                "weak "
            } else {
                ""
            };
            self.line(&format!("import {word}{};", quoted(import.as_bytes(), true)));
        }
        let all = options(&file.options());
        if !all.is_empty() {
            self.blank();
        }
        all.iter().for_each(|(name, value)| self.line(&format!("option {name} = {value};")));
        for message in file.messages() {
            self.blank();
            self.message(&message);
        }
        for one in file.enums() {
            self.blank();
            self.enumeration(&one);
        }
        self.extensions(file.extensions().collect(), file.package_name());
        for service in file.services() {
            self.blank();
            self.service(&service);
        }
    }

    fn message(&mut self, message: &MessageDescriptor) {
        self.block(&format!("message {}", message.name()), |printer| printer.message_body(message));
    }

    fn message_body(&mut self, message: &MessageDescriptor) {
        for (name, value) in options(&message.options()) {
            self.line(&format!("option {name} = {value};"));
        }
        self.reserved(message.descriptor_proto());
        let mut done: Vec<OneofDescriptor> = Vec::new();
        // In the order in which they were declared.
        let mut fields: Vec<FieldDescriptor> = message.fields().collect();
        let declared = &message.descriptor_proto().field;
        fields.sort_by_key(|field| declared.iter().position(|proto| proto.number() as u32 == field.number()));
        for field in fields {
            match field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
                None => self.field(&field),
                Some(oneof) if done.contains(&oneof) => {}
                Some(oneof) => {
                    self.block(&format!("oneof {}", oneof.name()), |printer| {
                        for (name, value) in options(&oneof.options()) {
                            printer.line(&format!("option {name} = {value};"));
                        }
                        oneof.fields().for_each(|field| printer.field(&field));
                    });
                    done.push(oneof);
                }
            }
        }
        for range in message.extension_ranges() {
            self.line(&format!("extensions {};", numbers(&range)));
        }
        for nested in message.child_messages().filter(|nested| !nested.is_map_entry()) {
            self.blank();
            self.message(&nested);
        }
        for nested in message.child_enums() {
            self.blank();
            self.enumeration(&nested);
        }
        self.extensions(message.child_extensions().collect(), message.full_name());
    }

    fn reserved(&mut self, proto: &DescriptorProto) {
        let ranges = proto.reserved_range.iter().map(|range| numbers(&(range.start() as u32..range.end() as u32)));
        let ranges: Vec<String> = ranges.collect();
        if !ranges.is_empty() {
            self.line(&format!("reserved {};", ranges.join(", ")));
        }
        self.reserved_names(&proto.reserved_name);
    }

    fn reserved_names(&mut self, names: &[String]) {
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| quoted(name.as_bytes(), true)).collect();
            self.line(&format!("reserved {};", names.join(", ")));
        }
    }

    fn field(&mut self, field: &FieldDescriptor) {
        let proto = field.field_descriptor_proto();
        let scope = field.parent_message().full_name().to_owned();
        let kind = if field.is_map() {
            match field.kind().as_message() {
                Some(entry) => format!(
                    "map<{}, {}>",
                    self.kind(&entry.map_entry_key_field().kind(), &scope),
                    self.kind(&entry.map_entry_value_field().kind(), &scope)
                ),
                None => String::new(),
            }
        } else {
            let in_oneof = field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic());
            format!("{}{}", self.label(proto, in_oneof), self.kind(&field.kind(), &scope))
        };
        let options = field_options(proto, &field.kind(), options(&field.options()));
        self.line(&format!("{kind} {} = {}{options};", field.name(), field.number()));
    }

    fn label(&self, proto: &FieldDescriptorProto, in_oneof: bool) -> &'static str {
        match proto.label() {
            Label::Repeated => "repeated ",
            Label::Required => "required ",
            Label::Optional if in_oneof => "",
            Label::Optional if self.syntax == Syntax::Proto2 || proto.proto3_optional() => "optional ",
            Label::Optional => "",
        }
    }

    fn kind(&self, kind: &Kind, scope: &str) -> String {
        match kind {
            Kind::Message(message) => self.shortest(message.full_name(), scope),
            Kind::Enum(one) => self.shortest(one.full_name(), scope),
            scalar => format!("{scalar:?}"),
        }
    }

    /// The shortest name that means `full_name` within `scope`.
    fn shortest(&self, full_name: &str, scope: &str) -> String {
        let mut outer = scope;
        loop {
            let relative = full_name.strip_prefix(outer).and_then(|rest| rest.strip_prefix('.'));
            if let Some(name) = relative.filter(|name| self.meaning(name, scope).as_deref() == Some(full_name)) {
                return name.to_owned();
            }
            match outer.rsplit_once('.').filter(|_| outer != self.package) {
                Some((shorter, _)) => outer = shorter,
                None => break,
            }
        }
        if self.meaning(full_name, scope).as_deref() == Some(full_name) {
            return full_name.to_owned();
        }
        format!(".{full_name}")
    }

    /// What `name` means within `scope`: the innermost place that knows its first part decides.
    fn meaning(&self, name: &str, scope: &str) -> Option<String> {
        let first = name.split('.').next().unwrap_or(name);
        let mut outer = Some(scope);
        while let Some(place) = outer {
            let joined = |part: &str| if place.is_empty() { part.to_owned() } else { format!("{place}.{part}") };
            if self.knows(&joined(first)) {
                return Some(joined(name));
            }
            outer = match place.rsplit_once('.') {
                Some((shorter, _)) => Some(shorter),
                None => (!place.is_empty()).then_some(""),
            };
        }
        None
    }

    fn knows(&self, name: &str) -> bool {
        let is_package = |file: FileDescriptor| {
            let package = file.package_name();
            package == name || package.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
        };
        self.pool.get_message_by_name(name).is_some()
            || self.pool.get_enum_by_name(name).is_some()
            || self.pool.files().any(is_package)
    }

    fn enumeration(&mut self, one: &EnumDescriptor) {
        let proto = one.enum_descriptor_proto();
        self.block(&format!("enum {}", one.name()), |printer| {
            for (name, value) in options(&one.options()) {
                printer.line(&format!("option {name} = {value};"));
            }
            printer.enum_reserved(proto);
            // In the order in which they were declared: the first is the default.
            for declared in &proto.value {
                let descriptor = one.get_value_by_name(declared.name());
                let all = descriptor.map(|value| options(&value.options())).unwrap_or_default();
                let all: Vec<String> = all.iter().map(|(name, value)| format!("{name} = {value}")).collect();
                let all = if all.is_empty() { String::new() } else { format!(" [{}]", all.join(", ")) };
                printer.line(&format!("{} = {}{all};", declared.name(), declared.number()));
            }
        });
    }

    fn enum_reserved(&mut self, proto: &EnumDescriptorProto) {
        let range = |range: &prost_reflect::prost_types::enum_descriptor_proto::EnumReservedRange| match (
            range.start(),
            range.end(),
        ) {
            (start, end) if start == end => start.to_string(),
            (start, i32::MAX) => format!("{start} to max"),
            (start, end) => format!("{start} to {end}"),
        };
        let ranges: Vec<String> = proto.reserved_range.iter().map(range).collect();
        if !ranges.is_empty() {
            self.line(&format!("reserved {};", ranges.join(", ")));
        }
        self.reserved_names(&proto.reserved_name);
    }

    fn extensions(&mut self, all: Vec<ExtensionDescriptor>, scope: &str) {
        for extension in all {
            self.blank();
            let proto = extension.field_descriptor_proto();
            let kind = format!("{}{}", self.label(proto, false), self.kind(&extension.kind(), scope));
            let options = field_options(proto, &extension.kind(), options(&extension.options()));
            let head = format!("extend {}", self.shortest(extension.containing_message().full_name(), scope));
            let line = format!("{kind} {} = {}{options};", extension.name(), extension.number());
            self.block(&head, |printer| printer.line(&line));
        }
    }

    fn service(&mut self, service: &ServiceDescriptor) {
        let scope = service.full_name().to_owned();
        self.block(&format!("service {}", service.name()), |printer| {
            for (name, value) in options(&service.options()) {
                printer.line(&format!("option {name} = {value};"));
            }
            for method in service.methods() {
                let stream = |streams: bool| if streams { "stream " } else { "" };
                let head = format!(
                    "rpc {} ({}{}) returns ({}{})",
                    method.name(),
                    stream(method.is_client_streaming()),
                    printer.shortest(method.input().full_name(), &scope),
                    stream(method.is_server_streaming()),
                    printer.shortest(method.output().full_name(), &scope)
                );
                let all = options(&method.options());
                if all.is_empty() {
                    printer.line(&format!("{head};"));
                } else {
                    printer.block(&head, |printer| {
                        all.iter().for_each(|(name, value)| printer.line(&format!("option {name} = {value};")));
                    });
                }
            }
        });
    }
}

/// `4`, `4 to 6` or `4 to max`; the end of the range is not in it.
fn numbers(range: &Range<u32>) -> String {
    match (range.start, range.end) {
        (start, end) if start + 1 == end => start.to_string(),
        (start, end) if end >= NUMBERS_END => format!("{start} to max"),
        (start, end) => format!("{start} to {}", end - 1),
    }
}

/// What stands in brackets behind a field.
fn field_options(proto: &FieldDescriptorProto, kind: &Kind, declared: Vec<(String, String)>) -> String {
    let mut all = Vec::new();
    if let Some(default) = &proto.default_value {
        let text = match kind {
            Kind::String => quoted(default.as_bytes(), true),
            // Escaped already.
            Kind::Bytes => format!("\"{default}\""),
            _ => default.clone(),
        };
        all.push(format!("default = {text}"));
    }
    if let Some(json_name) = proto.json_name.as_deref().filter(|json_name| *json_name != lower_camel(proto.name())) {
        all.push(format!("json_name = {}", quoted(json_name.as_bytes(), true)));
    }
    all.extend(declared.into_iter().map(|(name, value)| format!("{name} = {value}")));
    if all.is_empty() { String::new() } else { format!(" [{}]", all.join(", ")) }
}

/// The name that a field has in JSON, where it is given no other.
fn lower_camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut is_first = false;
    for character in name.chars() {
        match character {
            '_' => is_first = true,
            other if is_first => {
                out.push(other.to_ascii_uppercase());
                is_first = false;
            }
            other => out.push(other),
        }
    }
    out
}
