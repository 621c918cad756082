//! CREATE, DROP and their like.

use super::{World, check_error, plan_text, planned, schema_text};
use crate::formats::{Format, NullableRepresentation, SchemaSettings};
use crate::plan::Planned;
use crate::sql::parse_statements;

fn created(sql: &str) -> crate::catalog::DataSource {
    match planned(sql).expect(sql) {
        Planned::CreateSource(create) => create.source,
        Planned::CreateAs(create) => create.source,
        other => panic!("{sql}: {other:?}"),
    }
}

/// The error of `CREATE {create}` over the topic x, without its place.
fn error_of(create: &str) -> String {
    planned(&format!("CREATE {create};")).map(|planned| format!("{planned:?}")).expect_err(create).to_string()
}

#[test]
fn columns_have_roles() {
    let cases = [
        ("STREAM X (A INT, B STRING)", "`A` INTEGER, `B` STRING"),
        ("STREAM X (A INT KEY, B STRING)", "`A` INTEGER KEY, `B` STRING"),
        ("TABLE X (A INT PRIMARY KEY, B STRING)", "`A` INTEGER PRIMARY KEY, `B` STRING"),
        ("STREAM X (B STRUCT<`c` INT, D DECIMAL(4,2)>)", "`B` STRUCT<`c` INTEGER, `D` DECIMAL(4, 2)>"),
        ("STREAM X (A MAP<STRING, ARRAY<DATE>>)", "`A` MAP<STRING, ARRAY<DATE>>"),
    ];
    for (create, expected) in cases {
        let sql = format!("CREATE {create} WITH (KAFKA_TOPIC='x', FORMAT='JSON');");
        assert_eq!(schema_text(&sql), expected);
    }
}

#[test]
fn custom_types_stand_for_what_they_were_defined_as() {
    let sql = "CREATE TYPE PLACE AS STRUCT<CITY STRING>;
               CREATE STREAM X (P PLACE, Q ARRAY<PLACE>) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');";
    assert_eq!(schema_text(sql), "`P` STRUCT<`CITY` STRING>, `Q` ARRAY<STRUCT<`CITY` STRING>>");
}

#[test]
fn sources_that_cannot_be() {
    let with = "WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON')";
    let cases = [
        (format!("TABLE X (A INT) {with}"), "Tables require a PRIMARY KEY. Please define the PRIMARY KEY."),
        (format!("STREAM X {with}"), "No columns supplied."),
        (
            format!("STREAM X (ROWTIME INT) {with}"),
            "'ROWTIME' is a reserved column name. You cannot use it as a name for a column.",
        ),
        (format!("STREAM X (A INT, A STRING) {with}"), "Duplicate value columns found in schema: `A` STRING"),
        (format!("STREAM X (A INT KEY, A INT KEY) {with}"), "Duplicate key columns found in schema: `A` INTEGER KEY"),
        (format!("STREAM S (A INT) {with}"), "Cannot add stream 'S': A stream with the same name already exists"),
        (
            format!("TABLE S (A INT PRIMARY KEY) {with}"),
            "Cannot add table 'S': A stream with the same name already exists",
        ),
        (format!("STREAM X (A NOTHING) {with}"), "Cannot resolve unknown type: NOTHING"),
        (format!("STREAM X (A STRUCT<B INT, b INT>) {with}"), "Duplicate field names found in STRUCT: 'B'"),
        (
            format!("STREAM X (K BOOLEAN KEY) {with}"),
            "Key format does not support schema.\nformat: KAFKA\n\
             schema: Persistence{columns=[`K` BOOLEAN KEY], features=[]}\n\
             reason: The 'KAFKA' format does not support type 'BOOLEAN'",
        ),
        (
            format!("STREAM X (K STRUCT<M MAP<STRING, INT>> KEY) {with}"),
            "Map keys, including types that contain maps, are not supported as they may lead to unexpected behavior due \
             to inconsistent serialization. Key column name: `K`. Column type: STRUCT<`M` MAP<STRING, INTEGER>>. See \
             https://github.com/confluentinc/ksql/issues/6621 for more.",
        ),
    ];
    for (create, expected) in cases {
        assert_eq!(error_of(&create), expected, "{create}");
    }
}

#[test]
fn properties_that_cannot_be() {
    let cases = [
        (
            "VALUE_FORMAT='JSON'",
            "Failed to prepare statement: Missing required property \"KAFKA_TOPIC\" which has no default value.",
        ),
        (
            "KAFKA_TOPIC='x'",
            "Statement is missing the 'VALUE_FORMAT' property from the WITH clause. Either provide one or set a default \
             via the 'ksql.persistence.default.format.value' config.",
        ),
        ("KAFKA_TOPIC='x', VALUE_FORMAT='FOO'", "Unknown format: FOO"),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='AVRO', VALUE_AVRO_SCHEMA_FULL_NAME=' '",
            "fullSchemaName cannot be empty. Format configuration: {fullSchemaName=}",
        ),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='AVRO', VALUE_AVRO_SCHEMA_FULL_NAME='a.B', VALUE_SCHEMA_FULL_NAME='a.B'",
            "Cannot supply both 'VALUE_AVRO_SCHEMA_FULL_NAME' and 'VALUE_SCHEMA_FULL_NAME' properties. Please only set \
             'VALUE_SCHEMA_FULL_NAME'.",
        ),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='JSON', VALUE_AVRO_SCHEMA_FULL_NAME='a.B'",
            "JSON does not support the following configs: [fullSchemaName]",
        ),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='JSON_SR', VALUE_PROTOBUF_NULLABLE_REPRESENTATION='OPTIONAL'",
            "JSON_SR does not support the following configs: [nullableRepresentation]",
        ),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='PROTOBUF', VALUE_PROTOBUF_NULLABLE_REPRESENTATION='MAYBE'",
            "Failed to prepare statement: Configuration VALUE_PROTOBUF_NULLABLE_REPRESENTATION is invalid: String must be \
             one of: OPTIONAL, WRAPPER. Got: MAYBE",
        ),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='JSON', CLEANUP_POLICY='compact'",
            "Invalid config variable in the WITH clause: CLEANUP_POLICY.\nThe CLEANUP_POLICY config is automatically \
             inferred based on the type of source (STREAM or TABLE).\nUsers can't set the CLEANUP_POLICY config manually.",
        ),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='PROTOBUF_NOSR', KEY_SCHEMA_ID=1, A=1, B=1",
            "Invalid config variable(s) in the WITH clause: A,B",
        ),
        (
            "KAFKA_TOPIC='x', FORMAT='JSON', VALUE_FORMAT='JSON'",
            "Cannot supply both 'VALUE_FORMAT' and 'FORMAT' properties, as 'FORMAT' sets both key and value formats.",
        ),
        ("KAFKA_TOPIC='x', FORMAT='JSON', NONSENSE=1", "Invalid config variable(s) in the WITH clause: NONSENSE"),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='JSON', VALUE_DELIMITER='|'",
            "JSON does not support the following configs: [delimiter]",
        ),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='DELIMITED', VALUE_DELIMITER='<>'",
            "Failed to prepare statement: Configuration VALUE_DELIMITER is invalid: Invalid delimiter value: '<>'. \
             Delimiter must be a single character or TAB,SPACE\nExample valid value: ';'",
        ),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WRAP_SINGLE_VALUE=TRUE",
            "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas",
        ),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION', WINDOW_SIZE='1 DAY'",
            "'WINDOW_SIZE' should not be set for SESSION windows.",
        ),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='HOPPING', WINDOW_SIZE='30 bobs'",
            "Failed to prepare statement: Configuration WINDOW_SIZE is invalid: Invalid duration: '30 bobs'. Unknown time unit: 'BOBS'",
        ),
        ("KAFKA_TOPIC='x', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION'", "Windowed sources require a key column."),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='Z'",
            "The TIMESTAMP column set in the WITH clause does not exist in the schema: 'Z'",
        ),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='B'",
            "Timestamp column, `B`, should be LONG(INT64), TIMESTAMP, or a String with a timestamp_format specified.",
        ),
        (
            "KAFKA_TOPIC='nowhere', VALUE_FORMAT='JSON'",
            "Topic 'nowhere' does not exist. If you want to create a new topic for the stream/table please re-run the \
             statement providing the required 'PARTITIONS' configuration in the WITH clause.",
        ),
        (
            "KAFKA_TOPIC='x', VALUE_FORMAT='JSON', PARTITIONS=3",
            "A Kafka topic with the name 'x' already exists, with different partition/replica configuration than \
             required. KSQL expects 3 partitions (topic has 4)",
        ),
    ];
    for (properties, expected) in cases {
        assert_eq!(error_of(&format!("STREAM X (A INT, B STRING) WITH ({properties})")), expected, "{properties}");
    }
}

#[test]
fn errors_say_where() {
    check_error(
        "CREATE STREAM X (\n  A INT,\n  B BIGNIT)\nWITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');",
        (3, 5),
        "Cannot resolve unknown type: BIGNIT",
        Some("did you mean BIGINT?"),
    );
    check_error(
        "CREATE STREAM X (A INT) WITH (KAFKA_TOPIC='x',\n  VALUE_FORMAT='FOO');",
        (2, 3),
        "Unknown format: FOO",
        Some("the formats are AVRO, DELIMITED, JSON, JSON_SR, KAFKA, NONE, PROTOBUF, PROTOBUF_NOSR"),
    );
}

#[test]
fn misspelt_properties_get_the_nearest_name() {
    for (properties, message, hint) in [
        ("VALUE_FROMAT='JSON'", "VALUE_FROMAT", "did you mean VALUE_FORMAT?"),
        (
            "KEY='id'",
            "KEY",
            "mark the column in the list of columns: id type KEY for a stream, PRIMARY KEY for a table",
        ),
        ("QUERY_ID='x'", "QUERY_ID", ""),
    ] {
        let sql = format!("CREATE STREAM X (A INT) WITH (KAFKA_TOPIC='x', {properties});");
        let message = format!("Invalid config variable(s) in the WITH clause: {message}");
        check_error(&sql, (1, 48), &message, Some(hint).filter(|hint| !hint.is_empty()));
    }
    check_error(
        "CREATE STREAM X (A INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVROO');",
        (1, 48),
        "Unknown format: AVROO",
        Some("did you mean AVRO?"),
    );
    let sql = "CREATE STREAM X WITH (WINDOW_TYPE='SESSION') AS SELECT * FROM S;";
    let error = planned(sql).expect_err("a property of sources");
    assert_eq!(error.to_string(), "Invalid config variable(s) in the WITH clause: WINDOW_TYPE");
    let hint = "it belongs to CREATE STREAM or CREATE TABLE with a list of columns";
    assert_eq!(error.hint().as_deref(), Some(hint));
}

#[test]
fn formats_with_schemas_are_declared_with_their_settings() {
    let settings = |full_name: Option<&str>, nullable| SchemaSettings {
        full_name: full_name.map(str::to_owned),
        nullable,
        ..SchemaSettings::default()
    };
    for (properties, key, value) in [
        ("FORMAT='avro'", Format::Avro(settings(None, None)), Format::Avro(settings(None, None))),
        ("VALUE_FORMAT='Json_Sr'", Format::Kafka, Format::JsonSr(settings(None, None))),
        (
            "KEY_FORMAT='PROTOBUF_NOSR', VALUE_FORMAT='PROTOBUF', VALUE_SCHEMA_FULL_NAME=' a.B ', \
             KEY_PROTOBUF_NULLABLE_REPRESENTATION='wrapper', VALUE_PROTOBUF_NULLABLE_REPRESENTATION='OPTIONAL'",
            Format::ProtobufNoSr(settings(None, Some(NullableRepresentation::Wrapper))),
            Format::Protobuf(settings(Some("a.B"), Some(NullableRepresentation::Optional))),
        ),
    ] {
        let source = created(&format!("CREATE STREAM X (K INT KEY, A INT) WITH (KAFKA_TOPIC='x', {properties});"));
        assert_eq!((source.key_serde.format, source.value_serde.format), (key, value), "{properties}");
    }
}

#[test]
fn derived_formats_leave_the_schema_behind() {
    let sql =
        "CREATE STREAM A (K INT KEY, V INT) WITH (KAFKA_TOPIC='x', FORMAT='PROTOBUF', VALUE_SCHEMA_FULL_NAME='a.B',
                 VALUE_PROTOBUF_NULLABLE_REPRESENTATION='WRAPPER');
               CREATE STREAM B AS SELECT * FROM A;";
    let Ok(Planned::CreateAs(create)) = planned(sql) else { panic!("the statement has a plan") };
    let nullable = Some(NullableRepresentation::Wrapper);
    let expected = Format::Protobuf(SchemaSettings { nullable, ..SchemaSettings::default() });
    assert_eq!(create.source.value_serde.format, expected);
}

#[test]
fn header_columns_are_declared_once_and_with_their_type() {
    let array = "ARRAY<STRUCT<`KEY` STRING, `VALUE` BYTES>>";
    let all = format!("H {array} HEADERS");
    for (columns, message) in [
        ("A INT, H INT HEADERS", format!("Invalid type for HEADERS column: expected {array}, got INTEGER")),
        ("H STRING HEADER('k')", "Invalid type for HEADER('k') column: expected BYTES, got STRING".to_owned()),
        ("H BYTES HEADER('k'), I BYTES HEADER('k')", "Schema already contains a HEADER('k') column.".to_owned()),
        (&format!("{all}, I BYTES HEADER('k')"), "Schema already contains a HEADERS column.".to_owned()),
        ("A INT, A BYTES HEADER('k')", "Duplicate headers columns found in schema: `A` BYTES HEADER('k')".to_owned()),
    ] {
        assert_eq!(error_of(&format!("STREAM X ({columns}) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON')")), message);
    }
    let declared = "CREATE STREAM X (A INT, H BYTES HEADER('k'), B INT, I BYTES HEADER('l')) \
                    WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');";
    let source = created(declared);
    let headers: Vec<(String, usize)> = source.headers.iter().map(|header| (header.role(), header.position)).collect();
    assert_eq!(headers, [("HEADER('k')".to_owned(), 1), ("HEADER('l')".to_owned(), 2)]);
    let sql = format!("{declared} CREATE STREAM Y AS SELECT * FROM X;");
    assert_eq!(schema_text(&sql), "`A` INTEGER, `H` BYTES, `B` INTEGER, `I` BYTES");
}

#[test]
fn header_columns_can_be_switched_off() {
    let mut world = World::after("");
    world.properties.insert("ksql.headers.columns.enabled".to_owned(), "false".to_owned());
    let sql = "CREATE TABLE X (A INT PRIMARY KEY, H BYTES HEADER('k')) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');";
    let parsed = parse_statements(sql).expect("well-formed");
    let error = world.analyze(&parsed[0]).map(|planned| format!("{planned:?}")).expect_err("switched off");
    assert_eq!(error.to_string(), "Cannot create Table because schema with headers columns is disabled.");
}

#[test]
fn single_columns_are_wrapped_as_wanted() {
    let cases = [
        ("A INT", "VALUE_FORMAT='JSON'", true),
        ("A INT", "VALUE_FORMAT='JSON', WRAP_SINGLE_VALUE=FALSE", false),
        ("A INT", "VALUE_FORMAT='DELIMITED'", false),
        ("A INT, B INT", "VALUE_FORMAT='DELIMITED'", true),
    ];
    for (columns, properties, expected) in cases {
        let source = created(&format!("CREATE STREAM X ({columns}) WITH (KAFKA_TOPIC='x', {properties});"));
        assert_eq!(source.value_serde.wrap_single, expected, "{columns} {properties}");
    }
}

#[test]
fn delimiters_belong_to_the_format() {
    for (delimiter, expected) in [("'|'", '|'), ("'TAB'", '\t'), ("'SPACE'", ' ')] {
        let sql = format!(
            "CREATE STREAM X (A INT, B INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='DELIMITED', VALUE_DELIMITER={delimiter});"
        );
        assert_eq!(created(&sql).value_serde.format, Format::Delimited { delimiter: expected });
    }
}

#[test]
fn event_time_columns_are_found_by_name() {
    let sql = "CREATE STREAM X (K STRING KEY, `at` STRING, B BIGINT)
               WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='`at`', TIMESTAMP_FORMAT='yyyy-MM-dd');";
    let timestamp = created(sql).timestamp.expect("a column is named");
    assert_eq!((timestamp.column, timestamp.format.as_deref()), (1, Some("yyyy-MM-dd")));
}

#[test]
fn derived_sources_inherit_formats() {
    let cases = [
        ("CREATE STREAM X AS SELECT * FROM S;", ("KAFKA", "JSON")),
        ("CREATE STREAM X WITH (VALUE_FORMAT='DELIMITED') AS SELECT ID, NAME, V FROM S;", ("KAFKA", "DELIMITED")),
        ("CREATE STREAM X WITH (FORMAT='JSON') AS SELECT * FROM S;", ("JSON", "JSON")),
        ("CREATE STREAM X AS SELECT * FROM S PARTITION BY NULL;", ("NONE", "JSON")),
        ("CREATE TABLE X AS SELECT * FROM N;", ("KAFKA", "DELIMITED")),
    ];
    for (sql, (key, value)) in cases {
        let source = created(sql);
        assert_eq!((source.key_serde.format.name(), source.value_serde.format.name()), (key, value), "{sql}");
    }
}

#[test]
fn sink_topics_are_laid_out() {
    let topic = |sql: &str| match planned(sql).expect(sql) {
        Planned::CreateAs(create) => {
            let topic = create.topic;
            (topic.name, topic.exists, topic.partitions, topic.compact, topic.retention_ms)
        }
        other => panic!("{other:?}"),
    };
    let cases = [
        ("CREATE STREAM NEW AS SELECT * FROM S;", ("NEW", false, Some(4), false, None)),
        ("CREATE STREAM NEW WITH (KAFKA_TOPIC='x') AS SELECT * FROM S;", ("x", true, Some(4), false, None)),
        ("CREATE STREAM NEW WITH (PARTITIONS=7) AS SELECT * FROM S;", ("NEW", false, Some(7), false, None)),
        ("CREATE TABLE NEW AS SELECT * FROM T;", ("NEW", false, Some(4), true, None)),
        (
            "CREATE TABLE NEW AS SELECT ID, COUNT(*) AS C FROM S WINDOW TUMBLING (SIZE 1 DAY, RETENTION 30 DAYS) GROUP BY ID;",
            ("NEW", false, Some(4), true, Some(2_592_000_000)),
        ),
    ];
    for (sql, (name, exists, partitions, compact, retention_ms)) in cases {
        assert_eq!(topic(sql), (name.to_owned(), exists, partitions, compact, retention_ms), "{sql}");
    }
}

#[test]
fn results_have_the_kind_that_is_created() {
    check_error(
        "CREATE STREAM X AS SELECT ID, COUNT(*) AS C FROM S GROUP BY ID;",
        (1, 1),
        "Invalid result type. Your SELECT query produces a TABLE. Please use CREATE TABLE AS SELECT statement instead.",
        None,
    );
    check_error(
        "CREATE TABLE X AS SELECT * FROM S;",
        (1, 1),
        "Invalid result type. Your SELECT query produces a STREAM. Please use CREATE STREAM AS SELECT statement instead.",
        None,
    );
}

#[test]
fn if_exists_and_if_not_exists_do_nothing_quietly() {
    let message = |sql: &str| match planned(sql).expect(sql) {
        Planned::Nothing { message } => message,
        other => panic!("{sql}: {other:?}"),
    };
    let cases = [
        (
            "CREATE STREAM IF NOT EXISTS S (A INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');",
            "Cannot add stream `S`: A stream with the same name already exists",
        ),
        (
            "CREATE TABLE IF NOT EXISTS S AS SELECT * FROM T;",
            "Cannot add table `S`: A stream with the same name already exists",
        ),
        ("DROP STREAM IF EXISTS NOTHING;", "Source NOTHING does not exist."),
    ];
    for (sql, expected) in cases {
        assert_eq!(message(sql), expected);
    }
}

#[test]
fn replacing_appends_columns_only() {
    let replace = |columns: &str| {
        let sql =
            format!("CREATE OR REPLACE STREAM KEYLESS ({columns}) WITH (KAFKA_TOPIC='keyless', VALUE_FORMAT='JSON');");
        planned(&sql).map_or_else(|error| error.to_string(), |_| "replaced".to_owned())
    };
    assert_eq!(replace("A INT, B STRING, C INT"), "replaced");
    let refused = replace("B STRING, A INT");
    assert!(
        refused.contains("The following columns are changed, missing or reordered: [`A` INTEGER, `B` STRING]"),
        "{refused}"
    );
    let refused = replace("A INT KEY, B STRING");
    assert!(refused.contains("Key columns must be identical"), "{refused}");
}

#[test]
fn source_tables_keep_their_rows() {
    let sql = "CREATE SOURCE TABLE X (A INT PRIMARY KEY, B STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');";
    let Planned::CreateSource(create) = planned(sql).expect(sql) else { panic!("{sql}") };
    assert_eq!(create.source.created_by_query.expect("a query keeps them").as_str(), "CST_X_0");
    assert_eq!(
        crate::plan::explain::plan_tree(&create.query.expect("a query keeps them")).trim(),
        "Source X: table, topic x (key KAFKA, value JSON, rows kept) [A KEY, B]"
    );
}

#[test]
fn drops_of_what_is_not_there_say_what_is() {
    for (sql, text, hint) in [
        ("DROP STREAM `s`;", "Stream s does not exist.", Some("did you mean S?")),
        ("DROP STREAM SOMETHING_ELSE;", "Stream SOMETHING_ELSE does not exist.", None),
        (
            "DROP TABLE S;",
            "Incompatible data source type is STREAM, but statement was DROP TABLE",
            Some("write DROP STREAM"),
        ),
    ] {
        let name = sql.rfind(' ').expect("there are three words") as u32 + 2;
        check_error(sql, (1, name), text, hint);
    }
}

#[test]
fn drops_are_refused_while_something_reads() {
    let cases = [
        ("DROP STREAM NOTHING;", "Stream NOTHING does not exist."),
        ("DROP TABLE S;", "Incompatible data source type is STREAM, but statement was DROP TABLE"),
        (
            "CREATE STREAM X AS SELECT * FROM S; DROP STREAM S;",
            "Cannot drop S.\nThe following streams and/or tables read from this source: [X].\n\
             You need to drop them before dropping S.",
        ),
        (
            "CREATE SOURCE STREAM X (A INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON'); DROP STREAM X DELETE TOPIC;",
            "Cannot delete topic for read-only source: X",
        ),
        (
            "CREATE STREAM X (A INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON'); DROP STREAM X DELETE TOPIC;",
            "Refusing to delete topic. Found other data sources (S) using topic s",
        ),
        ("TERMINATE CSAS_X_7;", "Unknown queryId: CSAS_X_7"),
        ("DESCRIBE NOTHING;", "Could not find STREAM/TABLE 'NOTHING' in the Metastore"),
        (
            "EXPLAIN CSAS_X_7;",
            "Query with id:CSAS_X_7 does not exist, use SHOW QUERIES to view the full set of queries.",
        ),
        ("EXPLAIN SHOW STREAMS;", "The provided statement does not run a ksql query"),
    ];
    for (sql, expected) in cases {
        assert_eq!(plan_text(sql), format!("error: {expected}"), "{sql}");
    }
}

#[test]
fn a_source_in_place_of_a_query_says_what_to_write() {
    let text =
        |name: &str| format!("Query with id:{name} does not exist, use SHOW QUERIES to view the full set of queries.");
    check_error("EXPLAIN S;", (1, 9), &text("S"), Some("S is a stream: DESCRIBE S shows it"));
    let sql = "CREATE STREAM X AS SELECT * FROM S; EXPLAIN X;";
    let error = planned(sql).map(|planned| format!("{planned:?}")).expect_err(sql);
    let hint = error.hint().expect("a hint");
    assert!(hint.starts_with("X is filled by CSAS_X_") && hint.contains(": EXPLAIN CSAS_X_"), "{hint}");
}

#[test]
fn types_of_other_systems_have_another_name_here() {
    for (written, hint) in [
        ("TEXT", Some("write STRING")),
        ("ARRAY<FLOAT>", Some("write DOUBLE")),
        ("STRUCT<A LONG>", Some("write BIGINT")),
        ("QUATERNION", None),
    ] {
        let sql = format!("CREATE STREAM X (A {written}) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');");
        let error = planned(&sql).map(|planned| format!("{planned:?}")).expect_err(&sql);
        assert_eq!(error.hint().as_deref(), hint, "{sql}");
    }
    let sql = "CREATE TYPE ADDRESS AS STRING; CREATE STREAM X (A ADRESS) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');";
    let error = planned(sql).map(|planned| format!("{planned:?}")).expect_err(sql);
    assert_eq!(error.hint().as_deref(), Some("did you mean ADDRESS?"));
}
