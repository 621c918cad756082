//! Keywords about arrays: items that are all alike, items by their place, and what may follow those.

use serde_json::Value;

use super::compatibility::Comparison;
use super::values::{Bound, bound};
use super::{Place, View};
use crate::registry::compatibility::Fault;

const SIZES: [Bound; 2] = [
    Bound { keyword: "maxItems", added: "MAX_ITEMS_ADDED", narrowed: "MAX_ITEMS_DECREASED", is_upper: true },
    Bound { keyword: "minItems", added: "MIN_ITEMS_ADDED", narrowed: "MIN_ITEMS_INCREASED", is_upper: false },
];

/// What the items of an array may be.
struct Items<'a> {
    /// Of the first places.
    first: Vec<Place<'a>>,
    /// Of all others.
    rest: Place<'a>,
    /// The keyword that says so.
    word: &'static str,
}

impl<'a> Items<'a> {
    fn of(comparison: &Comparison<'a>, place: Place<'a>, is_new: bool) -> Self {
        let at =
            |value: &'a Value| if is_new { comparison.new_at(place, value) } else { comparison.old_at(place, value) };
        let any = Place { view: View::Any, only: None, ..place };
        let rest = |word: &'static str| (place.keyword(word).map_or(any, at), word);
        let (listed, (rest, word)) = match (place.keyword("prefixItems"), place.keyword("items")) {
            (Some(Value::Array(listed)), _) => (listed.as_slice(), rest("items")),
            (_, Some(Value::Array(listed))) => (listed.as_slice(), rest("additionalItems")),
            _ => (&[][..], rest("items")),
        };
        Self { first: listed.iter().map(at).collect(), rest, word }
    }
}

/// What `old` takes and `new` does not.
pub(super) fn compare<'a>(comparison: &mut Comparison<'a>, new: Place<'a>, old: Place<'a>) -> Vec<Fault> {
    let mut faults: Vec<Fault> = SIZES.iter().filter_map(|limit| bound(comparison, limit, new, old)).collect();
    let is_unique = |place: Place<'_>| place.keyword("uniqueItems") == Some(&Value::Bool(true));
    if is_unique(new) && !is_unique(old) {
        faults.push(comparison.fault_at(&["uniqueItems"], "UNIQUE_ITEMS_ADDED", "items must be different now"));
    }
    let (now, before) = (Items::of(comparison, new, true), Items::of(comparison, old, false));
    for index in 0..now.first.len().max(before.first.len()) {
        faults.extend(place(comparison, index, &now, &before));
    }
    faults.extend(match (now.rest.view, before.rest.view) {
        (View::Any, _) | (_, View::Nothing) => Vec::new(),
        (View::Nothing, _) => {
            let text = "no more items are taken";
            vec![comparison.fault_at(&[now.word], "ADDITIONAL_ITEMS_REMOVED", text)]
        }
        (View::Object(_), View::Any) if now.word == "additionalItems" => {
            let text = "further items must fit a schema now";
            vec![comparison.fault_at(&[now.word], "ADDITIONAL_ITEMS_NARROWED", text)]
        }
        _ => comparison.below(&[now.word], now.rest, before.rest),
    });
    faults
}

/// One of the first places: a schema that comes or goes there is compared with what holds for further items.
fn place<'a>(comparison: &mut Comparison<'a>, index: usize, now: &Items<'a>, before: &Items<'a>) -> Vec<Fault> {
    let number = index.to_string();
    let steps = ["items", number.as_str()];
    let kind = match (now.first.get(index), before.first.get(index)) {
        (Some(new), Some(old)) => return comparison.below(&steps, *new, *old),
        (Some(new), None) => match before.rest.view {
            View::Any if !matches!(new.view, View::Any) => "ITEM_ADDED_TO_OPEN_CONTENT_MODEL",
            View::Object(_) if !comparison.takes(*new, before.rest) => {
                "ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            }
            _ => return Vec::new(),
        },
        (None, Some(old)) => match now.rest.view {
            View::Nothing if !matches!(old.view, View::Nothing) => "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL",
            View::Object(_) if !comparison.takes(now.rest, *old) => {
                "ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"
            }
            _ => return Vec::new(),
        },
        (None, None) => return Vec::new(),
    };
    vec![comparison.fault_at(&steps, kind, &format!("what item {index} could be is not taken any more"))]
}
