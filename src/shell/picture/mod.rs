//! The dataflow of a query as a picture: what EXPLAIN says, drawn; or that of all queries.
//!
//! ```text
//! lines of EXPLAIN ─▶ Step (a tree) ─▶ Drawing (boxes at their places) ─┬─▶ text of a terminal
//!                         │                                             └─▶ SVG
//!                         └─▶ DOT, which finds its places itself
//! ```

mod dot;
mod drawing;
mod flow;
mod step;
mod svg;
mod text;
mod topology;

pub(super) use dot::dot;
pub(super) use drawing::Drawing;
pub(super) use flow::{Flow, trees};
pub(super) use step::Step;
pub(super) use svg::svg;
pub(super) use text::text;
