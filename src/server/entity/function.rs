//! Functions: in a list, and one by one.

use serde_json::{Value, json};

use crate::functions::{Function, FunctionKind, Registry, Variation};

fn kind(function: &Function) -> &'static str {
    match function.kind {
        FunctionKind::Scalar => "SCALAR",
        FunctionKind::Aggregate => "AGGREGATE",
        FunctionKind::Table => "TABLE",
    }
}

/// All functions by name.
pub fn list(functions: &Registry) -> Vec<Value> {
    let listed =
        |function: &Function| json!({"name": function.name(), "type": kind(function), "category": function.category});
    functions.functions().map(listed).collect()
}

/// All about a function.
pub fn description(text: &str, function: &Function) -> Value {
    let path = match &function.origin {
        Some(path) => path.display().to_string(),
        None => "internal".to_owned(),
    };
    json!({
        "@type": "describe_function",
        "statementText": text,
        "name": function.name(),
        "description": function.description,
        "author": function.author,
        "version": env!("CARGO_PKG_VERSION"),
        "path": path,
        "type": kind(function),
        "functions": function.variations.iter().map(|variation| self::variation(function, variation)).collect::<Vec<_>>(),
        "warnings": [],
    })
}

fn variation(function: &Function, variation: &Variation) -> Value {
    let arguments = variation.parameters.iter().enumerate().map(|(i, parameter)| {
        json!({
            "name": parameter.name,
            "type": parameter.param_type.to_string(),
            "description": parameter.description,
            "isVariadic": variation.variadic == Some(i),
        })
    });
    json!({
        "arguments": arguments.collect::<Vec<Value>>(),
        "returnType": variation.returns.shown().to_string(),
        "description": function.description,
    })
}
