//! Figures for monitoring: what they are called, places to write them to, and their text.
//!
//! ```text
//! Registry ── Counter, Gauge, Histogram (atomics; whoever writes waits for nobody) ──┐
//!                                                                                     ├─▶ Snapshot ─▶ text for Prometheus
//! figures that are kept elsewhere, looked up when somebody asks ──────────────────────┘
//! ```
//!
//! A layer that has something to tell declares a [`Metric`] and takes a handle from the [`Registry`] once; writing to it is one
//! atomic operation. Nothing is written per row: counts of rows are added per batch.
//!
//! Why no crate: most figures are looked up when somebody asks ([`Snapshot::add`]), which libraries for metrics leave to
//! collectors that are longer than this folder, and the format has a page.

mod handles;
mod snapshot;

pub use handles::{Counter, Gauge, Histogram, Registry};
pub use snapshot::{Buckets, Labels, Number, Snapshot, Value};

/// What a figure is called and means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Name for Prometheus: letters, digits and `_`.
    pub name: &'static str,
    /// What kind of figure it is.
    pub kind: Kind,
    /// One sentence.
    pub help: &'static str,
}

/// What kind of figure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, from 0 when the process starts.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How often a value was at most so large.
    Histogram,
    /// One that says something by its labels.
    Untyped,
}

impl Kind {
    /// The word in the text format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Untyped => "untyped",
        }
    }
}

impl Metric {
    /// A figure that only grows.
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, help }
    }

    /// A figure that goes up and down.
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, help }
    }

    /// How values are distributed.
    pub const fn histogram(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Histogram, help }
    }

    /// A figure that says something by its labels.
    pub const fn untyped(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Untyped, help }
    }
}

/// A label: its name and its value.
pub type Label<'a> = (&'static str, &'a str);
