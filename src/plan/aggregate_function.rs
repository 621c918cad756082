//! The aggregate functions: which there are, what they take and give.

use crate::formats::Format;
use crate::types::SqlType;

use super::AggregateFunction;

/// What is known of an aggregate function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownAggregate {
    /// Its name.
    pub(super) name: &'static str,
    /// Whether rows can be taken back, as tables require.
    pub(super) has_undo: bool,
    /// How it is computed; `None` while it is not built.
    pub(super) function: Option<AggregateFunction>,
}

const fn built(name: &'static str, has_undo: bool, function: AggregateFunction) -> KnownAggregate {
    KnownAggregate { name, has_undo, function: Some(function) }
}

const fn later(name: &'static str, has_undo: bool) -> KnownAggregate {
    KnownAggregate { name, has_undo, function: None }
}

const KNOWN: [KnownAggregate; 18] = [
    later("ATTR", true),
    built("AVG", true, AggregateFunction::Avg),
    later("COLLECT_LIST", true),
    later("COLLECT_SET", false),
    later("CORRELATION", true),
    built("COUNT", true, AggregateFunction::Count),
    later("COUNT_DISTINCT", false),
    later("EARLIEST_BY_OFFSET", false),
    later("HISTOGRAM", true),
    later("LATEST_BY_OFFSET", false),
    built("MAX", false, AggregateFunction::Max),
    built("MIN", false, AggregateFunction::Min),
    later("STDDEV_SAMP", true),
    later("STDDEV_SAMPLE", true),
    built("SUM", true, AggregateFunction::Sum),
    later("SUM_LIST", true),
    later("TOPK", false),
    later("TOPKDISTINCT", false),
];

/// The aggregate function called `name`, in any case.
pub(super) fn known(name: &str) -> Option<KnownAggregate> {
    KNOWN.into_iter().find(|known| known.name.eq_ignore_ascii_case(name))
}

/// Whether `name` is a function that gives several rows.
pub(super) fn is_table_function(name: &str) -> bool {
    ["EXPLODE", "CUBE_EXPLODE"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Names of the aggregate functions that are built.
pub fn aggregate_names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().filter(|known| known.function.is_some()).map(|known| known.name)
}

impl AggregateFunction {
    /// The name it is called with.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "COUNT",
            Self::Sum => "SUM",
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::Avg => "AVG",
        }
    }

    /// Type of the result for an argument of type `argument`; `None` if it does not take such.
    pub(super) fn result_type(self, argument: &SqlType) -> Option<SqlType> {
        match self {
            Self::Count => Some(SqlType::Bigint),
            Self::Sum => argument.is_numeric().then(|| argument.clone()),
            Self::Avg => {
                matches!(argument, SqlType::Integer | SqlType::Bigint | SqlType::Double).then_some(SqlType::Double)
            }
            Self::Min | Self::Max => is_ordered(argument).then(|| argument.clone()),
        }
    }

    /// The types it takes, as messages list them.
    pub(super) fn alternatives(self) -> &'static [&'static str] {
        match self {
            Self::Count => &["T"],
            Self::Sum => &["INT", "BIGINT", "DOUBLE", "DECIMAL"],
            Self::Avg => &["INT", "BIGINT", "DOUBLE"],
            Self::Min | Self::Max => {
                &["INT", "BIGINT", "DOUBLE", "DECIMAL", "DATE", "TIME", "TIMESTAMP", "STRING", "BYTES"]
            }
        }
    }

    /// Whether the state fits values of `format`: the mean is kept as a STRUCT of sum and count.
    pub(super) fn fits(self, format: &Format) -> bool {
        self != Self::Avg || format.can_wrap()
    }
}

fn is_ordered(sql_type: &SqlType) -> bool {
    !matches!(sql_type, SqlType::Boolean | SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_))
}
