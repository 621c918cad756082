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
        "RETURNS",
        "USING",
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

fn bound_name(variable: &Expression) -> String {
    variable.to_string().trim_matches('`').to_owned()
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
        let unit = prop::sample::select(vec![
            TimeUnit::Milliseconds,
            TimeUnit::Seconds,
            TimeUnit::Minutes,
            TimeUnit::Hours,
            TimeUnit::Days,
        ]);
        let unit = unit.prop_map(move |unit| Expression::IntervalUnit { unit, span });
        let bound = prop::sample::select(vec!["x y", "P"]);
        let bound = bound.prop_map(|name| Box::new(Expression::LambdaVariable(Identifier::new(name))));
        let lambda = (bound, inner.clone(), any::<bool>()).prop_map(move |(bound, right, both)| {
            let parameters = if both { vec!["x y", "P"] } else { vec![] };
            let mut parameters: Vec<_> = parameters.into_iter().map(Identifier::new).collect();
            if !both {
                parameters.push(Identifier::new(bound_name(&bound)));
            }
            let right = Box::new(right);
            let body = Expression::Arithmetic { operator: ArithmeticOperator::Add, left: bound, right, span };
            Expression::Lambda { parameters, body: Box::new(body), span }
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
    source_name().prop_map(move |name| AliasedSource { name, alias: Identifier::new(alias), query: None, span: SPAN })
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
    let names = prop::sample::select(vec![None, Some("W"), Some("WEEK_1")]);
    (names, parts).prop_map(|(name, (kind, retention, grace))| {
        let name = name.map(Identifier::new);
        WindowExpression { name, kind, retention, grace, span: SPAN }
    })
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

fn kind() -> impl Strategy<Value = SourceKind> {
    prop::sample::select(vec![SourceKind::Stream, SourceKind::Table])
}

fn columns(kind: SourceKind) -> impl Strategy<Value = Vec<ColumnDefinition>> {
    let key = match kind {
        SourceKind::Stream => ColumnRole::Key,
        SourceKind::Table => ColumnRole::PrimaryKey,
    };
    let role = prop_oneof![
        Just(ColumnRole::Value),
        Just(key),
        Just(ColumnRole::Headers),
        Just(ColumnRole::Header("it's".to_owned())),
    ];
    let column = (name(), data_type(), role);
    let column = column.prop_map(|(name, data_type, role)| ColumnDefinition { name, data_type, role, span: SPAN });
    vec(column, 0..4)
}

/// A source's kind, and columns that it may have.
fn kind_and_columns() -> impl Strategy<Value = (SourceKind, Vec<ColumnDefinition>)> {
    kind().prop_flat_map(|kind| (Just(kind), columns(kind)))
}

/// A query that runs on as records arrive.
fn persistent_query() -> impl Strategy<Value = Query> {
    query().prop_map(|mut query| {
        query.refinement.get_or_insert(Refinement::Changes);
        query.limit = None;
        query
    })
}

fn record() -> impl Strategy<Value = InsertValues> {
    let record = (source_name(), vec((name(), expression(None)), 1..3), any::<bool>());
    record.prop_map(|(target, pairs, listed)| {
        let (columns, values): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        InsertValues { target, columns: if listed { columns } else { Vec::new() }, values, span: SPAN }
    })
}

/// Statements that create, fill, change and drop.
fn defining_statement() -> impl Strategy<Value = Statement> {
    let create = (kind_and_columns(), source_name(), any::<[bool; 3]>(), properties());
    let create = create.prop_map(|((kind, columns), name, [or_replace, if_not_exists, is_source], properties)| {
        let span = SPAN;
        Statement::CreateSource(CreateSource {
            kind,
            name,
            or_replace,
            if_not_exists,
            is_source,
            columns,
            properties,
            span,
        })
    });
    let create_as = (kind(), source_name(), any::<[bool; 2]>(), properties(), persistent_query());
    let create_as = create_as.prop_map(|(kind, name, [or_replace, if_not_exists], properties, query)| {
        let span = SPAN;
        let create = CreateAsSelect { kind, name, or_replace, if_not_exists, properties, query, span };
        Statement::CreateAsSelect(Box::new(create))
    });
    let insert = (source_name(), properties(), persistent_query()).prop_map(|(target, properties, query)| {
        Statement::InsertSelect(Box::new(InsertSelect { target, properties, query, span: SPAN }))
    });
    let drop = (kind(), source_name(), any::<[bool; 2]>()).prop_map(|(kind, name, [if_exists, delete_topic])| {
        Statement::DropSource(DropSource { kind, name, if_exists, delete_topic, span: SPAN })
    });
    let added = (name(), data_type()).prop_map(|(name, data_type)| AddedColumn { name, data_type });
    let alter = (kind(), source_name(), vec(added, 1..3))
        .prop_map(|(kind, name, columns)| Statement::AlterSource(AlterSource { kind, name, columns, span: SPAN }));
    let create_type = (name(), data_type(), any::<bool>());
    let create_type = create_type.prop_map(|(name, data_type, if_not_exists)| {
        Statement::CreateType(CreateType { name, data_type, if_not_exists })
    });
    let drop_type = (name(), any::<bool>());
    let drop_type = drop_type.prop_map(|(name, if_exists)| Statement::DropType(DropType { name, if_exists }));
    let path = || text().prop_map(|path| LibraryPath { path, span: SPAN });
    let parameter = (name(), data_type()).prop_map(|(name, data_type)| FunctionParameter { name, data_type });
    let inline = (vec(parameter, 0..3), data_type(), expression(None)).prop_map(|(parameters, returns, expression)| {
        FunctionBody::Inline { parameters, returns, returns_span: SPAN, expression }
    });
    let body = prop_oneof![inline, path().prop_map(FunctionBody::Library)];
    let create_function = (name(), any::<[bool; 2]>(), body).prop_map(|(name, [or_replace, if_not_exists], body)| {
        Statement::CreateFunction(Box::new(CreateFunction { name, or_replace, if_not_exists, body }))
    });
    let create_functions = (any::<[bool; 2]>(), path()).prop_map(|([or_replace, if_not_exists], library)| {
        Statement::CreateFunctions(CreateFunctions { or_replace, if_not_exists, library })
    });
    let drop_function =
        (name(), any::<bool>()).prop_map(|(name, if_exists)| Statement::DropFunction(DropFunction { name, if_exists }));
    let some_properties = properties().prop_filter("WITH is not optional", |properties| !properties.is_empty());
    let connector = (connector_kind(), name(), any::<bool>(), some_properties);
    let connector = connector.prop_map(|(kind, name, if_not_exists, properties)| {
        Statement::CreateConnector(CreateConnector { kind, name, if_not_exists, properties })
    });
    let drop_connector = (name(), any::<bool>());
    let drop_connector =
        drop_connector.prop_map(|(name, if_exists)| Statement::DropConnector(DropConnector { name, if_exists }));
    prop_oneof![
        create,
        create_as,
        insert,
        record().prop_map(Statement::InsertValues),
        drop,
        alter,
        create_type,
        drop_type,
        create_function,
        create_functions,
        drop_function,
        connector,
        drop_connector,
    ]
}

fn connector_kind() -> impl Strategy<Value = ConnectorKind> {
    prop::sample::select(vec![ConnectorKind::Source, ConnectorKind::Sink])
}

/// Statements that show.
fn showing_statement() -> impl Strategy<Value = Statement> {
    let explain = prop_oneof![query().prop_map(|query| Statement::Query(Box::new(query))), defining_statement()];
    let explain = explain
        .prop_map(|statement| Statement::Explain(Explain::Statement { statement: Box::new(statement), span: SPAN }));
    let print = (text(), any::<bool>(), option::of(any::<i32>()), option::of(any::<i32>()));
    let print = print.prop_map(|(topic, from_beginning, interval, limit)| {
        Statement::PrintTopic(PrintTopic { topic, from_beginning, interval, limit })
    });
    let without_parts = vec![
        Statement::ShowProperties,
        Statement::ShowFunctions,
        Statement::ShowConnectors(None),
        Statement::ShowConnectors(Some(ConnectorKind::Source)),
        Statement::ShowConnectors(Some(ConnectorKind::Sink)),
        Statement::ShowConnectorPlugins,
        Statement::ShowTypes,
        Statement::ShowVariables,
    ];
    prop_oneof![
        prop::sample::select(without_parts),
        any::<[bool; 2]>().prop_map(|[all, extended]| Statement::ShowTopics { all, extended }),
        (kind(), any::<bool>()).prop_map(|(kind, extended)| Statement::ShowSources { kind, extended }),
        any::<bool>().prop_map(|extended| Statement::ShowQueries { extended }),
        (source_name(), any::<bool>()).prop_map(|(name, extended)| Statement::DescribeSource { name, extended }),
        (kind(), any::<bool>()).prop_map(|(kind, extended)| Statement::DescribeSources { kind, extended }),
        name().prop_map(|name| Statement::DescribeFunction { name }),
        name().prop_map(|name| Statement::DescribeConnector { name }),
        name().prop_map(|name| Statement::Explain(Explain::Query(name))),
        name().prop_map(Statement::Diagnose),
        explain,
        print,
    ]
}

/// Statements that act on queries, properties and variables, and those that assert.
fn acting_statement() -> impl Strategy<Value = Statement> {
    let target = || option::of(name()).prop_map(|name| name.map_or(QueryTarget::All, QueryTarget::Query));
    let variable = || prop::sample::select(vec!["a", "Select", "_1"]).prop_map(str::to_owned);
    let timeout = || option::of(time_span());
    let topic = (text(), properties(), timeout(), any::<bool>()).prop_map(|(topic, properties, timeout, exists)| {
        Statement::AssertTopic(AssertTopic { topic, properties, timeout, exists })
    });
    let schema = (text(), option::of(any::<i32>()), timeout(), any::<bool>());
    let schema = schema.prop_map(|(subject, id, timeout, exists)| {
        let subject = (id.is_none() || subject.len() > 1).then_some(subject);
        Statement::AssertSchema(AssertSchema { subject, id, timeout, exists })
    });
    let source = (kind_and_columns(), source_name(), properties());
    let source = source.prop_map(|((kind, columns), name, properties)| {
        Statement::AssertSource(AssertSource { kind, name, columns, properties, span: SPAN })
    });
    prop_oneof![
        target().prop_map(Statement::Terminate),
        target().prop_map(Statement::Pause),
        target().prop_map(Statement::Resume),
        (text(), text()).prop_map(|(name, value)| Statement::SetProperty { name, value }),
        text().prop_map(|name| Statement::UnsetProperty { name }),
        (text(), text()).prop_map(|(name, value)| Statement::AlterSystem { name, value }),
        (variable(), text()).prop_map(|(name, value)| Statement::DefineVariable { name, value }),
        variable().prop_map(|name| Statement::UndefineVariable { name }),
        topic,
        schema,
        record().prop_map(Statement::AssertValues),
        record().prop_map(Statement::AssertTombstone),
        source,
        text().prop_map(|path| Statement::RunScript { path }),
    ]
}

fn statement() -> impl Strategy<Value = Statement> {
    prop_oneof![
        query().prop_map(|query| Statement::Query(Box::new(query))),
        defining_statement(),
        showing_statement(),
        acting_statement(),
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
        prop_assert_eq!(shown(&read) + ";", printed);
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
