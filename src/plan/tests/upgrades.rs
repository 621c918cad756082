//! CREATE OR REPLACE and ALTER: what cannot go on.

use super::planned;

/// Queries of every kind that can be asked to be replaced.
const QUERIES: &str = "
CREATE STREAM PLAIN AS SELECT ID, NAME FROM S;
CREATE STREAM BY_NAME AS SELECT NAME, ID, V FROM S PARTITION BY NAME;
CREATE TABLE TOTALS AS SELECT NAME, SUM(V) AS N FROM S GROUP BY NAME;
CREATE TABLE OVER_TABLE AS SELECT W, COUNT(*) AS N FROM T GROUP BY W;
CREATE TABLE HOURLY AS SELECT NAME, COUNT(*) AS N FROM S WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY NAME;
CREATE STREAM JOINED AS SELECT S.ID AS ID, W FROM S JOIN T ON S.ID = T.ID;
CREATE TABLE CHOSEN AS SELECT ID, NAME FROM T;
";

fn refusal(statement: &str) -> String {
    planned(&format!("{QUERIES} {statement};")).map(|_| ()).expect_err(statement).to_string()
}

#[test]
fn a_query_whose_state_does_not_fit_is_no_replacement() {
    for (replacement, expected) in [
        (
            "STREAM PLAIN AS SELECT A AS ID, B AS NAME FROM KEYLESS",
            "Cannot upgrade data source: DataSource 'PLAIN' has schema = `ID` BIGINT KEY, `NAME` STRING which is not upgradeable \
             to `ID` INTEGER, `NAME` STRING. Key columns must be identical. The following key columns are changed, missing or \
             reordered: [`ID` BIGINT KEY]",
        ),
        (
            "STREAM PLAIN AS SELECT ID + 0 AS ID, NAME FROM S PARTITION BY ID + 0",
            "Query is not upgradeable: its steps were StreamSource and would be StreamSource, StreamSelectKey",
        ),
        (
            "STREAM BY_NAME AS SELECT ADDRESS->CITY AS NAME, ID, V FROM S PARTITION BY ADDRESS->CITY",
            "StreamSelectKey must have matching key expressions. Values differ: [NAME] vs. [ADDRESS->CITY]",
        ),
        (
            "TABLE TOTALS AS SELECT NAME, SUM(V + 1) AS N FROM S GROUP BY NAME",
            "StreamAggregate must have matching columns not part of aggregate. Values differ: [`V`] vs. [`KSQL_INTERNAL_COL_0`]",
        ),
        (
            "TABLE TOTALS AS SELECT NAME, MAX(V) AS N FROM S GROUP BY NAME",
            "StreamAggregate must have matching aggregation functions. Values differ: [SUM(V)] vs. [MAX(V)]",
        ),
        (
            "TABLE OVER_TABLE AS SELECT W, COUNT(*) AS N FROM T WHERE W > 0 GROUP BY W",
            "Upgrades not yet supported for TableGroupBy",
        ),
        (
            "TABLE HOURLY AS SELECT NAME, COUNT(*) AS N FROM S WINDOW TUMBLING (SIZE 1 HOUR) WHERE V > 1 GROUP BY NAME",
            "Upgrades not yet supported for StreamWindowedAggregate",
        ),
        (
            "STREAM JOINED AS SELECT S.ID AS ID, W FROM S JOIN T ON S.ID = T.ID WHERE W > 1",
            "Upgrades not yet supported for StreamTableJoin",
        ),
        (
            "TABLE CHOSEN AS SELECT NAME, TITLE FROM N",
            "Cannot upgrade data source: DataSource 'CHOSEN' has schema = `ID` BIGINT KEY, `NAME` STRING which is not upgradeable \
             to `NAME` STRING KEY, `TITLE` STRING. Key columns must be identical. The following key columns are changed, missing \
             or reordered: [`ID` BIGINT KEY]",
        ),
        (
            "TABLE PLAIN AS SELECT ID, NAME FROM T",
            "Cannot add table 'PLAIN': A stream with the same name already exists",
        ),
    ] {
        assert_eq!(refusal(&format!("CREATE OR REPLACE {replacement}")), expected);
    }
}

#[test]
fn a_declaration_appends_value_columns_only() {
    for (replacement, expected) in [
        (
            "(A INT KEY, B STRING) WITH (KAFKA_TOPIC='keyless', VALUE_FORMAT='JSON')",
            "schema = `A` INTEGER, `B` STRING which is not upgradeable to `A` INTEGER KEY, `B` STRING. Key columns must be \
             identical. The following key columns are changed, missing or reordered: [`A` INTEGER KEY]",
        ),
        (
            "(B STRING, A INT) WITH (KAFKA_TOPIC='keyless', VALUE_FORMAT='JSON')",
            "schema = `A` INTEGER, `B` STRING which is not upgradeable to `B` STRING, `A` INTEGER. The following columns are \
             changed, missing or reordered: [`A` INTEGER, `B` STRING]",
        ),
        (
            "(A INT, B STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='DELIMITED')",
            "topic = keyless which is not upgradeable to x AND DataSource 'KEYLESS' has valueFormat = JSON which is not \
             upgradeable to DELIMITED",
        ),
    ] {
        let expected = format!("Cannot upgrade data source: DataSource 'KEYLESS' has {expected}");
        assert_eq!(refusal(&format!("CREATE OR REPLACE STREAM KEYLESS {replacement}")), expected);
    }
}

#[test]
fn what_goes_on_may_change_filters_and_projections() {
    for replacement in [
        "STREAM PLAIN AS SELECT ID, NAME, D FROM S WHERE V > 1",
        "STREAM BY_NAME AS SELECT NAME, ID, V, D FROM S WHERE V > 1 PARTITION BY NAME",
        "TABLE TOTALS AS SELECT NAME, SUM(V) AS N, MAX(D) AS M FROM S WHERE V > 1 GROUP BY NAME HAVING SUM(V) > 1",
        "TABLE CHOSEN AS SELECT ID, NAME, W FROM T WHERE W > 1",
    ] {
        planned(&format!("{QUERIES} CREATE OR REPLACE {replacement};")).expect(replacement);
    }
}

#[test]
fn columns_that_cannot_be_added() {
    for (alter, expected) in [
        ("STREAM S ADD COLUMN V INT", "Cannot add column `V` to schema. A column with the same name already exists."),
        (
            "STREAM S ADD X INT, ADD X INT",
            "Cannot add column `X` to schema. A column with the same name already exists.",
        ),
        (
            "STREAM S ADD COLUMN ROWTIME BIGINT",
            "'ROWTIME' is a reserved column name. You cannot use it as a name for a column.",
        ),
        ("TABLE S ADD COLUMN X INT", "Incompatible data source type is STREAM, but statement was ALTER TABLE"),
        ("STREAM SS ADD COLUMN X INT", "Source SS does not exist."),
        ("STREAM PLAIN ADD COLUMN X INT", "ALTER command is not supported for CREATE ... AS statements."),
        ("STREAM S ADD COLUMN X MONEY", "Cannot resolve unknown type: MONEY"),
    ] {
        assert_eq!(refusal(&format!("ALTER {alter}")), expected);
    }
}
