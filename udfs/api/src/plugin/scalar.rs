//! Scalar and table functions.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::DataType;

use super::{Instance, code, columns};
use crate::abi::{Call, INVALID};
use crate::group::panicked;
use crate::{Batch, Body, Operand, Scalar};

/// [`crate::abi::Plugin::evaluate`].
pub(super) unsafe extern "C" fn evaluate(instance: *mut c_void, call: *mut Call) -> i32 {
    code(|| {
        // SAFETY: it comes from `open`.
        let Body::Scalar(scalar) = &unsafe { &*instance.cast::<Instance>() }.body else { return Err(INVALID) };
        // SAFETY: Levada gives a call that outlives this, and uses it meanwhile for nothing else.
        unsafe { answer(&**scalar, &mut *call) }
    })
}

/// Reads the arguments of `call`, evaluates, and writes the result.
///
/// # Safety
/// All pointers of `call` are as documented there.
unsafe fn answer(scalar: &dyn Scalar, call: &mut Call) -> Result<(), i32> {
    // What a newer interface has at the end is not there in an older server's.
    if (call.size as usize) < size_of::<Call>() {
        return Err(INVALID);
    }
    let rows = usize::try_from(call.rows).map_err(|_| INVALID)?;
    let operand = |index: usize| {
        // SAFETY: there are so many of each, and the arrays are ours to take.
        let (array, is_constant) = unsafe {
            (columns::take_typed(call.arrays.add(index), call.types.add(index))?, *call.constant.add(index) != 0)
        };
        Ok::<_, i32>(if is_constant { Operand::Constant(array) } else { Operand::Column(array) })
    };
    let arguments: Vec<Operand> = (0..call.arguments as usize).map(operand).collect::<Result<_, _>>()?;
    // SAFETY: it points to a schema.
    let result_type = unsafe { columns::data_type(call.result_type) }?;
    let report = call.report;
    let mut failures = |row: usize, reason: String| {
        // SAFETY: Levada gives it for this call.
        unsafe { report.say(row as u64, &reason) };
    };
    let result = evaluated(scalar, &arguments, rows, &result_type, &mut failures);
    // SAFETY: there is a place, which holds nothing yet.
    unsafe { columns::give(&result, rows, &result_type, call.result) }
}

/// What `scalar` gives. If it panics, each row is tried by itself, and those that panic are NULL.
pub(crate) fn evaluated(
    scalar: &dyn Scalar,
    arguments: &[Operand],
    rows: usize,
    result: &DataType,
    failures: &mut dyn FnMut(usize, String),
) -> ArrayRef {
    let mut failed = Vec::new();
    let mut note = |row: usize, reason: String| failed.push((row, reason));
    if let Ok(values) = caught(|| scalar.evaluate(&mut Batch::new(arguments, rows, result, &mut note))) {
        failed.into_iter().for_each(|(row, reason)| failures(row, reason));
        return values;
    }
    let mut parts: Vec<ArrayRef> = Vec::with_capacity(rows);
    for row in 0..rows {
        let arguments: Vec<Operand> = arguments.iter().map(|operand| operand.slice(row, 1)).collect();
        let mut note = |_: usize, reason: String| failures(row, reason);
        let value = caught(|| scalar.evaluate(&mut Batch::new(&arguments, 1, result, &mut note)));
        parts.push(value.unwrap_or_else(|reason| {
            failures(row, reason);
            new_null_array(result, 1)
        }));
    }
    joined(&parts, result)
}

/// `parts` one after the other.
pub(crate) fn joined(parts: &[ArrayRef], data_type: &DataType) -> ArrayRef {
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    let joined = if parts.is_empty() { None } else { concat(&parts).ok() };
    joined.unwrap_or_else(|| new_null_array(data_type, 0))
}

/// What `work` gives, or what it said when it panicked.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panicked(&*panic))
}
