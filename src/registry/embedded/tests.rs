//! What the registry keeps, refuses and forgets.

use std::sync::Arc;

use super::{Config, EmbeddedRegistry, Mode, Refusal, Registration, VersionId};
use crate::registry::{Compatibility, SchemaDocument, SchemaReference, SchemaRegistry, SchemaType};
use crate::storage::{KeyValue, MemoryStorage, RocksStorage};

fn avro(text: &str) -> SchemaDocument {
    SchemaDocument::new(SchemaType::Avro, text)
}

/// A record with these fields, of which those in upper case have a default.
fn record(fields: &str) -> SchemaDocument {
    let field = |name: &str| {
        let default = if name.chars().all(char::is_uppercase) { r#", "default": 0"# } else { "" };
        format!(r#"{{"name": "{name}", "type": "int"{default}}}"#)
    };
    let fields: Vec<String> = fields.split_whitespace().map(field).collect();
    avro(&format!(r#"{{"type": "record", "name": "r", "fields": [{}]}}"#, fields.join(",")))
}

fn register(registry: &EmbeddedRegistry, subject: &str, schema: &SchemaDocument) -> Result<(u32, u32), Refusal> {
    let registered = registry.register(subject, schema, Registration::default())?;
    Ok((registered.id, registered.version))
}

fn set_level(registry: &EmbeddedRegistry, subject: Option<&str>, level: Compatibility) {
    let config = Config { compatibility: Some(level), normalize: None };
    registry.set_config(subject, config).expect("the level can be set");
}

#[test]
fn a_schema_has_one_id_and_a_subject_has_versions() {
    let registry = EmbeddedRegistry::in_memory();
    let (a, b) = (record("a"), record("a B"));
    assert_eq!(register(&registry, "s", &a), Ok((1, 1)));
    assert_eq!(register(&registry, "s", &b), Ok((2, 2)));
    assert_eq!(register(&registry, "t", &b), Ok((2, 1)), "the same schema elsewhere");
    let same = avro(&a.text.replace(' ', "\n  "));
    assert_eq!(register(&registry, "s", &same), Ok((1, 1)), "it is there already");
    assert_eq!(registry.schema(1).map(|schema| schema.text), Some(a.text.replace(": ", ":").replace(", ", ",")));
    assert_eq!(registry.places_of(2, false), [("s".to_owned(), 2), ("t".to_owned(), 1)]);
    assert_eq!(registry.find("s", VersionId::Latest, false).map(|found| found.version), Ok(2));
    assert_eq!(registry.look_up("s", &same, false, false).map(|found| found.version), Ok(1));
    assert_eq!(registry.look_up("t", &same, false, false), Err(Refusal::SchemaNotFound(String::new())));
    assert_eq!(registry.look_up("u", &same, false, false), Err(Refusal::SubjectNotFound("u".to_owned())));
}

#[test]
fn levels_say_what_a_new_version_must_be_able_to_do() {
    use Compatibility::{Backward, BackwardTransitive, Forward, ForwardTransitive, Full, FullTransitive, None};
    let fits = |level: Compatibility, before: &[&str], new: &str| {
        let registry = EmbeddedRegistry::in_memory();
        set_level(&registry, Option::None, None);
        for fields in before {
            register(&registry, "s", &record(fields)).expect("all fits");
        }
        set_level(&registry, Some("s"), level);
        let checked = registry.incompatibilities("s", &record(new), Option::None).expect("it can be compared");
        let registered = register(&registry, "s", &record(new));
        assert_eq!(checked.is_empty(), registered.is_ok(), "{level:?} {before:?} {new}");
        registered.is_ok()
    };
    // A field without a default was added: only new data can be read by old readers.
    let added = [None, Forward, ForwardTransitive];
    let removed = [None, Backward, BackwardTransitive];
    for level in [None, Backward, BackwardTransitive, Forward, ForwardTransitive, Full, FullTransitive] {
        assert_eq!(fits(level, &["a"], "a b"), added.contains(&level), "{level:?}");
        assert_eq!(fits(level, &["a b"], "a"), removed.contains(&level), "{level:?}");
        assert!(fits(level, &["a"], "a B"), "{level:?}");
        assert!(fits(level, &[], "a"), "{level:?}");
    }
    // What the first version has written is of another type.
    let follows = |level| {
        let registry = EmbeddedRegistry::in_memory();
        set_level(&registry, Option::None, None);
        for schema in [r#"{"type": "record", "name": "r", "fields": [{"name": "x", "type": "string"}]}"#, "\"int\""] {
            register(&registry, "s", &avro(schema)).expect("all fits");
        }
        set_level(&registry, Option::None, level);
        register(&registry, "s", &avro("\"long\"")).is_ok()
    };
    assert!(follows(Backward) && !follows(BackwardTransitive), "only one of them looks at the first version");
}

#[test]
fn refusals_say_where_and_why_and_show_the_old_schema() {
    let registry = EmbeddedRegistry::in_memory();
    register(&registry, "s", &record("a")).expect("the first fits");
    let refusal = register(&registry, "s", &record("a b")).expect_err("b has no default");
    let text = refusal.to_string();
    for part in ["READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/1", "oldSchemaVersion: 1", "\"name\":\"a\"", "BACKWARD"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!((refusal.status(), refusal.code()), (409, 409));
    let other = SchemaDocument::new(SchemaType::Json, "{}");
    assert!(register(&registry, "s", &other).is_err_and(|refusal| refusal.to_string().contains("another language")));
}

#[test]
fn what_is_deleted_can_be_seen_until_it_is_deleted_for_good() {
    let registry = EmbeddedRegistry::in_memory();
    let (a, b) = (record("a"), record("a B"));
    for schema in [&a, &b] {
        register(&registry, "s", schema).expect("it fits");
    }
    assert_eq!(registry.delete_version("s", VersionId::Latest, false), Ok(2));
    assert_eq!(registry.versions("s"), [(1, false), (2, true)]);
    assert_eq!(
        registry.delete_version("s", VersionId::Number(2), false),
        Err(Refusal::VersionSoftDeleted("s".to_owned(), 2))
    );
    assert_eq!(
        registry.delete_version("s", VersionId::Number(1), true),
        Err(Refusal::VersionNotSoftDeleted("s".to_owned(), 1))
    );
    assert!(registry.schema(2).is_some(), "records that have it can still be read");
    assert_eq!(register(&registry, "s", &b), Ok((2, 3)), "it comes back as a new version");
    assert_eq!(registry.delete_subject("s", true), Err(Refusal::SubjectNotSoftDeleted("s".to_owned())));
    assert_eq!(registry.delete_subject("s", false), Ok(vec![1, 3]));
    assert_eq!(registry.delete_subject("s", false), Err(Refusal::SubjectSoftDeleted("s".to_owned())));
    assert!(registry.all_subjects(false).is_empty());
    assert_eq!(registry.all_subjects(true), ["s"]);
    assert_eq!(registry.delete_subject("s", true), Ok(vec![1, 2, 3]));
    assert_eq!(registry.delete_subject("s", true), Err(Refusal::SubjectNotFound("s".to_owned())));
    assert_eq!((registry.schema(1), registry.schema(2)), (None, None));
    assert_eq!(register(&registry, "s", &a), Ok((3, 1)), "ids are never given again");
}

#[test]
fn references_are_kept_and_keep_what_they_refer_to() {
    let registry = EmbeddedRegistry::in_memory();
    let part = avro(r#"{"type": "record", "name": "Part", "fields": []}"#);
    register(&registry, "part", &part).expect("it fits");
    let whole = SchemaDocument {
        references: vec![SchemaReference { name: "Part".to_owned(), subject: "part".to_owned(), version: 1 }],
        ..avro(r#"{"type": "record", "name": "Whole", "fields": [{"name": "p", "type": "Part"}]}"#)
    };
    assert_eq!(register(&registry, "whole", &whole), Ok((2, 1)));
    assert_eq!(registry.referring_to("part", 1), [2]);
    assert_eq!(registry.delete_subject("part", false), Err(Refusal::ReferenceExists("part".to_owned(), 1)));
    assert_eq!(
        registry.delete_version("part", VersionId::Number(1), false),
        Err(Refusal::ReferenceExists("part".to_owned(), 1))
    );
    registry.delete_subject("whole", false).expect("nobody refers to it");
    registry.delete_subject("part", false).expect("nobody refers to it any more");
    let missing = SchemaDocument {
        references: vec![SchemaReference { name: "X".to_owned(), subject: "x".to_owned(), version: 1 }],
        ..part
    };
    assert!(matches!(register(&registry, "y", &missing), Err(Refusal::InvalidSchema(_))));
}

#[test]
fn modes_forbid_and_allow() {
    let registry = EmbeddedRegistry::in_memory();
    let schema = record("a");
    let how = Registration { id: Some(70), version: Some(5), normalize: false };
    assert!(matches!(registry.register("s", &schema, how), Err(Refusal::NotPermitted(_))));
    registry.set_mode(Some("s"), Mode::Import, false).expect("it has no versions");
    let imported = registry.register("s", &schema, how).expect("in mode IMPORT ids are given");
    assert_eq!((imported.id, imported.version), (70, 5));
    assert!(matches!(registry.register("s", &record("b"), how), Err(Refusal::NotPermitted(_))), "70 is taken");
    registry.set_mode(Some("s"), Mode::ReadOnly, false).expect("any time");
    assert!(matches!(register(&registry, "s", &record("b")), Err(Refusal::NotPermitted(_))));
    assert!(matches!(registry.delete_subject("s", false), Err(Refusal::NotPermitted(_))));
    assert_eq!(registry.remove_mode(Some("s")), Ok(Mode::ReadOnly));
    assert_eq!(registry.remove_mode(Some("s")), Err(Refusal::NoMode("s".to_owned())));
    assert_eq!(register(&registry, "s", &record("a B")), Ok((71, 6)));
    assert!(matches!(registry.set_mode(None, Mode::Import, false), Err(Refusal::NotPermitted(_))));
    registry.set_mode(None, Mode::ReadOnlyOverride, false).expect("any time");
    registry.set_mode(Some("s"), Mode::ReadWrite, false).expect("any time");
    assert!(register(&registry, "s", &record("a C")).is_err(), "it holds whatever subjects say");
}

#[test]
fn a_schema_that_has_two_ids_keeps_the_other_when_one_is_deleted() {
    let registry = EmbeddedRegistry::in_memory();
    let schema = record("a");
    for (subject, id) in [("s", 70), ("t", 60)] {
        registry.set_mode(Some(subject), Mode::Import, false).expect("it has no versions");
        let how = Registration { id: Some(id), version: None, normalize: false };
        let imported = registry.register(subject, &schema, how).expect("in mode IMPORT ids are given");
        assert_eq!(imported.id, id);
    }
    let looked_up = |subject: &str| registry.look_up(subject, &schema, false, false).map(|found| found.id);
    assert_eq!((looked_up("s"), looked_up("t")), (Ok(70), Ok(60)));
    assert_eq!(register(&registry, "u", &schema), Ok((60, 1)), "the least");
    for subject in ["t", "u"] {
        registry.delete_subject(subject, false).expect("it is there");
        registry.delete_subject(subject, true).expect("it was deleted");
    }
    assert_eq!(registry.schema(60), None);
    assert_eq!(register(&registry, "u", &schema), Ok((70, 1)), "the one that is left");
}

#[test]
fn normalized_schemas_are_the_same_in_another_order() {
    let registry = EmbeddedRegistry::in_memory();
    let (left, right) = (avro(r#"{"type": "int", "b": 1, "a": 2}"#), avro(r#"{"type": "int", "a": 2, "b": 1}"#));
    assert_eq!(register(&registry, "s", &left), Ok((1, 1)));
    assert!(registry.look_up("s", &right, false, false).is_err());
    assert_eq!(registry.look_up("s", &right, true, false).map(|found| found.id), Ok(1));
    registry.set_config(Some("s"), Config { compatibility: None, normalize: Some(true) }).expect("it can be set");
    assert_eq!(register(&registry, "s", &right), Ok((1, 1)));
}

#[test]
fn names_that_cannot_be_seen_are_refused() {
    let registry = EmbeddedRegistry::in_memory();
    for subject in ["", "a\nb", "__GLOBAL"] {
        assert!(matches!(register(&registry, subject, &record("a")), Err(Refusal::InvalidSubject(_))), "{subject:?}");
    }
    assert_eq!(register(&registry, "ä / ?", &record("a")), Ok((1, 1)));
}

#[test]
fn everything_is_there_after_a_restart() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let open = || EmbeddedRegistry::open(RocksStorage::open(dir.path()).expect("it opens")).expect("it is readable");
    {
        let registry = open();
        for schema in ["a", "a B", "a B C"] {
            register(&registry, "s", &record(schema)).expect("it fits");
        }
        let proto = SchemaDocument::new(SchemaType::Protobuf, "message M { int32 a = 1; }");
        register(&registry, "p", &proto).expect("it fits");
        registry.delete_version("s", VersionId::Number(2), false).expect("it is there");
        registry.delete_version("s", VersionId::Number(2), true).expect("it was deleted");
        registry.delete_version("s", VersionId::Number(1), false).expect("it is there");
        set_level(&registry, None, Compatibility::Full);
        set_level(&registry, Some("s"), Compatibility::None);
        registry.set_mode(Some("p"), Mode::ReadOnly, false).expect("any time");
    }
    let registry = open();
    assert_eq!(registry.versions("s"), [(1, true), (3, false)]);
    assert_eq!(registry.find("s", VersionId::Latest, false).map(|found| found.id), Ok(3));
    assert_eq!(registry.schema(2), None);
    assert_eq!(
        registry.find("p", VersionId::Latest, false).map(|found| found.schema.schema_type),
        Ok(SchemaType::Protobuf)
    );
    assert_eq!(registry.config(None, false).and_then(|config| config.compatibility), Some(Compatibility::Full));
    assert_eq!(registry.config(Some("s"), true).and_then(|config| config.compatibility), Some(Compatibility::None));
    assert_eq!(registry.mode(Some("p"), true), Some(Mode::ReadOnly));
    assert_eq!(register(&registry, "t", &record("z")), Ok((5, 1)));
}

#[test]
fn many_entries_are_read_in_pages_and_foreign_ones_refused() {
    let storage: Arc<dyn KeyValue> = Arc::new(MemoryStorage::new());
    let registry = EmbeddedRegistry::open(Arc::clone(&storage)).expect("it is empty");
    for number in 0..1_200 {
        register(&registry, &format!("s{number:04}"), &avro(r#""int""#)).expect("it fits");
    }
    let again = EmbeddedRegistry::open(Arc::clone(&storage)).expect("it is readable");
    assert_eq!(again.all_subjects(false).len(), 1_200);
    let mut writes = crate::storage::WriteSet::default();
    writes.put(crate::storage::Family::Meta, b"schema/id/abcd".to_vec(), b"{\"form\":2}".to_vec());
    storage.write(&writes).expect("memory takes it");
    let error = EmbeddedRegistry::open(storage).err().expect("a newer form").to_string();
    assert!(error.contains("schema/id/abcd"), "{error}");
}

#[test]
fn two_who_register_at_the_same_time_get_ids_of_their_own() {
    let registry = Arc::new(EmbeddedRegistry::in_memory());
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let registry = Arc::clone(&registry);
            std::thread::spawn(move || {
                for number in 0..20 {
                    let schema = avro(&format!(r#"{{"type": "fixed", "name": "f{thread}_{number}", "size": 1}}"#));
                    register(&registry, &format!("s{thread}_{number}"), &schema).expect("it fits");
                    register(&registry, "same", &avro("\"int\"")).expect("it fits");
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert_eq!(registry.id_max(), 161);
    assert_eq!(registry.versions("same").len(), 1);
}

#[test]
fn the_engine_sees_what_is_not_deleted() {
    let registry = EmbeddedRegistry::in_memory();
    let trait_object: &dyn SchemaRegistry = &registry;
    let id = trait_object.register("s", &record("a")).expect("it fits");
    assert_eq!(trait_object.latest("s").expect("it answers").map(|latest| latest.id), Some(id));
    assert_eq!(trait_object.subjects_of(id), Ok(vec!["s".to_owned()]));
    assert_eq!(trait_object.delete_subject("s"), Ok(true));
    assert_eq!(trait_object.delete_subject("s"), Ok(false));
    assert_eq!((trait_object.latest("s"), trait_object.subjects()), (Ok(None), Ok(Vec::new())));
    assert!(trait_object.by_id(id).expect("it answers").is_some());
}
