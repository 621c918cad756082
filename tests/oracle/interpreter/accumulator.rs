//! Aggregate functions.

use crate::oracle::expression::{Scope, compare};
use crate::oracle::query::{Call, Function};
use crate::oracle::value::{SqlType, Value};

/// One call's state of one group. Nulls are ignored by all functions of an argument.
#[derive(Debug, Clone)]
pub struct Accumulator {
    call: Call,
    /// Rows, or values that are not null.
    count: i64,
    sum: Value,
    /// The least or greatest value.
    extreme: Value,
}

impl Accumulator {
    /// The initial state over rows of `scope`.
    pub fn new(call: &Call, scope: &Scope) -> Self {
        let zero = match call.argument.as_ref().map(|argument| argument.sql_type(scope)) {
            Some(SqlType::Int) => Value::Int(0),
            Some(SqlType::BigInt) => Value::BigInt(0),
            Some(SqlType::Double) => Value::Double(0.0),
            Some(SqlType::Text | SqlType::Boolean) | None => Value::Null,
        };
        Self { call: call.clone(), count: 0, sum: zero, extreme: Value::Null }
    }

    /// Takes a row in.
    pub fn add(&mut self, row: &[Value]) {
        let Some(value) = self.counted(row) else { return };
        self.count += 1;
        self.sum = sum(&self.sum, &value, false);
        self.extreme = self.further(&value);
    }

    /// Takes a row back.
    pub fn undo(&mut self, row: &[Value]) {
        let Some(value) = self.counted(row) else { return };
        self.count -= 1;
        self.sum = sum(&self.sum, &value, true);
    }

    /// Takes the rows of another session in.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = sum(&self.sum, &other.sum, false);
        if !other.extreme.is_null() {
            self.extreme = self.further(&other.extreme);
        }
    }

    /// The argument's value, unless the call ignores the row.
    fn counted(&self, row: &[Value]) -> Option<Value> {
        match &self.call.argument {
            None => Some(Value::Null),
            Some(argument) => Some(argument.value(row)).filter(|value| !value.is_null()),
        }
    }

    fn further(&self, value: &Value) -> Value {
        let is_further = match (self.call.function, compare(value, &self.extreme)) {
            (Function::Min, Some(order)) => order.is_lt(),
            (Function::Max, Some(order)) => order.is_gt(),
            (_, order) => order.is_none(),
        };
        if is_further { value.clone() } else { self.extreme.clone() }
    }

    pub fn result(&self) -> Value {
        match self.call.function {
            Function::Count => Value::BigInt(self.count),
            Function::Sum => self.sum.clone(),
            Function::Min | Function::Max => self.extreme.clone(),
            Function::Avg if self.count == 0 => Value::Double(0.0),
            Function::Avg => {
                let sum = self.sum.as_double().expect("an average is one of numbers");
                Value::Double(sum / self.count as f64)
            }
        }
    }
}

fn sum(sum: &Value, value: &Value, is_undone: bool) -> Value {
    match (sum, value) {
        (Value::Int(sum), Value::Int(value)) if is_undone => Value::Int(sum.wrapping_sub(*value)),
        (Value::Int(sum), Value::Int(value)) => Value::Int(sum.wrapping_add(*value)),
        (Value::BigInt(sum), Value::BigInt(value)) if is_undone => Value::BigInt(sum.wrapping_sub(*value)),
        (Value::BigInt(sum), Value::BigInt(value)) => Value::BigInt(sum.wrapping_add(*value)),
        (Value::Double(sum), Value::Double(value)) if is_undone => Value::Double(sum - value),
        (Value::Double(sum), Value::Double(value)) => Value::Double(sum + value),
        _ => sum.clone(),
    }
}

/// The state of one group, or of one window of it.
#[derive(Debug, Clone)]
pub struct Accumulators(Vec<Accumulator>);

impl Accumulators {
    /// The initial states of `calls` over rows of `scope`.
    pub fn new(calls: &[Call], scope: &Scope) -> Self {
        Self(calls.iter().map(|call| Accumulator::new(call, scope)).collect())
    }

    pub fn add(&mut self, row: &[Value]) {
        self.0.iter_mut().for_each(|accumulator| accumulator.add(row));
    }

    pub fn undo(&mut self, row: &[Value]) {
        self.0.iter_mut().for_each(|accumulator| accumulator.undo(row));
    }

    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(accumulator, other)| accumulator.merge(other));
    }

    /// The row of the result: the group, the aggregates, the window's bounds.
    pub fn row(&self, group: &[Value], bounds: Option<(i64, i64)>) -> Vec<Value> {
        let mut row = group.to_vec();
        row.extend(self.0.iter().map(Accumulator::result));
        let bounds = bounds.map_or([Value::Null, Value::Null], |(start, end)| [start, end].map(Value::BigInt));
        row.extend(bounds);
        row
    }
}
