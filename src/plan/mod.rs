//! Statements to plans: names resolved, types checked, rules of the language applied.

mod node;

pub use node::{
    Aggregate, AggregateCall, AggregateFunction, Collection, NullKeys, PlanNode, PseudoColumn, QueryPlan, SharedPlan,
    Sink, Source, StreamTableJoinKind, TimestampColumn, WindowSpec,
};
