//! The columns of an answer, as the header of `/query` has them: `` `K` STRING KEY, `N` DECIMAL(4, 2) ``.

use crate::catalog::Catalog;
use crate::plan::{ColumnRole, resolve_type};
use crate::sql::{Span, parse_type};
use crate::types::{Column, SqlType};

/// What follows the type of a column that is part of the key.
const KEY_WORDS: [&str; 2] = [" PRIMARY KEY", " KEY"];

/// Reads the columns of `text` and what each is. A type that this program does not know is shown as JSON in a STRING.
pub(super) fn parse_columns(text: &str) -> (Vec<Column>, Vec<ColumnRole>) {
    let catalog = Catalog::new();
    pieces(text).into_iter().map(|piece| column(piece, &catalog)).unzip()
}

/// Reads a type as servers write it.
fn sql_type(text: &str, catalog: &Catalog) -> SqlType {
    let written = parse_type(text).ok();
    written.and_then(|written| resolve_type(&written, catalog, Span::default()).ok()).unwrap_or(SqlType::String)
}

fn column(piece: &str, catalog: &Catalog) -> (Column, ColumnRole) {
    let (name, rest) = split_name(piece);
    let (type_text, role) = split_role(rest.trim());
    (Column::new(name, sql_type(type_text, catalog)), role)
}

/// The name, which is in back-ticks or ends at a blank, and what follows it.
fn split_name(piece: &str) -> (String, &str) {
    let Some(quoted) = piece.strip_prefix('`') else {
        let (name, rest) = piece.split_once(' ').unwrap_or((piece, ""));
        return (name.to_owned(), rest);
    };
    let mut end = 0;
    while let Some(next) = quoted[end..].find('`') {
        end += next;
        if !quoted[end + 1..].starts_with('`') {
            return (quoted[..end].replace("``", "`"), &quoted[end + 1..]);
        }
        end += 2;
    }
    (quoted.to_owned(), "")
}

fn split_role(rest: &str) -> (&str, ColumnRole) {
    for word in KEY_WORDS {
        if let Some(type_text) = rest.strip_suffix(word) {
            return (type_text, ColumnRole::Key);
        }
    }
    if let Some(type_text) = rest.strip_suffix(" HEADERS") {
        return (type_text, ColumnRole::Header(None));
    }
    match rest.strip_suffix("')").and_then(|rest| rest.rsplit_once(" HEADER('")) {
        Some((type_text, name)) => (type_text, ColumnRole::Header(Some(name.into()))),
        None => (rest, ColumnRole::Value),
    }
}

/// The text between commas that are in no brackets and no back-ticks.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut begin, mut depth, mut quoted) = (Vec::new(), 0, 0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '`' => quoted = !quoted,
            _ if quoted => {}
            '<' | '(' => depth += 1,
            '>' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                pieces.push(text[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(text[begin..].trim());
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_names_types_and_roles() {
        let text = "`K` STRING KEY, `a, ``b` DECIMAL(4, 2), `S` STRUCT<`X` INTEGER, `Y` MAP<STRING, BIGINT>>, \
                    `H` BYTES HEADER('h'), `HS` ARRAY<STRUCT<`KEY` STRING, `VALUE` BYTES>> HEADERS";
        let (columns, roles) = parse_columns(text);
        let shown: Vec<String> = columns.iter().map(|column| format!("{}|{}", column.name, column.sql_type)).collect();
        assert_eq!(
            shown,
            [
                "K|STRING",
                "a, `b|DECIMAL(4, 2)",
                "S|STRUCT<`X` INTEGER, `Y` MAP<STRING, BIGINT>>",
                "H|BYTES",
                "HS|ARRAY<STRUCT<`KEY` STRING, `VALUE` BYTES>>",
            ]
        );
        let header = |name: Option<&str>| ColumnRole::Header(name.map(Into::into));
        assert_eq!(roles, [ColumnRole::Key, ColumnRole::Value, ColumnRole::Value, header(Some("h")), header(None)]);
    }

    #[test]
    fn what_is_not_known_is_text() {
        let (columns, _) = parse_columns("`A` GEOMETRY, `B` INTEGER");
        assert_eq!(columns[0].sql_type, SqlType::String);
        assert_eq!(columns[1].sql_type, SqlType::Integer);
        assert!(parse_columns("").0.is_empty());
    }
}
