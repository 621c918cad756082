//! A call with its arguments, as text for the other side and as an expression for Levada.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{Field, Float64Type, Schema};
use levada::expr::{ArithmeticOp, CompareOp, CompiledExpr, Expr, Literal};
use levada::functions::{Argument, Registry};
use levada::types::SqlType;

/// A result as text, and why it is none.
pub type Answer = (String, Option<String>);

/// A row that fails.
const FAILS: &str = "!";
const NULL: &str = "~";

/// An argument.
#[derive(Debug, Clone)]
pub struct Value {
    literal: Literal,
    sql_type: SqlType,
    /// It is a unit of time, which only stands in the text of statements.
    is_unit: bool,
}

impl Value {
    /// A value that is not NULL.
    pub fn new(literal: Literal) -> Self {
        let sql_type = literal.sql_type().expect("not NULL");
        Self { literal, sql_type, is_unit: false }
    }

    /// `DAYS` and its like.
    pub fn unit(name: &str) -> Self {
        Self { is_unit: true, ..Self::new(Literal::String(name.to_owned())) }
    }

    /// NULL of the type of this value.
    pub fn null(self) -> Self {
        if self.is_unit { self } else { Self { literal: Literal::Null, ..self } }
    }

    fn is_null(&self) -> bool {
        self.literal == Literal::Null
    }

    fn array(&self) -> ArrayRef {
        if self.is_null() { new_null_array(&self.sql_type.arrow(), 1) } else { self.literal.array() }
    }

    fn text(&self) -> String {
        match &self.literal {
            Literal::String(unit) if self.is_unit => format!("U{unit}"),
            _ => cell(&self.array(), 0, &self.sql_type),
        }
    }
}

/// A call: a function, an operator, or `CAST type`.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is called.
    pub name: String,
    /// With what.
    pub arguments: Vec<Value>,
}

impl Call {
    /// The line that the other side reads.
    pub fn text(&self) -> String {
        self.arguments.iter().fold(self.name.clone(), |line, argument| line + "\t" + &argument.text())
    }

    /// Calls of one shape are evaluated as one batch.
    fn shape(&self) -> String {
        let mut shape = self.name.clone();
        for argument in &self.arguments {
            let _ = match (&argument.literal, argument.is_unit) {
                (Literal::String(unit), true) => write!(shape, " {unit}"),
                _ => write!(shape, " {}", argument.sql_type),
            };
        }
        shape
    }

    /// The expression, in which `operand` stands for the argument at an index.
    fn expression(&self, operand: impl Fn(usize) -> Expr) -> Expr {
        let mut operands: Vec<Expr> = (0..self.arguments.len()).map(operand).collect();
        let types: Vec<Argument> = self.arguments.iter().map(argument).collect();
        if let Some(name) = self.name.strip_prefix("CAST ") {
            return Expr::cast(operands.remove(0), cast_type(name)).expect("a pair that CAST has");
        }
        if let Some(op) = arithmetic(&self.name) {
            let right = operands.remove(1);
            return Expr::arithmetic(op, operands.remove(0), right).expect("numbers");
        }
        if let Some(op) = comparison(&self.name) {
            let right = (operands.remove(1), &"right" as _);
            return Expr::compare(op, (operands.remove(0), &"left"), right).expect("values of one type");
        }
        if self.name == "SORT" {
            let parts = function("SPLIT", operands, &types);
            let types = [Argument::from(parts.sql_type())];
            return function("ARRAY_SORT", vec![parts], &types);
        }
        function(&self.name, operands, &types)
    }

    /// What it gives where all but its first argument are constants, or all if it is the only one. NULL is in columns only.
    pub fn with_constants(&self) -> Answer {
        let is_column = |index: usize| self.arguments[index].is_null() || (index == 0 && self.arguments.len() > 1);
        let expression = self.expression(|index| {
            let argument = &self.arguments[index];
            if is_column(index) && !argument.is_unit {
                Expr::column(index, argument.sql_type.clone())
            } else {
                Expr::literal(argument.literal.clone())
            }
        });
        evaluate(&expression, std::slice::from_ref(&self)).remove(0)
    }
}

/// What each of `calls` gives where all arguments are in columns.
pub fn with_columns(calls: &[Call]) -> Vec<Answer> {
    let mut shapes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, call) in calls.iter().enumerate() {
        shapes.entry(call.shape()).or_default().push(index);
    }
    let mut results = vec![(String::new(), None); calls.len()];
    for indices in shapes.into_values() {
        let alike: Vec<&Call> = indices.iter().map(|&index| &calls[index]).collect();
        let expression = alike[0].expression(|index| {
            let argument = &alike[0].arguments[index];
            if argument.is_unit {
                Expr::literal(argument.literal.clone())
            } else {
                Expr::column(index, argument.sql_type.clone())
            }
        });
        for (index, result) in indices.into_iter().zip(evaluate(&expression, &alike)) {
            results[index] = result;
        }
    }
    results
}

fn argument(value: &Value) -> Argument {
    if value.is_unit { Argument::IntervalUnit } else { Argument::Value(value.sql_type.clone()) }
}

fn function(name: &str, operands: Vec<Expr>, types: &[Argument]) -> Expr {
    let registry = Registry::default();
    let function = registry.get(name).expect("a function of the language");
    let (index, binding) = function.resolve(types).unwrap_or_else(|error| panic!("{error}"));
    let result = binding.result(&function.variations[index], types).expect("the result has a type");
    Expr::call(function, index, &binding, operands, result)
}

fn arithmetic(name: &str) -> Option<ArithmeticOp> {
    use ArithmeticOp::{Add, Divide, Modulo, Multiply, Subtract};
    [Add, Subtract, Multiply, Divide, Modulo].into_iter().find(|op| op.sign() == name)
}

fn comparison(name: &str) -> Option<CompareOp> {
    use CompareOp::{Greater, GreaterOrEqual, Less, LessOrEqual};
    [Less, LessOrEqual, Greater, GreaterOrEqual].into_iter().find(|op| op.sign() == name)
}

fn cast_type(name: &str) -> SqlType {
    let simple = [
        SqlType::Boolean,
        SqlType::Integer,
        SqlType::Bigint,
        SqlType::Double,
        SqlType::String,
        SqlType::Bytes,
        SqlType::Date,
        SqlType::Time,
        SqlType::Timestamp,
    ];
    simple.into_iter().find(|sql_type| sql_type.to_string() == name).unwrap_or_else(|| {
        let digits: Vec<u8> = name.split(['(', ')', ',']).filter_map(|part| part.trim().parse().ok()).collect();
        SqlType::Decimal { precision: digits[0], scale: digits[1] }
    })
}

/// The values of `expression` over the arguments of `calls`, as text.
fn evaluate(expression: &Expr, calls: &[&Call]) -> Vec<Answer> {
    let column = |index: usize| {
        let cells: Vec<ArrayRef> = calls.iter().map(|call| call.arguments[index].array()).collect();
        concat(&cells.iter().map(AsRef::as_ref).collect::<Vec<_>>()).expect("values of one type")
    };
    let columns: Vec<ArrayRef> = (0..calls[0].arguments.len()).map(column).collect();
    let field = |(index, column): (usize, &ArrayRef)| Field::new(format!("C{index}"), column.data_type().clone(), true);
    let schema = Arc::new(Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>()));
    let rows = RecordBatch::try_new(Arc::clone(&schema), columns).expect("columns of one length");
    let mut errors = Vec::new();
    let values = CompiledExpr::new(expression, &schema).evaluate(&rows, &mut errors);
    let sql_type = expression.sql_type().expect("calls have a type");
    let mut answers: Vec<Answer> = (0..calls.len()).map(|row| (cell(&values, row, sql_type), None)).collect();
    for error in errors {
        answers[error.row as usize] = (FAILS.to_owned(), Some(error.reason));
    }
    answers
}

/// A value as `README.md` says.
fn cell(values: &ArrayRef, row: usize, sql_type: &SqlType) -> String {
    if values.is_null(row) {
        return NULL.to_owned();
    }
    match sql_type {
        SqlType::Array(element) => {
            let list = values.as_list::<i32>().value(row);
            let elements = (0..list.len()).map(|index| cell(&list, index, element));
            return format!("A{}", elements.collect::<Vec<_>>().join(","));
        }
        SqlType::Double => {
            let value = values.as_primitive::<Float64Type>().value(row);
            return format!("D{:x}", if value.is_nan() { f64::NAN } else { value }.to_bits());
        }
        _ => {}
    }
    match Literal::of(&values.slice(row, 1), sql_type).expect("a simple value") {
        Literal::Boolean(value) => format!("B{}", u8::from(value)),
        Literal::Integer(value) => format!("I{value}"),
        Literal::Bigint(value) => format!("L{value}"),
        Literal::Decimal(digits, precision, scale) => format!("M{precision},{scale}:{digits}"),
        Literal::String(text) => format!("S{}", escaped(&text)),
        Literal::Bytes(bytes) => bytes.iter().fold("Y".to_owned(), |text, byte| text + &format!("{byte:02x}")),
        Literal::Date(days) => format!("d{days}"),
        Literal::Time(ms) => format!("t{ms}"),
        Literal::Timestamp(ms) => format!("T{ms}"),
        Literal::Null | Literal::Double(_) => unreachable!("written above"),
    }
}

fn escaped(text: &str) -> String {
    let escapes = [('\\', "\\\\"), ('\t', "\\t"), ('\n', "\\n"), ('\r', "\\r"), (',', "\\c")];
    escapes.iter().fold(text.to_owned(), |text, (character, escape)| text.replace(*character, escape))
}
