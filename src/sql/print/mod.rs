//! Trees to text, as ksqlDB prints them.
//!
//! `Display` quotes names where that is needed, so that the text can be read back as an equal tree. [`Plain`] never
//! quotes: that is how ksqlDB shows expressions in its messages.

mod expression;
mod query;
mod read;
mod statement;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::{self, Display};

use super::ast::{Expression, Identifier, TypeExpr};
use super::lexer::needs_quotes;

/// How names are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// In back-ticks where needed.
    Quoted,
    /// As they are.
    Bare,
}

impl Names {
    fn write(self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        match self {
            Names::Quoted => f.write_str(&quoted_if_needed(name)),
            Names::Bare => f.write_str(name),
        }
    }
}

/// Prints a tree with bare names, as ksqlDB does in messages: `(my col + 1)`.
pub struct Plain<'a, T>(pub &'a T);

/// Prints a tree with names as the option says.
struct WithNames<'a, T>(&'a T, Names);

impl Display for Plain<'_, Expression> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        WithNames(self.0, Names::Bare).fmt(f)
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        WithNames(self, Names::Quoted).fmt(f)
    }
}

impl Display for TypeExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        WithNames(self, Names::Quoted).fmt(f)
    }
}

impl Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Names::Quoted.write(f, &self.name)
    }
}

impl Expression {
    /// The expression as ksqlDB's messages show it: names without quotes.
    pub fn plain(&self) -> Plain<'_, Expression> {
        Plain(self)
    }
}

/// The name in back-ticks, unless it is read back as itself without them.
pub(super) fn quoted_if_needed(name: &str) -> Cow<'_, str> {
    // An open `${` would be taken for a variable's name, which stands as it is.
    if !needs_quotes(name) || is_variable(name) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(back_quoted(name))
}

fn back_quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn is_variable(name: &str) -> bool {
    name.starts_with("${") && name.ends_with('}')
}

/// A text as a literal: `'it''s'`.
fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "'{}'", text.replace('\'', "''"))
}

/// Items with a separator between them.
fn write_separated<T>(
    f: &mut fmt::Formatter<'_>,
    separator: &str,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write(f, item)?;
    }
    Ok(())
}
