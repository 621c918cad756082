//! A picture as SVG, at the places that it has in characters.

use std::fmt::Write as _;

use super::drawing::{Drawing, Placed};

/// Pixels of a character.
const CELL: (usize, usize) = (8, 18);
const MARGIN: usize = 16;

/// `drawing` as the text of an SVG file called `title`.
pub(in crate::shell) fn svg(drawing: &Drawing, title: &str) -> String {
    let (width, height) = (pixels(drawing.size.0, 0), pixels(drawing.size.1, 1));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         font-family=\"ui-monospace, monospace\" font-size=\"13\">\n<title>{}</title>\n\
         <defs><marker id=\"tip\" markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"4\" orient=\"auto\">\
         <path d=\"M0,0 L8,4 L0,8 z\" fill=\"#57606a\"/></marker></defs>\n\
         <rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n",
        escaped(title),
        w = width + MARGIN,
        h = height + MARGIN,
    );
    for placed in &drawing.boxes {
        for &input in &placed.inputs {
            write_wire(&mut out, &drawing.boxes[input], placed);
        }
    }
    drawing.boxes.iter().for_each(|placed| write_box(&mut out, placed));
    out.push_str("</svg>\n");
    out
}

fn write_wire(out: &mut String, from: &Placed, to: &Placed) {
    let (x1, y1) = (pixels(from.middle(), 0), pixels(from.y + from.height, 1));
    let (x2, y2) = (pixels(to.middle(), 0), pixels(to.y, 1));
    let between = usize::midpoint(y1, y2);
    // Writing to a text does not fail.
    let _ = writeln!(
        out,
        "<path d=\"M{x1},{y1} V{between} H{x2} V{y2}\" fill=\"none\" stroke=\"#57606a\" marker-end=\"url(#tip)\"/>"
    );
}

fn write_box(out: &mut String, placed: &Placed) {
    let (x, y) = (pixels(placed.x, 0), pixels(placed.y, 1));
    let (width, height) = (placed.width * CELL.0, placed.height * CELL.1);
    let fill = if placed.inputs.is_empty() { "#ddf4ff" } else { "#f6f8fa" };
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"{fill}\" stroke=\"#57606a\"/>"
    );
    let names = placed.name.iter().map(|line| (line, " font-weight=\"bold\""));
    let lines = names.chain(placed.about.iter().map(|line| (line, "")));
    for ((line, weight), number) in lines.zip(1..) {
        let (at, base) = (x + 2 * CELL.0, y + number * CELL.1 + CELL.1 * 3 / 4);
        let _ = writeln!(out, "<text x=\"{at}\" y=\"{base}\"{weight} xml:space=\"preserve\">{}</text>", escaped(line));
    }
}

fn pixels(cells: usize, axis: usize) -> usize {
    MARGIN + cells * if axis == 0 { CELL.0 } else { CELL.1 }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::super::step::tests::JOIN;
    use super::*;

    #[test]
    fn every_step_has_a_box_and_every_input_a_wire() {
        let step = Step::parse(JOIN.lines()).expect("it is a tree");
        let drawn = svg(&Drawing::new(&step, None), "a < b");
        assert_eq!(drawn.matches("rx=\"6\"").count(), 5);
        assert_eq!(drawn.matches("url(#tip)").count(), 4);
        assert!(drawn.contains("<title>a &lt; b</title>") && drawn.contains("(AMOUNT &gt; 10)"), "{drawn}");
        assert!(drawn.ends_with("</svg>\n"));
    }
}
