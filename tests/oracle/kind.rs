//! The kinds of queries that cases have.

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Projection,
    Filter,
    TableProjection,
    TableFilter,
    PartitionBy,
    GroupBy,
    Tumbling,
    Hopping,
    Session,
    TumblingFinal,
    HoppingFinal,
    SessionFinal,
    TableGroupBy,
    StreamTableJoin,
    StreamStreamJoin,
    TableTableJoin,
    ForeignKeyJoin,
    StreamTableTableJoin,
    StreamStreamTableJoin,
    TableTableTableJoin,
    AggregateOfStreamTableJoin,
    AggregateOfStreamStreamJoin,
    AggregateOfTableJoin,
    /// Several changes are on their way at once.
    ForeignKeyOvertaken,
    ForeignKeyTableJoin,
    AggregateOfForeignKeyJoin,
    WindowedStream,
    GroupByOfWindowed,
    WindowedStreamTableJoin,
    WindowedStreamStreamJoin,
}

/// What the engine does with queries of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It gives what the interpreter gives.
    Runs,
    /// It gives something else, for a reason that is known.
    Differs,
}

use Status::{Differs, Runs};

/// All kinds. What is no longer as this table says fails a test.
pub const KINDS: &[(Kind, Status)] = &[
    (Kind::Projection, Runs),
    (Kind::Filter, Runs),
    (Kind::TableProjection, Runs),
    (Kind::TableFilter, Runs),
    (Kind::PartitionBy, Runs),
    (Kind::GroupBy, Runs),
    (Kind::Tumbling, Runs),
    (Kind::Hopping, Runs),
    (Kind::Session, Runs),
    (Kind::TumblingFinal, Runs),
    (Kind::HoppingFinal, Runs),
    (Kind::SessionFinal, Runs),
    (Kind::TableGroupBy, Runs),
    (Kind::StreamTableJoin, Runs),
    (Kind::StreamStreamJoin, Runs),
    (Kind::TableTableJoin, Runs),
    (Kind::ForeignKeyJoin, Runs),
    (Kind::StreamTableTableJoin, Runs),
    (Kind::StreamStreamTableJoin, Runs),
    (Kind::TableTableTableJoin, Runs),
    (Kind::AggregateOfStreamTableJoin, Runs),
    (Kind::AggregateOfStreamStreamJoin, Runs),
    (Kind::AggregateOfTableJoin, Runs),
    // A result stays where its tombstone is overtaken: `foreign_key_join` drops answers to older versions of a row, and the
    // newer version asks for an answer only if there is a right row.
    (Kind::ForeignKeyOvertaken, Differs),
    (Kind::ForeignKeyTableJoin, Runs),
    (Kind::AggregateOfForeignKeyJoin, Runs),
    (Kind::WindowedStream, Runs),
    (Kind::GroupByOfWindowed, Runs),
    (Kind::WindowedStreamTableJoin, Runs),
    (Kind::WindowedStreamStreamJoin, Runs),
];

/// The kinds of `status`.
pub fn kinds_of(status: Status) -> Vec<Kind> {
    KINDS.iter().filter(|(_, known)| *known == status).map(|(kind, _)| *kind).collect()
}

impl Kind {
    /// Whether the keys of its sources are windowed.
    pub fn has_windowed_sources(self) -> bool {
        matches!(
            self,
            Self::WindowedStream
                | Self::GroupByOfWindowed
                | Self::WindowedStreamTableJoin
                | Self::WindowedStreamStreamJoin
        )
    }

    /// Whether rows of results may go.
    pub fn has_tombstones(self) -> bool {
        matches!(
            self,
            Self::TableProjection
                | Self::TableFilter
                | Self::GroupBy
                | Self::Session
                | Self::TableTableJoin
                | Self::ForeignKeyJoin
                | Self::TableTableTableJoin
        )
    }

    /// Whether the headers of results are those of the record that made them; of others only the modes must agree.
    /// What is held back has none.
    pub fn has_known_headers(self, holds_back: bool) -> bool {
        match self {
            Self::Projection | Self::Filter | Self::PartitionBy | Self::WindowedStream => true,
            Self::StreamTableJoin | Self::StreamTableTableJoin | Self::WindowedStreamTableJoin => true,
            Self::TumblingFinal | Self::HoppingFinal | Self::SessionFinal => false,
            Self::StreamStreamJoin | Self::StreamStreamTableJoin | Self::AggregateOfStreamStreamJoin => false,
            Self::WindowedStreamStreamJoin => false,
            Self::ForeignKeyJoin | Self::ForeignKeyOvertaken | Self::ForeignKeyTableJoin => false,
            Self::AggregateOfForeignKeyJoin => false,
            _ => !holds_back,
        }
    }
}
