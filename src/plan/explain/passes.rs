//! What the passes have done to a plan, and what it shares with running queries.

use super::super::settings::Settings;
use super::super::{Change, PlanNode, Source};
use crate::catalog::{Catalog, QueryId};

/// Queries that are named; of the others there is a number.
const NAMED_MAX: usize = 5;

/// The section of `changes` and of what is shared; empty if there is nothing to say.
pub(super) fn text(changes: &[Change], shared: &[String]) -> String {
    if changes.is_empty() && shared.is_empty() {
        return String::new();
    }
    let changes = changes.iter().map(|change| format!("  {}: {}\n", change.pass, change.what));
    let shared = shared.iter().map(|what| format!("  shared decode: {what}\n"));
    format!("\nPasses\n{}", changes.chain(shared).collect::<String>())
}

/// For each source of `root`, the other persistent queries that read its topic in the same way: where they stand at the same
/// place of a partition, its records are decoded once for all of them. `own` is the query itself.
pub(super) fn shared(root: &PlanNode, own: Option<&QueryId>, catalog: &Catalog, settings: &Settings) -> Vec<String> {
    if !settings.topics.shares_decodes() {
        return Vec::new();
    }
    root.sources().into_iter().filter_map(|source| shared_source(source, own, catalog, settings)).collect()
}

fn shared_source(source: &Source, own: Option<&QueryId>, catalog: &Catalog, settings: &Settings) -> Option<String> {
    let (way, mut needed, mut queries) = (source.way_of_reading(), source.needed.clone(), Vec::new());
    for query in catalog.queries().filter(|query| Some(&query.id) != own) {
        let Some(plan) = settings.plans.plan(&query.id) else { continue };
        let sources = plan.root.sources().into_iter().filter(|other| other.topic == source.topic);
        let alike: Vec<&Source> = sources.filter(|other| other.way_of_reading() == way).collect();
        if alike.is_empty() {
            continue;
        }
        queries.push(query.id.to_string());
        for other in alike {
            needed.iter_mut().zip(&other.needed).for_each(|(needed, other)| *needed |= *other);
        }
    }
    let named: Vec<&str> = queries.iter().take(NAMED_MAX).map(String::as_str).collect();
    let more = queries.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let columns = needed.iter().filter(|needed| **needed).count();
    let text = || {
        format!("topic {} with {}{more}, {columns} of {} value columns", source.topic, named.join(", "), needed.len())
    };
    (!queries.is_empty()).then(text)
}
