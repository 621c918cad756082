//! Joins: their operators, stores and topics.

use std::sync::Arc;

use super::{Lowering, OperatorFactory, OutputSpec, SubTopology, Tail, TopicSpec, rows_of, source_of, types};
use crate::expr::CompiledExpr;
use crate::formats::{Format, Serde};
use crate::operators::aggregate::Emission;
use crate::operators::foreign_key_join::{
    ANSWER_PARTITION, ReferredOptions, ReferredSide, ReferringOptions, ReferringSide, answer_columns, reference_columns,
};
use crate::operators::{
    StreamJoinOptions, StreamStreamJoin, StreamTableJoin, TableJoinOptions, TableTableJoin, stream_table_join,
};
use crate::plan::{
    self, Collection, FOREIGN_KEY_ANSWERS, FOREIGN_KEY_REFERENCES, JoinKind, PlanNode, StreamTableJoinKind, stores,
};
use crate::runtime::RuntimeError;
use crate::types::Schema;

impl Lowering<'_> {
    pub(super) fn stream_table_join(
        &mut self,
        left: &PlanNode,
        right: &PlanNode,
        kind: StreamTableJoinKind,
    ) -> Result<Tail, RuntimeError> {
        let tails = [self.lower(left, false)?, self.lower(right, false)?];
        let name = self.store_name(stores::JOINED_TABLE, None);
        let (value_types, window) = (types(&right.schema().value), right.window());
        let operator = self.operator_name("StreamTableJoin");
        let kind = match kind {
            StreamTableJoinKind::Inner => stream_table_join::Kind::Inner,
            StreamTableJoinKind::Left => stream_table_join::Kind::Left,
        };
        let factory: OperatorFactory = Box::new(move |context| {
            Ok(Box::new(StreamTableJoin::open(kind, &context.store(&name), &value_types, window)?))
        });
        Ok(self.current.add(operator, tails, factory))
    }

    pub(super) fn stream_stream_join(&mut self, join: &plan::StreamStreamJoin) -> Result<Tail, RuntimeError> {
        let tails = [self.lower(&join.left, false)?, self.lower(&join.right, false)?];
        let window = join.window;
        let retention_ms = window.before_ms.saturating_add(window.after_ms).saturating_add(window.grace_ms);
        let names = [stores::LEFT_STREAM, stores::RIGHT_STREAM].map(|kind| self.store_name(kind, Some(retention_ms)));
        let waits = !window.is_eager && join.kind != JoinKind::Inner;
        let waiting = waits.then(|| self.store_name(stores::UNMATCHED, None));
        let key = join.left.key();
        let serialized_keys = self.serialized_keys(&join.left);
        let join = join.clone();
        let operator = self.operator_name("StreamStreamJoin");
        let factory: OperatorFactory = Box::new(move |context| {
            let options = StreamJoinOptions {
                required: [join.kind.has_left(), join.kind.has_right()],
                before_ms: window.before_ms,
                after_ms: window.after_ms,
                grace_ms: window.grace_ms,
                key_types: types(&key),
                types: [&join.left, &join.right].map(|side| types(&side.schema().value)),
                window: join.left.window(),
                serialized_keys: serialized_keys()?,
            };
            let [left, right] = [&names[0], &names[1]].map(|name| context.store(name));
            let waiting = waiting.as_ref().map(|name| context.store(name));
            Ok(Box::new(StreamStreamJoin::open(options, [&left, &right], waiting.as_ref())?))
        });
        Ok(self.current.add(operator, tails, factory))
    }

    pub(super) fn table_table_join(
        &mut self,
        join: &plan::TableTableJoin,
        attach_old: bool,
    ) -> Result<Tail, RuntimeError> {
        let tails = [self.lower(&join.left, false)?, self.lower(&join.right, false)?];
        let names = [stores::LEFT_TABLE, stores::RIGHT_TABLE].map(|kind| self.store_name(kind, None));
        let join = join.clone();
        let operator = self.operator_name("TableTableJoin");
        let factory: OperatorFactory = Box::new(move |context| {
            let options = TableJoinOptions {
                required: [join.kind.has_left(), join.kind.has_right()],
                types: [&join.left, &join.right].map(|side| types(&side.schema().value)),
                window: join.left.window(),
                attach_old,
            };
            let [left, right] = [&names[0], &names[1]].map(|name| context.store(name));
            Ok(Box::new(TableTableJoin::open(options, [&left, &right])?))
        });
        Ok(self.current.add(operator, tails, factory))
    }

    /// References go to the sub-topology of the right table, answers come back to this one.
    pub(super) fn foreign_key_join(
        &mut self,
        join: &plan::ForeignKeyJoin,
        attach_old: bool,
    ) -> Result<Tail, RuntimeError> {
        let left = self.lower(&join.left, false)?;
        let store = self.store_name(stores::REFERRING_TABLE, None);
        let value_serde = Serde { format: Format::Json, wrap_single: true };
        let (left_schema, right_schema) = (join.left.schema(), join.right.schema());
        let references = TopicSpec {
            topic: self.internal_topic(FOREIGN_KEY_REFERENCES).into(),
            serdes: (join.right_key_serde.clone(), value_serde.clone()),
            schema: Schema { key: right_schema.key.clone(), value: reference_columns(&left_schema.key) },
            window: None,
            timestamp: None,
            has_changes: false,
            partition_column: None,
        };
        let answers = TopicSpec {
            topic: self.internal_topic(FOREIGN_KEY_ANSWERS).into(),
            serdes: (join.left_key_serde.clone(), value_serde),
            schema: Schema { key: left_schema.key.clone(), value: answer_columns(&right_schema.value) },
            partition_column: Some(ANSWER_PARTITION),
            ..references.clone()
        };
        let read_references = source_of(&references, Collection::Stream);
        let read_answers = source_of(&answers, Collection::Stream);

        let outer = std::mem::replace(&mut self.current, SubTopology::new());
        self.referred_side(join, read_references)?;
        self.current.output = OutputSpec::Topic(Box::new(answers));
        self.subs.push(std::mem::replace(&mut self.current, outer));

        self.current.references = Some(references);
        let answers = self.current.read(read_answers);
        let node = PlanNode::ForeignKeyJoin(join.clone());
        let (join, rows) = (join.clone(), rows_of(&join.left));
        let operator = self.operator_name("ForeignKeyJoin");
        let factory: OperatorFactory = Box::new(move |context| {
            let options = ReferringOptions {
                right_is_required: join.kind.has_right(),
                reference: CompiledExpr::new(&join.foreign_key, &rows),
                rows: Arc::clone(&rows),
                value_types: types(&left_schema.value),
                reference_type: right_schema.key[0].sql_type.arrow(),
                right_types: types(&right_schema.value),
                partition: context.partition,
            };
            Ok(Box::new(ReferringSide::open(options, &context.store(&store))?))
        });
        let joined = self.current.add(operator, [left, answers], factory);
        // Answers do not say what was emitted before.
        Ok(if attach_old {
            self.keep_rows(stores::FOREIGN_KEY_RESULT, &node, joined, Emission::EveryRow, true)
        } else {
            joined
        })
    }

    fn referred_side(&mut self, join: &plan::ForeignKeyJoin, references: plan::Source) -> Result<(), RuntimeError> {
        let right = self.lower(&join.right, false)?;
        let names = [stores::REFERRED_TABLE, stores::SUBSCRIPTIONS].map(|kind| self.store_name(kind, None));
        let references = self.current.read(references);
        let left_key = join.left.key();
        let serialized_keys = self.serialized_keys(&join.left);
        let value_types = types(&join.right.schema().value);
        let factory: OperatorFactory = Box::new(move |context| {
            let options = ReferredOptions {
                left_key_types: types(&left_key),
                value_types: value_types.clone(),
                serialized_left_keys: serialized_keys()?,
            };
            let [table, subscriptions] = [&names[0], &names[1]].map(|name| context.store(name));
            Ok(Box::new(ReferredSide::open(options, &table, &subscriptions)?))
        });
        let operator = self.operator_name("ForeignKeyLookup");
        self.current.add(operator, [references, right], factory);
        Ok(())
    }
}
