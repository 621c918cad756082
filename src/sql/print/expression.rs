//! Expressions and types.

use std::fmt::{self, Display};

use super::super::ast::{Expression, FunctionCall, Literal, Sign, TypeExpr, WhenClause};
use super::{Names, WithNames, back_quoted, write_separated, write_string};

impl Display for WithNames<'_, Expression> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.1;
        match self.0 {
            Expression::Literal { value, .. } => value.fmt(f),
            Expression::Column { source, name, .. } => {
                let Some(source) = source else {
                    return names.write(f, &name.name);
                };
                names.write(f, &source.name)?;
                f.write_str(".")?;
                self.name_after_dot(f, &name.name)
            }
            Expression::LambdaVariable(name) => names.write(f, &name.name),
            Expression::IntervalUnit { unit, .. } => f.write_str(unit.name()),
            Expression::FunctionCall(call) => self.call(f, call),
            Expression::Subquery(subquery) => subquery.fmt(f),
            Expression::Lambda { parameters, body, .. } => {
                f.write_str("(")?;
                write_separated(f, ", ", parameters, |f, name| names.write(f, &name.name))?;
                write!(f, ") => {}", self.of(body))
            }
            Expression::Arithmetic { operator, left, right, .. } => self.binary(f, left, operator.symbol(), right),
            Expression::Comparison { operator, left, right, .. } => self.binary(f, left, operator.symbol(), right),
            Expression::Logical { operator, left, right, .. } => self.binary(f, left, operator.symbol(), right),
            Expression::Signed { sign, operand, .. } => self.signed(f, *sign, operand),
            Expression::Not { operand, .. } => write!(f, "(NOT {})", self.of(operand)),
            Expression::IsNull { operand, negated, .. } => {
                let not = if *negated { "NOT " } else { "" };
                write!(f, "({} IS {not}NULL)", self.of(operand))
            }
            Expression::Between { value, low, high, .. } => {
                write!(f, "({} BETWEEN {} AND {})", self.of(value), self.of(low), self.of(high))
            }
            Expression::InList { value, list, .. } => {
                write!(f, "({} IN (", self.of(value))?;
                self.list(f, list)?;
                f.write_str("))")
            }
            Expression::Like { value, pattern, escape, .. } => {
                write!(f, "({} LIKE {}", self.of(value), self.of(pattern))?;
                if let Some(escape) = escape {
                    f.write_str(" ESCAPE ")?;
                    write_string(f, escape.encode_utf8(&mut [0; 4]))?;
                }
                f.write_str(")")
            }
            Expression::SearchedCase { branches, default, .. } => {
                f.write_str("(CASE")?;
                self.branches(f, branches, default.as_deref())
            }
            Expression::SimpleCase { operand, branches, default, .. } => {
                write!(f, "(CASE {}", self.of(operand))?;
                self.branches(f, branches, default.as_deref())
            }
            Expression::Cast { operand, target, .. } => {
                write!(f, "CAST({} AS {})", self.of(operand), WithNames(target, names))
            }
            Expression::Subscript { base, index, .. } => {
                self.base(f, base)?;
                write!(f, "[{}]", self.of(index))
            }
            Expression::Dereference { base, field, .. } => {
                self.base(f, base)?;
                f.write_str("->")?;
                names.write(f, &field.name)
            }
            Expression::Array { elements, .. } => {
                f.write_str("ARRAY[")?;
                self.list(f, elements)?;
                f.write_str("]")
            }
            Expression::Map { entries, .. } => {
                f.write_str("MAP(")?;
                write_separated(f, ", ", entries, |f, (key, value)| write!(f, "{}:={}", self.of(key), self.of(value)))?;
                f.write_str(")")
            }
            Expression::Struct { fields, .. } => {
                f.write_str("STRUCT(")?;
                write_separated(f, ", ", fields, |f, (name, value)| {
                    names.write(f, &name.name)?;
                    write!(f, ":={}", self.of(value))
                })?;
                f.write_str(")")
            }
        }
    }
}

impl WithNames<'_, Expression> {
    /// Another expression, with names printed the same way.
    fn of<'b>(&self, expression: &'b Expression) -> WithNames<'b, Expression> {
        WithNames(expression, self.1)
    }

    fn list(&self, f: &mut fmt::Formatter<'_>, list: &[Expression]) -> fmt::Result {
        write_separated(f, ", ", list, |f, item| self.of(item).fmt(f))
    }

    fn binary(&self, f: &mut fmt::Formatter<'_>, left: &Expression, operator: &str, right: &Expression) -> fmt::Result {
        write!(f, "({} {operator} {})", self.of(left), self.of(right))
    }

    fn call(&self, f: &mut fmt::Formatter<'_>, call: &FunctionCall) -> fmt::Result {
        self.name_with_syntax(f, &call.name.name, &["MAP", "STRUCT"])?;
        if call.arguments.is_empty() && call.name.name == "COUNT" {
            return f.write_str("(*)");
        }
        f.write_str("(")?;
        self.list(f, &call.arguments)?;
        f.write_str(")")
    }

    /// A name that would begin a constructor if it were not quoted.
    fn name_with_syntax(&self, f: &mut fmt::Formatter<'_>, name: &str, constructors: &[&str]) -> fmt::Result {
        if self.1 == Names::Quoted && constructors.contains(&name) {
            return f.write_str(&back_quoted(name));
        }
        self.1.write(f, name)
    }

    /// A dot and a digit would be read as a number.
    fn name_after_dot(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        if self.1 == Names::Quoted && name.starts_with(|c: char| c.is_ascii_digit()) {
            return f.write_str(&back_quoted(name));
        }
        self.1.write(f, name)
    }

    /// A sign keeps apart from a minus (which would open a comment) and from a number (which would swallow it).
    fn signed(&self, f: &mut fmt::Formatter<'_>, sign: Sign, operand: &Expression) -> fmt::Result {
        let operand = self.of(operand).to_string();
        match (sign, operand.as_bytes().first()) {
            (Sign::Plus, _) => write!(f, "+{operand}"),
            (Sign::Minus, Some(b'-')) => write!(f, "- {operand}"),
            (Sign::Minus, Some(b'0'..=b'9')) => write!(f, "-({operand})"),
            (Sign::Minus, _) => write!(f, "-{operand}"),
        }
    }

    /// What a subscript or field is taken of. Signs bind less tightly than these.
    fn base(&self, f: &mut fmt::Formatter<'_>, base: &Expression) -> fmt::Result {
        match base {
            Expression::Signed { .. } => write!(f, "({})", self.of(base)),
            Expression::LambdaVariable(name) | Expression::Column { source: None, name, .. } => {
                self.name_with_syntax(f, &name.name, &["ARRAY"])
            }
            _ => self.of(base).fmt(f),
        }
    }

    fn branches(
        &self,
        f: &mut fmt::Formatter<'_>,
        branches: &[WhenClause],
        default: Option<&Expression>,
    ) -> fmt::Result {
        for WhenClause { when, then, .. } in branches {
            write!(f, " WHEN {} THEN {}", self.of(when), self.of(then))?;
        }
        if let Some(default) = default {
            write!(f, " ELSE {}", self.of(default))?;
        }
        f.write_str(" END)")
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => f.write_str("null"),
            Literal::Boolean(value) => write!(f, "{value}"),
            Literal::Integer(value) => write!(f, "{value}"),
            Literal::BigInt(value) => write!(f, "{value}"),
            Literal::Double(value) => write!(f, "{:E}", value.value()),
            // The point keeps a decimal without fraction from becoming an integer.
            Literal::Decimal(value) if value.scale() == 0 => write!(f, "{}.", value.as_str()),
            Literal::Decimal(value) => f.write_str(value.as_str()),
            Literal::String(text) => write_string(f, text),
            Literal::Variable(name) => write!(f, "${{{name}}}"),
        }
    }
}

impl Display for WithNames<'_, TypeExpr> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.1;
        match self.0 {
            TypeExpr::Primitive(primitive) => f.write_str(primitive.name()),
            TypeExpr::Decimal { precision, scale, .. } => write!(f, "DECIMAL({precision}, {scale})"),
            TypeExpr::Array(element) => write!(f, "ARRAY<{}>", WithNames(&**element, names)),
            TypeExpr::Map { key, value } => {
                write!(f, "MAP<{}, {}>", WithNames(&**key, names), WithNames(&**value, names))
            }
            TypeExpr::Struct(fields) if fields.is_empty() => f.write_str("STRUCT< >"),
            TypeExpr::Struct(fields) => {
                f.write_str("STRUCT<")?;
                write_separated(f, ", ", fields, |f, field| {
                    names.write(f, &field.name.name)?;
                    write!(f, " {}", WithNames(&field.data_type, names))
                })?;
                f.write_str(">")
            }
            TypeExpr::Custom(name) => names.write(f, &name.name),
        }
    }
}
