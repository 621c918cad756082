//! `CREATE FUNCTION` and `DROP FUNCTION`.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, CatalogError, FunctionDefinition, FunctionInfo};
use crate::expr::{Expr, inline_function};
use crate::functions::{ExpressionSize, Function, FunctionKind, ParamType, Parameter, Returns, Variation};
use crate::sql::Span;
use crate::sql::ast::{
    CreateFunction, CreateFunctions, DropFunction, Expression, FunctionBody, FunctionParameter, Identifier,
    LibraryPath, TypeExpr,
};
use crate::sql::similar_names;
use crate::types::SqlType;

use super::Planned;
use super::call::{COLUMNS, check_lambdas};
use super::error::{PlanError, did_you_mean, nearest_hint};
use super::expression::Typer;
use super::function_uses;
use super::relation::Layout;
use super::replace_function::replacing;
use super::scope::{Clause, column};
use super::settings::Settings;
use super::type_expr::resolve_type;

/// What a function in SQL may consist of, with all that it calls: it is evaluated as deeply as its parts contain each other.
const SIZE_MAX: ExpressionSize = ExpressionSize { operations: 10_000, height: 250 };

/// The heading of functions in SQL in SHOW FUNCTIONS.
const CATEGORY: &str = "INLINE";

/// Plans CREATE FUNCTION, whose text is `sql`.
pub(super) fn create(
    create: &CreateFunction,
    sql: &str,
    catalog: &Catalog,
    settings: &Settings,
) -> Result<Planned, PlanError> {
    let rule = Rule { or_replace: create.or_replace, if_not_exists: create.if_not_exists };
    if let Some(message) = rule.check(&create.name.name, create.name.span, catalog, settings)? {
        return Ok(Planned::Nothing { message });
    }
    let new = match &create.body {
        FunctionBody::Inline { parameters, returns, returns_span, expression } => {
            let inline = Inline { name: &create.name, parameters, returns, returns_span: *returns_span, expression };
            inline.function(sql, catalog, settings)?
        }
        FunctionBody::Library(library) => of_library(&create.name, library, sql, settings)?,
    };
    let planned = replacing(vec![new], catalog, settings, create.name.span)?;
    Ok(Planned::CreateFunctions(Box::new(planned)))
}

/// Plans CREATE FUNCTIONS, whose text is `sql`.
pub(super) fn create_all(
    create: &CreateFunctions,
    sql: &str,
    catalog: &Catalog,
    settings: &Settings,
) -> Result<Planned, PlanError> {
    let rule = Rule { or_replace: create.or_replace, if_not_exists: create.if_not_exists };
    let library = &create.library;
    let loaded = load(library, settings)?;
    let (mut new, mut left_out) = (Vec::new(), Vec::new());
    for function in loaded.functions {
        match rule.check(&function.spelling, library.span, catalog, settings)? {
            Some(message) => left_out.push(message),
            None => new.push(from_library(function, &library.path, loaded.fault.clone(), sql)),
        }
    }
    if new.is_empty() {
        return Ok(Planned::Nothing { message: left_out.join("\n") });
    }
    Ok(Planned::CreateFunctions(Box::new(replacing(new, catalog, settings, library.span)?)))
}

/// Plans DROP FUNCTION.
pub(super) fn drop_function(drop: &DropFunction, catalog: &Catalog) -> Result<Planned, PlanError> {
    let name = drop.name.as_str().to_uppercase();
    match catalog.check_drop_function(&name) {
        Ok(()) => Ok(Planned::DropFunction { name }),
        Err(error @ CatalogError::UnknownFunction { .. }) if drop.if_exists => {
            Ok(Planned::Nothing { message: error.to_string() })
        }
        Err(error) => {
            let hint = match &error {
                CatalogError::UnknownFunction { .. } => {
                    nearest_hint(&name, catalog.defined_functions().map(|function| function.name.as_str()))
                }
                CatalogError::FixedFunction { origin: Some(_), .. } => {
                    Some("take the file out of the extension folder and start the server again".to_owned())
                }
                _ => None,
            };
            let error = PlanError::from(error).or_at(drop.name.span);
            Err(hint.into_iter().fold(error, PlanError::advising))
        }
    }
}

/// What is done about a function that is there already.
#[derive(Clone, Copy)]
struct Rule {
    or_replace: bool,
    if_not_exists: bool,
}

impl Rule {
    /// Whether a function `name` may be made; what there is to say if nothing is to be done.
    fn check(
        self,
        name: &str,
        span: Span,
        catalog: &Catalog,
        settings: &Settings,
    ) -> Result<Option<String>, PlanError> {
        // A statement of the past was right; functions that came since do not make it wrong.
        if settings.topics.is_past() {
            return Ok(None);
        }
        let name = name.to_uppercase();
        if COLUMNS.contains(&name.as_str()) {
            let text = format!("Cannot add function {name}: {name} is a column of every row.");
            return Err(PlanError::refused_with_hint(text, ANOTHER_NAME, span));
        }
        if catalog.functions().get(&name).is_none() {
            return Ok(None);
        }
        let exists = format!("Cannot add function {name}: A function with the same name already exists");
        if self.if_not_exists {
            return Ok(Some(exists));
        }
        if !function_uses::is_of_users(&name, catalog) {
            let text = if self.or_replace {
                format!("Cannot replace function {name}: it is built in.")
            } else {
                format!("Cannot add function {name}: A built-in function with the same name already exists")
            };
            return Err(PlanError::refused_with_hint(text, ANOTHER_NAME, span));
        }
        if !self.or_replace {
            return Err(PlanError::refused_with_hint(exists, "CREATE OR REPLACE FUNCTION replaces it", span));
        }
        Ok(None)
    }
}

const ANOTHER_NAME: &str = "choose another name";
const PARAMETERS_ONLY: &str = "a function sees its parameters only: what it needs of a row is given to it in the call";

/// What `library` holds.
fn load(library: &LibraryPath, settings: &Settings) -> Result<super::LoadedLibrary, PlanError> {
    settings.libraries.load(&library.path).map_err(|reason| {
        let error = PlanError::refused(reason, library.span);
        if std::path::Path::new(&library.path).is_absolute() {
            return error;
        }
        error.advising("a path that does not begin with / is looked up where the server was started")
    })
}

/// The function `name` in `library`.
fn of_library(
    name: &Identifier,
    library: &LibraryPath,
    sql: &str,
    settings: &Settings,
) -> Result<(Function, FunctionInfo), PlanError> {
    let loaded = load(library, settings)?;
    let names: Vec<String> = loaded.functions.iter().map(Function::name).collect();
    let found = loaded.functions.into_iter().find(|function| function.name() == name.as_str().to_uppercase());
    let function = found.ok_or_else(|| {
        let text = format!("There is no function {} in {}.", name.as_str(), library.path);
        PlanError::refused_with_hint(text, format!("it has {}", super::error::and_list(&names)), name.span)
    })?;
    Ok(from_library(function, &library.path, loaded.fault, sql))
}

fn from_library(function: Function, path: &str, fault: Option<String>, sql: &str) -> (Function, FunctionInfo) {
    let definition = FunctionDefinition::Library { path: path.to_owned(), fault };
    let info = FunctionInfo { name: function.name(), definition, calls: Vec::new(), sql: sql.to_owned() };
    (function, info)
}

/// A function in SQL, as it is written.
struct Inline<'a> {
    name: &'a Identifier,
    parameters: &'a [FunctionParameter],
    returns: &'a TypeExpr,
    returns_span: Span,
    expression: &'a Expression,
}

impl Inline<'_> {
    fn function(
        &self,
        sql: &str,
        catalog: &Catalog,
        settings: &Settings,
    ) -> Result<(Function, FunctionInfo), PlanError> {
        let parameters = self.parameters(catalog)?;
        let returns = resolve_type(self.returns, catalog, self.returns_span)?;
        self.check(catalog)?;
        let calls = function_uses::called([self.expression], catalog, settings)?;
        self.check_recursion(&calls, catalog)?;
        let body = self.body(&parameters, &returns, catalog, settings)?;
        let is_volatile = body.is_volatile();
        let info = FunctionInfo {
            name: self.upper_name(),
            definition: FunctionDefinition::Inline { expression: self.expression.to_string() },
            calls,
            sql: sql.to_owned(),
        };
        Ok((self.defined(parameters, &returns, body, is_volatile), info))
    }

    fn upper_name(&self) -> String {
        self.name.as_str().to_uppercase()
    }

    fn defined(
        &self,
        parameters: Vec<(String, SqlType)>,
        returns: &SqlType,
        body: Expr,
        is_volatile: bool,
    ) -> Function {
        let types = parameters.iter().map(|(_, sql_type)| sql_type.clone()).collect();
        let scalar = inline_function(&self.upper_name(), types, body);
        let parameter = |(name, sql_type): (String, SqlType)| Parameter {
            name,
            param_type: ParamType::from(&sql_type),
            is_literal: false,
            description: String::new(),
        };
        let variation = Variation {
            parameters: parameters.into_iter().map(parameter).collect(),
            variadic: None,
            returns: Returns::Type(ParamType::from(returns)),
            scalar: Some(scalar),
            lambda: None,
            aggregate: None,
            table: None,
            intermediate: None,
            has_undo: false,
        };
        Function {
            spelling: self.name.name.clone(),
            kind: FunctionKind::Scalar,
            category: CATEGORY.to_owned(),
            description: String::new(),
            author: String::new(),
            origin: None,
            examples: Vec::new(),
            is_volatile,
            variations: vec![variation],
        }
    }

    fn parameters(&self, catalog: &Catalog) -> Result<Vec<(String, SqlType)>, PlanError> {
        let mut known: Vec<(String, SqlType)> = Vec::new();
        for FunctionParameter { name, data_type } in self.parameters {
            if known.iter().any(|(other, _)| other == name.as_str()) {
                let text = format!("Function {} has two parameters called {}.", self.upper_name(), name.as_str());
                return Err(PlanError::refused(text, name.span));
            }
            known.push((name.name.clone(), resolve_type(data_type, catalog, name.span)?));
        }
        Ok(known)
    }

    fn is_parameter(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.name.as_str() == name)
    }

    /// The expression is of the parameters and of one row alone.
    fn check(&self, catalog: &Catalog) -> Result<(), PlanError> {
        let mut found = None;
        self.expression.walk(&mut |part| {
            if found.is_none() {
                found = match part {
                    Expression::Column { source, name, span } => self.unknown_column(source.as_ref(), name, *span),
                    Expression::FunctionCall(call) => {
                        let function = catalog.functions().get(call.name.as_str());
                        function.and_then(|function| self.unfit_function(function, call.span))
                    }
                    Expression::Lambda { parameters, .. } => self.hidden_parameter(parameters),
                    _ => None,
                };
            }
        });
        found.map_or(Ok(()), Err)?;
        check_lambdas(self.expression, &|name| self.is_parameter(name))
    }

    fn unknown_column(&self, source: Option<&Identifier>, name: &Identifier, span: Span) -> Option<PlanError> {
        let function = self.upper_name();
        let Some(source) = source else {
            if self.is_parameter(name.as_str()) {
                return None;
            }
            let text = format!("Function {function} has no parameter {}.", name.as_str());
            let known = self.parameters.iter().map(|parameter| parameter.name.as_str());
            let hint = did_you_mean(&similar_names(name.as_str(), known)).unwrap_or_else(|| PARAMETERS_ONLY.to_owned());
            return Some(PlanError::refused_with_hint(text, hint, span));
        };
        let written = format!("{}.{}", source.as_str(), name.as_str());
        let text = format!("Function {function} has no column {written}.");
        let hint = if self.is_parameter(source.as_str()) {
            format!("write {}->{} for the field of a STRUCT", source.as_str(), name.as_str())
        } else {
            PARAMETERS_ONLY.to_owned()
        };
        Some(PlanError::refused_with_hint(text, hint, span))
    }

    fn unfit_function(&self, called: &Function, span: Span) -> Option<PlanError> {
        let (name, called_name) = (self.upper_name(), called.name());
        let (article, what, hint) = match called.kind {
            FunctionKind::Scalar => return None,
            FunctionKind::Aggregate => (
                "an",
                "aggregate",
                format!("call one around the other in the query: {called_name}({name}(…)) or {name}({called_name}(…))"),
            ),
            FunctionKind::Table => {
                ("a", "table", format!("call it in the query: {name}({called_name}(…)) or {called_name}({name}(…))"))
            }
        };
        let text = format!("Function {name} is computed from one row: {called_name} is {article} {what} function.");
        Some(PlanError::refused_with_hint(text, hint, span))
    }

    fn hidden_parameter(&self, of_lambda: &[Identifier]) -> Option<PlanError> {
        let hidden = of_lambda.iter().find(|name| self.is_parameter(name.as_str()))?;
        let text = format!("{} is a parameter of function {} already.", hidden.as_str(), self.upper_name());
        Some(PlanError::refused_with_hint(text, "call the parameter of the lambda otherwise", hidden.span))
    }

    /// No function calls itself, not even by way of others.
    fn check_recursion(&self, calls: &[String], catalog: &Catalog) -> Result<(), PlanError> {
        let name = self.upper_name();
        let of_itself = function_uses::calls(self.expression).into_iter();
        if let Some(call) = of_itself.into_iter().find(|call| call.name.as_str().to_uppercase() == name) {
            let text = format!("Function {name} calls itself.");
            return Err(PlanError::refused_with_hint(
                text,
                "lambdas repeat something: REDUCE, TRANSFORM, FILTER",
                call.span,
            ));
        }
        for call in calls {
            let (mut seen, mut rest) = (BTreeSet::new(), vec![call.clone()]);
            while let Some(next) = rest.pop() {
                let Some(info) = catalog.defined_function(&next) else { continue };
                if info.calls.contains(&name) {
                    let text = format!("Function {name} calls itself by way of {next}.");
                    return Err(PlanError::refused(text, self.expression.span()));
                }
                rest.extend(info.calls.iter().filter(|called| seen.insert((*called).clone())).cloned());
            }
        }
        Ok(())
    }

    /// The expression, over rows of the parameters, as a value of the type `returns`.
    fn body(
        &self,
        parameters: &[(String, SqlType)],
        returns: &SqlType,
        catalog: &Catalog,
        settings: &Settings,
    ) -> Result<Expr, PlanError> {
        let mut layout = Layout::default();
        for (index, (name, sql_type)) in parameters.iter().enumerate() {
            layout.add(column(name, Span::NONE), index, sql_type.clone());
        }
        let typer = Typer::without_sources(catalog, settings);
        let body = typer.typed(self.expression, &layout, Clause::Function)?;
        check_size(&self.upper_name(), body.size(), self.name.span)?;
        let found = body.sql_type().cloned();
        Expr::coerced(body, returns).ok_or_else(|| {
            let found = found.map_or_else(|| "null".to_owned(), |found| found.to_string());
            let text = format!("Function {} returns {returns}, but its expression is {found}.", self.upper_name());
            PlanError::refused_with_hint(
                text,
                format!("write RETURNS {found}, or CAST the expression"),
                self.returns_span,
            )
        })
    }
}

/// What is evaluated for every row, on a stack that has an end, has a limit.
pub(super) fn check_size(name: &str, size: ExpressionSize, span: Span) -> Result<(), PlanError> {
    let text = if size.operations > SIZE_MAX.operations {
        format!(
            "Function {name} is too large: with the functions that it calls it has more than {} operations.",
            SIZE_MAX.operations
        )
    } else if size.height > SIZE_MAX.height {
        format!(
            "Function {name} is nested too deeply: more than {} operations, those of the functions that it calls among them, contain each other.",
            SIZE_MAX.height
        )
    } else {
        return Ok(());
    };
    Err(PlanError::refused(text, span))
}
