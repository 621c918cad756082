//! The functions of a plug-in as a table: a row per signature.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListBuilder, StringArray, StringBuilder, StructArray, UInt32Array,
    UInt64Array,
};
use arrow::datatypes::{DataType, Field, Fields, UInt32Type, UInt64Type};

use super::{Definition, Kind};

/// A signature of a function, as Levada reads it from a plug-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Number of the function to evaluate.
    pub function: u32,
    /// See [`About`](super::About).
    pub name: String,
    /// See [`About`](super::About).
    pub category: String,
    /// See [`About`](super::About).
    pub description: String,
    /// See [`About`](super::About).
    pub is_volatile: bool,
    /// See [`Signature`](super::Signature).
    pub signature: String,
    /// See [`Signature`](super::Signature).
    pub parameters: Vec<String>,
    /// Calls and what they give.
    pub examples: Vec<(String, String)>,
    /// What it makes of rows: `SCALAR`, `AGGREGATE` or `TABLE`.
    pub kind: String,
    /// See [`Kind::Aggregate`]; empty if it is the type of the result.
    pub keeps: String,
    /// See [`Kind::Aggregate`].
    pub has_undo: bool,
    /// See [`Kind::Table`].
    pub rows_max: u64,
}

/// The columns of the table. A newer interface may have more behind them.
pub fn fields() -> Fields {
    let texts = || DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
    Fields::from(vec![
        Field::new("function", DataType::UInt32, false),
        Field::new("name", DataType::Utf8, false),
        Field::new("category", DataType::Utf8, false),
        Field::new("description", DataType::Utf8, false),
        Field::new("volatile", DataType::Boolean, false),
        Field::new("signature", DataType::Utf8, false),
        Field::new("parameters", texts(), false),
        Field::new("examples", texts(), false),
        Field::new("kind", DataType::Utf8, false),
        Field::new("keeps", DataType::Utf8, false),
        Field::new("undo", DataType::Boolean, false),
        Field::new("rows_max", DataType::UInt64, false),
    ])
}

/// The table of `functions`, numbered in their order.
pub fn table(functions: &[Definition]) -> StructArray {
    let rows: Vec<_> = (0_u32..)
        .zip(functions)
        .flat_map(|(number, function)| function.signatures.iter().map(move |signature| (number, function, signature)))
        .collect();
    let (mut parameters, mut examples) =
        (ListBuilder::new(StringBuilder::new()), ListBuilder::new(StringBuilder::new()));
    for (_, function, signature) in &rows {
        signature.parameters.iter().for_each(|text| parameters.values().append_value(text));
        parameters.append(true);
        for example in function.about.examples {
            examples.values().append_value(example.call);
            examples.values().append_value(example.result);
        }
        examples.append(true);
    }
    let text = |of: &dyn Fn(&Definition) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, function, _)| of(function))))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|(number, ..)| *number))),
        text(&|function| function.about.name),
        text(&|function| function.about.category),
        text(&|function| function.about.description),
        Arc::new(rows.iter().map(|(_, function, _)| Some(function.about.is_volatile)).collect::<BooleanArray>()),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|(.., signature)| &signature.text))),
        Arc::new(parameters.finish()),
        Arc::new(examples.finish()),
        text(&|function| kind(function).0),
        text(&|function| kind(function).1),
        Arc::new(rows.iter().map(|(_, function, _)| Some(kind(function).2)).collect::<BooleanArray>()),
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(|(_, function, _)| kind(function).3))),
    ];
    StructArray::new(fields(), columns, None)
}

/// What it is, what it keeps, whether it takes back, how many rows at once.
fn kind(function: &Definition) -> (&str, &str, bool, u64) {
    match &function.kind {
        Kind::Scalar => ("SCALAR", "", false, 0),
        Kind::Aggregate { keeps, has_undo } => ("AGGREGATE", keeps.as_deref().unwrap_or(""), *has_undo, 0),
        Kind::Table { rows_max } => ("TABLE", "", false, *rows_max as u64),
    }
}

/// The rows of `table`.
///
/// # Errors
/// What is wrong with its columns.
pub fn read(table: &StructArray) -> Result<Vec<Described>, String> {
    for (index, field) in fields().iter().enumerate() {
        let found = table.columns().get(index).map(|column| (column.data_type(), column.null_count()));
        if found != Some((field.data_type(), 0)) {
            return Err(format!("its table of functions has no column '{}' of {}", field.name(), field.data_type()));
        }
    }
    let text = |column: usize, row: usize| table.column(column).as_string::<i32>().value(row).to_owned();
    let texts = |column: usize, row: usize| -> Vec<String> {
        let list = table.column(column).as_list::<i32>().value(row);
        list.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect()
    };
    let rows = (0..table.len()).map(|row| Described {
        function: table.column(0).as_primitive::<UInt32Type>().value(row),
        name: text(1, row),
        category: text(2, row),
        description: text(3, row),
        is_volatile: table.column(4).as_boolean().value(row),
        signature: text(5, row),
        parameters: texts(6, row),
        examples: texts(7, row).chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
        kind: text(8, row),
        keeps: text(9, row),
        has_undo: table.column(10).as_boolean().value(row),
        rows_max: table.column(11).as_primitive::<UInt64Type>().value(row),
    });
    Ok(rows.collect())
}
