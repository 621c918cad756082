//! A picture in characters.

use super::drawing::{Drawing, Placed};

/// The lines of `drawing`.
pub(in crate::shell) fn text(drawing: &Drawing) -> Vec<String> {
    let (width, height) = drawing.size;
    let mut canvas = Canvas { lines: vec![vec![' '; width]; height] };
    drawing.boxes.iter().for_each(|placed| canvas.draw_box(placed));
    drawing.boxes.iter().for_each(|placed| canvas.draw_wires(drawing, placed));
    canvas.lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned()).collect()
}

struct Canvas {
    lines: Vec<Vec<char>>,
}

impl Canvas {
    fn set(&mut self, x: usize, y: usize, c: char) {
        if let Some(place) = self.lines.get_mut(y).and_then(|line| line.get_mut(x)) {
            *place = c;
        }
    }

    fn write(&mut self, x: usize, y: usize, text: &str) {
        text.chars().enumerate().for_each(|(i, c)| self.set(x + i, y, c));
    }

    fn draw_box(&mut self, placed: &Placed) {
        let Placed { x, y, width, height, .. } = *placed;
        let line = "─".repeat(width - 2);
        self.write(x, y, &format!("┌{line}┐"));
        self.write(x, y + height - 1, &format!("└{line}┘"));
        for (i, text) in placed.name.iter().chain(&placed.about).enumerate() {
            self.set(x, y + 1 + i, '│');
            self.write(x + 2, y + 1 + i, text);
            self.set(x + width - 1, y + 1 + i, '│');
        }
    }

    /// From the boxes before `placed` down to it.
    fn draw_wires(&mut self, drawing: &Drawing, placed: &Placed) {
        let middles: Vec<usize> = placed.inputs.iter().map(|&input| drawing.boxes[input].middle()).collect();
        let (Some(&first), Some(&last)) = (middles.first(), middles.last()) else { return };
        let (to, corner) = (placed.middle(), placed.y - 2);
        for x in first.min(to)..=last.max(to) {
            self.set(x, corner, '─');
        }
        for (&input, &x) in placed.inputs.iter().zip(&middles) {
            let below = &drawing.boxes[input];
            self.set(x, below.y + below.height - 1, '┬');
            self.set(x, corner, joint(x, to, first, last));
        }
        if !middles.contains(&to) {
            self.set(to, corner, '┬');
        }
        self.set(to, corner + 1, '▼');
    }
}

/// The sign where a wire from above meets the one that leads to `to`.
fn joint(x: usize, to: usize, first: usize, last: usize) -> char {
    match (x > first.min(to), x < last.max(to)) {
        (false, false) => '│',
        (false, true) if x == to => '├',
        (true, false) if x == to => '┤',
        (true, true) if x == to => '┼',
        (false, true) => '└',
        (true, false) => '┘',
        (true, true) => '┴',
    }
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::super::step::tests::JOIN;
    use super::*;

    #[test]
    fn rows_flow_down() {
        let step = Step::parse(JOIN.lines()).expect("it is a tree");
        let drawn = text(&Drawing::new(&step, Some(80))).join("\n");
        let expected = "\
┌─────────────────────────┐
│ Source TRANSFERS        │
│ stream, topic transfers │
└────────────┬────────────┘
             │
             ▼
     ┌───────────────┐       ┌────────────────────┐
     │ Filter        │       │ Source BANKS       │
     │ (AMOUNT > 10) │       │ table, topic banks │
     └───────┬───────┘       └──────────┬─────────┘
             └────────────┬─────────────┘
                          ▼
                 ┌─────────────────┐
                 │ StreamTableJoin │
                 │ INNER on BANK   │
                 └────────┬────────┘
                          │
                          ▼
           ┌────────────────────────────┐
           │ Client                     │
           │ `N` BIGINT (until stopped) │
           └────────────────────────────┘";
        assert_eq!(drawn, expected, "\n{drawn}");
    }
}
