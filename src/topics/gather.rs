//! One fetch put together from stored chunks.

use arrow::array::{Array, AsArray, BinaryArray};
use arrow::compute::concat;

use super::TopicError;
use crate::storage::StorageError;
use crate::types::{Headers, RecordChunk};

/// A fetch that has this much does not look for more: joining chunks copies them, and this is a good batch already.
const ENOUGH_ROWS: usize = 1024;
const ENOUGH_BYTES: usize = 256 << 10;

/// Takes records from chunks in order until the limits of the fetch are reached.
pub(super) struct Gather {
    offset_next: i64,
    rows_left: usize,
    bytes_left: usize,
    rows: usize,
    bytes: usize,
    chunks: Vec<RecordChunk>,
    cut: Option<(RecordChunk, i64)>,
}

impl Gather {
    /// A fetch from `offset` on of at most `rows_max` records of together about `bytes_max` bytes.
    pub(super) fn new(offset: i64, rows_max: usize, bytes_max: usize) -> Self {
        let (rows_left, bytes_left) = (rows_max, bytes_max);
        Self { offset_next: offset, rows_left, bytes_left, rows: 0, bytes: 0, chunks: Vec::new(), cut: None }
    }

    /// Where the next chunk has to continue.
    pub(super) fn offset_next(&self) -> i64 {
        self.offset_next
    }

    /// Whether another chunk would be welcome.
    pub(super) fn wants_more(&self) -> bool {
        let enough = self.rows >= ENOUGH_ROWS || self.bytes >= ENOUGH_BYTES;
        let full = self.rows_left == 0 || (self.rows > 0 && self.bytes_left == 0);
        !enough && !full && self.cut.is_none()
    }

    /// Takes what fits of `chunk`, which ends at `offset_last`.
    pub(super) fn push(&mut self, chunk: RecordChunk, offset_last: i64) {
        let first = chunk.offsets.partition_point(|&offset| offset < self.offset_next);
        let available = (chunk.len() - first).min(self.rows_left);
        let taken = self.rows_within_bytes(&chunk, first, available);
        if taken > 0 {
            self.keep(chunk.slice(first, taken));
        }
        if first + taken == chunk.len() {
            self.offset_next = offset_last + 1;
        } else {
            self.cut = Some((chunk, offset_last));
        }
    }

    /// The last chunk with its last offset, if the limits cut it: the next fetch will continue within it.
    pub(super) fn take_cut(&mut self) -> Option<(RecordChunk, i64)> {
        self.cut.take()
    }

    /// The records taken. A single chunk is not copied.
    pub(super) fn finish(mut self) -> Result<RecordChunk, TopicError> {
        match self.chunks.len() {
            0 => Ok(RecordChunk::empty()),
            1 => Ok(self.chunks.remove(0)),
            _ => Ok(join(&self.chunks)?),
        }
    }

    fn keep(&mut self, slice: RecordChunk) {
        let bytes = slice.byte_size();
        self.rows += slice.len();
        self.rows_left -= slice.len();
        self.bytes += bytes;
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.offset_next = slice.offsets[slice.len() - 1] + 1;
        self.chunks.push(slice);
    }

    /// Of `available` records from index `first` on, how many fit the bytes that are left: at least one for a fetch
    /// that has none yet, or a record larger than the limit would never be read.
    fn rows_within_bytes(&self, chunk: &RecordChunk, first: usize, available: usize) -> usize {
        let (keys, values) = (chunk.keys.value_offsets(), chunk.values.value_offsets());
        let bytes_to = |row: usize| (keys[row] - keys[first]) as usize + (values[row] - values[first]) as usize;
        if bytes_to(first + available) <= self.bytes_left {
            return available;
        }
        let (mut fits, mut too_many) = (0, available);
        while too_many - fits > 1 {
            let middle = usize::midpoint(fits, too_many);
            if bytes_to(first + middle) <= self.bytes_left { fits = middle } else { too_many = middle }
        }
        if self.rows == 0 { fits.max(1).min(available) } else { fits }
    }
}

/// The records of `chunks` as one chunk.
pub(super) fn join(chunks: &[RecordChunk]) -> Result<RecordChunk, StorageError> {
    let column = |column: fn(&RecordChunk) -> &BinaryArray| -> Result<BinaryArray, StorageError> {
        let arrays: Vec<&dyn Array> = chunks.iter().map(|chunk| column(chunk) as &dyn Array).collect();
        // Beyond 2 GiB in one column, which the limits of a fetch do not let come.
        let joined = concat(&arrays).map_err(|error| StorageError::Io(format!("chunks cannot be joined: {error}")))?;
        Ok(joined.as_binary::<i32>().clone())
    };
    let numbers =
        |column: fn(&RecordChunk) -> &[i64]| -> Vec<i64> { chunks.iter().flat_map(column).copied().collect() };
    let any_header = chunks.iter().any(|chunk| chunk.headers.is_some());
    Ok(RecordChunk {
        keys: column(|chunk| &chunk.keys)?,
        values: column(|chunk| &chunk.values)?,
        timestamps: numbers(|chunk| &chunk.timestamps).into(),
        offsets: numbers(|chunk| &chunk.offsets).into(),
        headers: any_header.then(|| chunks.iter().flat_map(headers).collect()),
    })
}

fn headers(chunk: &RecordChunk) -> Vec<Headers> {
    match &chunk.headers {
        Some(headers) => headers.to_vec(),
        None => vec![Headers::default(); chunk.len()],
    }
}
