//! The words of the language, and which of them may also be names.

/// Declares the words in alphabetical order, so that they can be looked up by binary search.
macro_rules! keywords {
    ($($name:ident $text:literal $usable:ident,)*) => {
        /// A word with a meaning of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) enum Keyword { $($name,)* }

        const TEXTS: &[(&str, Keyword, Use)] = &[$(($text, Keyword::$name, Use::$usable),)*];
    };
}

/// All words, in alphabetical order.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    TEXTS.iter().map(|(text, _, _)| *text)
}

/// Whether a word can be a name without quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Never.
    Reserved,
    /// Wherever a name is expected.
    Name,
}

keywords! {
    Add "ADD" Name,
    Advance "ADVANCE" Reserved,
    All "ALL" Reserved,
    Alter "ALTER" Name,
    Analyze "ANALYZE" Name,
    And "AND" Reserved,
    Array "ARRAY" Name,
    As "AS" Reserved,
    Assert "ASSERT" Name,
    At "AT" Reserved,
    Beginning "BEGINNING" Reserved,
    Between "BETWEEN" Reserved,
    By "BY" Reserved,
    Case "CASE" Reserved,
    Cast "CAST" Reserved,
    Catalog "CATALOG" Reserved,
    Changes "CHANGES" Name,
    Column "COLUMN" Name,
    Columns "COLUMNS" Name,
    Connector "CONNECTOR" Reserved,
    Connectors "CONNECTORS" Reserved,
    Create "CREATE" Reserved,
    Date "DATE" Name,
    Day "DAY" Name,
    Days "DAYS" Reserved,
    Decimal "DECIMAL" Reserved,
    Define "DEFINE" Name,
    Delete "DELETE" Reserved,
    Describe "DESCRIBE" Reserved,
    Diagnose "DIAGNOSE" Name,
    Distinct "DISTINCT" Reserved,
    Drop "DROP" Reserved,
    Else "ELSE" Reserved,
    Emit "EMIT" Name,
    End "END" Reserved,
    Escape "ESCAPE" Name,
    Exists "EXISTS" Reserved,
    Explain "EXPLAIN" Name,
    Export "EXPORT" Reserved,
    Extended "EXTENDED" Reserved,
    False "FALSE" Reserved,
    Final "FINAL" Name,
    From "FROM" Reserved,
    Full "FULL" Reserved,
    Function "FUNCTION" Name,
    Functions "FUNCTIONS" Name,
    Grace "GRACE" Name,
    Group "GROUP" Reserved,
    Having "HAVING" Reserved,
    Header "HEADER" Name,
    Headers "HEADERS" Name,
    Hopping "HOPPING" Reserved,
    Hour "HOUR" Name,
    Hours "HOURS" Reserved,
    Id "ID" Name,
    If "IF" Name,
    In "IN" Reserved,
    Inner "INNER" Reserved,
    Insert "INSERT" Reserved,
    Integer "INTEGER" Name,
    Interval "INTERVAL" Name,
    Into "INTO" Reserved,
    Is "IS" Reserved,
    Join "JOIN" Reserved,
    Key "KEY" Name,
    Left "LEFT" Reserved,
    Like "LIKE" Reserved,
    Limit "LIMIT" Reserved,
    List "LIST" Reserved,
    Load "LOAD" Reserved,
    Map "MAP" Name,
    Materialized "MATERIALIZED" Reserved,
    Millisecond "MILLISECOND" Reserved,
    Milliseconds "MILLISECONDS" Reserved,
    Minute "MINUTE" Name,
    Minutes "MINUTES" Reserved,
    Month "MONTH" Name,
    Months "MONTHS" Reserved,
    Namespace "NAMESPACE" Reserved,
    Not "NOT" Reserved,
    Null "NULL" Reserved,
    On "ON" Reserved,
    Or "OR" Reserved,
    Outer "OUTER" Reserved,
    Partition "PARTITION" Name,
    Partitions "PARTITIONS" Name,
    Pause "PAUSE" Reserved,
    Period "PERIOD" Name,
    Plugins "PLUGINS" Name,
    Primary "PRIMARY" Name,
    Print "PRINT" Reserved,
    Properties "PROPERTIES" Reserved,
    Queries "QUERIES" Reserved,
    Query "QUERY" Reserved,
    Rename "RENAME" Reserved,
    Replace "REPLACE" Name,
    Reset "RESET" Name,
    Resume "RESUME" Reserved,
    Retention "RETENTION" Reserved,
    Returns "RETURNS" Name,
    Right "RIGHT" Reserved,
    Run "RUN" Reserved,
    Sample "SAMPLE" Reserved,
    Schema "SCHEMA" Name,
    Script "SCRIPT" Reserved,
    Second "SECOND" Name,
    Seconds "SECONDS" Reserved,
    Select "SELECT" Reserved,
    Session "SESSION" Name,
    Set "SET" Name,
    Show "SHOW" Name,
    Sink "SINK" Name,
    Size "SIZE" Reserved,
    Source "SOURCE" Name,
    Stream "STREAM" Reserved,
    Streams "STREAMS" Reserved,
    String "STRING" Name,
    Struct "STRUCT" Name,
    Subject "SUBJECT" Name,
    System "SYSTEM" Name,
    Table "TABLE" Reserved,
    Tables "TABLES" Name,
    Terminate "TERMINATE" Reserved,
    Then "THEN" Reserved,
    Time "TIME" Name,
    Timeout "TIMEOUT" Name,
    Timestamp "TIMESTAMP" Name,
    To "TO" Reserved,
    Topic "TOPIC" Reserved,
    Topics "TOPICS" Reserved,
    True "TRUE" Reserved,
    Tumbling "TUMBLING" Reserved,
    Type "TYPE" Name,
    Types "TYPES" Name,
    Undefine "UNDEFINE" Name,
    Unset "UNSET" Reserved,
    Using "USING" Name,
    Values "VALUES" Name,
    Variables "VARIABLES" Name,
    View "VIEW" Reserved,
    When "WHEN" Reserved,
    Where "WHERE" Reserved,
    Window "WINDOW" Reserved,
    With "WITH" Reserved,
    Within "WITHIN" Reserved,
    Year "YEAR" Name,
    Years "YEARS" Reserved,
    Zone "ZONE" Name,
}

/// Longest word, for the buffer of [`Keyword::find`].
const LENGTH_MAX: usize = 12;

impl Keyword {
    /// The word in any case.
    pub(super) fn find(word: &str) -> Option<Keyword> {
        let mut upper = [0u8; LENGTH_MAX];
        let upper = upper.get_mut(..word.len())?;
        upper.copy_from_slice(word.as_bytes());
        upper.make_ascii_uppercase();
        let found = TEXTS.binary_search_by(|(text, ..)| text.as_bytes().cmp(upper));
        found.ok().map(|index| TEXTS[index].1)
    }

    /// The word in capitals.
    pub(super) fn text(self) -> &'static str {
        TEXTS[self as usize].0
    }

    /// Whether the word can be a name without quotes.
    pub(super) fn is_name(self) -> bool {
        TEXTS[self as usize].2 == Use::Name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_in_any_case() {
        for (text, keyword, _) in TEXTS {
            assert_eq!(Keyword::find(text), Some(*keyword));
            assert_eq!(Keyword::find(&text.to_lowercase()), Some(*keyword));
            assert_eq!(keyword.text(), *text);
        }
    }

    #[test]
    fn other_words_are_not() {
        for word in ["", "A", "SELEC", "SELECTED", "MILLISECONDSS", "É"] {
            assert_eq!(Keyword::find(word), None);
        }
    }

    #[test]
    fn the_documentation_lists_the_reserved_words() {
        let page = include_str!("../../docs/lexical.md");
        let (_, list) = page.split_once("as names they need quotes:").expect("the page lists them");
        let (list, _) = list.split_once("All other words").expect("the list ends");
        let reserved = TEXTS.iter().filter(|(_, keyword, _)| !keyword.is_name()).map(|(text, ..)| *text);
        assert_eq!(list.split_whitespace().collect::<Vec<_>>(), reserved.collect::<Vec<_>>());
    }

    #[test]
    fn some_words_may_be_names() {
        let usable = |word| Keyword::find(word).expect("a keyword").is_name();
        for word in ["id", "key", "date", "source", "emit", "day", "values"] {
            assert!(usable(word), "{word}");
        }
        for word in ["select", "size", "days", "topic"] {
            assert!(!usable(word), "{word}");
        }
    }
}
