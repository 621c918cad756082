//! Keywords about objects. What happens to a property that comes or goes depends on the content model of the schema that
//! does not name it: open (anything may stand under other names), closed (nothing), or partially open (what a schema takes).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::compatibility::Comparison;
use super::values::{Bound, bound};
use super::{Place, View};
use crate::registry::compatibility::Fault;

const SIZES: [Bound; 2] = [
    Bound {
        keyword: "maxProperties",
        added: "MAX_PROPERTIES_ADDED",
        narrowed: "MAX_PROPERTIES_DECREASED",
        is_upper: true,
    },
    Bound {
        keyword: "minProperties",
        added: "MIN_PROPERTIES_ADDED",
        narrowed: "MIN_PROPERTIES_INCREASED",
        is_upper: false,
    },
];

/// What `old` takes and `new` does not.
pub(super) fn compare<'a>(comparison: &mut Comparison<'a>, new: Place<'a>, old: Place<'a>) -> Vec<Fault> {
    let mut faults: Vec<Fault> = SIZES.iter().filter_map(|limit| bound(comparison, limit, new, old)).collect();
    let (now, before) = (Model::of(comparison, new, true), Model::of(comparison, old, false));
    let names_required = required_of(new);
    for (name, schema) in properties(new) {
        let place = comparison.new_at(new, schema);
        match properties_of(old).and_then(|all| all.get(name)) {
            Some(other) => {
                let other = comparison.old_at(old, other);
                faults.extend(comparison.below(&["properties", name], place, other));
            }
            None => faults.extend(added(comparison, name, place, &before, names_required.contains(name.as_str()))),
        }
    }
    for (name, schema) in properties(old) {
        if properties_of(new).is_none_or(|all| !all.contains_key(name)) {
            let place = comparison.old_at(old, schema);
            faults.extend(removed(comparison, name, place, &now));
        }
    }
    faults.extend(required(comparison, new, old, &before));
    faults.extend(others(comparison, &now, &before));
    faults.extend(dependencies(comparison, new, old));
    faults
}

fn properties_of(place: Place<'_>) -> Option<&Map<String, Value>> {
    place.keyword("properties").and_then(Value::as_object)
}

fn properties(place: Place<'_>) -> impl Iterator<Item = (&String, &Value)> {
    properties_of(place).into_iter().flatten()
}

fn required_of(place: Place<'_>) -> BTreeSet<&str> {
    place.keyword("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What may stand under names that `properties` does not list.
struct Model<'a> {
    others: View<'a>,
    place: Place<'a>,
    /// Schemas by patterns of names.
    patterns: Vec<(&'a str, Option<regex::Regex>, Place<'a>)>,
}

impl<'a> Model<'a> {
    fn of(comparison: &Comparison<'a>, place: Place<'a>, is_new: bool) -> Self {
        let at = |value: &'a Value| {
            if is_new { comparison.new_at(place, value) } else { comparison.old_at(place, value) }
        };
        let others = place.keyword("additionalProperties").or_else(|| place.keyword("unevaluatedProperties"));
        let others = others.map_or(Place { view: View::Any, only: None, ..place }, at);
        let patterns = place.keyword("patternProperties").and_then(Value::as_object).into_iter().flatten();
        let patterns = patterns.map(|(text, schema)| (text.as_str(), regex::Regex::new(text).ok(), at(schema)));
        Self { others: others.view, place: others, patterns: patterns.collect() }
    }

    /// What takes a property called `name`: a pattern, or the schema of all others.
    fn covering(&self, name: &str) -> Place<'a> {
        let matching =
            self.patterns.iter().find(|(_, pattern, _)| pattern.as_ref().is_some_and(|one| one.is_match(name)));
        matching.map_or(self.place, |(_, _, place)| *place)
    }

    fn is_open(&self, name: &str) -> bool {
        matches!(self.covering(name).view, View::Any)
    }
}

/// A property that only the new schema names: what the old one took under the name must be taken.
fn added<'a>(
    comparison: &mut Comparison<'a>,
    name: &str,
    place: Place<'a>,
    before: &Model<'a>,
    is_required: bool,
) -> Option<Fault> {
    let at = |comparison: &Comparison<'a>, kind, text: &str| {
        Some(comparison.fault_at(&["properties", name], kind, &format!("the property {name} was added {text}")))
    };
    let covering = before.covering(name);
    match covering.view {
        View::Any if matches!(place.view, View::Any) => None,
        View::Any => {
            let text = "where any value could stand: the content model was open";
            at(comparison, "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", text)
        }
        View::Object(_) if !comparison.takes(place, covering) => {
            let text = "and does not take what could stand there before";
            at(comparison, "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", text)
        }
        View::Object(_) | View::Nothing if is_required && place.keyword("default").is_none() => {
            at(comparison, "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", "and is required without a default")
        }
        View::Object(_) | View::Nothing => None,
    }
}

/// A property that only the old schema names: the new one must take it among the others.
fn removed<'a>(comparison: &mut Comparison<'a>, name: &str, place: Place<'a>, now: &Model<'a>) -> Option<Fault> {
    let at = |comparison: &Comparison<'a>, kind, text: &str| {
        Some(comparison.fault_at(&["properties", name], kind, &format!("the property {name} was removed {text}")))
    };
    let covering = now.covering(name);
    match covering.view {
        View::Any => None,
        View::Object(_) if comparison.takes(covering, place) => None,
        View::Object(_) => {
            let text = "and what it took is not taken";
            at(comparison, "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", text)
        }
        View::Nothing if matches!(place.view, View::Nothing) => None,
        View::Nothing => {
            at(comparison, "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL", "and nothing is taken under other names")
        }
    }
}

/// `required` of properties that were there before, or that nothing is said of.
fn required<'a>(comparison: &Comparison<'a>, new: Place<'a>, old: Place<'a>, model: &Model<'a>) -> Vec<Fault> {
    let before = required_of(old);
    let mut faults = Vec::new();
    for name in required_of(new) {
        let schema = properties_of(new).and_then(|all| all.get(name)).map(|schema| comparison.new_at(new, schema));
        let was_named = properties_of(old).is_some_and(|all| all.contains_key(name));
        // What was added to a model that is not open has been looked at.
        let is_looked_at = schema.is_some() && !was_named && !model.is_open(name);
        let has_default = schema.is_some_and(|schema| has_default(schema));
        if before.contains(name) || has_default || is_looked_at {
            continue;
        }
        let text = format!("{name} has become required, without a default");
        faults.push(comparison.fault_at(&["required", name], "REQUIRED_ATTRIBUTE_ADDED", &text));
    }
    faults
}

fn has_default(place: Place<'_>) -> bool {
    place.keyword("default").is_some()
}

/// `additionalProperties` and `patternProperties`.
fn others<'a>(comparison: &mut Comparison<'a>, now: &Model<'a>, before: &Model<'a>) -> Vec<Fault> {
    const WORD: &str = "additionalProperties";
    let mut faults = match (now.others, before.others) {
        (View::Any, _) | (_, View::Nothing) => Vec::new(),
        (View::Nothing, _) => {
            let text = "properties under other names are not taken any more";
            vec![comparison.fault_at(&[WORD], "ADDITIONAL_PROPERTIES_REMOVED", text)]
        }
        (View::Object(_), View::Any) => {
            let text = "properties under other names must fit a schema now";
            vec![comparison.fault_at(&[WORD], "ADDITIONAL_PROPERTIES_NARROWED", text)]
        }
        (View::Object(_), View::Object(_)) => comparison.below(&[WORD], now.place, before.place),
    };
    for (text, _, place) in &now.patterns {
        let other =
            before.patterns.iter().find(|(other, ..)| other == text).map_or(before.place, |(_, _, other)| *other);
        faults.extend(comparison.below(&["patternProperties", text], *place, other));
    }
    for (text, _, place) in &before.patterns {
        if now.patterns.iter().all(|(other, ..)| other != text) {
            faults.extend(comparison.below(&["patternProperties", text], now.place, *place));
        }
    }
    faults
}

/// `dependencies`, which newer drafts call `dependentRequired` and `dependentSchemas`.
fn dependencies<'a>(comparison: &mut Comparison<'a>, new: Place<'a>, old: Place<'a>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for word in ["dependencies", "dependentRequired", "dependentSchemas"] {
        let of = |place: Place<'a>| place.keyword(word).and_then(Value::as_object);
        let before = of(old);
        for (name, now) in of(new).into_iter().flatten() {
            let steps = [word, name.as_str()];
            match (now, before.and_then(|all| all.get(name))) {
                (Value::Array(_), None) => {
                    let text = format!("what {name} depends on was added");
                    faults.push(comparison.fault_at(&steps, "DEPENDENCY_ARRAY_ADDED", &text));
                }
                (Value::Array(names), Some(Value::Array(others))) if !names.iter().all(|one| others.contains(one)) => {
                    let is_wider = others.iter().all(|one| names.contains(one));
                    let kind = if is_wider { "DEPENDENCY_ARRAY_EXTENDED" } else { "DEPENDENCY_ARRAY_CHANGED" };
                    faults.push(comparison.fault_at(&steps, kind, &format!("{name} depends on more than before")));
                }
                (Value::Array(_), Some(_)) => {}
                (_, None) => {
                    let text = format!("a schema that depends on {name} was added");
                    faults.push(comparison.fault_at(&steps, "DEPENDENCY_SCHEMA_ADDED", &text));
                }
                (now, Some(other)) => {
                    let (now, other) = (comparison.new_at(new, now), comparison.old_at(old, other));
                    faults.extend(comparison.below(&steps, now, other));
                }
            }
        }
    }
    faults
}
