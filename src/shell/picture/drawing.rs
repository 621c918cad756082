//! Where the boxes of a picture are: rows flow down, what is before a step stands above it.

use super::Step;

/// Blanks between two branches.
const GAP: usize = 2;
/// Lines between a box and the one that takes its rows: the corner of a branch, and the tip of the arrow.
const WIRE: usize = 2;
/// Lines of a box that are not text, and columns.
const FRAME: usize = 2;
/// A blank on both sides of the text.
const PADDING: usize = 2;
/// Texts are cut into lines of so many characters, fewer where the picture would be too wide.
const TEXT_MAX: usize = 46;
const TEXT_MIN: usize = 14;
/// Longer texts are cut short.
const LINES_MAX: usize = 6;

/// Boxes and wires, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::shell) struct Drawing {
    pub(super) boxes: Vec<Placed>,
    /// Columns and lines.
    pub(super) size: (usize, usize),
}

/// A box with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    /// What the step is called, and what it does.
    pub(super) name: Vec<String>,
    pub(super) about: Vec<String>,
    /// The boxes whose rows come in, by index.
    pub(super) inputs: Vec<usize>,
}

impl Placed {
    /// The column in which wires arrive and leave.
    pub(super) fn middle(&self) -> usize {
        self.x + self.width / 2
    }
}

impl Drawing {
    /// The pictures of `steps`, one below the other.
    pub(in crate::shell) fn of_all(steps: &[Step], room: Option<usize>) -> Self {
        let mut all = Self { boxes: Vec::new(), size: (0, 0) };
        for step in steps {
            let mut drawing = Self::new(step, room);
            let first = all.boxes.len();
            let below = if first == 0 { 0 } else { all.size.1 + 1 };
            drawing.shift(0, 0, below);
            drawing.boxes.iter_mut().flat_map(|placed| &mut placed.inputs).for_each(|input| *input += first);
            all.size = (all.size.0.max(drawing.size.0), below + drawing.size.1);
            all.boxes.append(&mut drawing.boxes);
        }
        all
    }

    /// The picture of `step`, as wide as `room` if texts can be cut into lines that short.
    pub(in crate::shell) fn new(step: &Step, room: Option<usize>) -> Self {
        let mut text_max = TEXT_MAX;
        loop {
            let mut drawing = Self { boxes: Vec::new(), size: (0, 0) };
            let (_, width, height) = drawing.place(step, text_max);
            drawing.size = (width, height);
            if text_max <= TEXT_MIN || room.is_none_or(|room| width <= room) {
                return drawing;
            }
            text_max -= 2;
        }
    }

    /// Places a step and all before it; gives its index and the columns and lines that they take.
    fn place(&mut self, step: &Step, text_max: usize) -> (usize, usize, usize) {
        let begin = self.boxes.len();
        let (mut branches, mut width, mut height) = (Vec::new(), 0, 0);
        for input in &step.inputs {
            let first = self.boxes.len();
            let (index, wide, high) = self.place(input, text_max);
            let offset = if width == 0 { 0 } else { width + GAP };
            self.shift(first, offset, 0);
            branches.push((index, first, high));
            width = offset + wide;
            height = height.max(high);
        }
        // All branches end in the same line.
        for (i, &(_, first, high)) in branches.iter().enumerate() {
            let end = branches.get(i + 1).map_or(self.boxes.len(), |next| next.1);
            self.boxes[first..end].iter_mut().for_each(|placed| placed.y += height - high);
        }
        let inputs: Vec<usize> = branches.iter().map(|branch| branch.0).collect();
        let placed = framed(step, text_max, inputs);
        let middles: Vec<usize> = placed.inputs.iter().map(|&input| self.boxes[input].middle()).collect();
        let middle = match (middles.first(), middles.last()) {
            (Some(first), Some(last)) => usize::midpoint(*first, *last),
            _ => placed.width / 2,
        };
        // A box wider than what is above it pushes that to the right.
        let push = (placed.width / 2).saturating_sub(middle);
        self.shift(begin, push, 0);
        let x = middle + push - placed.width / 2;
        let y = if placed.inputs.is_empty() { 0 } else { height + WIRE };
        let size = ((width + push).max(x + placed.width), y + placed.height);
        self.boxes.push(Placed { x, y, ..placed });
        (self.boxes.len() - 1, size.0, size.1)
    }

    fn shift(&mut self, from: usize, columns: usize, lines: usize) {
        for placed in &mut self.boxes[from..] {
            placed.x += columns;
            placed.y += lines;
        }
    }
}

/// The box of a step, at no place yet.
fn framed(step: &Step, text_max: usize, inputs: Vec<usize>) -> Placed {
    let (name, about) = (wrapped(&step.name, text_max), wrapped(&step.about, text_max));
    let widest = name.iter().chain(&about).map(|line| line.chars().count()).max().unwrap_or(0);
    let height = name.len() + about.len() + FRAME;
    Placed { x: 0, y: 0, width: widest + PADDING + FRAME, height, name, about, inputs }
}

/// `text` in lines of at most `room` characters, cut at blanks where that is possible.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        for (i, part) in letters.chunks(room).enumerate() {
            let part: String = part.iter().collect();
            match lines.last_mut() {
                Some(line) if i == 0 && line.chars().count() + 1 + part.chars().count() <= room => {
                    line.push(' ');
                    line.push_str(&part);
                }
                _ => lines.push(part),
            }
        }
    }
    if lines.len() > LINES_MAX {
        lines.truncate(LINES_MAX);
        if let Some(last) = lines.last_mut() {
            let kept: String = last.chars().take(room - 1).collect();
            *last = format!("{kept}…");
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::step::tests::JOIN;
    use super::*;

    #[test]
    fn no_box_stands_on_another_and_all_are_inside() {
        let step = Step::parse(JOIN.lines()).expect("it is a tree");
        for room in [None, Some(40), Some(10)] {
            let drawing = Drawing::new(&step, room);
            assert_eq!(drawing.boxes.len(), 5);
            for (i, one) in drawing.boxes.iter().enumerate() {
                assert!(one.x + one.width <= drawing.size.0 && one.y + one.height <= drawing.size.1, "{one:?}");
                for other in &drawing.boxes[i + 1..] {
                    let beside = one.x + one.width <= other.x || other.x + other.width <= one.x;
                    let above = one.y + one.height <= other.y || other.y + other.height <= one.y;
                    assert!(beside || above, "{one:?} {other:?}");
                }
            }
        }
        assert!(Drawing::new(&step, Some(44)).size.0 <= 44);
    }

    #[test]
    fn pictures_stand_one_below_the_other() {
        let step = Step::parse(JOIN.lines()).expect("it is a tree");
        let one = Drawing::new(&step, None);
        let two = Drawing::of_all(&[step.clone(), step], None);
        assert_eq!((two.boxes.len(), two.size), (10, (one.size.0, 2 * one.size.1 + 1)));
        assert_eq!(two.boxes[9].inputs, [one.boxes[4].inputs[0] + 5]);
        assert_eq!(Drawing::of_all(&[], None).size, (0, 0));
    }

    #[test]
    fn texts_are_cut_at_blanks_and_at_last_cut_short() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        let long = wrapped(&"word ".repeat(50), 5);
        assert_eq!((long.len(), long[5].as_str()), (LINES_MAX, "word…"));
        assert!(wrapped("", 5).is_empty());
    }
}
