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
    ForeignKeyTableJoin,
    AggregateOfForeignKeyJoin,
    WindowedStream,
    GroupByOfWindowed,
    WindowedStreamTableJoin,
    WindowedStreamStreamJoin,
}

/// All kinds, and whether the engine runs them. One that it does not must be refused.
pub const KINDS: &[(Kind, bool)] = &[
    (Kind::Projection, true),
    (Kind::Filter, true),
    (Kind::TableProjection, true),
    (Kind::TableFilter, true),
    (Kind::PartitionBy, true),
    (Kind::GroupBy, true),
    (Kind::Tumbling, true),
    (Kind::Hopping, true),
    (Kind::Session, false),
    (Kind::TumblingFinal, false),
    (Kind::HoppingFinal, false),
    (Kind::SessionFinal, false),
    (Kind::TableGroupBy, true),
    (Kind::StreamTableJoin, true),
    (Kind::StreamStreamJoin, true),
    (Kind::TableTableJoin, true),
    (Kind::ForeignKeyJoin, true),
    (Kind::StreamTableTableJoin, true),
    (Kind::StreamStreamTableJoin, true),
    (Kind::TableTableTableJoin, true),
    (Kind::AggregateOfStreamTableJoin, true),
    (Kind::AggregateOfStreamStreamJoin, true),
    (Kind::AggregateOfTableJoin, true),
    (Kind::ForeignKeyTableJoin, true),
    (Kind::AggregateOfForeignKeyJoin, true),
    (Kind::WindowedStream, true),
    (Kind::GroupByOfWindowed, true),
    (Kind::WindowedStreamTableJoin, true),
    (Kind::WindowedStreamStreamJoin, true),
];

/// The kinds that run.
pub fn enabled() -> Vec<Kind> {
    KINDS.iter().filter(|(_, runs)| *runs).map(|(kind, _)| *kind).collect()
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
            Self::ForeignKeyJoin | Self::ForeignKeyTableJoin | Self::AggregateOfForeignKeyJoin => false,
            _ => !holds_back,
        }
    }
}
