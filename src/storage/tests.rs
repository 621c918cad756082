//! What every [`KeyValue`] does, and what only the one on disk does.

use std::fs;
use std::sync::Arc;

use super::{Entry, Family, KeyValue, MemoryStorage, RocksStorage, StorageError, WriteSet};

/// Runs `spec` on an empty store of each kind.
fn on_each(spec: impl Fn(&dyn KeyValue)) {
    spec(&MemoryStorage::new());
    let dir = tempfile::tempdir().expect("a temporary directory");
    let storage = RocksStorage::open(dir.path()).expect("an empty directory opens");
    spec(storage.as_ref());
}

fn put(storage: &dyn KeyValue, family: Family, entries: &[(&str, &str)]) {
    let mut writes = WriteSet::default();
    for (key, value) in entries {
        writes.put(family, key.as_bytes().to_vec(), value.as_bytes().to_vec());
    }
    storage.write(&writes).expect("a write succeeds");
}

fn get(storage: &dyn KeyValue, family: Family, key: &str) -> Option<String> {
    let value = storage.get(family, key.as_bytes()).expect("a read succeeds")?;
    Some(String::from_utf8(value).expect("the specs write text"))
}

fn scan(storage: &dyn KeyValue, from: &str, to: &str, limit: usize) -> Vec<String> {
    let entries = storage.scan(Family::State, from.as_bytes(), to.as_bytes(), limit).expect("a scan succeeds");
    let text = |(key, value): Entry| format!("{}={}", String::from_utf8_lossy(&key), String::from_utf8_lossy(&value));
    entries.into_iter().map(text).collect()
}

#[test]
fn a_put_is_read_back_in_its_family_alone() {
    on_each(|storage| {
        put(storage, Family::State, &[("a", "1")]);
        put(storage, Family::Records, &[("a", "2")]);
        assert_eq!(get(storage, Family::State, "a").as_deref(), Some("1"));
        assert_eq!(get(storage, Family::Records, "a").as_deref(), Some("2"));
        assert_eq!(get(storage, Family::Meta, "a"), None);
    });
}

#[test]
fn loaded_entries_are_read_back_and_survive_once_they_are_kept() {
    use arrow::array::BinaryArray;
    let load = |storage: &dyn KeyValue, keys: Vec<&[u8]>, values: Vec<Option<&[u8]>>| {
        let (keys, values) = (BinaryArray::from_vec(keys), BinaryArray::from_opt_vec(values));
        storage.load(Family::State, b"s/", &keys, &values).expect("a load succeeds");
    };
    on_each(|storage| {
        put(storage, Family::State, &[("s/b", "0")]);
        load(storage, vec![b"a", b"b", b"c", b"a"], vec![Some(b"1"), None, Some(b"3"), Some(b"4")]);
        assert_eq!(scan(storage, "s/", "s0", 9), ["s/a=4", "s/c=3"], "a null removes, the last one counts");
    });
    let dir = tempfile::tempdir().expect("a temporary directory");
    let storage = RocksStorage::open(dir.path()).expect("an empty directory opens");
    load(&*storage, vec![b"a"], vec![Some(b"1")]);
    storage.keep_loaded(Family::State).expect("what was loaded is kept");
    drop(storage);
    let storage = RocksStorage::open(dir.path()).expect("it opens again");
    assert_eq!(get(&*storage, Family::State, "s/a").as_deref(), Some("1"));
}

#[test]
fn several_keys_are_read_in_the_order_asked() {
    on_each(|storage| {
        put(storage, Family::State, &[("a", "1"), ("c", "3")]);
        let found = storage.multi_get(Family::State, &[b"c", b"b", b"a", b"c"]).expect("a read succeeds");
        let expected = [Some(b"3".to_vec()), None, Some(b"1".to_vec()), Some(b"3".to_vec())];
        assert_eq!(found, expected);
    });
}

#[test]
fn a_scan_is_ordered_bounded_and_limited() {
    on_each(|storage| {
        put(storage, Family::State, &[("b", "2"), ("a", "1"), ("d", "4"), ("c", "3"), ("", "0")]);
        assert_eq!(scan(storage, "a", "d", 10), ["a=1", "b=2", "c=3"]);
        assert_eq!(scan(storage, "", "b", 10), ["=0", "a=1"]);
        assert_eq!(scan(storage, "a", "z", 2), ["a=1", "b=2"]);
        assert_eq!(scan(storage, "aa", "ab", 10), [""; 0]);
        assert_eq!(scan(storage, "d", "a", 10), [""; 0]);
        assert_eq!(scan(storage, "a", "z", 0), [""; 0]);
    });
}

#[test]
fn writes_of_one_set_apply_in_order() {
    on_each(|storage| {
        put(storage, Family::State, &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]);
        let mut writes = WriteSet::default();
        writes.delete(Family::State, b"a".to_vec());
        writes.delete_range(Family::State, b"b".to_vec(), b"d".to_vec());
        writes.delete_range(Family::State, b"z".to_vec(), b"a".to_vec());
        writes.put(Family::State, b"c".to_vec(), b"again".to_vec());
        storage.write(&writes).expect("a write succeeds");
        assert_eq!(scan(storage, "a", "z", 10), ["c=again", "d=4"]);
    });
}

#[test]
fn an_empty_set_changes_nothing() {
    on_each(|storage| {
        put(storage, Family::State, &[("a", "1")]);
        storage.write(&WriteSet::default()).expect("nothing to write is fine");
        assert_eq!(scan(storage, "", "z", 10), ["a=1"]);
    });
}

#[test]
fn big_values_come_back_whole() {
    on_each(|storage| {
        let value: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut writes = WriteSet::default();
        writes.put(Family::Records, b"big".to_vec(), value.clone());
        storage.write(&writes).expect("a write succeeds");
        assert!(storage.get(Family::Records, b"big").expect("a read succeeds") == Some(value));
    });
}

#[test]
fn the_disk_store_keeps_its_entries_over_a_reopen() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let big = "x".repeat(2_000_000);
    for round in 0..3 {
        let storage = RocksStorage::open(dir.path()).expect("it opens again");
        if round > 0 {
            assert_eq!(get(storage.as_ref(), Family::State, "small").as_deref(), Some("1"));
            assert!(get(storage.as_ref(), Family::Records, "big").as_deref() == Some(&big));
        }
        put(storage.as_ref(), Family::State, &[("small", "1")]);
        put(storage.as_ref(), Family::Records, &[("big", &big)]);
    }
}

#[test]
fn the_last_entry_of_a_range_is_found() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let storage = RocksStorage::open(dir.path()).expect("an empty directory opens");
    put(storage.as_ref(), Family::State, &[("a1", ""), ("a2", "two"), ("b1", "")]);
    let last = |from: &str, to: &str| {
        let entry = storage.last(Family::State, from.as_bytes(), to.as_bytes()).expect("a read succeeds");
        entry.map(|(key, _)| String::from_utf8(key).expect("the specs write text"))
    };
    assert_eq!(last("a", "b").as_deref(), Some("a2"));
    assert_eq!(last("a2", "a3").as_deref(), Some("a2"));
    assert_eq!(last("c", "d"), None);
    assert_eq!(last("", "a1"), None);
}

#[test]
fn a_second_opening_is_refused_until_the_first_ends() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let first = RocksStorage::open(dir.path()).expect("an empty directory opens");
    let error = RocksStorage::open(dir.path()).err().expect("the directory is taken");
    assert!(matches!(&error, StorageError::InUse { path } if *path == dir.path().display().to_string()), "{error}");
    let other_owner = Arc::clone(&first);
    drop(first);
    assert!(RocksStorage::open(dir.path()).is_err());
    drop(other_owner);
    RocksStorage::open(dir.path()).expect("the directory is free again");
}

#[test]
fn a_directory_that_cannot_be_made_is_reported_with_the_reason() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("file");
    fs::write(&file, "not a directory").expect("a file can be written");
    for path in [file.clone(), file.join("below")] {
        let error = RocksStorage::open(&path).err().expect("a file is no directory");
        let StorageError::NotUsable { path: shown, reason } = error else { panic!("wrong kind: {error}") };
        assert_eq!(shown, path.display().to_string());
        assert!(reason.contains("os error"), "{reason}");
    }
}

#[test]
fn data_of_another_version_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let set_version = |value: &[u8]| {
        let storage = RocksStorage::open(dir.path()).expect("an own directory opens");
        let mut writes = WriteSet::default();
        writes.put(Family::Meta, b"format/version".to_vec(), value.to_vec());
        storage.write(&writes).expect("a write succeeds");
    };
    set_version(&1_u32.to_le_bytes());
    set_version(&7_u32.to_le_bytes());
    let error = RocksStorage::open(dir.path()).err().expect("version 7 is unknown");
    assert!(matches!(error, StorageError::Version { found: 7, supported: 1, .. }), "{error}");
}

#[test]
fn entries_without_a_version_are_corrupt() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    {
        let storage = RocksStorage::open(dir.path()).expect("an empty directory opens");
        put(storage.as_ref(), Family::Meta, &[("other", "")]);
        let mut writes = WriteSet::default();
        writes.delete(Family::Meta, b"format/version".to_vec());
        storage.write(&writes).expect("a write succeeds");
    }
    let error = RocksStorage::open(dir.path()).err().expect("the version is missing");
    assert!(matches!(error, StorageError::Corrupt(_)), "{error}");
}
