//! `allOf`, `anyOf`, `oneOf` and `not`.

use serde_json::{Map, Value};

use super::compatibility::Comparison;
use super::{Place, View};
use crate::registry::compatibility::Fault;

/// Keywords that combine schemas, of which one must hold, or all.
const SUMS: [&str; 2] = ["anyOf", "oneOf"];
const PRODUCT: &str = "allOf";

/// What `old` takes and `new` does not.
pub(super) fn compare<'a>(comparison: &mut Comparison<'a>, new: Place<'a>, old: Place<'a>) -> Vec<Fault> {
    let (sum_new, sum_old) = (sum(new), sum(old));
    let mut faults = match (sum_new, sum_old) {
        (Some((word, new_parts)), Some((old_word, old_parts))) => {
            let mut faults = sums(comparison, (new, word, new_parts), (old, old_word, old_parts));
            faults.extend(comparison.own_keywords(new, old));
            faults
        }
        // One of the new parts must take it all, or the values of each type.
        (Some((_, parts)), None) => {
            let is_taken = parts.iter().any(|part| comparison.takes(comparison.new_at(new, part), old)) || {
                let types = comparison.old_types(old);
                types.len() > 1
                    && types.into_iter().all(|kind| {
                        let old = Place { only: Some(kind), ..old };
                        parts.iter().any(|part| comparison.takes(comparison.new_at(new, part), old))
                    })
            };
            let mut faults = comparison.own_keywords(new, old);
            if !is_taken && faults.is_empty() {
                faults.push(comparison.fault("SUM_TYPE_NARROWED", "none of the alternatives takes all values"));
            }
            faults
        }
        // Each of the old parts must be taken.
        (None, Some((_, parts))) => {
            let own = comparison.own_keywords(new, old);
            if own.is_empty() || parts.iter().all(|part| comparison.takes(new, comparison.old_at(old, part))) {
                Vec::new()
            } else {
                own
            }
        }
        (None, None) => comparison.own_keywords(new, old),
    };
    products(comparison, new, old, &mut faults);
    faults.extend(negations(comparison, new, old));
    faults
}

fn keywords(place: Place<'_>) -> Option<&Map<String, Value>> {
    match place.view {
        View::Object(keywords) => Some(keywords),
        View::Any | View::Nothing => None,
    }
}

fn sum(place: Place<'_>) -> Option<(&'static str, &[Value])> {
    let keywords = keywords(place)?;
    SUMS.into_iter().find_map(|word| Some((word, keywords.get(word)?.as_array()?.as_slice())))
}

type Sum<'a> = (Place<'a>, &'static str, &'a [Value]);

fn sums<'a>(comparison: &mut Comparison<'a>, new: Sum<'a>, old: Sum<'a>) -> Vec<Fault> {
    let ((new, word, new_parts), (old, old_word, old_parts)) = (new, old);
    if word == "oneOf" && old_word == "anyOf" && old_parts.len() > 1 {
        return vec![comparison.fault("COMBINED_TYPE_CHANGED", "where any of several held, exactly one must hold now")];
    }
    let mut taken = Vec::with_capacity(old_parts.len());
    for part in old_parts {
        let part = comparison.old_at(old, part);
        taken.push(
            new_parts.iter().map(|other| comparison.takes(comparison.new_at(new, other), part)).collect::<Vec<bool>>(),
        );
    }
    // An alternative that takes several is enough where any may hold.
    let every = taken.iter().all(|by| by.iter().any(|is_taken| *is_taken));
    if word == "anyOf" && every || matched(&taken, new_parts.len()) == old_parts.len() {
        return Vec::new();
    }
    let kind = if new_parts.len() < old_parts.len() { "SUM_TYPE_NARROWED" } else { "COMBINED_TYPE_SUBSCHEMAS_CHANGED" };
    let lost: Vec<String> =
        (taken.iter().enumerate()).filter(|(_, by)| !by.contains(&true)).map(|(index, _)| index.to_string()).collect();
    let text = match lost.as_slice() {
        [] => "several alternatives are taken by one only".to_owned(),
        lost => format!("no alternative takes what number {} of {old_word} took", lost.join(", ")),
    };
    vec![comparison.fault_at(&[word], kind, &text)]
}

/// `allOf`: each of the new parts must take all.
fn products<'a>(comparison: &mut Comparison<'a>, new: Place<'a>, old: Place<'a>, faults: &mut Vec<Fault>) {
    let parts = |place: Place<'a>| keywords(place).and_then(|all| all.get(PRODUCT)).and_then(Value::as_array);
    match (parts(new), parts(old)) {
        (None, None) => {}
        // Each part narrows: that one of them is taken is enough.
        (None, Some(old_parts)) => {
            if !faults.is_empty() && old_parts.iter().any(|part| comparison.takes(new, comparison.old_at(old, part))) {
                faults.clear();
            }
        }
        (Some(new_parts), old_parts) => {
            for (index, part) in new_parts.iter().enumerate() {
                let part = comparison.new_at(new, part);
                let of_old = old_parts.into_iter().flatten();
                let mut of_old = of_old.map(|other| comparison.old_at(old, other)).collect::<Vec<_>>().into_iter();
                // The keywords beside them narrow the old one too.
                if of_old.any(|other| comparison.takes(part, other)) || comparison.takes(part, old) {
                    continue;
                }
                let kind = match old_parts.map(Vec::len) {
                    Some(before) if before >= new_parts.len() => "COMBINED_TYPE_SUBSCHEMAS_CHANGED",
                    _ => "PRODUCT_TYPE_EXTENDED",
                };
                let text = format!("number {index} of allOf does not take all values");
                faults.push(comparison.fault_at(&[PRODUCT, &index.to_string()], kind, &text));
            }
        }
    }
}

/// `not`: what was not excluded must not be excluded now.
fn negations<'a>(comparison: &mut Comparison<'a>, new: Place<'a>, old: Place<'a>) -> Option<Fault> {
    let negated = new.keyword("not")?;
    let Some(before) = old.keyword("not") else {
        return Some(comparison.fault_at(&["not"], "NOT_TYPE_EXTENDED", "values are excluded that were not before"));
    };
    let (negated, before) = (comparison.new_at(new, negated), comparison.old_at(old, before));
    // Roles change: what was excluded must contain what is excluded now.
    let is_contained = comparison.reversed("not", |reversed| reversed.takes(before, negated));
    (!is_contained)
        .then(|| comparison.fault_at(&["not"], "NOT_TYPE_EXTENDED", "values are excluded that were not before"))
}

/// To how many of the old parts a new one of their own can be given.
fn matched(taken: &[Vec<bool>], new_parts: usize) -> usize {
    let mut owner: Vec<Option<usize>> = vec![None; new_parts];
    let mut found = 0;
    for old in 0..taken.len() {
        let mut tried = vec![false; new_parts];
        if assign(old, taken, &mut owner, &mut tried) {
            found += 1;
        }
    }
    found
}

/// Gives the part `old` a new one, moving others where that helps.
fn assign(old: usize, taken: &[Vec<bool>], owner: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for new in 0..owner.len() {
        if !taken[old][new] || tried[new] {
            continue;
        }
        tried[new] = true;
        if owner[new].is_none_or(|other| assign(other, taken, owner, tried)) {
            owner[new] = Some(old);
            return true;
        }
    }
    false
}
