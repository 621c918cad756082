//! Constructors that check types and insert the conversions that ksqlDB makes by itself (ksqldb-surface 2.2, 2.3, 3).

use std::fmt::Display;

use super::cast::{can_cast, can_coerce};
use super::error::type_name;
use super::number_type::{common_number, comparison_type, decimal_result};
use super::{ArithmeticOp, Call, CallBody, CompareOp, Expr, ExprKind, Literal, TypeError, common_type};
use crate::functions::{Binding, Function, ParamType, Variation};
use crate::types::{SqlType, StructField};

/// An operand and its text for messages.
pub type Operand<'a> = (Expr, &'a dyn Display);

impl Expr {
    pub(super) fn new(kind: ExprKind, sql_type: SqlType) -> Self {
        Self { kind, sql_type: Some(sql_type) }
    }

    /// The column at `index` of the row layout.
    pub fn column(index: usize, sql_type: SqlType) -> Self {
        Self::new(ExprKind::Column(index), sql_type)
    }

    /// A constant.
    pub fn literal(literal: Literal) -> Self {
        let sql_type = literal.sql_type();
        Self { kind: ExprKind::Literal(literal), sql_type }
    }

    /// `left op right` on numbers; `+` on two texts is concatenation.
    pub fn arithmetic(op: ArithmeticOp, left: Self, right: Self) -> Result<Self, TypeError> {
        let refused = || TypeError::Arithmetic { left: type_name(left.sql_type()), right: type_name(right.sql_type()) };
        let (Some(l), Some(r)) = (left.sql_type().cloned(), right.sql_type().cloned()) else { return Err(refused()) };
        if op == ArithmeticOp::Add && l == SqlType::String && r == SqlType::String {
            return Ok(Self::new(ExprKind::Concat(Box::new(left), Box::new(right)), SqlType::String));
        }
        let Some(common) = common_number(&l, &r) else { return Err(refused()) };
        let (left, right, result) = match common {
            SqlType::Decimal { .. } => {
                let (left, right) = (left.into_decimal(), right.into_decimal());
                let result = decimal_result(op, left.sql_type(), right.sql_type());
                (left, right, result)
            }
            other => (left.converted(&other), right.converted(&other), other),
        };
        Ok(Self::new(ExprKind::Arithmetic(op, Box::new(left), Box::new(right)), result))
    }

    /// `-operand`
    pub fn negate(operand: Self) -> Result<Self, TypeError> {
        match operand.sql_type().cloned() {
            Some(sql_type) if sql_type.is_numeric() => Ok(Self::new(ExprKind::Negate(Box::new(operand)), sql_type)),
            other => Err(TypeError::Negate { sql_type: type_name(other.as_ref()) }),
        }
    }

    /// `left op right`, BOOLEAN.
    pub fn compare(op: CompareOp, (left, l_text): Operand, (right, r_text): Operand) -> Result<Self, TypeError> {
        let (Some(l), Some(r)) = (left.sql_type().cloned(), right.sql_type().cloned()) else {
            if op == CompareOp::Distinct {
                return Ok(Self::is_not_null(if left.sql_type.is_none() { right } else { left }));
            }
            let (left, right) = (l_text.to_string(), r_text.to_string());
            return Err(TypeError::CompareNull { left, op: op.sign(), right });
        };
        let Some(common) = comparison_type(&l, &r, op.is_ordered()) else {
            return Err(TypeError::Compare {
                left: l_text.to_string(),
                left_type: l.to_string(),
                right: r_text.to_string(),
                right_type: r.to_string(),
                op: op.name(),
            });
        };
        let (left, right) = (left.converted(&common), right.converted(&common));
        Ok(Self::new(ExprKind::Compare(op, Box::new(left), Box::new(right)), SqlType::Boolean))
    }

    /// `left AND right`
    pub fn and(left: Self, right: Self) -> Result<Self, TypeError> {
        let (left, right) = (left.into_condition("AND")?, right.into_condition("AND")?);
        Ok(Self::new(ExprKind::And(Box::new(left), Box::new(right)), SqlType::Boolean))
    }

    /// `left OR right`
    pub fn or(left: Self, right: Self) -> Result<Self, TypeError> {
        let (left, right) = (left.into_condition("OR")?, right.into_condition("OR")?);
        Ok(Self::new(ExprKind::Or(Box::new(left), Box::new(right)), SqlType::Boolean))
    }

    /// `NOT operand`
    #[expect(clippy::should_implement_trait, reason = "it fails on types that are no conditions")]
    pub fn not(operand: Self) -> Result<Self, TypeError> {
        let operand = operand.into_condition("NOT")?;
        Ok(Self::new(ExprKind::Not(Box::new(operand)), SqlType::Boolean))
    }

    /// `operand IS NULL`
    pub fn is_null(operand: Self) -> Self {
        Self::new(ExprKind::IsNull(Box::new(operand)), SqlType::Boolean)
    }

    /// `operand IS NOT NULL`
    pub fn is_not_null(operand: Self) -> Self {
        Self::new(ExprKind::IsNotNull(Box::new(operand)), SqlType::Boolean)
    }

    /// `low <= operand AND operand <= high`
    pub fn between(operand: Operand, low: Operand, high: Operand) -> Result<Self, TypeError> {
        let (operand, text) = operand;
        let above = Self::compare(CompareOp::GreaterOrEqual, (operand.clone(), text), low)?;
        let below = Self::compare(CompareOp::LessOrEqual, (operand, text), high)?;
        Self::and(above, below)
    }

    /// `operand IN (list)`: the operand and the list take their common type.
    pub fn in_list(operand: Operand, list: Vec<Operand>) -> Result<Self, TypeError> {
        let (operand, operand_text) = operand;
        let Some(common) = operand.sql_type().cloned() else {
            return Err(TypeError::CompareNull { left: operand_text.to_string(), op: "IN", right: String::new() });
        };
        let common = list.iter().try_fold(common, |common, element| common_type::with(&common, element))?;
        let elements = list.into_iter().map(|(element, _)| element.fitted(&common)).collect();
        let operand = operand.fitted(&common);
        Ok(Self::new(ExprKind::InList(Box::new(operand), elements), SqlType::Boolean))
    }

    /// `text LIKE pattern [ESCAPE escape]`
    pub fn like(text: Self, pattern: Self, escape: Option<char>) -> Result<Self, TypeError> {
        for operand in [&text, &pattern] {
            if operand.sql_type() != Some(&SqlType::String) {
                return Err(TypeError::Expected {
                    what: "LIKE",
                    expected: SqlType::String.to_string(),
                    found: type_name(operand.sql_type()),
                });
            }
        }
        let kind = ExprKind::Like { text: Box::new(text), pattern: Box::new(pattern), escape };
        Ok(Self::new(kind, SqlType::Boolean))
    }

    /// `CASE WHEN … THEN … ELSE … END`; the text of each WHEN is for messages.
    pub fn case(branches: Vec<(Operand, Self)>, otherwise: Option<Self>) -> Result<Self, TypeError> {
        for ((when, text), _) in &branches {
            if when.sql_type() != Some(&SqlType::Boolean) {
                return Err(TypeError::CaseWhen { when: text.to_string(), sql_type: type_name(when.sql_type()) });
            }
        }
        let thens: Vec<SqlType> = branches.iter().filter_map(|(_, then)| then.sql_type().cloned()).collect();
        if thens.windows(2).any(|pair| pair[0] != pair[1]) {
            let types = thens.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(TypeError::CaseTypes { types: format!("[{types}]") });
        }
        let default = otherwise.as_ref().and_then(|otherwise| otherwise.sql_type().cloned());
        let result = match (thens.first(), &default) {
            (Some(then), Some(other)) if then != other => {
                return Err(TypeError::CaseDefault { then: then.to_string(), otherwise: other.to_string() });
            }
            (Some(then), _) => then.clone(),
            (None, Some(other)) => other.clone(),
            (None, None) => return Err(TypeError::CaseWithoutType),
        };
        let branches = branches.into_iter().map(|((when, _), then)| (when, then.converted(&result))).collect();
        let otherwise = otherwise.map(|otherwise| Box::new(otherwise.converted(&result)));
        Ok(Self::new(ExprKind::Case { branches, otherwise }, result))
    }

    /// `CAST(operand AS to)`
    pub fn cast(operand: Self, to: SqlType) -> Result<Self, TypeError> {
        match operand.sql_type() {
            Some(from) if *from == to => Ok(operand),
            Some(from) if !can_cast(from, &to) => Err(TypeError::Cast { from: from.to_string(), to: to.to_string() }),
            _ => Ok(Self::new(ExprKind::Cast(Box::new(operand)), to)),
        }
    }

    /// `operand` as a value of type `to` where ksqlDB converts by itself (columns of INSERT, arguments); `None` where it
    /// does not.
    pub fn coerced(operand: Self, to: &SqlType) -> Option<Self> {
        match operand.sql_type() {
            Some(from) if from == to => Some(operand),
            Some(from) if !can_coerce(from, to) => None,
            _ => Some(operand.converted(to)),
        }
    }

    /// A call of variation `index` of `function`, whose generics are `binding`, that gives `result`. Numbers are widened
    /// to the types that the variation takes.
    pub fn call(function: &Function, index: usize, binding: &Binding, arguments: Vec<Self>, result: SqlType) -> Self {
        let arguments = converted_arguments(&function.variations[index], binding, arguments);
        Self::called_as(function, index, arguments, result)
    }

    /// As [`Expr::call`], of a table function whose rows have values of the type `element`: it gives an ARRAY of them.
    pub fn table_call(
        function: &Function,
        index: usize,
        binding: &Binding,
        arguments: Vec<Self>,
        element: SqlType,
    ) -> Self {
        let arguments = converted_arguments(&function.variations[index], binding, arguments);
        Self::called_as(function, index, arguments, SqlType::Array(Box::new(element)))
    }

    /// A call of variation `index` of `function` with arguments of the types that it takes.
    pub(super) fn called_as(function: &Function, index: usize, arguments: Vec<Self>, result: SqlType) -> Self {
        let Variation { scalar, lambda, table, .. } = &function.variations[index];
        let values = scalar.as_ref().or(table.as_ref().map(|table| &table.lists));
        let body = match (values, lambda) {
            (Some(body), _) => Some(CallBody::Values(body.clone())),
            (None, Some(body)) => Some(CallBody::Lambdas(body.clone())),
            (None, None) => None,
        };
        let call = Call {
            name: function.name(),
            variation: index,
            is_replaceable: function.origin.is_some()
                || matches!(&body, Some(CallBody::Values(body)) if body.as_inline().is_some()),
            body,
            is_volatile: function.is_volatile,
            arguments,
        };
        Self::new(ExprKind::Call(call), result)
    }

    /// A lambda as an argument of [`Expr::call`].
    pub fn lambda(parameters: Vec<String>, body: Self) -> Self {
        let sql_type = body.sql_type.clone();
        Self { kind: ExprKind::Lambda(parameters, Box::new(body)), sql_type }
    }

    /// A parameter of an enclosing lambda.
    pub fn variable(name: String, sql_type: SqlType) -> Self {
        Self::new(ExprKind::Variable(name), sql_type)
    }

    /// `operand->field`
    pub fn field(operand: Self, field: &str, operand_text: &dyn Display) -> Result<Self, TypeError> {
        let Some(SqlType::Struct(fields)) = operand.sql_type() else {
            return Err(TypeError::NoStruct { found: type_name(operand.sql_type()) });
        };
        let found = fields.iter().position(|candidate| candidate.name == field);
        let Some(index) = found else {
            let known = fields.iter().map(|field| field.name.clone()).collect();
            return Err(TypeError::UnknownField { field: field.to_owned(), operand: operand_text.to_string(), known });
        };
        let sql_type = fields[index].sql_type.clone();
        Ok(Self::new(ExprKind::Field(Box::new(operand), index), sql_type))
    }

    /// `operand[index]` of an array or a map.
    pub fn subscript(operand: Self, index: Self) -> Result<Self, TypeError> {
        match operand.sql_type().cloned() {
            Some(SqlType::Array(element)) => {
                let index_type = index.sql_type().cloned();
                if !matches!(index_type, Some(SqlType::Integer | SqlType::Bigint)) {
                    return Err(TypeError::Expected {
                        what: "array index",
                        expected: SqlType::Integer.to_string(),
                        found: type_name(index_type.as_ref()),
                    });
                }
                let index = index.converted(&SqlType::Integer);
                Ok(Self::new(ExprKind::Index(Box::new(operand), Box::new(index)), *element))
            }
            Some(SqlType::Map(key, value)) => {
                let Some(index) = Self::coerced(index.clone(), &key) else {
                    return Err(TypeError::Expected {
                        what: "map key",
                        expected: key.to_string(),
                        found: type_name(index.sql_type()),
                    });
                };
                Ok(Self::new(ExprKind::MapGet(Box::new(operand), Box::new(index)), *value))
            }
            other => Err(TypeError::NoSubscript { found: type_name(other.as_ref()) }),
        }
    }

    /// `ARRAY[elements]`
    pub fn array(elements: Vec<Operand>) -> Result<Self, TypeError> {
        let (elements, element) = common_type::elements(elements, "an array", "elements")?;
        Ok(Self::new(ExprKind::MakeArray(elements), SqlType::Array(Box::new(element))))
    }

    /// `MAP(key := value, …)`
    pub fn map(entries: Vec<(Operand, Operand)>) -> Result<Self, TypeError> {
        let (keys, values): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        let (keys, key) = common_type::elements(keys, "a map", "keys")?;
        let (values, value) = common_type::elements(values, "a map", "values")?;
        let entries = keys.into_iter().zip(values).collect();
        Ok(Self::new(ExprKind::MakeMap(entries), SqlType::Map(Box::new(key), Box::new(value))))
    }

    /// `STRUCT(name := value, …)`
    pub fn structure(fields: Vec<(String, Self)>) -> Result<Self, TypeError> {
        let types = fields.iter().map(|(name, value)| {
            let sql_type = value.sql_type().cloned();
            let sql_type = sql_type.ok_or(TypeError::NoElementType { what: "a struct", elements: "fields" })?;
            Ok(StructField { name: name.clone(), sql_type })
        });
        let sql_type = SqlType::Struct(types.collect::<Result<_, TypeError>>()?);
        Ok(Self::new(ExprKind::MakeStruct(fields), sql_type))
    }

    /// This value converted to `to`, which [`can_cast`] allows.
    pub(super) fn converted(self, to: &SqlType) -> Self {
        if self.sql_type() == Some(to) {
            return self;
        }
        if matches!(self.kind, ExprKind::Literal(Literal::Null)) {
            return Self::new(ExprKind::Literal(Literal::Null), to.clone());
        }
        Self::new(ExprKind::Cast(Box::new(self)), to.clone())
    }

    pub(super) fn into_decimal(self) -> Self {
        match self.sql_type() {
            Some(SqlType::Integer) => self.converted(&SqlType::Decimal { precision: 10, scale: 0 }),
            Some(SqlType::Bigint) => self.converted(&SqlType::Decimal { precision: 19, scale: 0 }),
            _ => self,
        }
    }

    fn into_condition(self, what: &'static str) -> Result<Self, TypeError> {
        match self.sql_type() {
            Some(SqlType::Boolean) => Ok(self),
            None => Ok(self.converted(&SqlType::Boolean)),
            Some(other) => {
                Err(TypeError::Expected { what, expected: SqlType::Boolean.to_string(), found: other.to_string() })
            }
        }
    }
}

/// `arguments` as values of the types that `variation` takes, whose generics are `binding`.
fn converted_arguments(variation: &Variation, binding: &Binding, arguments: Vec<Expr>) -> Vec<Expr> {
    let count = arguments.len();
    let converted =
        |(i, argument): (usize, Expr)| match variation.parameter(i, count).map(|parameter| &parameter.param_type) {
            Some(ParamType::Decimal) if argument.sql_type.is_some() => argument.into_decimal(),
            Some(wanted) => match binding.sql_type(wanted) {
                Some(wanted) => argument.converted(&wanted),
                None => argument,
            },
            None => argument,
        };
    arguments.into_iter().enumerate().map(converted).collect()
}
