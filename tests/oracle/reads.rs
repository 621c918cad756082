//! Random SELECTs without EMIT over random rows: answers are those of an evaluation clause by clause, row by row.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use levada::testing::driver::{self, RunMode, TestRecord};
use serde_json::{Value, json};

use super::number_from;
use super::random::Random;

/// Cases of `make test`, and of `make oracle`.
const CASES: u64 = 300;
const CASES_AT_NIGHT: u64 = 10_000;

const SETUP: &str = "
CREATE STREAM l (k INT KEY, s STRING, v BIGINT) WITH (kafka_topic = 'l', value_format = 'json');
CREATE TABLE r (id INT PRIMARY KEY, g STRING, w BIGINT) WITH (kafka_topic = 'r', value_format = 'json');
CREATE TABLE kept AS SELECT id, g, w FROM r;
";

/// A row: numbers, texts and NULL.
type Row = Vec<Value>;

/// A column: its name in SQL, its index in joined rows, whether it is a text.
#[derive(Clone, Copy)]
struct Column(&'static str, usize, bool);

const LEFT: [Column; 3] = [Column("a.k", 0, false), Column("a.s", 1, true), Column("a.v", 2, false)];
const RIGHT: [Column; 3] = [Column("b.id", 3, false), Column("b.g", 4, true), Column("b.w", 5, false)];

/// What is compared with a column.
#[derive(Clone, Copy)]
enum Operand {
    Column(Column),
    Number(i64),
    Text(&'static str),
}

/// A condition on a row. NULL makes comparisons false.
#[derive(Clone)]
enum Condition {
    Compare(Column, &'static str, Operand),
    IsNull(Column, bool),
    /// The column is among the numbers or texts of a column of all rows of the left or right source.
    In(Column, bool, Column),
    Not(Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

#[derive(Clone, Copy)]
enum Aggregate {
    Count,
    CountOf(Column),
    Sum(Column),
    Min(Column),
    Max(Column),
}

/// A query over the left source, the right one, or both.
struct Query {
    right: Option<&'static str>,
    /// The kind of the join and its conditions; without, it reads one source.
    join: Option<(&'static str, Vec<Condition>)>,
    filter: Vec<Condition>,
    columns: Vec<Column>,
    /// Rows are grouped by the columns, and these come behind them.
    aggregates: Option<Vec<Aggregate>>,
    having: Option<i64>,
    distinct: bool,
    /// By all results in some order, each with DESC and NULLS FIRST.
    order: Vec<(usize, bool, bool)>,
    offset: usize,
    limit: Option<usize>,
}

/// The left rows, the changes of the right table, and what it is after them.
struct Data {
    left: Vec<Row>,
    changes: Vec<(i64, Option<Row>)>,
    right: Vec<Row>,
}

impl Data {
    fn random(random: &mut Random) -> Self {
        let text = |random: &mut Random| {
            if random.chance(20) { Value::Null } else { json!(random.pick(&["x", "y", "z", ""])) }
        };
        let number = |random: &mut Random| if random.chance(20) { Value::Null } else { json!(random.between(-3, 6)) };
        let rows = random.between(0, 14);
        let left = (0..rows).map(|_| vec![json!(random.between(0, 5)), text(random), number(random)]).collect();
        let (mut changes, mut table) = (Vec::new(), BTreeMap::new());
        for _ in 0..random.between(0, 12) {
            let id = random.between(0, 6);
            let row = (!random.chance(15)).then(|| vec![json!(id), text(random), number(random)]);
            table.insert(id, row.clone());
            changes.push((id, row));
        }
        Self { left, changes, right: table.into_values().flatten().collect() }
    }
}

impl Query {
    fn random(random: &mut Random) -> Self {
        let right = random.chance(60).then(|| random.pick(&["r", "kept"]));
        let join = right.is_some() && random.chance(75);
        let known: Vec<Column> = match (right, join) {
            (_, true) => LEFT.iter().chain(&RIGHT).copied().collect(),
            (Some(_), false) => RIGHT.to_vec(),
            (None, _) => LEFT.to_vec(),
        };
        let join = join.then(|| {
            let mut on = Vec::new();
            if random.chance(80) {
                let (a, b) =
                    random.pick(&[(LEFT[0], RIGHT[0]), (LEFT[1], RIGHT[1]), (LEFT[2], RIGHT[2]), (LEFT[2], RIGHT[0])]);
                on.push(Condition::Compare(a, "=", Operand::Column(b)));
            }
            if on.is_empty() || random.chance(30) {
                on.push(Condition::Compare(LEFT[2], random.pick(&["<", "<>", ">="]), Operand::Column(RIGHT[2])));
            }
            (random.pick(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL OUTER JOIN"]), on)
        });
        let filter = (0..random.between(0, 2)).map(|_| Condition::random(random, &known)).collect();
        let mut columns: Vec<Column> = Vec::new();
        for _ in 0..random.between(0, 3) {
            let column = random.pick(&known);
            if columns.iter().all(|other| other.1 != column.1) {
                columns.push(column);
            }
        }
        let aggregates = (columns.is_empty() || random.chance(45)).then(|| {
            let number = |random: &mut Random| loop {
                let column = random.pick(&known);
                if !column.2 {
                    return column;
                }
            };
            let one = |random: &mut Random| match random.between(0, 4) {
                0 => Aggregate::Count,
                1 => Aggregate::CountOf(random.pick(&known)),
                2 => Aggregate::Sum(number(random)),
                3 => Aggregate::Min(number(random)),
                _ => Aggregate::Max(number(random)),
            };
            (0..random.between(1, 3)).map(|_| one(random)).collect::<Vec<_>>()
        });
        let width = columns.len() + aggregates.as_ref().map_or(0, Vec::len);
        let mut order: Vec<(usize, bool, bool)> =
            (0..width).map(|i| (i, random.chance(40), random.chance(50))).collect();
        let first = random.index(width);
        order.rotate_left(first);
        Self {
            right,
            join,
            filter,
            columns,
            having: aggregates.as_ref().filter(|_| random.chance(30)).map(|_| random.between(0, 2)),
            distinct: aggregates.is_none() && random.chance(30),
            aggregates,
            order,
            offset: if random.chance(20) { random.between(0, 3) as usize } else { 0 },
            limit: random.chance(30).then(|| random.between(0, 5) as usize),
        }
    }

    fn sql(&self) -> String {
        let mut results: Vec<String> =
            self.columns.iter().enumerate().map(|(i, c)| format!("{} AS c{i}", c.0)).collect();
        for aggregate in self.aggregates.iter().flatten() {
            results.push(format!("{} AS c{}", aggregate.sql(), results.len()));
        }
        let distinct = if self.distinct { "DISTINCT " } else { "" };
        let from = match (&self.join, self.right) {
            (Some((kind, on)), Some(right)) => {
                let on: Vec<String> = on.iter().map(Condition::sql).collect();
                format!("l a {kind} {right} b ON {}", on.join(" AND "))
            }
            (None, Some(right)) => format!("{right} b"),
            _ => "l a".to_owned(),
        };
        let mut sql = format!("SELECT {distinct}{} FROM {from}", results.join(", "));
        if !self.filter.is_empty() {
            let filter: Vec<String> = self.filter.iter().map(Condition::sql).collect();
            sql += &format!(" WHERE {}", filter.join(" AND "));
        }
        if self.aggregates.is_some() && !self.columns.is_empty() {
            let columns: Vec<&str> = self.columns.iter().map(|column| column.0).collect();
            sql += &format!(" GROUP BY {}", columns.join(", "));
        }
        if let Some(least) = self.having {
            sql += &format!(" HAVING COUNT(*) > {least}");
        }
        let order = self.order.iter().map(|&(i, descending, nulls_first)| {
            let direction = if descending { "DESC" } else { "ASC" };
            format!("{} {direction} NULLS {}", i + 1, if nulls_first { "FIRST" } else { "LAST" })
        });
        sql += &format!(" ORDER BY {}", order.collect::<Vec<_>>().join(", "));
        if let Some(limit) = self.limit {
            sql += &format!(" LIMIT {limit}");
        }
        if self.offset > 0 {
            sql += &format!(" OFFSET {}", self.offset);
        }
        sql + ";"
    }

    fn answer(&self, data: &Data) -> Vec<Row> {
        let rows: Vec<Row> = self.joined(data);
        let rows = rows.into_iter().filter(|row| self.filter.iter().all(|condition| condition.holds(row, data)));
        let of = |row: &Row| -> Row { self.columns.iter().map(|column| row[column.1].clone()).collect() };
        let mut results: Vec<Row> = Vec::new();
        if let Some(aggregates) = &self.aggregates {
            let mut groups: Vec<(Row, Vec<Row>)> = Vec::new();
            if self.columns.is_empty() {
                groups.push((Vec::new(), Vec::new()));
            }
            for row in rows {
                let key = of(&row);
                match groups.iter_mut().find(|(other, _)| *other == key) {
                    Some((_, rows)) => rows.push(row),
                    None => groups.push((key, vec![row])),
                }
            }
            groups.retain(|(_, rows)| self.having.is_none_or(|least| rows.len() as i64 > least));
            results.extend(groups.into_iter().map(|(mut key, rows)| {
                key.extend(aggregates.iter().map(|aggregate| aggregate.of(&rows)));
                key
            }));
        } else {
            for row in rows.map(|row| of(&row)) {
                if !self.distinct || !results.contains(&row) {
                    results.push(row);
                }
            }
        }
        results.sort_by(|a, b| {
            let by = |&(i, descending, nulls_first): &(usize, bool, bool)| match (a[i].is_null(), b[i].is_null()) {
                (true, true) => Ordering::Equal,
                (true, false) if nulls_first => Ordering::Less,
                (true, false) => Ordering::Greater,
                (false, true) if nulls_first => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) if descending => order(&b[i], &a[i]),
                (false, false) => order(&a[i], &b[i]),
            };
            self.order.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        results.into_iter().skip(self.offset).take(self.limit.unwrap_or(usize::MAX)).collect()
    }

    /// Rows of six columns.
    fn joined(&self, data: &Data) -> Vec<Row> {
        let nulls = || vec![Value::Null; 3];
        let Some((kind, on)) = &self.join else {
            let of_right = |row: &Row| [nulls(), row.clone()].concat();
            return match self.right {
                Some(_) => data.right.iter().map(of_right).collect(),
                None => data.left.iter().map(|row| [row.clone(), nulls()].concat()).collect(),
            };
        };
        let mut rows = Vec::new();
        let mut matched = vec![false; data.right.len()];
        for left in &data.left {
            let mut is_matched = false;
            for (i, right) in data.right.iter().enumerate() {
                let row = [left.clone(), right.clone()].concat();
                if on.iter().all(|condition| condition.holds(&row, data)) {
                    (is_matched, matched[i]) = (true, true);
                    rows.push(row);
                }
            }
            if !is_matched && ["LEFT JOIN", "FULL OUTER JOIN"].contains(kind) {
                rows.push([left.clone(), nulls()].concat());
            }
        }
        if ["RIGHT JOIN", "FULL OUTER JOIN"].contains(kind) {
            let lonely = data.right.iter().zip(&matched).filter(|(_, matched)| !**matched);
            rows.extend(lonely.map(|(right, _)| [nulls(), right.clone()].concat()));
        }
        rows
    }
}

impl Condition {
    fn random(random: &mut Random, known: &[Column]) -> Self {
        let column = random.pick(known);
        match random.between(0, 9) {
            0 => Self::IsNull(column, random.chance(50)),
            1 => Self::Not(Box::new(Self::random(random, known))),
            2 => Self::Or(Box::new(Self::random(random, known)), Box::new(Self::random(random, known))),
            3 => {
                let is_left = random.chance(50);
                let inner = if is_left { &LEFT } else { &RIGHT };
                let alike: Vec<Column> = inner.iter().copied().filter(|other| other.2 == column.2).collect();
                Self::In(column, is_left, random.pick(&alike))
            }
            _ => {
                let operator = random.pick(&["=", "<>", "<", "<=", ">", ">="]);
                let alike: Vec<Column> = known.iter().copied().filter(|other| other.2 == column.2).collect();
                let operand = match column.2 {
                    _ if random.chance(25) => Operand::Column(random.pick(&alike)),
                    true => Operand::Text(random.pick(&["x", "y", ""])),
                    false => Operand::Number(random.between(-2, 5)),
                };
                Self::Compare(column, operator, operand)
            }
        }
    }

    fn sql(&self) -> String {
        match self {
            Self::Compare(column, operator, operand) => {
                let operand = match operand {
                    Operand::Column(other) => other.0.to_owned(),
                    Operand::Number(number) => number.to_string(),
                    Operand::Text(text) => format!("'{text}'"),
                };
                format!("{} {operator} {operand}", column.0)
            }
            Self::IsNull(column, negated) => format!("{} IS {}NULL", column.0, if *negated { "NOT " } else { "" }),
            Self::In(column, is_left, inner) => {
                let source = if *is_left { "l a" } else { "kept b" };
                format!("{} IN (SELECT {} FROM {source})", column.0, inner.0)
            }
            Self::Not(condition) => format!("NOT ({})", condition.sql()),
            Self::Or(a, b) => format!("({} OR {})", a.sql(), b.sql()),
        }
    }

    fn holds(&self, row: &Row, data: &Data) -> bool {
        match self {
            Self::Compare(column, operator, operand) => {
                let (left, right) = (
                    &row[column.1],
                    match operand {
                        Operand::Column(other) => row[other.1].clone(),
                        Operand::Number(number) => json!(number),
                        Operand::Text(text) => json!(text),
                    },
                );
                if left.is_null() || right.is_null() {
                    return false;
                }
                let order = order(left, &right);
                match *operator {
                    "=" => order.is_eq(),
                    "<>" => order.is_ne(),
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    ">" => order.is_gt(),
                    _ => order.is_ge(),
                }
            }
            Self::IsNull(column, negated) => row[column.1].is_null() != *negated,
            Self::In(column, is_left, inner) => {
                let (rows, index) = if *is_left { (&data.left, inner.1) } else { (&data.right, inner.1 - 3) };
                !row[column.1].is_null() && rows.iter().any(|other| other[index] == row[column.1])
            }
            Self::Not(condition) => !condition.holds(row, data),
            Self::Or(a, b) => a.holds(row, data) || b.holds(row, data),
        }
    }
}

impl Aggregate {
    fn sql(self) -> String {
        match self {
            Self::Count => "COUNT(*)".to_owned(),
            Self::CountOf(column) => format!("COUNT({})", column.0),
            Self::Sum(column) => format!("SUM({})", column.0),
            Self::Min(column) => format!("MIN({})", column.0),
            Self::Max(column) => format!("MAX({})", column.0),
        }
    }

    fn of(self, rows: &[Row]) -> Value {
        let values = |column: Column| rows.iter().map(move |row| &row[column.1]).filter(|value| !value.is_null());
        let numbers = |column: Column| values(column).filter_map(Value::as_i64);
        match self {
            Self::Count => json!(rows.len()),
            Self::CountOf(column) => json!(values(column).count()),
            Self::Sum(column) => json!(numbers(column).sum::<i64>()),
            Self::Min(column) => json!(numbers(column).min()),
            Self::Max(column) => json!(numbers(column).max()),
        }
    }
}

/// The order of two values of one type; the texts here have the order of their bytes.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_str().cmp(&b.as_str()),
    }
}

/// Asks some queries over the data of `seed`.
fn check(seed: u64) {
    const QUERIES: usize = 6;
    let mut random = Random::new(seed);
    let data = Data::random(&mut random);
    let batch_rows_max = random.pick(&[1, 3, 4096]);
    let mut driver = driver::open(RunMode { batch_rows_max, ..RunMode::ONE_BY_ONE }).expect("memory opens");
    driver.create_topic("l", 3).expect("a topic");
    driver.create_topic("r", 2).expect("a topic");
    let record = |key: &Value, value: Option<Value>| TestRecord {
        key: Some((key.as_i64().unwrap_or(0) as i32).to_be_bytes().to_vec()),
        value: value.map(|value| value.to_string().into_bytes()),
        ..TestRecord::default()
    };
    let left: Vec<TestRecord> =
        data.left.iter().map(|row| record(&row[0], Some(json!({"S": row[1], "V": row[2]})))).collect();
    let right = data.changes.iter().map(|(id, row)| {
        let value = row.as_ref().map(|row| json!({"G": row[1], "W": row[2]}));
        record(&json!(id), value)
    });
    let right: Vec<TestRecord> = right.collect();
    let statements = driver.check_script(SETUP).expect("statements");
    (0..statements).for_each(|index| driver.execute(index).expect("it can be executed"));
    driver.append("l", &left).expect("records");
    driver.append("r", &right).expect("records");
    driver.settle_all().expect("nothing fails");
    for _ in 0..QUERIES {
        let query = Query::random(&mut random);
        let sql = query.sql();
        let selected = driver.select(&sql).unwrap_or_else(|failure| panic!("seed {seed}: {sql}\n{failure}"));
        let rows: Vec<Row> = selected.rows.into_iter().map(|row| row.columns).collect();
        let expected = query.answer(&data);
        assert_eq!(rows, expected, "seed {seed}: {sql}\nleft {:?}\nright {:?}", data.left, data.right);
    }
}

#[test]
fn random_reads_agree() {
    let first = number_from("LEVADA_ORACLE_SEED", 1);
    (first..first + number_from("LEVADA_ORACLE_CASES", CASES)).for_each(check);
}

/// `make oracle`.
#[test]
#[ignore = "takes minutes"]
fn many_random_reads_agree() {
    let first = number_from("LEVADA_ORACLE_SEED", 1);
    (first..first + number_from("LEVADA_ORACLE_CASES", CASES_AT_NIGHT)).for_each(check);
}

/// Queries say something: most answers have rows.
#[test]
fn reads_have_results() {
    let mut random = Random::new(1);
    let has_rows = |random: &mut Random| {
        let data = Data::random(random);
        !Query::random(random).answer(&data).is_empty()
    };
    let telling = (0..1_000).filter(|_| has_rows(&mut random)).count();
    assert!(telling > 500, "{telling} of 1000 queries have results");
}
