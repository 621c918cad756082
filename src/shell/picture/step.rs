//! The steps of a query, read from the lines of EXPLAIN.

use super::topology;

/// A step and those whose rows it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::shell) struct Step {
    /// What it is: `Filter`, `Source PAYMENTS`.
    pub(super) name: String,
    /// What it does.
    pub(super) about: String,
    /// Steps before it.
    pub(super) inputs: Vec<Step>,
}

impl Step {
    /// The tree that `lines` begin with, or the topology of Kafka Streams that they are; `None` if they are something else.
    pub(in crate::shell) fn parse<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        Self::parse_tree(lines.clone()).or_else(|| topology::parse(lines))
    }

    /// Each step is indented by two blanks more than the one that takes its rows.
    fn parse_tree<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let tree: Vec<(usize, &str)> = lines
            .take_while(|line| !line.trim().is_empty())
            .map(|line| (line.len() - line.trim_start().len(), line.trim()))
            .collect();
        let (first, rest) = tree.split_first()?;
        // A topology of Kafka Streams is another thing.
        let is_tree = !first.1.starts_with("Topolog")
            && rest.iter().all(|(indent, _)| *indent > first.0 && (indent - first.0).is_multiple_of(2));
        (is_tree && !rest.is_empty()).then(|| Self::subtree(first.1, rest, first.0 + 2))
    }

    /// The step of `line`, whose inputs are the lines of `below` that are indented by `indent`.
    fn subtree(line: &str, below: &[(usize, &str)], indent: usize) -> Self {
        let (name, about) = of_ksqldb(line).or_else(|| line.split_once(": ")).unwrap_or((line, ""));
        let mut inputs = Vec::new();
        let mut at = 0;
        while at < below.len() {
            let end = below[at + 1..].iter().position(|(of_line, _)| *of_line <= indent);
            let end = end.map_or(below.len(), |end| at + 1 + end);
            inputs.push(Self::subtree(below[at].1, &below[at + 1..end], indent + 2));
            at = end;
        }
        Self { name: name.to_owned(), about: about.to_owned(), inputs }
    }
}

/// ksqlDB writes ``> [ PROJECT ] | Schema: `A` INTEGER | Logger: CSAS_B_1``.
fn of_ksqldb(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.strip_prefix("> [ ")?.split_once(" ]")?;
    let about = rest.split_once("Schema: ").map_or("", |(_, about)| about);
    Some((name, about.split_once(" | ").map_or(about, |(schema, _)| schema)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A join of two sources.
    pub(in crate::shell::picture) const JOIN: &str = "\
Client: `N` BIGINT (until stopped)
  StreamTableJoin: INNER on BANK
    Filter: (AMOUNT > 10)
      Source TRANSFERS: stream, topic transfers
    Source BANKS: table, topic banks

Topology
  Sub-topology 0, 1 task
";

    #[test]
    fn indentation_says_whose_rows_a_step_takes() {
        let tree = Step::parse(JOIN.lines()).expect("it is a tree");
        assert_eq!((tree.name.as_str(), tree.inputs.len()), ("Client", 1));
        let join = &tree.inputs[0];
        assert_eq!(join.about, "INNER on BANK");
        let names: Vec<&str> = join.inputs.iter().map(|input| input.name.as_str()).collect();
        assert_eq!(names, ["Filter", "Source BANKS"]);
        assert_eq!(join.inputs[0].inputs[0].name, "Source TRANSFERS");
    }

    #[test]
    fn plans_of_ksqldb_are_trees_too() {
        let plan = " > [ SINK ] | Schema: `A` INTEGER KEY | Logger: Q\n\t\t > [ SOURCE ] | Schema: `A` INTEGER KEY | Logger: Q.S";
        let tree = Step::parse(plan.lines()).expect("it is a tree");
        assert_eq!((tree.name.as_str(), tree.about.as_str()), ("SINK", "`A` INTEGER KEY"));
        assert_eq!(tree.inputs[0].name, "SOURCE");
    }

    #[test]
    fn what_is_no_tree_is_not_drawn() {
        assert_eq!(Step::parse(["", "x"].into_iter()), None);
        assert_eq!(Step::parse(["only a line"].into_iter()), None);
        let of_streams = ["Topologies:", "   Sub-topology: 0", "    Source: KSTREAM-SOURCE-0000000000"];
        assert_eq!(Step::parse(of_streams.into_iter()), None);
    }
}
