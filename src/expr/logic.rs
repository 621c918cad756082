//! Comparisons, connectives, `IN`, `IS NULL`: ksqlDB's two-valued logic.
//!
//! A comparison with a null operand is false. Texts and BYTES are in the order of [`java_order`]. AND, OR and NOT of a null BOOLEAN fail
//! the row. The right side of AND and OR is evaluated, and can fail, only for rows that the left side does not decide.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::kernels::cmp;
use arrow::datatypes::{DataType, Float64Type, Schema};
use datafusion_common::Result;
use datafusion_physical_expr::PhysicalExpr;

use super::kernel::{Kernel, Operand, operand};
use super::physical::{Node, physical};
use super::{CompareOp, row_errors};
use crate::types::java_order;

pub(super) fn compile_compare(op: CompareOp, inputs: Vec<Arc<dyn PhysicalExpr>>) -> Arc<dyn PhysicalExpr> {
    Kernel::compile(op.sign(), inputs, DataType::Boolean, move |operands, rows| {
        compare(op, &operands[0], &operands[1], rows)
    })
}

fn compare(op: CompareOp, left: &Operand, right: &Operand, rows: usize) -> ArrayRef {
    match left.array().data_type() {
        data_type if data_type.is_nested() => compare_nested(op, left, right, rows),
        DataType::Float64 => compare_doubles(op, left, right, rows),
        DataType::Utf8 if op.is_ordered() => {
            let (lefts, rights) = (left.array().as_string::<i32>(), right.array().as_string::<i32>());
            if java_order::is_order_of_bytes(lefts) && java_order::is_order_of_bytes(rights) {
                return compare_scalars(op, left, right, rows);
            }
            compare_ordered(op, left, right, rows, |l, r| java_order::of_texts(lefts.value(l), rights.value(r)))
        }
        DataType::Binary if op.is_ordered() => {
            let (lefts, rights) = (left.array().as_binary::<i32>(), right.array().as_binary::<i32>());
            compare_ordered(op, left, right, rows, |l, r| java_order::of_bytes(lefts.value(l), rights.value(r)))
        }
        _ => compare_scalars(op, left, right, rows),
    }
}

/// By the `order` of the elements at two indices, which are not NULL.
fn compare_ordered(
    op: CompareOp,
    left: &Operand,
    right: &Operand,
    rows: usize,
    order: impl Fn(usize, usize) -> Ordering,
) -> ArrayRef {
    let wanted: fn(Ordering) -> bool = match op {
        CompareOp::Less => Ordering::is_lt,
        CompareOp::LessOrEqual => Ordering::is_le,
        CompareOp::Greater => Ordering::is_gt,
        CompareOp::GreaterOrEqual => Ordering::is_ge,
        CompareOp::Equal => Ordering::is_eq,
        CompareOp::NotEqual | CompareOp::Distinct => Ordering::is_ne,
    };
    let is_true = |row| {
        let (l, r) = (left.index(row), right.index(row));
        left.array().is_valid(l) && right.array().is_valid(r) && wanted(order(l, r))
    };
    Arc::new(BooleanArray::new((0..rows).map(is_true).collect(), None))
}

fn compare_scalars(op: CompareOp, left: &Operand, right: &Operand, rows: usize) -> ArrayRef {
    let compared = match op {
        CompareOp::Equal => cmp::eq(left, right),
        CompareOp::NotEqual => cmp::neq(left, right),
        CompareOp::Less => cmp::lt(left, right),
        CompareOp::LessOrEqual => cmp::lt_eq(left, right),
        CompareOp::Greater => cmp::gt(left, right),
        CompareOp::GreaterOrEqual => cmp::gt_eq(left, right),
        CompareOp::Distinct => cmp::distinct(left, right),
    };
    let compared = compared.expect("operands have one comparable type");
    let truth = true_rows(&compared);
    let truth = if truth.len() == rows {
        truth
    } else if truth.value(0) {
        BooleanBuffer::new_set(rows)
    } else {
        BooleanBuffer::new_unset(rows)
    };
    Arc::new(BooleanArray::new(truth, None))
}

/// As Java compares primitives: zeros are equal, NaN is neither equal nor unequal to anything.
#[expect(clippy::float_cmp, reason = "the language compares doubles exactly")]
fn compare_doubles(op: CompareOp, left: &Operand, right: &Operand, rows: usize) -> ArrayRef {
    let (lefts, rights) = (left.array().as_primitive::<Float64Type>(), right.array().as_primitive::<Float64Type>());
    let truth: BooleanBuffer = (0..rows)
        .map(|row| {
            let (l, r) = (left.index(row), right.index(row));
            let (a, b) = (lefts.value(l), rights.value(r));
            match (op, lefts.is_null(l), rights.is_null(r)) {
                (CompareOp::Equal, false, false) => a == b,
                (CompareOp::NotEqual, false, false) => a.partial_cmp(&b).is_some_and(Ordering::is_ne),
                (CompareOp::Distinct, false, false) => a != b,
                (CompareOp::Less, false, false) => a < b,
                (CompareOp::LessOrEqual, false, false) => a <= b,
                (CompareOp::Greater, false, false) => a > b,
                (CompareOp::GreaterOrEqual, false, false) => a >= b,
                (CompareOp::Distinct, a, b) => a != b,
                _ => false,
            }
        })
        .collect();
    Arc::new(BooleanArray::new(truth, None))
}

fn compare_nested(op: CompareOp, left: &Operand, right: &Operand, rows: usize) -> ArrayRef {
    let truth: BooleanBuffer = (0..rows)
        .map(|row| {
            let (l, r) = (left.index(row), right.index(row));
            let nulls = (left.array().is_null(l), right.array().is_null(r));
            let equal = || left.array().slice(l, 1).to_data() == right.array().slice(r, 1).to_data();
            match (op, nulls) {
                (CompareOp::Distinct | CompareOp::NotEqual, (false, false)) => !equal(),
                (CompareOp::Distinct, (a, b)) => a != b,
                (_, (false, false)) => equal(),
                _ => false,
            }
        })
        .collect();
    Arc::new(BooleanArray::new(truth, None))
}

/// `left IN (list)`: equality with any; nulls match nothing.
pub(super) fn compile_in(inputs: Vec<Arc<dyn PhysicalExpr>>) -> Arc<dyn PhysicalExpr> {
    Kernel::compile("IN", inputs, DataType::Boolean, |operands, rows| {
        let mut found = BooleanBuffer::new_unset(rows);
        for element in &operands[1..] {
            if *element.array().data_type() == DataType::Null {
                continue;
            }
            // Java's `equals`, by which NaN is NaN and the two zeros differ: what Arrow's comparison does too.
            let equal = match element.array().data_type() {
                DataType::Float64 => compare_scalars(CompareOp::Equal, &operands[0], element, rows),
                _ => compare(CompareOp::Equal, &operands[0], element, rows),
            };
            found = &found | equal.as_boolean().values();
        }
        Arc::new(BooleanArray::new(found, None))
    })
}

pub(super) fn compile_is_null(input: Arc<dyn PhysicalExpr>, wanted: bool) -> Arc<dyn PhysicalExpr> {
    let name = if wanted { "IS NULL" } else { "IS NOT NULL" };
    Kernel::compile(name, vec![input], DataType::Boolean, move |operands, rows| {
        let values = operands[0].expanded(rows);
        let nulls = match values.logical_nulls() {
            Some(nulls) => !nulls.inner(),
            None => BooleanBuffer::new_unset(rows),
        };
        Arc::new(BooleanArray::new(if wanted { nulls } else { !&nulls }, None))
    })
}

pub(super) fn compile_not(input: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    Kernel::compile("NOT", vec![input], DataType::Boolean, |operands, rows| {
        let values = operands[0].expanded(rows);
        let values = values.as_boolean();
        report_nulls(values, "NOT");
        Arc::new(BooleanArray::new(!values.values(), values.nulls().cloned()))
    })
}

/// The rows that are true: neither false nor null.
pub(super) fn true_rows(values: &BooleanArray) -> BooleanBuffer {
    match values.nulls() {
        Some(nulls) => values.values() & nulls.inner(),
        None => values.values().clone(),
    }
}

/// Reports the rows that are null: operators of booleans take none.
pub(super) fn report_nulls(values: &BooleanArray, name: &str) {
    if let Some(nulls) = values.nulls() {
        (!nulls.inner()).set_indices().for_each(|row| row_errors::report(row, || format!("operand of {name} is null")));
    }
}

/// `AND` or `OR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Connective {
    And,
    Or,
}

impl Connective {
    fn name(self) -> &'static str {
        match self {
            Self::And => "AND",
            Self::Or => "OR",
        }
    }
}

#[derive(Debug)]
struct Connected {
    connective: Connective,
    sides: [Arc<dyn PhysicalExpr>; 2],
}

pub(super) fn compile_connective(
    connective: Connective,
    left: Arc<dyn PhysicalExpr>,
    right: Arc<dyn PhysicalExpr>,
) -> Arc<dyn PhysicalExpr> {
    physical(Connected { connective, sides: [left, right] })
}

impl Node for Connected {
    fn name(&self) -> &str {
        self.connective.name()
    }

    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn inputs(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.sides.iter().collect()
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let rows = batch.num_rows();
        let left = operand(&self.sides[0], batch)?.expanded(rows);
        let left = left.as_boolean();
        report_nulls(left, self.connective.name());
        let known = left.nulls().map_or_else(|| BooleanBuffer::new_set(rows), |nulls| nulls.inner().clone());
        let undecided = match self.connective {
            Connective::And => left.values() & &known,
            Connective::Or => &!left.values() & &known,
        };
        if undecided.count_set_bits() == 0 {
            return Ok(Arc::new(left.clone()));
        }
        let right = row_errors::only(&undecided, || -> Result<ArrayRef> {
            let right = operand(&self.sides[1], batch)?.expanded(rows);
            report_nulls(right.as_boolean(), self.connective.name());
            Ok(right)
        })?;
        let right = right.as_boolean();
        let decided = !&undecided;
        let values = &(&decided & left.values()) | &(&undecided & right.values());
        let right_known = right.nulls().map_or_else(|| BooleanBuffer::new_set(rows), |nulls| nulls.inner().clone());
        let valid = &(&decided & &known) | &(&undecided & &right_known);
        let nulls = (valid.count_set_bits() < rows).then(|| NullBuffer::new(valid));
        Ok(Arc::new(BooleanArray::new(values, nulls)))
    }
}
