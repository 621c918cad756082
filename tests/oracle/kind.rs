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
    StreamSelfJoin,
    TableSelfJoin,
    ForeignKeySelfJoin,
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    Kind::Projection,
    Kind::Filter,
    Kind::TableProjection,
    Kind::TableFilter,
    Kind::PartitionBy,
    Kind::GroupBy,
    Kind::Tumbling,
    Kind::Hopping,
    Kind::Session,
    Kind::TumblingFinal,
    Kind::HoppingFinal,
    Kind::SessionFinal,
    Kind::TableGroupBy,
    Kind::StreamTableJoin,
    Kind::StreamStreamJoin,
    Kind::TableTableJoin,
    Kind::ForeignKeyJoin,
    Kind::StreamTableTableJoin,
    Kind::StreamStreamTableJoin,
    Kind::TableTableTableJoin,
    Kind::AggregateOfStreamTableJoin,
    Kind::AggregateOfStreamStreamJoin,
    Kind::AggregateOfTableJoin,
    Kind::ForeignKeyOvertaken,
    Kind::ForeignKeyTableJoin,
    Kind::AggregateOfForeignKeyJoin,
    Kind::WindowedStream,
    Kind::GroupByOfWindowed,
    Kind::WindowedStreamTableJoin,
    Kind::WindowedStreamStreamJoin,
    Kind::StreamSelfJoin,
    Kind::TableSelfJoin,
    Kind::ForeignKeySelfJoin,
];

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

    /// Whether its source is joined with itself.
    pub fn is_self_join(self) -> bool {
        matches!(self, Self::StreamSelfJoin | Self::TableSelfJoin | Self::ForeignKeySelfJoin)
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
                | Self::TableSelfJoin
                | Self::ForeignKeySelfJoin
        )
    }

    /// Whether the headers of results are those of the record that made them; of others only the modes must agree.
    pub fn has_known_headers(self) -> bool {
        match self {
            Self::Projection | Self::Filter | Self::PartitionBy | Self::WindowedStream => true,
            Self::StreamTableJoin | Self::StreamTableTableJoin | Self::WindowedStreamTableJoin => true,
            Self::TumblingFinal | Self::HoppingFinal | Self::SessionFinal => false,
            Self::StreamStreamJoin | Self::StreamStreamTableJoin | Self::AggregateOfStreamStreamJoin => false,
            Self::WindowedStreamStreamJoin | Self::StreamSelfJoin | Self::ForeignKeySelfJoin => false,
            Self::ForeignKeyJoin | Self::ForeignKeyOvertaken | Self::ForeignKeyTableJoin => false,
            Self::AggregateOfForeignKeyJoin => false,
            _ => true,
        }
    }
}
