//! Columns of headers: `HEADERS` shows all headers of a record, `HEADER('k')` the last one called k.

use crate::catalog::HeaderColumn;
use crate::sql::Span;
use crate::sql::ast::SourceKind;
use crate::types::{Column, SqlType, StructField};

use super::error::PlanError;
use super::settings::Settings;

/// Type of a column of all headers.
fn all_type() -> SqlType {
    let field = |name: &str, sql_type| StructField { name: name.to_owned(), sql_type };
    let header = vec![field("KEY", SqlType::String), field("VALUE", SqlType::Bytes)];
    SqlType::Array(Box::new(SqlType::Struct(header)))
}

/// The columns of headers of one source, as they are declared one after the other.
#[derive(Default)]
pub(super) struct HeaderColumns {
    columns: Vec<HeaderColumn>,
}

impl HeaderColumns {
    /// Adds `column`, which shows the header called `header`, or all; `position` value columns are declared before it.
    pub(super) fn add(
        &mut self,
        column: Column,
        header: Option<&str>,
        position: usize,
        span: Span,
    ) -> Result<(), PlanError> {
        let added = HeaderColumn { column, header: header.map(str::to_owned), position };
        let expected = if header.is_some() { SqlType::Bytes } else { all_type() };
        let role = added.role();
        if added.column.sql_type != expected {
            let got = &added.column.sql_type;
            let text = format!("Invalid type for {role} column: expected {expected}, got {got}");
            return Err(PlanError::refused(text, span));
        }
        // All headers are there once, and then no single one.
        let clash = self
            .columns
            .iter()
            .find(|other| other.header == added.header || other.header.is_none() || added.header.is_none());
        if let Some(other) = clash {
            let text = format!("Schema already contains a {} column.", other.role());
            let hint = format!("`{}` shows it", other.column.name);
            return Err(PlanError::refused_with_hint(text, hint, span));
        }
        self.columns.push(added);
        Ok(())
    }

    /// The columns, if `settings` allow any.
    pub(super) fn finish(
        self,
        kind: SourceKind,
        settings: &Settings,
        span: Span,
    ) -> Result<Vec<HeaderColumn>, PlanError> {
        if self.columns.is_empty() || settings.is_on("ksql.headers.columns.enabled", true) {
            return Ok(self.columns);
        }
        let kind = match kind {
            SourceKind::Stream => "Stream",
            SourceKind::Table => "Table",
        };
        let text = format!("Cannot create {kind} because schema with headers columns is disabled.");
        Err(PlanError::refused_with_hint(text, "'ksql.headers.columns.enabled'='true' allows them", span))
    }
}
