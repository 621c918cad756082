//! Why a statement has no plan.
//!
//! Texts are ksqlDB's where it has one, because clients look at them; what it does not say (the nearest name, what to do)
//! is in [`PlanError::hint`].

use std::fmt;

use crate::catalog::CatalogError;
use crate::sql::{Span, similar_names};

/// A statement that cannot be carried out, and where in its text.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanError {
    kind: Box<PlanErrorKind>,
    span: Option<Span>,
    /// What to do, where the kind does not say it.
    advice: Option<Box<str>>,
    /// The statement as ksqlDB prints it, where its message has it.
    statement: Option<Box<str>>,
}

/// What is wrong with a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanErrorKind {
    /// Part of the language that is not built yet.
    #[error("not supported yet: {what}")]
    NotSupported {
        /// Which part.
        what: String,
    },
    /// The catalog refuses.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// FROM or INSERT INTO names what is not there.
    #[error("{name} does not exist.")]
    UnknownSource {
        /// The name.
        name: String,
        /// The most similar stream or table.
        similar: Option<String>,
    },
    /// DESCRIBE names what is not there.
    #[error("Could not find STREAM/TABLE '{name}' in the Metastore")]
    UndescribedSource {
        /// The name.
        name: String,
        /// The most similar stream or table.
        similar: Option<String>,
    },
    /// A column is not there.
    #[error(
        "{clause} column '{name}' cannot be resolved.{}",
        if .input_only.is_empty() { String::new() } else { format!(" {}", .input_only) }
    )]
    UnknownColumn {
        /// `SELECT`, `WHERE`, …
        clause: &'static str,
        /// The column as written, with its source.
        name: String,
        /// What ksqlDB adds for clauses that see source columns only; may be empty.
        input_only: String,
        /// The most similar columns.
        similar: Vec<String>,
    },
    /// Several sources have the column.
    #[error("Column '{name}' is ambiguous. Could be {}.", or_list(.candidates))]
    AmbiguousColumn {
        /// The column.
        name: String,
        /// With their sources.
        candidates: Vec<String>,
    },
    /// A custom type is not there.
    #[error("Cannot resolve unknown type: {name}")]
    UnknownType {
        /// The name.
        name: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// DECIMAL with impossible numbers.
    #[error("{reason}")]
    InvalidDecimal {
        /// ksqlDB's text.
        reason: String,
    },
    /// An expression is not well typed.
    #[error("{message}")]
    Expression {
        /// ksqlDB's text, with the clause it stands in.
        message: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// A property of a WITH clause has no meaning there or an impossible value.
    #[error("{message}")]
    Property {
        /// ksqlDB's text.
        message: String,
    },
    /// A format cannot hold the columns.
    #[error(
        "{} format does not support schema.\nformat: {format}\nschema: Persistence{{columns=[{columns}], \
         features=[{features}]}}\nreason: {reason}",
        if *.is_key { "Key" } else { "Value" }
    )]
    Format {
        /// Key or value.
        is_key: bool,
        /// Name of the format.
        format: &'static str,
        /// The columns, printed.
        columns: String,
        /// How a single column is stored, where the format leaves a choice.
        features: &'static str,
        /// What the format cannot hold.
        reason: String,
    },
    /// Anything else that ksqlDB refuses with this text.
    #[error("{text}")]
    Refused {
        /// ksqlDB's text.
        text: String,
        /// What to do instead.
        hint: Option<String>,
    },
}

impl PlanError {
    /// An error without a place.
    pub fn new(kind: PlanErrorKind) -> Self {
        Self { kind: Box::new(kind), span: None, advice: None, statement: None }
    }

    /// An error at `span`.
    pub fn at(kind: PlanErrorKind, span: Span) -> Self {
        Self::new(kind).or_at(span)
    }

    /// A part of the language that is not built yet.
    pub fn not_supported(what: impl Into<String>, span: Span) -> Self {
        Self::at(PlanErrorKind::NotSupported { what: what.into() }, span)
    }

    /// ksqlDB's `text` for what the statement does at `span`.
    pub fn refused(text: impl Into<String>, span: Span) -> Self {
        Self::refused_with(text, None, span)
    }

    /// As [`PlanError::refused`], with what to do instead.
    pub fn refused_with_hint(text: impl Into<String>, hint: impl Into<String>, span: Span) -> Self {
        Self::refused_with(text, Some(hint.into()), span)
    }

    /// As [`PlanError::refused_with_hint`], where it may be that nothing is known to do instead.
    pub(super) fn refused_with(text: impl Into<String>, hint: Option<String>, span: Span) -> Self {
        Self::at(PlanErrorKind::Refused { text: text.into(), hint }, span)
    }

    /// This error, at `span` unless it has a place already.
    #[must_use]
    pub fn or_at(mut self, span: Span) -> Self {
        if self.span.is_none() && span.line > 0 {
            self.span = Some(span);
        }
        self
    }

    /// This error, with what to do about it.
    #[must_use]
    pub fn advising(mut self, advice: impl Into<Box<str>>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// This error, with the statement in its text.
    #[must_use]
    pub(super) fn quoting(mut self, statement: impl Into<Box<str>>) -> Self {
        self.statement = Some(statement.into());
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> &PlanErrorKind {
        &self.kind
    }

    /// Where in the text that was parsed.
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    /// What ksqlDB does not say: the nearest names, what to do.
    pub fn hint(&self) -> Option<String> {
        if let Some(advice) = &self.advice {
            return Some(advice.to_string());
        }
        match &*self.kind {
            PlanErrorKind::UnknownSource { similar, .. } | PlanErrorKind::UndescribedSource { similar, .. } => {
                did_you_mean(similar.as_slice())
            }
            PlanErrorKind::UnknownColumn { similar, .. } if !similar.is_empty() => did_you_mean(similar),
            // Older KSQL had it without saying.
            PlanErrorKind::UnknownColumn { name, .. } if name.rsplit('.').next() == Some("ROWKEY") => {
                Some("a key is there if it is declared: (ROWKEY STRING KEY, …)".to_owned())
            }
            // Names without quotes are in capitals: this one stood in quotes.
            PlanErrorKind::UnknownColumn { name, .. } if name.contains(char::is_lowercase) => {
                Some("texts stand in 'single quotes'; \"double quotes\" and `back-ticks` make a name".to_owned())
            }
            PlanErrorKind::Refused { hint, .. }
            | PlanErrorKind::Expression { hint, .. }
            | PlanErrorKind::UnknownType { hint, .. } => hint.clone(),
            _ => None,
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ksqlDB puts the place in front of the message for names only.
        match (&*self.kind, self.span) {
            (PlanErrorKind::UnknownColumn { .. }, Some(span)) => write!(f, "{span}: {}", self.kind),
            (PlanErrorKind::AmbiguousColumn { .. }, Some(span)) => {
                write!(f, "Exception while preparing statement: {span}: {}", self.kind)
            }
            _ => write!(f, "{}", self.kind),
        }?;
        self.statement.as_ref().map_or(Ok(()), |statement| write!(f, "\nStatement: {statement}"))
    }
}

impl std::error::Error for PlanError {}

impl From<CatalogError> for PlanError {
    fn from(error: CatalogError) -> Self {
        Self::new(PlanErrorKind::Catalog(error))
    }
}

/// What to say where one of `similar` may have been meant.
pub(super) fn did_you_mean(similar: &[String]) -> Option<String> {
    (!similar.is_empty()).then(|| format!("did you mean {}?", or_list(similar)))
}

/// As [`did_you_mean`], of the one of `known` that is most similar to `name`.
pub(super) fn nearest_hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    did_you_mean(similar_names(name, known).get(..1)?)
}

/// `A`, `A or B`, `A, B or C`.
pub(super) fn or_list(items: &[String]) -> String {
    list(items, "or")
}

/// `A`, `A and B`, `A, B and C`.
pub(super) fn and_list(items: &[String]) -> String {
    list(items, "and")
}

fn list(items: &[String], word: &str) -> String {
    match items {
        [first @ .., last] if !first.is_empty() => format!("{} {word} {last}", first.join(", ")),
        _ => items.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_as_sentences() {
        let names =
            |count: usize| -> Vec<String> { ["A", "B", "C"][..count].iter().map(|s| (*s).to_owned()).collect() };
        for (count, expected) in [(1, "A"), (2, "A and B"), (3, "A, B and C")] {
            assert_eq!(and_list(&names(count)), expected);
        }
    }
}
