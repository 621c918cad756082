//! Whether all that one JSON schema takes is taken by another one. The words for differences are those of Confluent's registry.
//!
//! A schema is taken for what its keywords say together: each group of keywords of the reader must be no narrower than that
//! of the writer.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::{JsonSchema, Place, View, arrays, combined, objects, values};
use crate::registry::compatibility::{FAULTS_MAX, Fault, Sides};

/// Why `reader` does not take everything that `writer` takes; nothing where it does.
pub(in crate::registry) fn read_faults(reader: &JsonSchema, writer: &JsonSchema, sides: Sides) -> Vec<Fault> {
    let mut comparison = Comparison { reader, writer, sides, known: HashMap::new(), path: Vec::new(), steps: 0 };
    comparison.compare(reader.root(), writer.root())
}

type Identity = (usize, Option<&'static str>);

/// Two schemas that are compared. In what follows `new` is a part of the reader's, `old` one of the writer's.
pub(super) struct Comparison<'a> {
    pub(super) reader: &'a JsonSchema,
    pub(super) writer: &'a JsonSchema,
    pub(super) sides: Sides,
    /// Whether the writer's part is taken by the reader's; while it is being found out it is taken for true.
    known: HashMap<(Identity, Identity), bool>,
    path: Vec<String>,
    steps: usize,
}

/// Longer comparisons are given up: they are refused.
const STEPS_MAX: usize = 200_000;
/// As far as `$ref`s may lead from each other.
const DEPTH_MAX: usize = 300;

impl<'a> Comparison<'a> {
    /// What `old` takes and `new` does not.
    pub(super) fn compare(&mut self, new: Place<'a>, old: Place<'a>) -> Vec<Fault> {
        let pair = (new.identity(), old.identity());
        if self.known.get(&pair) == Some(&true) {
            return Vec::new();
        }
        self.steps += 1;
        if self.steps > STEPS_MAX || self.path.len() > DEPTH_MAX {
            return vec![self.fault("TYPE_CHANGED", "the schemas are too large to be compared")];
        }
        self.known.insert(pair, true);
        let mut faults = self.differences(new, old);
        faults.truncate(FAULTS_MAX);
        if !faults.is_empty() {
            self.known.insert(pair, false);
        }
        faults
    }

    /// As [`Self::compare`], a few steps deeper.
    pub(super) fn below(&mut self, steps: &[&str], new: Place<'a>, old: Place<'a>) -> Vec<Fault> {
        self.path.extend(steps.iter().map(|step| (*step).to_owned()));
        let faults = self.compare(new, old);
        self.path.truncate(self.path.len() - steps.len());
        faults
    }

    /// Whether `new` takes all that `old` takes; what was found on the way is forgotten.
    pub(super) fn takes(&mut self, new: Place<'a>, old: Place<'a>) -> bool {
        match self.known.get(&(new.identity(), old.identity())) {
            Some(known) => *known,
            None => self.compare(new, old).is_empty(),
        }
    }

    /// Asks with the roles changed, at the step `step`.
    pub(super) fn reversed(&mut self, step: &str, ask: impl FnOnce(&mut Comparison<'a>) -> bool) -> bool {
        let mut path = self.path.clone();
        path.push(step.to_owned());
        let sides = Sides { reader: self.sides.writer, writer: self.sides.reader };
        let (reader, writer, steps) = (self.writer, self.reader, self.steps);
        let mut reversed = Comparison { reader, writer, sides, known: HashMap::new(), path, steps };
        let answer = ask(&mut reversed);
        self.steps = reversed.steps;
        answer
    }

    pub(super) fn old_at(&self, place: Place<'a>, value: &'a Value) -> Place<'a> {
        self.writer.at(place, value)
    }

    pub(super) fn new_at(&self, place: Place<'a>, value: &'a Value) -> Place<'a> {
        self.reader.at(place, value)
    }

    fn differences(&mut self, new: Place<'a>, old: Place<'a>) -> Vec<Fault> {
        match (new.view, old.view) {
            (View::Any, _) | (_, View::Nothing) => Vec::new(),
            (View::Nothing, _) => vec![self.fault("TYPE_NARROWED", "no value is taken any more")],
            (View::Object(_), View::Any | View::Object(_)) => combined::compare(self, new, old),
        }
    }

    /// The types of values that `old` takes.
    pub(super) fn old_types(&self, old: Place<'a>) -> BTreeSet<&'static str> {
        types(self.writer, old, 0)
    }

    /// What the keywords of `new` say that stand beside those that combine schemas.
    pub(super) fn own_keywords(&mut self, new: Place<'a>, old: Place<'a>) -> Vec<Fault> {
        let (types_new, types_old) = (types(self.reader, new, 0), types(self.writer, old, 0));
        let mut faults = Vec::new();
        if !types_old.is_subset(&types_new) {
            let kind = if types_new.is_subset(&types_old) { "TYPE_NARROWED" } else { "TYPE_CHANGED" };
            let words = |types: &BTreeSet<&str>| types.iter().copied().collect::<Vec<_>>().join(", ");
            let text = format!("values were of the types [{}], now of [{}]", words(&types_old), words(&types_new));
            faults.push(self.fault(kind, &text));
        }
        faults.extend(values::choices(self, new, old));
        let both = |kind: &str| types_old.contains(kind) && types_new.contains(kind);
        if both("string") {
            faults.extend(values::strings(self, new, old));
        }
        if types_new.contains("integer") && (types_old.contains("integer") || types_old.contains(FRACTION)) {
            faults.extend(values::numbers(self, new, old));
        }
        if both("object") {
            faults.extend(objects::compare(self, new, old));
        }
        if both("array") {
            faults.extend(arrays::compare(self, new, old));
        }
        faults
    }

    /// A fault at this place.
    pub(super) fn fault(&self, kind: &'static str, text: &str) -> Fault {
        self.fault_at(&[], kind, text)
    }

    /// A fault some steps below.
    pub(super) fn fault_at(&self, steps: &[&str], kind: &'static str, text: &str) -> Fault {
        let escaped = |step: &str| step.replace('~', "~0").replace('/', "~1");
        let steps = self.path.iter().map(String::as_str).chain(steps.iter().copied());
        let path = format!("#/{}", steps.map(escaped).collect::<Vec<_>>().join("/"));
        let Sides { reader, writer } = self.sides;
        let description = format!("at {path} of the {reader} schema, compared with the {writer} one: {text}");
        Fault { kind, description, path, info: String::new() }
    }
}

/// Numbers that are no integers.
const FRACTION: &str = "number";
const ALL: [&str; 7] = ["array", "boolean", "integer", "null", FRACTION, "object", "string"];

/// The types of values that a schema takes. Here `number` stands for those that are no integers.
fn types<'a>(schema: &'a JsonSchema, place: Place<'a>, depth: usize) -> BTreeSet<&'static str> {
    let all = || ALL.into_iter().collect::<BTreeSet<_>>();
    let restricted = |mut types: BTreeSet<&'static str>| {
        types.retain(|kind| place.only.is_none_or(|only| only == *kind));
        types
    };
    let View::Object(keywords) = place.view else {
        return if matches!(place.view, View::Nothing) { BTreeSet::new() } else { restricted(all()) };
    };
    let mut found = match keywords.get("type") {
        Some(Value::String(word)) => named(word),
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).flat_map(named).collect(),
        _ => all(),
    };
    if let Some(choices) = values::choices_of(place) {
        let of_choices: BTreeSet<&str> = choices.iter().map(|value| type_of(value)).collect();
        found.retain(|kind| of_choices.contains(kind));
    }
    if depth > 8 {
        return restricted(found);
    }
    let mut narrow = |keyword: &str, any: bool| {
        let Some(Value::Array(parts)) = keywords.get(keyword) else { return };
        let mut parts = parts.iter().map(|part| types(schema, schema.at(place, part), depth + 1));
        let Some(first) = parts.next() else { return };
        let together = parts.fold(first, |together, part| if any { &together | &part } else { &together & &part });
        found.retain(|kind| together.contains(kind));
    };
    narrow("anyOf", true);
    narrow("oneOf", true);
    narrow("allOf", false);
    restricted(found)
}

fn named(word: &str) -> BTreeSet<&'static str> {
    match word {
        FRACTION => BTreeSet::from(["integer", FRACTION]),
        word => ALL.into_iter().filter(|kind| *kind == word).collect(),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => FRACTION,
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
