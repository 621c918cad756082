//! What a half-written word may become: names of what there is where they can stand, words of the language elsewhere.

use std::ops::Range;

use crate::configuration;
use crate::shell::command::BACKSLASHES;
use crate::shell::named_sources::named_sources;
use crate::shell::{KnownSource, Vocabulary};
use crate::sql::{WordKind, keywords, quote_name, words};

/// A word that may stand here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// What is typed for the person.
    pub(super) text: String,
    /// What it is: a type, `stream`, how a function is called. Empty for words of the language.
    pub(super) about: String,
}

/// Words with which statements begin, and commands of the shell.
const BEGINNINGS: [&str; 32] = [
    "ALTER",
    "ASSERT",
    "CREATE",
    "DEFINE",
    "DESCRIBE",
    "DIAGNOSE",
    "DROP",
    "EXPLAIN",
    "INSERT INTO",
    "LIST",
    "PAUSE",
    "PRINT",
    "RESUME",
    "SELECT",
    "SET",
    "SHOW",
    "TERMINATE",
    "UNDEFINE",
    "UNSET",
    "clear",
    "exit",
    "help",
    "history",
    "output",
    "request-pipelining",
    "run script",
    "server",
    "set cli",
    "spool",
    "version",
    "EXPLAIN SELECT",
    "DESCRIBE FUNCTION",
];
/// Properties of WITH.
const WITH: [&str; 15] = [
    "FORMAT",
    "KAFKA_TOPIC",
    "KEY_FORMAT",
    "KEY_PROTOBUF_NULLABLE_REPRESENTATION",
    "KEY_SCHEMA_ID",
    "PARTITIONS",
    "REPLICAS",
    "RETENTION_MS",
    "TIMESTAMP",
    "TIMESTAMP_FORMAT",
    "VALUE_DELIMITER",
    "VALUE_FORMAT",
    "VALUE_SCHEMA_ID",
    "WINDOW_SIZE",
    "WRAP_SINGLE_VALUE",
];
const FORMATS: [&str; 8] = ["AVRO", "DELIMITED", "JSON", "JSON_SR", "KAFKA", "NONE", "PROTOBUF", "PROTOBUF_NOSR"];
const TYPES: [&str; 13] = [
    "ARRAY<",
    "BIGINT",
    "BOOLEAN",
    "BYTES",
    "DATE",
    "DECIMAL(",
    "DOUBLE",
    "INTEGER",
    "MAP<",
    "STRING",
    "STRUCT<",
    "TIME",
    "TIMESTAMP",
];

/// Where the word begins that ends at `at`, and what it may become.
pub(super) fn complete(text: &str, at: usize, known: &Vocabulary) -> (usize, Vec<Candidate>) {
    let before = &text[..at];
    let statement = statement_before(before);
    if let Some(found) = command(before, statement.start, known) {
        return found;
    }
    let tokens: Vec<(Range<usize>, WordKind)> = words(&before[statement.clone()])
        .into_iter()
        .map(|(range, kind)| (shifted(&range, statement.start), kind))
        .collect();
    // A text that has no end yet is completed inside of its quotes.
    if let Some((range, WordKind::Text)) =
        tokens.last().filter(|(range, _)| range.end == at && is_open(&before[range.clone()]))
    {
        let (begin, typed) = (range.start + 1, &before[range.start + 1..]);
        return (begin, in_text(typed, &upper(before, &tokens[..tokens.len() - 1]), known));
    }
    let begin = word_start(before);
    let typed = &before[begin..];
    let earlier: Vec<_> = tokens.into_iter().filter(|(range, _)| range.end <= begin).collect();
    let earlier = upper(before, &earlier);
    (begin, chosen(typed, candidates(text, &earlier, known)))
}

fn shifted(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// Where the statement that `before` ends in begins.
fn statement_before(before: &str) -> Range<usize> {
    let mut ends =
        words(before).into_iter().filter(|(range, kind)| *kind == WordKind::Sign && &before[range.clone()] == ";");
    ends.next_back().map_or(0, |(range, _)| range.end)..before.len()
}

fn is_open(text: &str) -> bool {
    text.starts_with('\'') && (text.len() == 1 || !text.ends_with('\''))
}

/// The words of the language and names, in capitals; signs as they are.
fn upper(text: &str, tokens: &[(Range<usize>, WordKind)]) -> Vec<String> {
    let words = tokens.iter().filter(|(_, kind)| *kind != WordKind::Comment);
    words.map(|(range, _)| text[range.clone()].to_uppercase()).collect()
}

/// Where the name or word begins in which `before` ends.
fn word_start(before: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '`';
    before.char_indices().rev().take_while(|(_, c)| is_part(*c)).last().map_or(before.len(), |(at, _)| at)
}

/// Arguments of the shell's own commands.
fn command(before: &str, start: usize, known: &Vocabulary) -> Option<(usize, Vec<Candidate>)> {
    let line = before[start..].trim_start();
    if !line.starts_with('\\') {
        let lower = line.to_ascii_lowercase();
        let forms = lower.starts_with("output ");
        return forms.then(|| {
            let begin = word_start(before);
            (begin, chosen(&before[begin..], plain(&["table", "expanded", "json", "json-array", "csv"])))
        });
    }
    let begin = before.len() - line.len();
    let Some((name, _)) = line.split_once(' ') else {
        return Some((begin, chosen(line, plain(&BACKSLASHES))));
    };
    let at = word_start(before);
    let candidates = match name {
        "\\d" => sources(known),
        "\\df" => functions(known),
        "\\dq" => queries(known),
        "\\format" => plain(&["table", "expanded", "json", "json-array", "csv"]),
        "\\keys" => plain(&["emacs", "vi"]),
        "\\x" | "\\timing" | "\\pager" => plain(&["on", "off"]),
        // A statement may follow.
        "\\viz" if !line.trim_start_matches("\\viz").trim_start().contains(' ') => {
            let mut candidates = queries(known);
            candidates.extend(plain(&["SELECT", "CREATE"]));
            candidates
        }
        "\\viz" => return None,
        _ => Vec::new(),
    };
    Some((at, chosen(&before[at..], candidates)))
}

/// What may stand in the quotes that were opened after `earlier`.
fn in_text(typed: &str, earlier: &[String], known: &Vocabulary) -> Vec<Candidate> {
    let back = |n: usize| earlier.len().checked_sub(n).map_or("", |at| earlier[at].as_str());
    let candidates = match (earlier.first().map(String::as_str), back(1), back(2)) {
        (Some("SET" | "UNSET"), "SET" | "UNSET", _) => configuration::properties()
            .map(|property| Candidate { text: property.name.to_owned(), about: property.meaning.to_owned() })
            .collect(),
        (Some("SET"), "=", _) => plain(&["earliest", "latest", "true", "false"]),
        (Some("PRINT"), _, _) | (_, "=", "KAFKA_TOPIC") => topics(known),
        (_, "=", "FORMAT" | "KEY_FORMAT" | "VALUE_FORMAT") => plain(&FORMATS),
        _ => Vec::new(),
    };
    let mut found = chosen(typed, candidates);
    found.iter_mut().for_each(|candidate| candidate.text.push('\''));
    found
}

/// What may stand after `earlier`, the most likely first. The sources of the whole `text` have columns.
fn candidates(text: &str, earlier: &[String], known: &Vocabulary) -> Vec<Candidate> {
    let back = |n: usize| earlier.len().checked_sub(n).map_or("", |at| earlier[at].as_str());
    let first = earlier.first().map_or("", String::as_str);
    if earlier.is_empty() {
        return plain(&BEGINNINGS);
    }
    if back(1) == "." || back(1) == "->" {
        return columns_of(text, back(2), known);
    }
    match (first, back(1)) {
        (_, "FROM" | "JOIN" | "INTO") => sources(known),
        ("DESCRIBE", "DESCRIBE") => {
            sources(known).into_iter().chain(plain(&["FUNCTION", "STREAMS", "TABLES"])).collect()
        }
        ("DESCRIBE" | "DROP", "FUNCTION") => functions(known),
        ("DROP", "STREAM" | "TABLE" | "EXISTS") | ("ALTER", "STREAM" | "TABLE") => sources(known),
        ("DROP", "TYPE") => known.types.iter().map(|name| Candidate::new(name, "type")).collect(),
        ("PRINT", "PRINT") => topics(known),
        ("EXPLAIN" | "TERMINATE" | "PAUSE" | "RESUME" | "DIAGNOSE", word) if word == first => {
            let others = if first == "EXPLAIN" { &["SELECT", "CREATE"][..] } else { &["ALL"][..] };
            queries(known).into_iter().chain(plain(others)).collect()
        }
        ("SHOW" | "LIST", "SHOW" | "LIST") => plain(&[
            "ALL TOPICS",
            "CONNECTORS",
            "FUNCTIONS",
            "PROPERTIES",
            "QUERIES",
            "STREAMS",
            "TABLES",
            "TOPICS",
            "TYPES",
            "VARIABLES",
        ]),
        ("CREATE", "CREATE") => plain(&["OR REPLACE", "STREAM", "TABLE", "TYPE", "SOURCE", "FUNCTION"]),
        _ if is_in_with(earlier) => plain(&WITH),
        ("CREATE", _) if is_in_columns(earlier) => {
            let types = known.types.iter().map(|name| Candidate::new(name, "type"));
            plain(&TYPES).into_iter().chain(types).chain(plain(&["KEY", "PRIMARY KEY", "HEADERS"])).collect()
        }
        _ => {
            let columns = columns(text, known);
            let words = keywords().map(|word| Candidate::new(word, ""));
            columns.into_iter().chain(sources(known)).chain(functions(known)).chain(words).collect()
        }
    }
}

/// Inside of the brackets of WITH, where a name is expected.
fn is_in_with(earlier: &[String]) -> bool {
    let open = earlier.iter().rposition(|word| word == "(");
    let closed = earlier.iter().rposition(|word| word == ")");
    let is_open = open.is_some_and(|open| closed.is_none_or(|closed| closed < open) && open > 0);
    is_open
        && open.is_some_and(|open| earlier[open - 1] == "WITH")
        && earlier.last().is_some_and(|word| word == "(" || word == ",")
}

/// Inside of the column list of a CREATE, behind a name.
fn is_in_columns(earlier: &[String]) -> bool {
    let is_list = !earlier.iter().any(|word| word == ")" || word == "SELECT" || word == "WITH");
    is_list && earlier.iter().any(|word| word == "(") && earlier.last().is_some_and(|word| word != "(" && word != ",")
}

impl Candidate {
    fn new(text: impl Into<String>, about: impl Into<String>) -> Self {
        Self { text: text.into(), about: about.into() }
    }
}

fn plain(words: &[&str]) -> Vec<Candidate> {
    words.iter().map(|&word| Candidate::new(word, "")).collect()
}

fn sources(known: &Vocabulary) -> Vec<Candidate> {
    let candidate = |source: &KnownSource| Candidate::new(quote_name(&source.name), source.to_string());
    known.sources.iter().map(candidate).collect()
}

fn functions(known: &Vocabulary) -> Vec<Candidate> {
    known.functions.iter().map(|function| Candidate::new(&function.name, &function.about)).collect()
}

fn queries(known: &Vocabulary) -> Vec<Candidate> {
    known.queries.iter().map(|id| Candidate::new(quote_name(id), "query")).collect()
}

fn topics(known: &Vocabulary) -> Vec<Candidate> {
    known.topics.iter().map(|name| Candidate::new(name, "topic")).collect()
}

/// Columns of the sources that `text` names.
fn columns(text: &str, known: &Vocabulary) -> Vec<Candidate> {
    let named = named_sources(text);
    let sources = known.sources.iter().filter(|source| named.iter().any(|(name, _)| *name == source.name));
    let mut columns: Vec<Candidate> = sources.flat_map(column_candidates).collect();
    if !columns.is_empty() {
        columns.extend([Candidate::new("ROWTIME", "BIGINT")]);
    }
    columns
}

/// Columns of the source called `name`, or that has this alias.
fn columns_of(text: &str, name: &str, known: &Vocabulary) -> Vec<Candidate> {
    let named = named_sources(text);
    let real = named.iter().find(|(_, alias)| alias == name).map_or(name, |(real, _)| real);
    known.sources.iter().filter(|source| source.name == real).flat_map(column_candidates).collect()
}

fn column_candidates(source: &KnownSource) -> impl Iterator<Item = Candidate> {
    source.columns.iter().map(|(name, kind)| Candidate::new(quote_name(name), kind))
}

/// Those of `candidates` that begin with what was `typed`, each once; in lower case when that is how it begins and SQL does not
/// mind.
fn chosen(typed: &str, candidates: Vec<Candidate>) -> Vec<Candidate> {
    let is_lower = typed.contains(char::is_lowercase) && !typed.contains(char::is_uppercase);
    let begins_with = |text: &str| text.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed));
    // Whoever types a name that needs quotes may not know that it does.
    let begins = |text: &str| begins_with(text) || begins_with(text.trim_start_matches('`'));
    let mut chosen: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        if begins(&candidate.text) && !chosen.iter().any(|known| known.text.eq_ignore_ascii_case(&candidate.text)) {
            chosen.push(candidate);
        }
    }
    if is_lower {
        let lowered =
            chosen.iter_mut().filter(|candidate| !candidate.text.contains(|c: char| c.is_lowercase() || c == '`'));
        lowered.for_each(|candidate| candidate.text = candidate.text.to_lowercase());
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::KnownFunction;

    fn known() -> Vocabulary {
        let column = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
        let source = |name: &str, kind, columns| KnownSource { name: name.to_owned(), kind, columns };
        Vocabulary {
            sources: vec![
                source("FLIGHTS", "stream", vec![column("CARRIER", "STRING"), column("DELAY", "INTEGER")]),
                source("Seen", "table", vec![column("ID", "BIGINT"), column("Note", "STRING")]),
            ],
            functions: vec![KnownFunction { name: "CARDINALITY".into(), about: "CARDINALITY(map) → INTEGER".into() }],
            topics: vec!["flights-2019".into()],
            queries: vec!["CSAS_A_1".into()],
            types: Vec::new(),
        }
    }

    /// What `text` may become at its end, with what each is behind a `|`.
    fn check(text: &str, expected: &[&str]) {
        let (_, found) = complete(text, text.len(), &known());
        let shown: Vec<String> = (found.iter())
            .map(|one| if one.about.is_empty() { one.text.clone() } else { format!("{}|{}", one.text, one.about) })
            .collect();
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn statements_and_commands_begin_a_line() {
        check("sel", &["select"]);
        check("DESC", &["DESCRIBE", "DESCRIBE FUNCTION"]);
        check("SHOW STREAMS; ex", &["explain", "exit", "explain select"]);
        check("\\d", &["\\d", "\\df", "\\dk", "\\dq", "\\ds", "\\dt"]);
        check("output js", &["json", "json-array"]);
    }

    #[test]
    fn sources_stand_where_rows_are_read() {
        let flights = "stream (CARRIER STRING, DELAY INTEGER)";
        check("SELECT * FROM FL", &[&format!("FLIGHTS|{flights}")]);
        check("select * from fl", &[&format!("flights|{flights}")]);
        check("DESCRIBE Se", &["`Seen`|table (ID BIGINT, Note STRING)"]);
        check("describe `S", &["`Seen`|table (ID BIGINT, Note STRING)"]);
        check("\\d fl", &[&format!("flights|{flights}")]);
    }

    #[test]
    fn columns_are_those_of_the_sources_in_the_text() {
        let at = "SELECT ca".len();
        let (begin, found) = complete("SELECT ca FROM flights;", at, &known());
        assert_eq!(begin, "SELECT ".len());
        let texts: Vec<&str> = found.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(texts, ["carrier", "cardinality", "case", "cast", "catalog"]);
        assert_eq!(found[0].about, "STRING");
        check("SELECT * FROM flights f JOIN `Seen` s ON f.de", &["delay|INTEGER"]);
        check("SELECT * FROM flights f JOIN `Seen` AS s ON s.`N", &["`Note`|STRING"]);
    }

    #[test]
    fn quotes_hold_properties_topics_and_formats() {
        let (_, found) = complete("SET 'auto.offset.r", "SET 'auto.offset.r".len(), &known());
        assert_eq!(found.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["auto.offset.reset'"]);
        check("SET 'auto.offset.reset' = 'ea", &["earliest'"]);
        check("PRINT 'fl", &["flights-2019'|topic"]);
        check("CREATE STREAM a (b INT) WITH (value_format='js", &["json'", "json_sr'"]);
        check("CREATE STREAM a (b INT) WITH (va", &["value_delimiter", "value_format", "value_schema_id"]);
    }

    #[test]
    fn queries_and_types_stand_where_they_can() {
        check("TERMINATE cs", &["csas_a_1|query"]);
        check("EXPLAIN C", &["CSAS_A_1|query", "CREATE"]);
        check("CREATE STREAM a (b BI", &["BIGINT"]);
        check("é", &[]);
    }
}
