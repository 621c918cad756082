//! Which schemas may follow which: levels, and what stands in the way.

use std::fmt;

/// What a new schema of a subject must be able to do with those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compatibility {
    /// Nothing.
    None,
    /// Read what the last one has written.
    #[default]
    Backward,
    /// Read what all have written.
    BackwardTransitive,
    /// Write what the last one can read.
    Forward,
    /// Write what all can read.
    ForwardTransitive,
    /// Both with the last one.
    Full,
    /// Both with all.
    FullTransitive,
}

impl Compatibility {
    const ALL: [(Self, &'static str); 7] = [
        (Self::None, "NONE"),
        (Self::Backward, "BACKWARD"),
        (Self::BackwardTransitive, "BACKWARD_TRANSITIVE"),
        (Self::Forward, "FORWARD"),
        (Self::ForwardTransitive, "FORWARD_TRANSITIVE"),
        (Self::Full, "FULL"),
        (Self::FullTransitive, "FULL_TRANSITIVE"),
    ];

    /// The level called `word`, in any case.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name)| name.eq_ignore_ascii_case(word)).map(|(level, _)| level)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(level, _)| *level == self).map_or("", |(_, name)| name)
    }

    /// Whether all earlier versions count.
    pub(super) fn is_transitive(self) -> bool {
        matches!(self, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive)
    }

    /// Whether the new schema must read what older ones wrote.
    pub(super) fn is_backward(self) -> bool {
        matches!(self, Self::Backward | Self::BackwardTransitive | Self::Full | Self::FullTransitive)
    }

    /// Whether older schemas must read what the new one writes.
    pub(super) fn is_forward(self) -> bool {
        matches!(self, Self::Forward | Self::ForwardTransitive | Self::Full | Self::FullTransitive)
    }
}

/// One reason why a schema cannot read what another one has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The word that Confluent's registry has for it.
    pub(super) kind: &'static str,
    /// Where in the schema.
    pub(super) path: String,
    /// What is wrong, in words.
    pub(super) description: String,
    /// The names or values it is about.
    pub(super) info: String,
}

/// As clients of Confluent's registry know it.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, description, info, .. } = self;
        write!(f, "{{errorType:'{kind}', description:'{description}', additionalInfo:'{info}'}}")
    }
}

/// What the two schemas of a comparison are called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides {
    /// The one that reads.
    pub(super) reader: &'static str,
    /// The one that has written.
    pub(super) writer: &'static str,
}

impl Sides {
    /// The new schema reads what the old one has written.
    pub(super) const BACKWARD: Self = Self { reader: "new", writer: "old" };
    /// The old schema reads what the new one writes.
    pub(super) const FORWARD: Self = Self { reader: "old", writer: "new" };
}

/// More are not told.
pub(super) const FAULTS_MAX: usize = 100;
