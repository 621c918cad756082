//! Keywords about single values: `enum`, `const`, lengths, patterns and bounds.

use serde_json::Value;

use super::Place;
use super::compatibility::Comparison;
use crate::registry::compatibility::Fault;

/// The values that a schema lists.
pub(super) fn choices_of(place: Place<'_>) -> Option<Vec<&Value>> {
    match (place.keyword("enum"), place.keyword("const")) {
        (Some(Value::Array(values)), _) => Some(values.iter().collect()),
        (_, Some(value)) => Some(vec![value]),
        _ => None,
    }
}

/// `enum` and `const`.
pub(super) fn choices<'a>(comparison: &Comparison<'a>, new: Place<'a>, old: Place<'a>) -> Option<Fault> {
    let now = choices_of(new)?;
    let Some(before) = choices_of(old) else {
        return Some(comparison.fault("ENUM_ARRAY_NARROWED", "only listed values are taken, where any were before"));
    };
    let lost: Vec<String> = before.iter().filter(|value| !now.contains(value)).map(ToString::to_string).collect();
    if lost.is_empty() {
        return None;
    }
    let kind =
        if now.iter().all(|value| before.contains(value)) { "ENUM_ARRAY_NARROWED" } else { "ENUM_ARRAY_CHANGED" };
    Some(comparison.fault(kind, &format!("the values {} are not taken any more", lost.join(", "))))
}

/// A bound, and the words for what becomes of it.
pub(super) struct Bound {
    pub(super) keyword: &'static str,
    pub(super) added: &'static str,
    pub(super) narrowed: &'static str,
    /// Whether smaller values are narrower.
    pub(super) is_upper: bool,
}

/// Whether the bound is narrower in `new`.
pub(super) fn bound(comparison: &Comparison<'_>, bound: &Bound, new: Place<'_>, old: Place<'_>) -> Option<Fault> {
    let (now, before) = (limit(new, bound.keyword), limit(old, bound.keyword));
    let now = now?;
    let Some(before) = before else {
        let text = format!("{} {now} was added", bound.keyword);
        return Some(comparison.fault_at(&[bound.keyword], bound.added, &text));
    };
    let is_narrower = if bound.is_upper { now < before } else { now > before };
    is_narrower.then(|| {
        let text = format!("{} went from {before} to {now}", bound.keyword);
        comparison.fault_at(&[bound.keyword], bound.narrowed, &text)
    })
}

/// The value of a bound. In draft 4, `exclusiveMaximum: true` makes `maximum` one.
fn limit(place: Place<'_>, keyword: &str) -> Option<f64> {
    let number = |keyword: &str| place.keyword(keyword).and_then(Value::as_f64);
    let is_exclusive = |keyword: &str| place.keyword(keyword) == Some(&Value::Bool(true));
    match keyword {
        "maximum" if is_exclusive("exclusiveMaximum") => None,
        "minimum" if is_exclusive("exclusiveMinimum") => None,
        "exclusiveMaximum" if is_exclusive(keyword) => number("maximum"),
        "exclusiveMinimum" if is_exclusive(keyword) => number("minimum"),
        keyword => number(keyword),
    }
}

const LENGTHS: [Bound; 2] = [
    Bound { keyword: "maxLength", added: "MAX_LENGTH_ADDED", narrowed: "MAX_LENGTH_DECREASED", is_upper: true },
    Bound { keyword: "minLength", added: "MIN_LENGTH_ADDED", narrowed: "MIN_LENGTH_INCREASED", is_upper: false },
];

/// Lengths and patterns of texts.
pub(super) fn strings(comparison: &Comparison<'_>, new: Place<'_>, old: Place<'_>) -> Vec<Fault> {
    let mut faults: Vec<Fault> = LENGTHS.iter().filter_map(|limit| bound(comparison, limit, new, old)).collect();
    match (new.keyword("pattern"), old.keyword("pattern")) {
        (Some(now), None) => {
            faults.push(comparison.fault_at(&["pattern"], "PATTERN_ADDED", &format!("the pattern {now} was added")));
        }
        (Some(now), Some(before)) if now != before => {
            let text = format!("the pattern {before} became {now}");
            faults.push(comparison.fault_at(&["pattern"], "PATTERN_CHANGED", &text));
        }
        _ => {}
    }
    faults
}

const BOUNDS: [Bound; 4] = [
    Bound { keyword: "maximum", added: "MAXIMUM_ADDED", narrowed: "MAXIMUM_DECREASED", is_upper: true },
    Bound { keyword: "minimum", added: "MINIMUM_ADDED", narrowed: "MINIMUM_INCREASED", is_upper: false },
    Bound {
        keyword: "exclusiveMaximum",
        added: "EXCLUSIVE_MAXIMUM_ADDED",
        narrowed: "EXCLUSIVE_MAXIMUM_DECREASED",
        is_upper: true,
    },
    Bound {
        keyword: "exclusiveMinimum",
        added: "EXCLUSIVE_MINIMUM_ADDED",
        narrowed: "EXCLUSIVE_MINIMUM_INCREASED",
        is_upper: false,
    },
];

/// Bounds of numbers.
pub(super) fn numbers(comparison: &Comparison<'_>, new: Place<'_>, old: Place<'_>) -> Vec<Fault> {
    let mut faults: Vec<Fault> = BOUNDS.iter().filter_map(|limit| bound(comparison, limit, new, old)).collect();
    faults.extend(multiples(comparison, new, old));
    faults
}

fn multiples(comparison: &Comparison<'_>, new: Place<'_>, old: Place<'_>) -> Option<Fault> {
    let factor = |place: Place<'_>| place.keyword("multipleOf").and_then(Value::as_f64);
    let now = factor(new)?;
    let at = |kind, text: String| Some(comparison.fault_at(&["multipleOf"], kind, &text));
    let Some(before) = factor(old) else { return at("MULTIPLE_OF_ADDED", format!("multipleOf {now} was added")) };
    let divides = |divisor: f64, number: f64| {
        let ratio = number / divisor;
        (ratio - ratio.round()).abs() < 1e-9
    };
    if divides(now, before) {
        return None;
    }
    let kind = if divides(before, now) { "MULTIPLE_OF_EXPANDED" } else { "MULTIPLE_OF_CHANGED" };
    at(kind, format!("multipleOf went from {before} to {now}"))
}
