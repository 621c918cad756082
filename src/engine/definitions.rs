//! Which statement has made what there is: what a new version of a file is compared with.

use std::collections::BTreeMap;

use super::command_log::Origin;
use crate::plan::Planned;

/// What a statement makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Object {
    /// A stream or table.
    Source(String),
    /// The query of an INSERT INTO … SELECT, by its id.
    Insert(String),
    /// A type.
    Type(String),
    /// A function, by its name in capitals.
    Function(String),
}

/// The statement that has made something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition {
    /// Its number in the command log.
    pub(super) number: u64,
    /// Who gave it.
    pub(super) origin: Origin,
    /// Its text, as it was written.
    pub(super) text: String,
}

/// The newest definition of everything there is.
#[derive(Debug, Clone, Default)]
pub(super) struct Definitions(BTreeMap<Object, Definition>);

impl Definitions {
    pub(super) fn get(&self, object: &Object) -> Option<&Definition> {
        self.0.get(object)
    }

    /// All of them, newest first.
    pub(super) fn newest_first(&self) -> Vec<(&Object, &Definition)> {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by_key(|(_, definition)| std::cmp::Reverse(definition.number));
        all
    }

    /// Takes a statement that was carried out into account; returns the definitions of what it has removed.
    pub(super) fn note(&mut self, planned: &Planned, definition: &Definition) -> Vec<Definition> {
        made(planned).into_iter().for_each(|object| drop(self.0.insert(object, definition.clone())));
        removed(planned).iter().filter_map(|object| self.0.remove(object)).collect()
    }
}

fn made(planned: &Planned) -> Vec<Object> {
    match planned {
        Planned::CreateSource(create) => vec![Object::Source(create.source.name.clone())],
        Planned::CreateAs(create) => vec![Object::Source(create.source.name.clone())],
        Planned::InsertInto(insert) => vec![Object::Insert(insert.query_info.id.to_string())],
        Planned::CreateType { name, .. } => vec![Object::Type(name.clone())],
        Planned::CreateFunctions(create) => {
            create.functions.iter().map(|(_, info)| Object::Function(info.name.to_uppercase())).collect()
        }
        _ => Vec::new(),
    }
}

fn removed(planned: &Planned) -> Vec<Object> {
    match planned {
        Planned::Drop { name, .. } => vec![Object::Source(name.clone())],
        Planned::Terminate(ids) => ids.iter().map(|id| Object::Insert(id.to_string())).collect(),
        Planned::DropType { name } => vec![Object::Type(name.clone())],
        Planned::DropFunction { name } => vec![Object::Function(name.to_uppercase())],
        _ => Vec::new(),
    }
}
