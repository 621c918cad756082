//! Arrays that cross the interface, and what is said of them.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::{Array, ArrayRef, make_array};
use arrow::datatypes::DataType;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use levada_udf::abi::{Column, INVALID, NO_ROW, PANICKED, Report};

/// A place for an array and its type.
pub(super) fn empty() -> Column {
    Column { array: FFI_ArrowArray::empty(), schema: FFI_ArrowSchema::empty() }
}

/// `array` for a plug-in.
///
/// # Errors
/// Its type has no name in the interface.
pub(super) fn given(array: &ArrayRef) -> Result<Column, String> {
    let (array, schema) =
        to_ffi(&array.to_data()).map_err(|error| format!("the arguments cannot be handed over: {error}"))?;
    Ok(Column { array, schema })
}

/// `arrays` for a plug-in.
///
/// # Errors
/// A type has no name in the interface.
pub(super) fn all_given<'a>(arrays: impl IntoIterator<Item = &'a ArrayRef>) -> Result<Vec<Column>, String> {
    arrays.into_iter().map(given).collect()
}

/// `data_type` for a plug-in.
///
/// # Errors
/// It has no name in the interface.
pub(super) fn schema(data_type: &DataType) -> Result<FFI_ArrowSchema, String> {
    FFI_ArrowSchema::try_from(data_type).map_err(|error| format!("the type cannot be handed over: {error}"))
}

/// What a plug-in has given, with the type that it says.
///
/// # Errors
/// It is no such array.
pub(super) fn taken(column: Column) -> Result<ArrayRef, String> {
    let Column { array, schema } = column;
    checked(array, &schema)
}

/// What a plug-in has given for `rows` rows of `data_type`, whose name in the interface is `schema`.
///
/// # Errors
/// It is something else.
pub(super) fn answered(
    array: FFI_ArrowArray,
    schema: &FFI_ArrowSchema,
    rows: usize,
    data_type: &DataType,
) -> Result<ArrayRef, String> {
    let values =
        checked(array, schema).map_err(|error| format!("the plug-in has given what is no {data_type}: {error}"))?;
    if values.len() != rows {
        return Err(format!("the plug-in has given {} values for {rows} rows", values.len()));
    }
    Ok(values)
}

/// `array`, which should be of the type that `schema` says.
fn checked(array: FFI_ArrowArray, schema: &FFI_ArrowSchema) -> Result<ArrayRef, String> {
    if array.is_released() {
        return Err("there is nothing".to_owned());
    }
    // SAFETY: the array is of the type that the schema says; its buffers are checked. Too few of them make Arrow panic.
    let imported = catch_unwind(AssertUnwindSafe(|| unsafe { from_ffi(array, schema) }));
    let data = imported.map_err(|_| "it is malformed".to_owned())?.map_err(|error| error.to_string())?;
    data.validate_full().map_err(|error| error.to_string())?;
    Ok(make_array(data))
}

/// What `code`, which is not OK, says of a plug-in that should have `done` something.
pub(super) fn failure(code: i32, done: &str) -> String {
    match code {
        INVALID => format!("the plug-in has not {done}, as its signature says"),
        PANICKED => "the plug-in has panicked outside the function".to_owned(),
        other => format!("the plug-in has failed (code {other})"),
    }
}

/// What a plug-in reports while it is called: rows that fail, and why.
#[derive(Debug, Default)]
pub(super) struct Reports(Vec<(u64, String)>);

impl Reports {
    /// What the plug-in reports with. It is valid while this stays where it is, and is not used otherwise.
    pub(super) fn report(&mut self) -> Report {
        Report { take, context: (&raw mut *self).cast() }
    }

    /// The reason why something was refused.
    pub(super) fn said(self) -> String {
        let reason = self.0.into_iter().find(|(row, _)| *row == NO_ROW);
        reason.map_or_else(|| "it does not say why".to_owned(), |(_, reason)| reason)
    }

    /// The rows below `rows` that fail.
    pub(super) fn rows(self, rows: usize) -> impl Iterator<Item = (usize, String)> {
        let within = move |row: u64| usize::try_from(row).ok().filter(|row| *row < rows);
        self.0.into_iter().filter_map(move |(row, reason)| Some((within(row)?, reason)))
    }
}

/// [`Report::take`].
unsafe extern "C" fn take(context: *mut c_void, row: u64, reason: *const u8, bytes: usize) {
    // SAFETY: the context is that of the call, which is waiting; the plug-in gives so many bytes.
    let (reports, reason) = unsafe { (&mut *context.cast::<Reports>(), std::slice::from_raw_parts(reason, bytes)) };
    reports.0.push((row, String::from_utf8_lossy(reason).into_owned()));
}
