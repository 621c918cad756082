//! The store on disk: RocksDB, one per data directory.
//!
//! Every completed write survives the death of the process (the write-ahead log is in the kernel's hands); only the
//! death of the machine can lose the last moments, and then only as a whole suffix.
//!
//! | family | column family | what its options are for |
//! |---|---|---|
//! | [`Family::Meta`] | `meta` | few, small, read by key or prefix |
//! | [`Family::Records`] | `records` | big values written once and read in order: they live in blob files, which compaction does not rewrite |
//! | [`Family::State`] | `state` | many small values read by key: bloom filters |
//!
//! The key `format/version` in `meta` holds the version of everything below it as a little-endian `u32`.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use arrow::array::{Array as _, BinaryArray};
use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType,
    FlushOptions, InfoLogger, LogLevel, Options, ReadOptions, WriteBatch, WriteOptions,
};

use super::{Entry, Family, KeyValue, StorageError, StorageUsage, Write, WriteSet};

/// Version of the layout of the store and of all that [`crate::topics`] keeps in it.
const FORMAT_VERSION: u32 = 1;
const FORMAT_KEY: &[u8] = b"format/version";

/// Blocks of all families, uncompressed, unless [`KeyValue::set_cache_bytes`] says otherwise.
const BLOCK_CACHE_BYTES: usize = 32 << 20;
/// Memtables of all families together; a flush starts beyond it.
const WRITE_BUFFERS_BYTES: usize = 40 << 20;
const META_BUFFER_BYTES: usize = 1 << 20;
const RECORDS_BUFFER_BYTES: usize = 16 << 20;
const STATE_BUFFER_BYTES: usize = 16 << 20;
/// Files of state that wait to be merged: a restore writes many of them at once, and merging each few times over costs more than
/// reading does, which asks a filter first.
const STATE_FILES_UNMERGED: i32 = 8;
/// Share of a memtable of state that says which keys it does not have.
const MEMTABLE_FILTER: f64 = 0.05;
/// How often, and after which pauses, a lock is asked for that somebody has.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(5);
/// Log that may have to be replayed on open after a kill.
const LOG_BYTES_MAX: u64 = 48 << 20;
/// Values from this size on go to blob files: a chunk of a few dozen records or more.
const BLOB_BYTES_MIN: u64 = 8 << 10;
const BLOB_FILE_BYTES: u64 = 64 << 20;
/// On close, memtables beyond this are written out, so that the next open has little log to replay.
const CLOSE_FLUSH_BYTES: u64 = 512 << 10;

/// A [`KeyValue`] on RocksDB. Dropping it closes the store and frees the data directory for other processes.
pub struct RocksStorage {
    db: DB,
    cache: Cache,
    write_options: WriteOptions,
    /// Declared last: the directory is freed after the store is closed.
    _lock: DirectoryLock,
}

impl RocksStorage {
    /// Opens the store in `dir`, creating both where they do not exist.
    ///
    /// # Errors
    /// [`StorageError::InUse`] while another process (or another handle of this one) has it open,
    /// [`StorageError::NotUsable`] where `dir` cannot be created or written, [`StorageError::Version`] for data of
    /// another version.
    pub fn open(dir: &Path) -> Result<Arc<Self>, StorageError> {
        let lock = DirectoryLock::take(dir)?;
        let cache = Cache::new_lru_cache(BLOCK_CACHE_BYTES);
        let families = [Family::Meta, Family::Records, Family::State]
            .map(|family| ColumnFamilyDescriptor::new(name(family), family_options(family, &cache)));
        let db = DB::open_cf_descriptors(&database_options(), dir.join("store"), families)
            .map_err(|error| not_usable(dir, &error))?;
        let mut write_options = WriteOptions::default();
        write_options.set_sync(false);
        let storage = Self { db, cache, write_options, _lock: lock };
        storage.check_version(dir)?;
        Ok(Arc::new(storage))
    }

    /// The last entry whose key is at least `from` and less than `to`.
    pub(crate) fn last(&self, family: Family, from: &[u8], to: &[u8]) -> Result<Option<Entry>, StorageError> {
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(from);
        options.set_iterate_upper_bound(to);
        let mut cursor = self.db.raw_iterator_cf_opt(self.family(family), options);
        cursor.seek_to_last();
        cursor.status().map_err(io)?;
        Ok(cursor.item().map(|(key, value)| (key.to_vec(), value.to_vec())))
    }

    /// Calls `visit` with each entry whose key is at least `from` and less than `to`, ascending, until it answers
    /// `false`. Sees the store as it was when the call began.
    pub(crate) fn visit<E: From<StorageError>>(
        &self,
        family: Family,
        from: &[u8],
        to: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(to);
        let mut cursor = self.db.raw_iterator_cf_opt(self.family(family), options);
        cursor.seek(from);
        while let Some((key, value)) = cursor.item() {
            if !visit(key, value)? {
                return Ok(());
            }
            cursor.next();
        }
        Ok(cursor.status().map_err(io)?)
    }

    fn check_version(&self, dir: &Path) -> Result<(), StorageError> {
        let Some(found) = self.get(Family::Meta, FORMAT_KEY)? else {
            return self.write_version();
        };
        let found = <[u8; 4]>::try_from(found.as_slice())
            .map_err(|_| StorageError::Corrupt(format!("format version has {} bytes", found.len())))?;
        match u32::from_le_bytes(found) {
            FORMAT_VERSION => Ok(()),
            found => Err(StorageError::Version { path: dir.display().to_string(), found, supported: FORMAT_VERSION }),
        }
    }

    /// The version is the first thing written to a store: entries without one belong to somebody else.
    fn write_version(&self) -> Result<(), StorageError> {
        if !self.scan(Family::Meta, b"", &[0xff], 1)?.is_empty() {
            return Err(StorageError::Corrupt("the store has entries but no format version".into()));
        }
        let mut writes = WriteSet::default();
        writes.put(Family::Meta, FORMAT_KEY.to_vec(), FORMAT_VERSION.to_le_bytes().to_vec());
        self.write(&writes)
    }

    fn family(&self, family: Family) -> &ColumnFamily {
        self.db.cf_handle(name(family)).expect("open creates every family")
    }

    fn unflushed_bytes(&self) -> u64 {
        self.property("rocksdb.cur-size-all-mem-tables")
    }

    /// The number that RocksDB calls `name`, of all families together.
    fn property(&self, name: &str) -> u64 {
        let of = |family| self.db.property_int_value_cf(self.family(family), name);
        [Family::Meta, Family::Records, Family::State].into_iter().filter_map(|family| of(family).ok()?).sum()
    }
}

impl KeyValue for RocksStorage {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        self.db.get_cf(self.family(family), key).map_err(io)
    }

    fn multi_get(&self, family: Family, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        let found = self.db.batched_multi_get_cf(self.family(family), keys.iter().copied(), false);
        found.into_iter().map(|value| Ok(value.map_err(io)?.map(|value| value.to_vec()))).collect()
    }

    fn scan(&self, family: Family, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>, StorageError> {
        let mut entries = Vec::new();
        if from >= to || limit == 0 {
            return Ok(entries);
        }
        self.visit(family, from, to, |key, value| {
            entries.push((key.to_vec(), value.to_vec()));
            Ok::<_, StorageError>(entries.len() < limit)
        })?;
        Ok(entries)
    }

    fn write(&self, writes: &WriteSet) -> Result<(), StorageError> {
        let mut batch = WriteBatch::with_capacity_bytes(writes.writes().iter().map(bytes).sum());
        for write in writes.writes() {
            match write {
                Write::Put(family, key, value) => batch.put_cf(self.family(*family), key, value),
                Write::Delete(family, key) => batch.delete_cf(self.family(*family), key),
                // RocksDB takes a range that ends before it starts for an error, here it is empty.
                Write::DeleteRange(family, from, to) if from < to => {
                    batch.delete_range_cf(self.family(*family), from, to);
                }
                Write::DeleteRange(..) => {}
            }
        }
        self.db.write_opt(batch, &self.write_options).map_err(io)
    }

    fn load(
        &self,
        family: Family,
        prefix: &[u8],
        keys: &BinaryArray,
        values: &BinaryArray,
    ) -> Result<(), StorageError> {
        let family = self.family(family);
        let bytes = keys.value_data().len() + values.value_data().len();
        let mut batch = WriteBatch::with_capacity_bytes(bytes + keys.len() * (prefix.len() + 16));
        let mut key = prefix.to_vec();
        for row in 0..keys.len() {
            key.truncate(prefix.len());
            key.extend_from_slice(keys.value(row));
            if values.is_valid(row) {
                batch.put_cf(family, &key, values.value(row));
            } else {
                batch.delete_cf(family, &key);
            }
        }
        let mut unlogged = WriteOptions::default();
        unlogged.disable_wal(true);
        self.db.write_opt(batch, &unlogged).map_err(io)
    }

    fn set_cache_bytes(&self, bytes: usize) {
        self.cache.clone().set_capacity(bytes);
    }

    fn folder(&self) -> Option<PathBuf> {
        self.db.path().parent().map(|dir| dir.join("reads"))
    }

    fn usage(&self) -> StorageUsage {
        StorageUsage {
            cache: self.cache.get_usage() as u64,
            write_buffers: self.unflushed_bytes(),
            indices: self.property("rocksdb.estimate-table-readers-mem"),
            disk: self.property("rocksdb.total-sst-files-size") + self.property("rocksdb.total-blob-file-size"),
        }
    }

    fn keep_loaded(&self, family: Family) -> Result<(), StorageError> {
        self.db.flush_cf(self.family(family)).map_err(io)
    }
}

impl Drop for RocksStorage {
    fn drop(&mut self) {
        if self.unflushed_bytes() < CLOSE_FLUSH_BYTES {
            return;
        }
        let families = [Family::Meta, Family::Records, Family::State].map(|family| self.family(family));
        if let Err(error) = self.db.flush_cfs_opt(&families, &FlushOptions::default()) {
            tracing::warn!(%error, "the store was not flushed on close; its log is replayed on the next open");
        }
    }
}

/// Holds `DIR/lock`; the system releases it however the process ends.
struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    fn take(dir: &Path) -> Result<Self, StorageError> {
        fs::create_dir_all(dir).map_err(|error| not_usable(dir, &error))?;
        let file = File::options().create(true).truncate(false).write(true).open(dir.join("lock"));
        let file = file.map_err(|error| not_usable(dir, &error))?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                // A process that is being started has the files of the one that starts it, until it begins its own program.
                Err(TryLockError::WouldBlock) if attempt < LOCK_ATTEMPTS => thread::park_timeout(LOCK_PAUSE),
                Err(TryLockError::WouldBlock) => return Err(StorageError::InUse { path: dir.display().to_string() }),
                Err(TryLockError::Error(error)) => return Err(not_usable(dir, &error)),
            }
        }
        Ok(Self { _file: file })
    }
}

fn name(family: Family) -> &'static str {
    match family {
        Family::Meta => "meta",
        Family::Records => "records",
        Family::State => "state",
    }
}

fn database_options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_max_background_jobs(2);
    options.set_max_open_files(256);
    options.set_max_file_opening_threads(1);
    options.set_skip_stats_update_on_db_open(true);
    options.set_db_write_buffer_size(WRITE_BUFFERS_BYTES);
    options.set_max_total_wal_size(LOG_BYTES_MAX);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options.set_info_logger(InfoLogger::new_callback_logger(LogLevel::Warn, log));
    options
}

fn family_options(family: Family, cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_format_version(6);
    let mut options = Options::default();
    options.set_compression_type(DBCompressionType::Lz4);
    match family {
        Family::Meta => options.set_write_buffer_size(META_BUFFER_BYTES),
        Family::Records => {
            options.set_write_buffer_size(RECORDS_BUFFER_BYTES);
            options.set_max_write_buffer_number(3);
            options.set_enable_blob_files(true);
            options.set_min_blob_size(BLOB_BYTES_MIN);
            options.set_blob_file_size(BLOB_FILE_BYTES);
            options.set_blob_compression_type(DBCompressionType::Lz4);
            options.set_enable_blob_gc(true);
        }
        Family::State => {
            options.set_write_buffer_size(STATE_BUFFER_BYTES);
            options.set_max_write_buffer_number(3);
            options.set_level_zero_file_num_compaction_trigger(STATE_FILES_UNMERGED);
            // What is merged soon is not compressed before.
            let levels = [DBCompressionType::None, DBCompressionType::None, DBCompressionType::Lz4];
            options.set_compression_per_level(&levels);
            blocks.set_bloom_filter(10.0, false);
            // What says where keys are, and which are not there, is cached in parts: whole, it would push out all else.
            blocks.set_cache_index_and_filter_blocks(true);
            blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
            blocks.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
            blocks.set_partition_filters(true);
            blocks.set_pin_top_level_index_and_filter(true);
            options.set_memtable_whole_key_filtering(true);
            options.set_memtable_prefix_bloom_ratio(MEMTABLE_FILTER);
        }
    }
    options.set_block_based_table_factory(&blocks);
    options
}

fn log(level: LogLevel, message: &str) {
    match level {
        LogLevel::Error | LogLevel::Fatal => tracing::error!(target: "levada::storage", "{}", message.trim_end()),
        _ => tracing::debug!(target: "levada::storage", "{}", message.trim_end()),
    }
}

/// About what `write` takes in a batch.
fn bytes(write: &Write) -> usize {
    16 + match write {
        Write::Put(_, key, value) => key.len() + value.len(),
        Write::Delete(_, key) => key.len(),
        Write::DeleteRange(_, from, to) => from.len() + to.len(),
    }
}

fn not_usable(dir: &Path, reason: &dyn ToString) -> StorageError {
    StorageError::NotUsable { path: dir.display().to_string(), reason: reason.to_string() }
}

fn io(error: rocksdb::Error) -> StorageError {
    match error.kind() {
        rocksdb::ErrorKind::Corruption => StorageError::Corrupt(error.into_string()),
        _ => StorageError::Io(error.into_string()),
    }
}
