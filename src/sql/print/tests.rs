//! Printed trees are read back as the same trees.

use std::fmt::Display;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::ast::*;
use super::super::{ParseError, Span, parse_expression, parse_statements, parse_test_statements, parse_type};

const SPAN: Span = Span::NONE;

fn name() -> impl Strategy<Value = Identifier> {
    let usual = prop::sample::select(vec![
        "A",
        "B",
        "id",
        "SELECT",
        "ARRAY",
        "MAP",
        "STRUCT",
        "EMIT",
        "PARTITION",
        "DAY",
        "DAYS",
        "1A",
        "1E5",
        "a b",
        "it's",
        "`",
        "\"",
        "NULL",
        "COUNT",
        "TABLES",
        "é",
        "",
        "COLUMN",
        "DECIMAL",
        "--",
        "ESCAPE",
        "IF",
        "FUNCTION",
    ]);
    usual.prop_map(Identifier::new)
}

/// Names of sources, which have fewer characters.
fn source_name() -> impl Strategy<Value = Identifier> {
    prop::sample::select(vec!["S", "T", "my-stream", "lower", "EMIT", "PARTITION", "TABLES", "IF"])
        .prop_map(Identifier::new)
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "it's", "''", "%x_", "-- no", "é\n;"]).prop_map(str::to_owned)
}

fn literal() -> impl Strategy<Value = Literal> {
    let decimal = (any::<i64>(), 0usize..30).prop_map(|(digits, scale)| {
        let digits = format!("{}{:040}", if digits < 0 { "-" } else { "" }, digits.unsigned_abs());
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let text = format!("{whole}.{fraction}");
        DecimalLiteral::parse(&text).expect("digits and a point")
    });
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Boolean),
        any::<i32>().prop_map(Literal::Integer),
        (i64::from(i32::MAX) + 1..).prop_map(Literal::BigInt),
        (..i64::from(i32::MIN)).prop_map(Literal::BigInt),
        any::<f64>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(|value| Literal::Double(DoubleLiteral::new(value))),
        decimal.prop_map(Literal::Decimal),
        text().prop_map(Literal::String),
    ]
}

fn data_type() -> impl Strategy<Value = TypeExpr> {
    let primitives = [
        PrimitiveType::Boolean,
        PrimitiveType::Integer,
        PrimitiveType::BigInt,
        PrimitiveType::Double,
        PrimitiveType::String,
        PrimitiveType::Bytes,
        PrimitiveType::Time,
        PrimitiveType::Date,
        PrimitiveType::Timestamp,
    ];
    let leaf = prop_oneof![
        prop::sample::select(primitives.to_vec()).prop_map(TypeExpr::Primitive),
        (any::<i32>(), any::<i32>()).prop_map(|(precision, scale)| TypeExpr::Decimal { precision, scale, span: SPAN }),
        Just(TypeExpr::Custom(Identifier::new("my type"))),
        Just(TypeExpr::Custom(Identifier::new("ADDRESS"))),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let field = (name(), inner.clone());
        let field = field.prop_map(|(name, data_type)| StructField { name, data_type });
        prop_oneof![
            inner.clone().prop_map(|element| TypeExpr::Array(Box::new(element))),
            (inner.clone(), inner)
                .prop_map(|(key, value)| TypeExpr::Map { key: Box::new(key), value: Box::new(value) }),
            vec(field, 0..3).prop_map(TypeExpr::Struct),
        ]
    })
}

fn column(source: Option<Identifier>, name: Identifier) -> Expression {
    let span = SPAN;
    Expression::Column { source, name, span }
}

/// Expressions whose columns may be qualified by `source`.
fn expression(source: Option<&'static str>) -> impl Strategy<Value = Expression> {
    let span = SPAN;
    let qualified = name().prop_map(move |name| column(source.map(Identifier::new), name));
    let leaf = prop_oneof![
        literal().prop_map(move |value| Expression::Literal { value, span }),
        name().prop_map(|name| column(None, name)),
        qualified,
    ];
    leaf.prop_recursive(5, 40, 3, move |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        let when = (inner.clone(), inner.clone());
        let when = when.prop_map(move |(when, then)| WhenClause { when, then, span });
        let arithmetic = prop::sample::select(vec![
            ArithmeticOperator::Add,
            ArithmeticOperator::Subtract,
            ArithmeticOperator::Multiply,
            ArithmeticOperator::Divide,
            ArithmeticOperator::Modulus,
        ]);
        let comparison = prop::sample::select(vec![
            ComparisonOperator::Equal,
            ComparisonOperator::NotEqual,
            ComparisonOperator::LessThan,
            ComparisonOperator::LessThanOrEqual,
            ComparisonOperator::GreaterThan,
            ComparisonOperator::GreaterThanOrEqual,
            ComparisonOperator::IsDistinctFrom,
        ]);
        let operators = prop_oneof![
            (arithmetic, boxed(), boxed())
                .prop_map(move |(operator, left, right)| { Expression::Arithmetic { operator, left, right, span } }),
            (comparison, boxed(), boxed())
                .prop_map(move |(operator, left, right)| { Expression::Comparison { operator, left, right, span } }),
            (any::<bool>(), boxed(), boxed()).prop_map(move |(and, left, right)| {
                let operator = if and { LogicalOperator::And } else { LogicalOperator::Or };
                Expression::Logical { operator, left, right, span }
            }),
            (any::<bool>(), boxed()).prop_map(move |(minus, operand)| {
                let sign = if minus { Sign::Minus } else { Sign::Plus };
                Expression::Signed { sign, operand, span }
            }),
            boxed().prop_map(move |operand| Expression::Not { operand, span }),
        ];
        let predicates = prop_oneof![
            (boxed(), any::<bool>()).prop_map(move |(operand, negated)| Expression::IsNull { operand, negated, span }),
            (boxed(), boxed(), boxed())
                .prop_map(move |(value, low, high)| { Expression::Between { value, low, high, span } }),
            (boxed(), vec(inner.clone(), 1..3))
                .prop_map(move |(value, list)| { Expression::InList { value, list, span } }),
            (boxed(), boxed(), option::of(any::<char>()))
                .prop_map(move |(value, pattern, escape)| { Expression::Like { value, pattern, escape, span } }),
            (vec(when.clone(), 1..3), option::of(boxed()))
                .prop_map(move |(branches, default)| { Expression::SearchedCase { branches, default, span } }),
            (boxed(), vec(when, 1..3), option::of(boxed())).prop_map(move |(operand, branches, default)| {
                Expression::SimpleCase { operand, branches, default, span }
            }),
            (boxed(), data_type()).prop_map(move |(operand, target)| Expression::Cast { operand, target, span }),
        ];
        let unit = prop::sample::select(vec![TimeUnit::Milliseconds, TimeUnit::Days]);
        let unit = unit.prop_map(move |unit| Expression::IntervalUnit { unit, span });
        let lambda = inner.clone().prop_map(move |body| {
            // The body's own A is the parameter.
            let parameters = vec![Identifier::new("x y"), Identifier::new("P")];
            let body = Box::new(body);
            Expression::Lambda { parameters, body, span }
        });
        let argument = prop_oneof![4 => inner.clone(), 1 => unit];
        let others = prop_oneof![
            (name(), vec(argument, 0..3), vec(lambda, 0..2)).prop_map(move |(name, mut arguments, lambdas)| {
                if !arguments.is_empty() {
                    arguments.extend(lambdas);
                }
                Expression::FunctionCall(FunctionCall { name, arguments, span })
            }),
            (boxed(), boxed()).prop_map(move |(base, index)| Expression::Subscript { base, index, span }),
            (boxed(), name()).prop_map(move |(base, field)| Expression::Dereference { base, field, span }),
            vec(inner.clone(), 0..3).prop_map(move |elements| Expression::Array { elements, span }),
            vec((inner.clone(), inner.clone()), 0..3).prop_map(move |entries| Expression::Map { entries, span }),
            vec((name(), inner.clone()), 0..3).prop_map(move |fields| Expression::Struct { fields, span }),
        ];
        prop_oneof![operators, predicates, others]
    })
}

fn time_span() -> impl Strategy<Value = TimeSpan> {
    let unit = prop::sample::select(vec![TimeUnit::Seconds, TimeUnit::Minutes, TimeUnit::Hours]);
    (any::<i64>(), unit).prop_map(|(value, unit)| TimeSpan { value, unit })
}

fn aliased_source(alias: &'static str) -> impl Strategy<Value = AliasedSource> {
    source_name().prop_map(move |name| AliasedSource { name, alias: Identifier::new(alias), span: SPAN })
}

fn join() -> impl Strategy<Value = Join> {
    let kinds = vec![JoinKind::Inner, JoinKind::Left, JoinKind::Right, JoinKind::Outer];
    let within = (time_span(), time_span(), option::of(time_span()));
    let within = within.prop_map(|(before, after, grace)| Within { before, after, grace, span: SPAN });
    let parts = (prop::sample::select(kinds), aliased_source("R"), option::of(within), expression(Some("R")));
    parts.prop_map(|(kind, source, within, on)| Join { kind, source, within, on, span: SPAN })
}

fn select_item() -> impl Strategy<Value = SelectItem> {
    let span = SPAN;
    prop_oneof![
        (expression(Some("L")), option::of(name()))
            .prop_map(move |(expression, alias)| { SelectItem::Single { expression, alias, span } }),
        any::<bool>()
            .prop_map(move |qualified| SelectItem::All { source: qualified.then(|| Identifier::new("L")), span }),
        expression(Some("L")).prop_map(move |base| SelectItem::AllFields { base, span }),
    ]
}

fn window() -> impl Strategy<Value = WindowExpression> {
    let kind = prop_oneof![
        time_span().prop_map(|size| WindowKind::Tumbling { size }),
        (time_span(), time_span()).prop_map(|(size, advance)| WindowKind::Hopping { size, advance }),
        time_span().prop_map(|gap| WindowKind::Session { gap }),
    ];
    let parts = (kind, option::of(time_span()), option::of(time_span()));
    parts.prop_map(|(kind, retention, grace)| WindowExpression { name: None, kind, retention, grace, span: SPAN })
}

fn grouping() -> impl Strategy<Value = Grouping> {
    let expressions = vec(expression(Some("L")), 0..3);
    expressions.prop_map(|expressions| Grouping { expressions, span: SPAN })
}

fn query() -> impl Strategy<Value = Query> {
    let refinements = vec![None, Some(Refinement::Changes), Some(Refinement::Final)];
    let condition = || option::of(expression(Some("L")));
    let parts = (
        vec(select_item(), 1..4),
        (aliased_source("L"), vec(join(), 0..3)),
        option::of(window()),
        (condition(), condition()),
        (option::of(grouping()), option::of(grouping())),
        prop::sample::select(refinements),
        option::of(any::<i32>()),
    );
    parts.prop_map(|(select, (source, joins), window, (where_clause, having), groupings, refinement, limit)| Query {
        select,
        from: Relation { source, joins },
        window,
        where_clause,
        group_by: groupings.0,
        partition_by: groupings.1,
        having,
        refinement,
        limit,
        span: SPAN,
    })
}

fn properties() -> impl Strategy<Value = Vec<Property>> {
    vec((text(), literal()), 0..3).prop_map(|pairs| {
        let named = pairs.into_iter().enumerate();
        let named = named.map(|(index, (name, value))| Property { name: format!("{name}{index}"), value, span: SPAN });
        named.collect()
    })
}

fn columns() -> impl Strategy<Value = Vec<ColumnDefinition>> {
    let role = prop_oneof![
        Just(ColumnRole::Value),
        Just(ColumnRole::Key),
        Just(ColumnRole::Headers),
        Just(ColumnRole::Header("it's".to_owned())),
    ];
    let column = (name(), data_type(), role);
    let column = column.prop_map(|(name, data_type, role)| ColumnDefinition { name, data_type, role, span: SPAN });
    vec(column, 0..4)
}

fn statement() -> impl Strategy<Value = Statement> {
    let create = (source_name(), any::<[bool; 3]>(), columns(), properties());
    let create = create.prop_map(|(name, [or_replace, if_not_exists, is_source], columns, properties)| {
        Statement::CreateSource(CreateSource {
            kind: SourceKind::Stream,
            name,
            or_replace,
            if_not_exists,
            is_source,
            columns,
            properties,
            span: SPAN,
        })
    });
    let create_as = (source_name(), any::<[bool; 2]>(), properties(), query());
    let create_as = create_as.prop_map(|(name, [or_replace, if_not_exists], properties, mut query)| {
        query.refinement.get_or_insert(Refinement::Changes);
        query.limit = None;
        Statement::CreateAsSelect(Box::new(CreateAsSelect {
            kind: SourceKind::Table,
            name,
            or_replace,
            if_not_exists,
            properties,
            query,
            span: SPAN,
        }))
    });
    let insert = (source_name(), vec((name(), expression(None)), 1..3), any::<bool>());
    let insert = insert.prop_map(|(target, pairs, listed)| {
        let (columns, values): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        Statement::InsertValues(InsertValues {
            target,
            columns: if listed { columns } else { Vec::new() },
            values,
            span: SPAN,
        })
    });
    let alter = vec((name(), data_type()), 1..3).prop_map(|columns| {
        let columns = columns.into_iter();
        let columns = columns.map(|(name, data_type)| AddedColumn { name, data_type });
        Statement::AlterSource(AlterSource {
            kind: SourceKind::Stream,
            name: Identifier::new("S"),
            columns: columns.collect(),
            span: SPAN,
        })
    });
    prop_oneof![
        query().prop_map(|query| Statement::Query(Box::new(query))),
        create,
        create_as,
        insert,
        alter,
        (source_name(), any::<bool>()).prop_map(|(name, extended)| Statement::DescribeSource { name, extended }),
        (name(), data_type(), any::<bool>()).prop_map(|(name, data_type, if_not_exists)| {
            Statement::CreateType(CreateType { name, data_type, if_not_exists })
        }),
        (text(), text()).prop_map(|(name, value)| Statement::SetProperty { name, value }),
    ]
}

/// What was read, as text.
fn shown<T: Display>(read: &Result<T, ParseError>) -> String {
    match read {
        Ok(tree) => tree.to_string(),
        Err(error) => error.to_string(),
    }
}

proptest! {
    #[test]
    fn expressions_are_read_back(expression in expression(None)) {
        let printed = expression.to_string();
        let read = parse_expression(&printed);
        prop_assert!(read.as_ref() == Ok(&expression), "{printed}\n{:?}", shown(&read));
    }

    #[test]
    fn types_are_read_back(data_type in data_type()) {
        let printed = data_type.to_string();
        let read = parse_type(&printed);
        prop_assert!(read.as_ref() == Ok(&data_type), "{printed}\n{:?}", shown(&read));
    }

    #[test]
    fn statements_are_read_back(statement in statement()) {
        let printed = format!("{statement};");
        let read = parse_test_statements(&printed);
        let read = read.map(|mut statements| statements.remove(0).statement);
        prop_assert!(read.as_ref() == Ok(&statement), "{printed}\n{:?}", shown(&read));
    }
}

#[test]
fn messages_show_bare_names() {
    let cases = [
        ("`my col` + `b`->`c`", "(my col + b->c)"),
        ("a || cast(b AS `t`)", "concat(A, CAST(B AS t))"),
        ("f(x, `y` => `y`)", "F(X, (y) => y)"),
    ];
    for (text, expected) in cases {
        let expression = parse_expression(text).expect(text);
        assert_eq!(expression.plain().to_string(), expected);
    }
}

#[test]
fn what_ksqldb_ends_with_a_semicolon_ends_without_here() {
    let statements = parse_statements("CREATE STREAM s;").expect("a statement");
    assert_eq!(statements[0].statement.to_string(), "CREATE STREAM S");
}
