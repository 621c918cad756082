//! Reads beyond ksqlDB's pull queries.

use std::fmt::{self, Display};

use super::super::ast::{CommonTable, ReadBody, ReadQuery, SortItem, Subquery, SubqueryKind};
use super::write_separated;

impl Display for ReadQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.with.is_empty() {
            f.write_str("WITH ")?;
            write_separated(f, ",\n  ", &self.with, |f, table| table.fmt(f))?;
            f.write_str("\n")?;
        }
        self.body.fmt(f)?;
        if !self.order_by.is_empty() {
            f.write_str("\nORDER BY ")?;
            write_separated(f, ", ", &self.order_by, |f, item| item.fmt(f))?;
        }
        if let Some(limit) = self.limit {
            write!(f, "\nLIMIT {limit}")?;
        }
        self.offset.map_or(Ok(()), |offset| write!(f, "\nOFFSET {offset}"))
    }
}

impl Display for CommonTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        if !self.columns.is_empty() {
            f.write_str(" (")?;
            write_separated(f, ", ", &self.columns, |f, column| column.fmt(f))?;
            f.write_str(")")?;
        }
        write!(f, " AS ({})", self.query)
    }
}

impl Display for ReadBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Select { distinct: false, query } => query.fmt(f),
            Self::Select { distinct: true, query } => {
                let text = query.to_string();
                write!(f, "SELECT DISTINCT{}", text.strip_prefix("SELECT").unwrap_or(&text))
            }
            Self::Union { left, right, all, .. } => {
                write!(f, "{left}\nUNION {}{right}", if *all { "ALL " } else { "" })
            }
            Self::Nested(query) => write!(f, "({query})"),
        }
    }
}

impl Display for SortItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)?;
        if self.descending {
            f.write_str(" DESC")?;
        }
        match self.nulls_first {
            Some(true) => f.write_str(" NULLS FIRST"),
            Some(false) => f.write_str(" NULLS LAST"),
            None => Ok(()),
        }
    }
}

impl Display for Subquery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            SubqueryKind::Scalar => write!(f, "({})", self.query),
            SubqueryKind::Exists => write!(f, "EXISTS ({})", self.query),
            SubqueryKind::In(value) => write!(f, "({value} IN ({}))", self.query),
        }
    }
}
