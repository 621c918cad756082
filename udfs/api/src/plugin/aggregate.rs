//! Aggregate functions.

use std::ffi::c_void;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};

use super::{Instance, code, columns};
use crate::abi::{Begin, Column, INVALID, NO_ROW, REFUSED, Report, Update};
use crate::{Accumulator, AggregateCall, Body, Configuration};

/// State of an aggregate function behind the interface.
struct State {
    accumulator: Box<dyn Accumulator>,
    result: DataType,
    /// The columns of what is stored.
    stored: Fields,
}

/// The state at `state`.
///
/// # Safety
/// It comes from [`begin`], and Levada uses it meanwhile for nothing else.
unsafe fn of<'a>(state: *mut c_void) -> &'a mut State {
    // SAFETY: the caller's.
    unsafe { &mut *state.cast::<State>() }
}

/// The `count` slots at `slots`.
///
/// # Safety
/// There are so many, for as long as they are used.
unsafe fn listed<'a>(slots: *const u32, count: u64) -> Result<&'a [u32], i32> {
    let count = usize::try_from(count).map_err(|_| INVALID)?;
    // SAFETY: the caller's; nothing is read of none.
    Ok(if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(slots, count) } })
}

/// [`crate::abi::Plugin::begin`].
pub(super) unsafe extern "C" fn begin(instance: *mut c_void, begin: *mut Begin) -> i32 {
    code(|| {
        // SAFETY: it comes from `open`.
        let Instance { name, body: Body::Aggregate(aggregate) } = (unsafe { &*instance.cast::<Instance>() }) else {
            return Err(INVALID);
        };
        // SAFETY: Levada gives it for this call, and all pointers in it are as documented there.
        unsafe {
            let begin = &mut *begin;
            if (begin.size as usize) < size_of::<Begin>() {
                return Err(INVALID);
            }
            let types = (0..begin.arguments as usize).map(|index| columns::data_type(begin.types.add(index)));
            let types = types.collect::<Result<Vec<_>, _>>()?;
            let literals = columns::take_all(begin.columns, usize::try_from(begin.literals).map_err(|_| INVALID)?)?;
            let result = columns::data_type(begin.result_type)?;
            let properties = columns::take(begin.properties)?;
            let configuration = &Configuration::read(name, &properties).ok_or(INVALID)?;
            let call = AggregateCall { arguments: &types, literals: &literals, result: &result, configuration };
            let accumulator = aggregate.accumulator(&call).map_err(|reason| {
                begin.report.say(NO_ROW, &reason);
                REFUSED
            })?;
            let stored = stored_fields(&*accumulator);
            let schema = FFI_ArrowSchema::try_from(DataType::Struct(stored.clone())).map_err(|_| INVALID)?;
            begin.slot_bytes.write(accumulator.slot_bytes() as u64);
            begin.stored_type.write(schema);
            begin.state.write(Box::into_raw(Box::new(State { accumulator, result, stored })).cast());
        }
        Ok(())
    })
}

/// The columns of what `accumulator` stores.
fn stored_fields(accumulator: &dyn Accumulator) -> Fields {
    let field = |(index, data_type)| Field::new(format!("c{index}"), data_type, true);
    accumulator.state_types().into_iter().enumerate().map(field).collect()
}

/// Says why nothing was done; the code for that.
///
/// # Safety
/// Levada has given the report for the call that runs.
unsafe fn refused(report: *const Report, reason: &str) -> i32 {
    // SAFETY: the caller's.
    unsafe { (*report).say(NO_ROW, reason) };
    REFUSED
}

/// [`crate::abi::Plugin::end`].
pub(super) unsafe extern "C" fn end(state: *mut c_void) {
    code(|| {
        // SAFETY: it comes from `begin`, and Levada lets it go.
        drop(unsafe { Box::from_raw(state.cast::<State>()) });
        Ok(())
    });
}

/// [`crate::abi::Plugin::grow`].
pub(super) unsafe extern "C" fn grow(state: *mut c_void, slots: u64) -> i32 {
    code(|| {
        let slots = usize::try_from(slots).map_err(|_| INVALID)?;
        // SAFETY: Levada's.
        unsafe { of(state) }.accumulator.grow(slots);
        Ok(())
    })
}

/// [`crate::abi::Plugin::reset`].
pub(super) unsafe extern "C" fn reset(state: *mut c_void, slot: u32) -> i32 {
    code(|| {
        // SAFETY: Levada's.
        unsafe { of(state) }.accumulator.reset(slot);
        Ok(())
    })
}

/// [`crate::abi::Plugin::update`].
pub(super) unsafe extern "C" fn update(state: *mut c_void, update: *mut Update) -> i32 {
    code(|| {
        // SAFETY: Levada's: the update is for this call, and all pointers in it are as documented there.
        let (state, update) = unsafe { (of(state), &mut *update) };
        if (update.size as usize) < size_of::<Update>() {
            return Err(INVALID);
        }
        // SAFETY: as above.
        let (slots, columns) = unsafe {
            (
                listed(update.slots, update.rows)?,
                columns::take_arrays(update.arrays, update.types, update.arguments as usize)?,
            )
        };
        let undone = (!update.undone.is_null() && !slots.is_empty()).then(|| {
            // SAFETY: there is a flag for each row.
            let flags = unsafe { std::slice::from_raw_parts(update.undone, slots.len()) };
            flags.iter().map(|flag| *flag != 0).collect::<Vec<bool>>()
        });
        let rows = crate::Update { slots, arguments: &columns, undone: undone.as_deref() };
        let emits = !update.result.is_null();
        let results = state.accumulator.update(&rows, emits);
        for rejected in state.accumulator.take_rejected() {
            // SAFETY: Levada gives it for this call.
            unsafe { update.report.say(rejected.row as u64, &rejected.reason) };
        }
        match results {
            // SAFETY: there is a place, which holds nothing yet.
            Some(results) if emits => unsafe { columns::give(&results, slots.len(), &state.result, update.result) },
            None if emits => Err(INVALID),
            _ => Ok(()),
        }
    })
}

/// [`crate::abi::Plugin::merge`].
pub(super) unsafe extern "C" fn merge(state: *mut c_void, into: u32, from: u32, report: *const Report) -> i32 {
    code(|| {
        // SAFETY: Levada's.
        let merged = unsafe { of(state) }.accumulator.merge(into, from);
        // SAFETY: Levada gives it for this call.
        merged.map_err(|reason| unsafe { refused(report, &reason) })
    })
}

/// [`crate::abi::Plugin::results`].
pub(super) unsafe extern "C" fn results(
    state: *mut c_void,
    slots: *const u32,
    count: u64,
    result: *mut FFI_ArrowArray,
) -> i32 {
    code(|| {
        // SAFETY: Levada's.
        let (state, slots) = unsafe { (of(state), listed(slots, count)?) };
        let results = state.accumulator.results(slots);
        // SAFETY: there is a place, which holds nothing yet.
        unsafe { columns::give(&results, slots.len(), &state.result, result) }
    })
}

/// [`crate::abi::Plugin::store`].
pub(super) unsafe extern "C" fn store(
    state: *mut c_void,
    slots: *const u32,
    count: u64,
    result: *mut FFI_ArrowArray,
    report: *const Report,
) -> i32 {
    code(|| {
        // SAFETY: Levada's.
        let (state, slots) = unsafe { (of(state), listed(slots, count)?) };
        // SAFETY: Levada gives it for this call.
        let columns = state.accumulator.state(slots).map_err(|reason| unsafe { refused(report, &reason) })?;
        let stored = StructArray::try_new(state.stored.clone(), columns, None).map_err(|_| INVALID)?;
        let stored: ArrayRef = Arc::new(stored);
        // SAFETY: there is a place, which holds nothing yet.
        unsafe { columns::give(&stored, slots.len(), &DataType::Struct(state.stored.clone()), result) }
    })
}

/// [`crate::abi::Plugin::load`].
pub(super) unsafe extern "C" fn load(
    state: *mut c_void,
    slots: *const u32,
    count: u64,
    column: *mut Column,
    report: *const Report,
) -> i32 {
    code(|| {
        // SAFETY: Levada's, which gives the array away.
        let (state, slots, stored) = unsafe { (of(state), listed(slots, count)?, columns::take(column)?) };
        let is_ours = *stored.data_type() == DataType::Struct(state.stored.clone()) && stored.len() == slots.len();
        let stored = stored.as_struct_opt().filter(|_| is_ours).ok_or(INVALID)?;
        let loaded = state.accumulator.load(slots, stored.columns());
        // SAFETY: Levada gives it for this call.
        loaded.map_err(|reason| unsafe { refused(report, &reason) })
    })
}

/// [`crate::abi::Plugin::heap_bytes`].
pub(super) unsafe extern "C" fn heap_bytes(state: *mut c_void) -> u64 {
    let mut bytes = 0;
    code(|| {
        // SAFETY: Levada's.
        bytes = unsafe { of(state) }.accumulator.heap_bytes() as u64;
        Ok(())
    });
    bytes
}
