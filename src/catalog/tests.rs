use super::*;
use crate::formats::{Format, Serde};
use crate::types::Schema;

fn source(name: &str, collection: Collection, query: Option<&str>) -> DataSource {
    let serde = Serde { format: Format::Json, wrap_single: true };
    DataSource {
        topic: name.to_lowercase(),
        key_serde: serde.clone(),
        value_serde: serde,
        is_source: false,
        created_by_query: query.map(QueryId::new),
        ..DataSource::without_topic(name, collection, Schema::default())
    }
}

fn query(id: &str, kind: QueryKind, reads: &[&str], sink: &str) -> QueryInfo {
    let reads = reads.iter().map(|name| (*name).to_owned()).collect();
    QueryInfo { id: QueryId::new(id), kind, reads, sink: sink.to_owned(), functions: vec![], sql: String::new() }
}

/// S ──CTAS_T──▶ T, and an INSERT INTO from S to U.
fn catalog() -> Catalog {
    let mut catalog = Catalog::new();
    for source in [
        source("S", Collection::Stream, None),
        source("U", Collection::Stream, None),
        source("T", Collection::Table, Some("CTAS_T_1")),
    ] {
        catalog.add_source(source, false).expect("the names differ");
    }
    catalog.add_query(query("CTAS_T_1", QueryKind::CreateAs, &["S"], "T"));
    catalog.add_query(query("INSERTQUERY_2", QueryKind::Insert, &["U"], "U"));
    catalog
}

fn drop_error(catalog: &mut Catalog, name: &str, collection: Collection) -> String {
    catalog.drop_source(name, collection).map_or_else(|error| error.to_string(), |_| "dropped".to_owned())
}

#[test]
fn what_is_in_use_is_not_dropped() {
    let cases = [
        (
            "S",
            Collection::Stream,
            "Cannot drop S.\nThe following streams and/or tables read from this source: [T].\n\
             You need to drop them before dropping S.",
        ),
        (
            "U",
            Collection::Stream,
            "Cannot drop U.\nThe following queries read from this source: [INSERTQUERY_2].\n\
             The following queries write into this source: [INSERTQUERY_2].\n\
             You need to terminate them before dropping U.",
        ),
        ("T", Collection::Stream, "Incompatible data source type is TABLE, but statement was DROP STREAM"),
        ("X", Collection::Table, "Table X does not exist."),
        ("T", Collection::Table, "dropped"),
    ];
    for (name, collection, expected) in cases {
        assert_eq!(drop_error(&mut catalog(), name, collection), expected);
    }
}

#[test]
fn what_fills_a_source_goes_with_it() {
    let mut catalog = catalog();
    catalog.drop_source("T", Collection::Table).expect("nobody reads T");
    assert!(catalog.query(&QueryId::new("CTAS_T_1")).is_none());
    assert_eq!(drop_error(&mut catalog, "S", Collection::Stream), "dropped");
}

#[test]
fn a_name_is_taken_once() {
    let cases = [
        ("S", Collection::Table, false, "Cannot add table 'S': A stream with the same name already exists"),
        ("S", Collection::Table, true, "Cannot add table 'S': A stream with the same name already exists"),
        ("S", Collection::Stream, false, "Cannot add stream 'S': A stream with the same name already exists"),
        ("S", Collection::Stream, true, "added"),
        ("NEW", Collection::Table, false, "added"),
    ];
    for (name, collection, or_replace, expected) in cases {
        let added = catalog().add_source(source(name, collection, None), or_replace);
        assert_eq!(added.map_or_else(|error| error.to_string(), |()| "added".to_owned()), expected);
    }
}

#[test]
fn copies_do_not_see_each_others_changes() {
    let original = catalog();
    let mut copy = original.clone();
    copy.add_source(source("NEW", Collection::Stream, None), false).expect("the name is free");
    copy.add_type("ADDRESS", SqlType::String).expect("the name is free");
    assert!(copy.source("NEW").is_some() && original.source("NEW").is_none());
    assert!(copy.custom_type("ADDRESS").is_some() && original.custom_type("ADDRESS").is_none());
}

#[test]
fn types_are_registered_once() {
    let mut catalog = Catalog::new();
    catalog.add_type("T", SqlType::Integer).expect("the name is free");
    let twice = catalog.add_type("T", SqlType::String).expect_err("the name is taken");
    assert_eq!(twice.to_string(), "Cannot register custom type 'T' since it is already registered with type: INTEGER");
    catalog.remove_type("T").expect("it is there");
    assert_eq!(catalog.remove_type("T").expect_err("it is gone").to_string(), "Type T does not exist.");
}
