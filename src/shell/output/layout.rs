//! How much room there is, and the look of tables in it.

use std::io::{self, Write};

use comfy_table::{Attribute, Cell, ContentArrangement, ContentLineStyle, LineStyle, Row, Table, TableStyle};
use terminal_size::terminal_size;

use super::Palette;

/// Columns with fewer characters than this are not worth shrinking, and no longer readable when they are.
const READABLE: u16 = 12;

/// Words and short names can be read down to this width.
const LEGIBLE: u16 = 8;

const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction('│'))
    .header_separator(LineStyle::none().fill('─').junction('┼'))
    .content_lines(ContentLineStyle::none().junction('│'));

/// Room for tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// As wide as the terminal is at the moment.
    Terminal,
    /// This many characters.
    Fixed(u16),
    /// As wide as the content.
    Unlimited,
}

/// Room and colours for tables.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Room.
    pub width: Width,
    /// Colours.
    pub palette: Palette,
    /// Whether rows stand one below the other, a line per column, also where they would fit side by side.
    pub expanded: bool,
    /// Whether what is wider than its column goes on in the next line; else it is cut.
    pub wraps: bool,
    /// Characters of each column; `None` for what the content needs.
    pub column_width: Option<u16>,
}

impl Layout {
    /// Tables of this width and these colours, as they are before anybody changes something.
    pub fn new(width: Width, palette: Palette) -> Self {
        Self { width, palette, expanded: false, wraps: true, column_width: None }
    }

    /// Characters per line; `None` when there is no limit.
    pub(super) fn columns(self) -> Option<u16> {
        match self.width {
            Width::Terminal => terminal_size().map(|(width, _)| width.0),
            Width::Fixed(width) => Some(width),
            Width::Unlimited => None,
        }
    }

    /// Characters per line, for what draws itself.
    pub(in crate::shell) fn room(self) -> Option<usize> {
        self.columns().map(usize::from)
    }

    /// Lines of the terminal; `None` where there is none.
    pub(super) fn lines(self) -> Option<u16> {
        match self.width {
            Width::Terminal => terminal_size().map(|(_, height)| height.0),
            Width::Fixed(_) | Width::Unlimited => None,
        }
    }

    /// Adds a row, cut to one line where wide values do not wrap.
    pub(super) fn add_row(self, table: &mut Table, cells: Vec<Cell>) {
        let mut row = Row::from(cells);
        if !self.wraps {
            row.max_height(1);
        }
        table.add_row(row);
    }

    /// An empty table that wraps its cells into the room there is.
    pub(super) fn table(self) -> Table {
        let mut table = Table::new();
        table.load_style(STYLE).force_no_tty();
        if self.palette.is_coloured() {
            table.enforce_styling();
        }
        if let Some(width) = self.columns() {
            table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
        }
        table
    }

    /// A heading.
    pub(super) fn heading(self, text: &str) -> Cell {
        let cell = Cell::new_owned(printable(text.to_owned()));
        if self.palette.is_coloured() { cell.add_attribute(Attribute::Bold) } else { cell }
    }

    /// The cell of an absent value.
    pub(super) fn null(self) -> Cell {
        let cell = Cell::new("null");
        if self.palette.is_coloured() { cell.add_attribute(Attribute::Dim) } else { cell }
    }

    /// The cell of a value whose key is gone.
    pub(super) fn gone(self) -> Cell {
        let cell = Cell::new("<TOMBSTONE>");
        if self.palette.is_coloured() { cell.add_attribute(Attribute::Dim) } else { cell }
    }

    /// Whether columns of these content widths can stand side by side and still be read.
    pub(super) fn fits(self, widths: &[u16]) -> bool {
        !self.expanded && self.fits_down_to(READABLE, widths)
    }

    /// The same for listings, whose cells are names and words.
    pub(super) fn fits_listing(self, widths: &[u16]) -> bool {
        !self.expanded && self.fits_down_to(LEGIBLE, widths)
    }

    /// Whether a cell beside names of `name_width` characters has room for words.
    pub(super) fn fits_beside(self, name_width: u16) -> bool {
        self.fits_whole(&[name_width, LEGIBLE])
    }

    fn fits_down_to(self, least: u16, widths: &[u16]) -> bool {
        let least: Vec<u16> = widths.iter().map(|&width| width.min(least)).collect();
        self.fits_whole(&least)
    }

    fn fits_whole(self, widths: &[u16]) -> bool {
        let needed: usize = widths.iter().map(|&width| usize::from(width)).sum();
        self.columns().is_none_or(|room| needed + frame(widths.len()) <= usize::from(room))
    }

    /// Reduces the wide ones among `widths` until the columns fit, see [`Layout::fits`].
    pub(super) fn shrink(self, widths: &mut [u16]) {
        let Some(room) = self.columns() else { return };
        let room = usize::from(room).saturating_sub(frame(widths.len()));
        let mut excess = widths.iter().map(|&width| usize::from(width)).sum::<usize>().saturating_sub(room);
        while excess > 0 {
            let Some(widest) = widths.iter_mut().filter(|width| **width > READABLE).max() else { return };
            *widest -= 1;
            excess -= 1;
        }
    }
}

/// Characters of a line that are not content: a space on both sides of each cell, a bar between two.
fn frame(columns: usize) -> usize {
    (3 * columns).saturating_sub(1)
}

/// `text` with the characters that would act on the terminal made visible; line breaks stay.
pub(super) fn printable(text: String) -> String {
    let acts = |c: char| c.is_control() && c != '\n';
    if !text.contains(acts) {
        return text;
    }
    text.chars().map(|c| if acts(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// Writes the lines of `table`, without the blanks at their ends.
pub(super) fn write_table(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_obeyed() {
        let check = |text: &str, expected: &str| assert_eq!(printable(text.to_owned()), expected);
        check("plain Zoë 東京", "plain Zoë 東京");
        check("a\tb\u{1b}[2Jc", "a\\tb\\u{1b}[2Jc");
        check("two\nlines", "two\nlines");
    }

    #[test]
    fn shrinking_takes_from_the_widest() {
        let layout = Layout::new(Width::Fixed(50), Palette::PLAIN);
        let mut widths = [10, 40, 20];
        layout.shrink(&mut widths);
        assert_eq!(widths.iter().sum::<u16>(), 50 - 8);
        assert_eq!(widths[0], 10);
        assert!(layout.fits(&widths));
    }

    #[test]
    fn more_columns_than_can_be_read_do_not_fit() {
        let layout = Layout::new(Width::Fixed(80), Palette::PLAIN);
        assert!(layout.fits(&[30; 5]));
        assert!(!layout.fits(&[30; 6]));
        assert!(Layout { width: Width::Unlimited, ..layout }.fits(&[30; 600]));
        assert!(layout.fits_listing(&[30; 7]));
        assert!(!layout.fits_listing(&[30; 8]));
        assert!(!Layout { expanded: true, ..layout }.fits(&[1]), "rows one below the other were asked for");
    }
}
