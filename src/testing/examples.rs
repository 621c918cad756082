//! Examples of functions: whether a call gives what they say.

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::array_value_to_string;

use crate::engine::{Engine, EngineError, EngineOptions, PushEvent, Response, Session};
use crate::functions::{FunctionKind, Registry};
use crate::topics::MemoryTopics;

/// Rows that an example of an aggregate function may have.
const ROWS_MAX: usize = 16;

/// A server that runs examples.
pub struct Examples {
    engine: Engine,
    /// How many examples had a stream of their own.
    streams: Cell<usize>,
}

impl Examples {
    /// Examples of the functions in `registry`.
    ///
    /// # Errors
    /// The server does not start.
    pub fn new(registry: Registry) -> Result<Self, EngineError> {
        let options = EngineOptions {
            // Those functions only: none of a folder that happens to be here.
            properties: [("auto.offset.reset", "earliest"), ("ksql.extension.dir", "")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            threads: false,
            functions: Arc::new(registry),
            ..EngineOptions::default()
        };
        let engine = Engine::with_options(Arc::new(MemoryTopics::new()), options)?;
        let mut statements = String::from(
            "CREATE STREAM numbers (i INT) WITH (KAFKA_TOPIC = 'numbers', VALUE_FORMAT = 'JSON', PARTITIONS = 1);",
        );
        for i in 1..=ROWS_MAX {
            let _ = write!(statements, "INSERT INTO numbers VALUES ({i});");
        }
        engine.execute(&mut Session::default(), &statements, &mut |_| ())?;
        Ok(Self { engine, streams: Cell::new(0) })
    }

    /// Checks that `call`, of a function of `kind`, and `result` have the same value: both are written as
    /// [`levada_udf::Example`] says.
    ///
    /// # Errors
    /// What `call` gives instead, or why it gives nothing.
    pub fn check(&self, kind: FunctionKind, call: &str, result: &str) -> Result<(), String> {
        let (given, said) = match kind {
            FunctionKind::Scalar => self.scalar(call, result)?,
            FunctionKind::Aggregate => self.aggregate(call, result)?,
            FunctionKind::Table => self.table(call, result)?,
        };
        if given == said { Ok(()) } else { Err(format!("it gives {given}, not {said}")) }
    }

    fn scalar(&self, call: &str, result: &str) -> Result<(String, String), String> {
        let select = format!("SELECT {call} AS given, {result} AS said FROM numbers EMIT CHANGES LIMIT 1;");
        let rows = self.rows(&select)?;
        rows.first().map(|row| (row[0].clone(), row[1].clone())).ok_or_else(|| "there is no result".to_owned())
    }

    fn aggregate(&self, call: &str, result: &str) -> Result<(String, String), String> {
        let shape = "write it as SUM(v) FROM VALUES (1), (2) AS (v)";
        let (call, values) = call.split_once(" FROM VALUES ").ok_or(shape)?;
        let (rows, columns) = values.rsplit_once(" AS ").ok_or(shape)?;
        let columns = parts(within(columns).ok_or(shape)?);
        let rows: Vec<Vec<&str>> =
            parts(rows).into_iter().map(|row| within(row).map(parts)).collect::<Option<_>>().ok_or(shape)?;
        if rows.len() > ROWS_MAX || rows.iter().any(|row| row.len() != columns.len()) {
            return Err(format!("it has up to {ROWS_MAX} rows with {} values each", columns.len()));
        }
        let number = self.streams.replace(self.streams.get() + 1);
        let mut create = format!("CREATE STREAM example_{number} AS SELECT 1 AS one");
        for (index, column) in columns.iter().enumerate() {
            create.push_str(", CASE");
            for (row, i) in rows.iter().zip(1..) {
                let _ = write!(create, " WHEN i = {i} THEN {}", row[index]);
            }
            let _ = write!(create, " END AS {column}");
        }
        let _ = write!(create, " FROM numbers WHERE i <= {} EMIT CHANGES;", rows.len());
        self.execute(&create)?;
        let select =
            format!("SELECT one, {call} AS given, {result} AS said FROM example_{number} GROUP BY one EMIT CHANGES;");
        let rows = self.rows(&select)?;
        rows.last().map(|row| (row[1].clone(), row[2].clone())).ok_or_else(|| "there is no result".to_owned())
    }

    fn table(&self, call: &str, result: &str) -> Result<(String, String), String> {
        let select = format!("SELECT {call} AS given, {result} AS said FROM numbers WHERE i = 1 EMIT CHANGES;");
        let rows = self.rows(&select)?;
        let given: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        let said = match rows.first() {
            Some(row) => row[1].clone(),
            None => self.scalar(result, result)?.1,
        };
        Ok((format!("[{}]", given.join(", ")), said))
    }

    fn execute(&self, statement: &str) -> Result<Option<Response>, String> {
        let mut last = None;
        let mut take = |response: Response| last = Some(response);
        self.engine.execute(&mut Session::default(), statement, &mut take).map_err(|error| error.to_string())?;
        self.engine.settle(None).map_err(|error| error.to_string())?;
        Ok(last)
    }

    /// What `select` gives, as texts.
    fn rows(&self, select: &str) -> Result<Vec<Vec<String>>, String> {
        let Some(Response::Push(query)) = self.execute(select)? else { return Err("it is no query".to_owned()) };
        let mut rows = Vec::new();
        while let PushEvent::Rows(given) = query.next(Duration::ZERO) {
            let batch = given.batch();
            rows.extend((0..batch.num_rows()).map(|row| texts(batch, row)).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(rows)
    }
}

fn texts(batch: &RecordBatch, row: usize) -> Result<Vec<String>, String> {
    let text = |column: &Arc<dyn Array>| {
        if column.is_null(row) {
            Ok("NULL".to_owned())
        } else {
            array_value_to_string(column, row).map_err(|error| error.to_string())
        }
    };
    batch.columns().iter().map(text).collect()
}

/// What stands in the parentheses that `text` is.
fn within(text: &str) -> Option<&str> {
    text.trim().strip_prefix('(')?.strip_suffix(')')
}

/// The parts of `text` between commas that stand in no parentheses, brackets or quotes.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut is_quoted, mut start) = (Vec::new(), 0, false, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_that_is_wrong_is_told() {
        let examples = Examples::new(Registry::default()).expect("an empty server starts");
        let check = |call, result| examples.check(FunctionKind::Scalar, call, result);
        assert_eq!(check("UCASE('a')", "'A'"), Ok(()));
        assert_eq!(check("UCASE('a')", "'a'"), Err("it gives A, not a".to_owned()));
        assert!(check("NOSUCH('a')", "'a'").is_err_and(|error| error.contains("NOSUCH")));
    }

    #[test]
    fn examples_of_aggregate_functions_have_rows() {
        let examples = Examples::new(Registry::default()).expect("an empty server starts");
        let check = |call, result| examples.check(FunctionKind::Aggregate, call, result);
        let call = "COLLECT_LIST(v) FROM VALUES ('a, (b'), (NULL), ('c') AS (v)";
        assert_eq!(check(call, "ARRAY['a, (b', NULL, 'c']"), Ok(()));
        assert_eq!(check("SUM(v) FROM VALUES (1), (2) AS (v)", "4"), Err("it gives 3, not 4".to_owned()));
        let shape = "write it as SUM(v) FROM VALUES (1), (2) AS (v)";
        assert_eq!(check("SUM(1, 2)", "3"), Err(shape.to_owned()));
    }

    #[test]
    fn examples_of_table_functions_give_an_array_of_their_rows() {
        let examples = Examples::new(Registry::default()).expect("an empty server starts");
        let check = |result| examples.check(FunctionKind::Table, "EXPLODE(ARRAY['a', 'b'])", result);
        assert_eq!(check("ARRAY['a', 'b']"), Ok(()));
        assert_eq!(check("ARRAY['a']"), Err("it gives [a, b], not [a]".to_owned()));
    }
}
