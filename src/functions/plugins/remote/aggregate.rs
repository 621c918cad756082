//! An aggregate function in a library.

use std::ffi::c_void;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StructArray, new_null_array};
use arrow::datatypes::{DataType, Fields};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use levada_udf::abi::{self, Begin, OK, REFUSED};
use levada_udf::{Accumulator, Aggregate, AggregateCall, Rejected, Update};

use super::super::columns::{self, CallTypes, KnownTypes, Reports};
use super::super::library::Instance;
use super::super::watch::{self, Watched};

/// An aggregate function in a library.
pub(in super::super) struct RemoteAggregate {
    instance: Arc<Instance>,
    watched: Arc<Watched>,
}

impl RemoteAggregate {
    pub(in super::super) fn new(instance: Instance, name: &str) -> Self {
        Self { instance: Arc::new(instance), watched: watch::watched(name) }
    }
}

impl Aggregate for RemoteAggregate {
    fn accumulator(&self, call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
        let types = call.arguments.iter().map(columns::schema).collect::<Result<Vec<_>, _>>()?;
        let mut literals = columns::all_given(call.literals)?;
        let mut properties = columns::given(&(Arc::new(call.configuration.table()) as ArrayRef))?;
        let result_schema = columns::schema(call.result)?;
        let (mut state, mut slot_bytes) = (std::ptr::null_mut(), 0);
        let mut stored_type = FFI_ArrowSchema::empty();
        let mut reports = Reports::default();
        let mut begin = Begin {
            size: size_of::<Begin>() as u32,
            arguments: types.len() as u32,
            types: types.as_ptr(),
            literals: literals.len() as u64,
            columns: literals.as_mut_ptr(),
            properties: &raw mut properties,
            result_type: &raw const result_schema,
            state: &raw mut state,
            stored_type: &raw mut stored_type,
            slot_bytes: &raw mut slot_bytes,
            report: reports.report(),
        };
        // SAFETY: everything that `begin` points to lives until here.
        let code = unsafe { (self.instance.library.plugin.begin)(self.instance.pointer, &raw mut begin) };
        match code {
            OK => {}
            REFUSED => return Err(reports.said()),
            other => return Err(columns::failure(other, "made a state")),
        }
        let mut accumulator = RemoteAccumulator {
            instance: Arc::clone(&self.instance),
            watched: Arc::clone(&self.watched),
            state,
            types: KnownTypes::default(),
            result: call.result.clone(),
            stored: Fields::empty(),
            slot_bytes: usize::try_from(slot_bytes).unwrap_or(usize::MAX),
            rejected: Vec::new(),
        };
        match DataType::try_from(&stored_type) {
            Ok(DataType::Struct(fields)) => accumulator.stored = fields,
            _ => return Err("the plug-in stores what is no STRUCT".to_owned()),
        }
        Ok(Box::new(accumulator))
    }
}

/// States of an aggregate function in a library.
struct RemoteAccumulator {
    instance: Arc<Instance>,
    watched: Arc<Watched>,
    state: *mut c_void,
    types: KnownTypes,
    result: DataType,
    /// The columns that storage keeps.
    stored: Fields,
    slot_bytes: usize,
    rejected: Vec<Rejected>,
}

// SAFETY: the plug-in's state may go from thread to thread, as accumulators do.
unsafe impl Send for RemoteAccumulator {}

impl Drop for RemoteAccumulator {
    fn drop(&mut self) {
        // SAFETY: it comes from `begin`, and nobody has it any more.
        unsafe { (self.plugin().end)(self.state) };
    }
}

impl RemoteAccumulator {
    fn plugin(&self) -> &'static abi::Plugin {
        self.instance.library.plugin
    }

    /// Says that something is lost that can be given to no row.
    fn report(&self, code: i32, done: &str) {
        if code != OK {
            tracing::error!("{}: {}", self.watched.name(), columns::failure(code, done));
        }
    }

    /// An error if the plug-in has not `done` something, with what it reports.
    fn done(&self, code: i32, done: &str, reports: Reports) -> Result<(), String> {
        match code {
            OK => Ok(()),
            REFUSED => Err(self.named(&reports.said())),
            other => Err(self.named(&columns::failure(other, done))),
        }
    }

    fn named(&self, reason: &str) -> String {
        format!("{}: {reason}", self.watched.name())
    }

    /// What the plug-in answers to `rows`, after each of them if it `emits`.
    fn updated(&self, rows: &Update<'_>, emits: bool, reports: &mut Reports) -> Result<Option<ArrayRef>, String> {
        self.types.with(rows.arguments.iter(), &self.result, |types| self.answered(rows, emits, types, reports))
    }

    fn answered(
        &self,
        rows: &Update<'_>,
        emits: bool,
        types: &CallTypes,
        reports: &mut Reports,
    ) -> Result<Option<ArrayRef>, String> {
        let mut given = columns::arrays_given(rows.arguments);
        let undone: Option<Vec<u8>> = rows.undone.map(|undone| undone.iter().map(|flag| u8::from(*flag)).collect());
        let mut result = FFI_ArrowArray::empty();
        let mut update = abi::Update {
            size: size_of::<abi::Update>() as u32,
            arguments: given.len() as u32,
            rows: rows.slots.len() as u64,
            slots: rows.slots.as_ptr(),
            arrays: given.as_mut_ptr(),
            types: types.schemas.as_ptr(),
            undone: undone.as_ref().map_or(std::ptr::null(), Vec::as_ptr),
            result: if emits { &raw mut result } else { std::ptr::null_mut() },
            report: reports.report(),
        };
        let running = self.watched.enter();
        // SAFETY: everything that `update` points to lives until here.
        let code = unsafe { (self.plugin().update)(self.state, &raw mut update) };
        drop(running);
        if code != OK {
            return Err(columns::failure(code, &format!("given {} for every row", self.result)));
        }
        self.watched.gave(self.heap_bytes());
        if !emits {
            return Ok(None);
        }
        columns::answered(result, rows.slots.len(), &self.result).map(Some)
    }
}

impl Accumulator for RemoteAccumulator {
    fn grow(&mut self, slots: usize) {
        // SAFETY: the state is ours.
        let code = unsafe { (self.plugin().grow)(self.state, slots as u64) };
        self.report(code, "made room for groups");
    }

    fn reset(&mut self, slot: u32) {
        // SAFETY: the state is ours.
        let code = unsafe { (self.plugin().reset)(self.state, slot) };
        self.report(code, "forgotten a group");
    }

    fn update(&mut self, rows: &Update<'_>, emit: bool) -> Option<ArrayRef> {
        let mut reports = Reports::default();
        let updated = self.updated(rows, emit, &mut reports);
        let count = rows.slots.len();
        self.rejected.extend(reports.rows(count).map(|(row, reason)| Rejected { row, reason }));
        updated.unwrap_or_else(|reason| {
            self.rejected.extend((0..count).map(|row| Rejected { row, reason: reason.clone() }));
            emit.then(|| new_null_array(&self.result, count))
        })
    }

    fn merge(&mut self, into: u32, from: u32) -> Result<(), String> {
        let mut reports = Reports::default();
        let report = reports.report();
        // SAFETY: the state is ours, and the report lives until here.
        let code = unsafe { (self.plugin().merge)(self.state, into, from, &raw const report) };
        match code {
            OK => Ok(()),
            REFUSED => Err(reports.said()),
            other => Err(columns::failure(other, "merged two groups")),
        }
    }

    fn take_rejected(&mut self) -> Vec<Rejected> {
        std::mem::take(&mut self.rejected)
    }

    fn results(&self, slots: &[u32]) -> ArrayRef {
        let mut result = FFI_ArrowArray::empty();
        // SAFETY: the state is ours, and there are so many slots.
        let code = unsafe { (self.plugin().results)(self.state, slots.as_ptr(), slots.len() as u64, &raw mut result) };
        self.report(code, &format!("given {} for every group", self.result));
        let given = if code == OK {
            columns::answered(result, slots.len(), &self.result)
                .inspect_err(|reason| tracing::error!("{}: {reason}", self.watched.name()))
                .ok()
        } else {
            None
        };
        given.unwrap_or_else(|| new_null_array(&self.result, slots.len()))
    }

    fn slot_bytes(&self) -> usize {
        self.slot_bytes
    }

    fn heap_bytes(&self) -> usize {
        // SAFETY: the state is ours.
        let bytes = unsafe { (self.plugin().heap_bytes)(self.state) };
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    fn state_types(&self) -> Vec<DataType> {
        self.stored.iter().map(|field| field.data_type().clone()).collect()
    }

    fn state(&self, slots: &[u32]) -> Result<Vec<ArrayRef>, String> {
        let (mut result, mut reports) = (FFI_ArrowArray::empty(), Reports::default());
        let report = reports.report();
        let (first, count) = (slots.as_ptr(), slots.len() as u64);
        // SAFETY: the state is ours, there are so many slots, and the report lives until here.
        let code = unsafe { (self.plugin().store)(self.state, first, count, &raw mut result, &raw const report) };
        self.done(code, "stored its groups", reports)?;
        let stored = columns::answered(result, slots.len(), &DataType::Struct(self.stored.clone()));
        Ok(stored.map_err(|reason| self.named(&reason))?.as_struct().columns().to_vec())
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<(), String> {
        let stored = StructArray::try_new(self.stored.clone(), columns.to_vec(), None);
        let stored: ArrayRef = Arc::new(stored.map_err(|error| self.named(&error.to_string()))?);
        let mut given = columns::given(&stored).map_err(|reason| self.named(&reason))?;
        let mut reports = Reports::default();
        let report = reports.report();
        let (first, count) = (slots.as_ptr(), slots.len() as u64);
        // SAFETY: the state is ours, there are so many slots, and the report lives until here.
        let code = unsafe { (self.plugin().load)(self.state, first, count, &raw mut given, &raw const report) };
        self.done(code, "taken what it had stored", reports)
    }
}
