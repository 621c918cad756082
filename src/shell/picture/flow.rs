//! What flows where among the queries of a server: a tree for each stream or table that no query reads.

use super::Step;
use crate::shell::named_sources::named_sources;

/// A loop of queries that write what they read is drawn so far.
const DEPTH_MAX: usize = 30;

/// A query, as SHOW QUERIES lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::shell) struct Flow {
    /// Its id.
    pub(in crate::shell) id: String,
    /// `RUNNING:1`.
    pub(in crate::shell) state: String,
    /// What it fills.
    pub(in crate::shell) sink: String,
    /// What it reads.
    pub(in crate::shell) sources: Vec<String>,
}

impl Flow {
    /// The query of this text.
    pub(in crate::shell) fn new(id: &str, state: &str, sink: &str, text: &str) -> Self {
        let named = named_sources(text).into_iter().map(|(name, _)| name);
        let mut sources: Vec<String> = Vec::new();
        // INTO names the sink; what is read twice is drawn once.
        named.for_each(|name| {
            if name != sink && !sources.contains(&name) {
                sources.push(name);
            }
        });
        Self { id: id.to_owned(), state: state.to_owned(), sink: sink.to_owned(), sources }
    }
}

/// The trees of `flows`: each ends in what no query reads.
pub(in crate::shell) fn trees(flows: &[Flow]) -> Vec<Step> {
    let is_read = |name: &str| flows.iter().any(|flow| flow.sources.iter().any(|source| source == name));
    let mut ends: Vec<&str> = Vec::new();
    for flow in flows {
        if !is_read(&flow.sink) && !ends.contains(&flow.sink.as_str()) {
            ends.push(&flow.sink);
        }
    }
    // Where queries write in circles there is no end: all of them are one.
    if ends.is_empty() {
        ends.extend(flows.first().map(|flow| flow.sink.as_str()));
    }
    ends.into_iter().map(|name| source(name, flows, 0)).collect()
}

fn source(name: &str, flows: &[Flow], depth: usize) -> Step {
    let writers = flows.iter().filter(|flow| flow.sink == name && depth < DEPTH_MAX);
    let inputs = writers.map(|flow| Step {
        name: flow.id.clone(),
        about: flow.state.clone(),
        inputs: flow.sources.iter().map(|read| source(read, flows, depth + 1)).collect(),
    });
    Step { name: name.to_owned(), about: String::new(), inputs: inputs.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(step: &Step) -> String {
        let inputs: Vec<String> = step.inputs.iter().map(flat).collect();
        if inputs.is_empty() { step.name.clone() } else { format!("{}({})", step.name, inputs.join(" ")) }
    }

    #[test]
    fn trees_end_in_what_nobody_reads() {
        let flows = [
            Flow::new("Q_1", "RUNNING:1", "B", "CREATE STREAM b AS SELECT * FROM a;"),
            Flow::new("Q_2", "RUNNING:1", "C", "CREATE TABLE c AS SELECT * FROM b JOIN d ON x = y GROUP BY x;"),
            Flow::new("Q_3", "RUNNING:1", "C", "INSERT INTO c SELECT * FROM e;"),
            Flow::new("Q_4", "PAUSED:1", "F", "CREATE STREAM f AS SELECT * FROM a;"),
        ];
        let shown: Vec<String> = trees(&flows).iter().map(flat).collect();
        assert_eq!(shown, ["C(Q_2(B(Q_1(A)) D) Q_3(E))", "F(Q_4(A))"]);
        assert!(trees(&[]).is_empty());
    }

    #[test]
    fn circles_are_drawn_so_far() {
        let flows = [
            Flow::new("Q_1", "", "A", "INSERT INTO a SELECT * FROM b;"),
            Flow::new("Q_2", "", "B", "INSERT INTO b SELECT * FROM a;"),
        ];
        assert_eq!(trees(&flows).len(), 1);
        assert_eq!(flat(&trees(&flows)[0]).matches('(').count(), 2 * DEPTH_MAX);
    }
}
