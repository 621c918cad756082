//! SELECT and its clauses, one clause a line.

use std::fmt::{self, Display};

use super::super::ast::{
    AliasedSource, Expression, Grouping, Join, JoinKind, Query, Refinement, Relation, SelectItem, TimeSpan,
    WindowExpression, WindowKind, Within,
};
use super::write_separated;

impl Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT")?;
        match self.select.as_slice() {
            [item] => write!(f, " {item}")?,
            items => {
                f.write_str("\n  ")?;
                write_separated(f, ",\n  ", items, |f, item| item.fmt(f))?;
            }
        }
        write!(f, "\nFROM {}", self.from)?;
        if let Some(window) = &self.window {
            write!(f, "\nWINDOW {window}")?;
        }
        write_condition(f, "WHERE", self.where_clause.as_ref())?;
        write_grouping(f, "GROUP BY", self.group_by.as_ref())?;
        write_grouping(f, "PARTITION BY", self.partition_by.as_ref())?;
        write_condition(f, "HAVING", self.having.as_ref())?;
        if let Some(refinement) = self.refinement {
            write!(f, "\nEMIT {refinement}")?;
        }
        if let Some(limit) = self.limit {
            write!(f, "\nLIMIT {limit}")?;
        }
        Ok(())
    }
}

fn write_condition(f: &mut fmt::Formatter<'_>, clause: &str, condition: Option<&Expression>) -> fmt::Result {
    condition.map_or(Ok(()), |condition| write!(f, "\n{clause} {condition}"))
}

fn write_grouping(f: &mut fmt::Formatter<'_>, clause: &str, grouping: Option<&Grouping>) -> fmt::Result {
    let Some(Grouping { expressions, .. }) = grouping else {
        return Ok(());
    };
    write!(f, "\n{clause} ")?;
    if expressions.is_empty() {
        return f.write_str("()");
    }
    write_separated(f, ", ", expressions, |f, expression| expression.fmt(f))
}

impl Display for Refinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refinement::Changes => "CHANGES",
            Refinement::Final => "FINAL",
        })
    }
}

impl Display for SelectItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SelectItem::Single { expression, alias, .. } => {
                expression.fmt(f)?;
                alias.as_ref().map_or(Ok(()), |alias| write!(f, " {alias}"))
            }
            SelectItem::All { source: Some(source), .. } => write!(f, "{source}.*"),
            SelectItem::All { source: None, .. } => f.write_str("*"),
            SelectItem::AllFields { base, .. } => match base {
                Expression::Signed { .. } => write!(f, "({base})->*"),
                _ => write!(f, "{base}->*"),
            },
        }
    }
}

impl Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)?;
        for join in &self.joins {
            write!(f, "\n{join}")?;
        }
        Ok(())
    }
}

impl Display for AliasedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.query {
            Some(query) => write!(f, "({query}) {}", self.alias),
            None => write!(f, "{} {}", self.name, self.alias),
        }
    }
}

impl Display for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            JoinKind::Inner => "INNER",
            JoinKind::Left => "LEFT OUTER",
            JoinKind::Right => "RIGHT OUTER",
            JoinKind::Outer => "FULL OUTER",
        };
        write!(f, "{kind} JOIN {}", self.source)?;
        if let Some(within) = &self.within {
            write!(f, " {within}")?;
        }
        write!(f, " ON ({})", self.on)
    }
}

impl Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.before == self.after {
            write!(f, "WITHIN {}", self.before)?;
        } else {
            write!(f, "WITHIN ({}, {})", self.before, self.after)?;
        }
        self.grace.map_or(Ok(()), |grace| write!(f, " GRACE PERIOD {grace}"))
    }
}

impl Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value, self.unit.name())
    }
}

impl Display for WindowExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name} ")?;
        }
        match self.kind {
            WindowKind::Tumbling { size } => write!(f, "TUMBLING ( SIZE {size}")?,
            WindowKind::Hopping { size, advance } => {
                write!(f, "HOPPING ( SIZE {size} , ADVANCE BY {advance}")?;
            }
            WindowKind::Session { gap } => write!(f, "SESSION ( {gap}")?,
        }
        if let Some(retention) = self.retention {
            write!(f, " , RETENTION {retention}")?;
        }
        if let Some(grace) = self.grace {
            write!(f, " , GRACE PERIOD {grace}")?;
        }
        f.write_str(" )")
    }
}
