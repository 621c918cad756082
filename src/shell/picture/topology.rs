//! The steps of a query of ksqlDB, read from the topology of Kafka Streams that its EXPLAIN shows.
//!
//! ```text
//! Source: KSTREAM-SOURCE-0000000000 (topics: [orders])
//!   --> KSTREAM-FILTER-0000000001
//! Processor: KSTREAM-FILTER-0000000001 (stores: [])
//!   <-- KSTREAM-SOURCE-0000000000
//! ```

use super::Step;

/// Deeper pictures are none: a topology of Kafka Streams has no cycles, other texts may.
const DEPTH_MAX: usize = 200;

/// A node as it is described.
struct Node<'a> {
    kind: &'a str,
    name: &'a str,
    /// Topics of a source or a sink.
    topics: Vec<&'a str>,
    /// Stores of a processor.
    stores: &'a str,
    /// Nodes before it.
    before: Vec<&'a str>,
    is_last: bool,
}

/// The tree that ends in the last node, if `lines` describe a topology.
pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Step> {
    let mut nodes: Vec<Node<'a>> = Vec::new();
    for line in lines.map(str::trim) {
        if let Some(before) = line.strip_prefix("<-- ") {
            nodes.last_mut()?.before.extend(names(before));
        } else if let Some(after) = line.strip_prefix("--> ") {
            nodes.last_mut()?.is_last = after == "none";
        } else {
            nodes.extend(node(line));
        }
    }
    let read = |node: &Node<'_>| nodes.iter().any(|other| other.kind == "Source" && shares(other, node));
    let last = nodes.iter().rfind(|node| node.is_last && !(node.kind == "Sink" && read(node)))?;
    Some(step(&nodes, last, 0))
}

fn node(line: &str) -> Option<Node<'_>> {
    let (kind, rest) = line.split_once(": ").filter(|(kind, _)| ["Source", "Processor", "Sink"].contains(kind))?;
    let (name, details) = rest.split_once(" (").unwrap_or((rest, ""));
    let details = details.trim_end_matches(')');
    let (about, listed) = details.split_once(": ").unwrap_or_default();
    let listed = listed.trim_matches(['[', ']']);
    let (topics, stores) = if about == "stores" { (Vec::new(), listed) } else { (names(listed).collect(), "") };
    Some(Node { kind, name: name.trim(), topics, stores, before: Vec::new(), is_last: kind == "Sink" })
}

fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// Whether a source reads what a sink writes.
fn shares(source: &Node<'_>, sink: &Node<'_>) -> bool {
    sink.kind == "Sink" && source.topics.iter().any(|topic| sink.topics.contains(topic))
}

fn step(nodes: &[Node<'_>], node: &Node<'_>, depth: usize) -> Step {
    let before: Vec<&Node<'_>> = match node.kind {
        _ if depth >= DEPTH_MAX => Vec::new(),
        "Source" => nodes.iter().filter(|sink| shares(node, sink)).collect(),
        _ => node.before.iter().filter_map(|name| nodes.iter().find(|other| other.name == *name)).collect(),
    };
    let (name, about) = match node.kind {
        "Processor" if node.stores.is_empty() => (without_number(node.name).to_owned(), String::new()),
        "Processor" => (without_number(node.name).to_owned(), format!("stores {}", node.stores)),
        kind => (kind.to_owned(), format!("topic {}", node.topics.join(", "))),
    };
    Step { name, about, inputs: before.into_iter().map(|input| step(nodes, input, depth + 1)).collect() }
}

/// `KSTREAM-FILTER` for `KSTREAM-FILTER-0000000001`.
fn without_number(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((before, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => before,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPOLOGY: &str = "\
Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [orders])
      --> Filter
    Processor: Filter (stores: [])
      --> KSTREAM-SINK-0000000002
      <-- KSTREAM-SOURCE-0000000000
    Sink: KSTREAM-SINK-0000000002 (topic: by-customer-repartition)
      <-- Filter

  Sub-topology: 1
    Source: KSTREAM-SOURCE-0000000003 (topics: [by-customer-repartition])
      --> KSTREAM-AGGREGATE-0000000004
    Processor: KSTREAM-AGGREGATE-0000000004 (stores: [Aggregate-Materialize])
      --> KTABLE-SINK-0000000005
      <-- KSTREAM-SOURCE-0000000003
    Sink: KTABLE-SINK-0000000005 (topic: TOTALS)
      <-- KSTREAM-AGGREGATE-0000000004
";

    /// A step and all before it, the last first.
    fn flat(step: &Step) -> Vec<String> {
        let own = format!("{} {}", step.name, step.about).trim_end().to_owned();
        [own].into_iter().chain(step.inputs.iter().flat_map(flat)).collect()
    }

    #[test]
    fn parts_are_joined_at_the_topics_between_them() {
        let tree = Step::parse(TOPOLOGY.lines()).expect("it is a topology");
        let expected = [
            "Sink topic TOTALS",
            "KSTREAM-AGGREGATE stores Aggregate-Materialize",
            "Source topic by-customer-repartition",
            "Sink topic by-customer-repartition",
            "Filter",
            "Source topic orders",
        ];
        assert_eq!(flat(&tree), expected);
    }

    #[test]
    fn a_topology_that_reads_what_it_writes_ends() {
        let circle = "Source: a (topics: [t])\n  --> b\nSink: b (topic: t)\n  <-- a\nSink: c (topic: u)\n  <-- a\n";
        let tree = Step::parse(circle.lines()).expect("it has an end");
        assert_eq!(flat(&tree).len(), DEPTH_MAX + 1);
        assert_eq!(Step::parse("Topologies:\n   Sub-topology: 0\n".lines()), None);
    }
}
