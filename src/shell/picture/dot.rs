//! A picture in the language of Graphviz.

use std::fmt::Write as _;

use super::Step;

/// `steps` as the text of a DOT file called `title`.
pub(in crate::shell) fn dot(steps: &[Step], title: &str) -> String {
    let mut out = format!("digraph \"{}\" {{\n  node [shape=box, fontname=\"monospace\"];\n", escaped(title));
    let mut next = 0;
    for step in steps {
        write_step(&mut out, step, &mut next);
    }
    out.push_str("}\n");
    out
}

/// Writes a step and all before it; gives its number.
fn write_step(out: &mut String, step: &Step, next: &mut usize) -> usize {
    let own = *next;
    *next += 1;
    let about = if step.about.is_empty() { String::new() } else { format!("\\n{}", escaped(&step.about)) };
    // Writing to a text does not fail.
    let _ = writeln!(out, "  s{own} [label=\"{}{about}\"];", escaped(&step.name));
    for input in &step.inputs {
        let number = write_step(out, input, next);
        let _ = writeln!(out, "  s{number} -> s{own};");
    }
    own
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::super::step::tests::JOIN;
    use super::*;

    #[test]
    fn arrows_go_where_rows_go() {
        let step = Step::parse(JOIN.lines()).expect("it is a tree");
        let drawn = dot(&[step], "q \"1\"");
        assert!(drawn.starts_with("digraph \"q \\\"1\\\"\" {\n"), "{drawn}");
        assert!(drawn.contains("s1 [label=\"StreamTableJoin\\nINNER on BANK\"];"), "{drawn}");
        for arrow in ["s1 -> s0;", "s2 -> s1;", "s3 -> s2;", "s4 -> s1;"] {
            assert!(drawn.contains(arrow), "{arrow}: {drawn}");
        }
    }
}
