//! Arrays that cross the interface, and what is said of them.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayData, ArrayRef, make_array};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
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

/// `arrays` for a plug-in, which is told their types beside them.
pub(super) fn arrays_given<'a>(arrays: impl IntoIterator<Item = &'a ArrayRef>) -> Vec<FFI_ArrowArray> {
    arrays.into_iter().map(|array| FFI_ArrowArray::new(&array.to_data())).collect()
}

/// The types of a call, as the plug-in is told them.
pub(super) struct CallTypes {
    known: Vec<DataType>,
    result: DataType,
    /// Of the arguments.
    pub(super) schemas: Vec<FFI_ArrowSchema>,
    /// Of the result.
    pub(super) result_schema: FFI_ArrowSchema,
}

// SAFETY: schemas are written once, and read from then on.
unsafe impl Sync for CallTypes {}

/// The types of the last call: those of the next one are the same, as a rule.
#[derive(Default)]
pub(super) struct LastTypes(Mutex<Option<Arc<CallTypes>>>);

impl LastTypes {
    /// The types of arguments and result.
    ///
    /// # Errors
    /// One has no name in the interface.
    pub(super) fn of<'a>(
        &self,
        arguments: &(impl Iterator<Item = &'a ArrayRef> + Clone),
        result: &DataType,
    ) -> Result<Arc<CallTypes>, String> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let types = || arguments.clone().map(Array::data_type);
        if let Some(last) = &*last
            && last.result == *result
            && last.known.iter().eq(types())
        {
            return Ok(Arc::clone(last));
        }
        let new = Arc::new(CallTypes {
            known: types().cloned().collect(),
            result: result.clone(),
            schemas: types().map(schema).collect::<Result<_, _>>()?,
            result_schema: schema(result)?,
        });
        *last = Some(Arc::clone(&new));
        Ok(new)
    }
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
    validate(&data).map_err(|error| error.to_string())?;
    Ok(make_array(data))
}

/// Whether the buffers of `data` are what its type says.
fn validate(data: &ArrayData) -> Result<(), ArrowError> {
    if *data.data_type() != DataType::Utf8 || data.is_empty() {
        return data.validate_full();
    }
    // As `validate_full` does, in a fraction of the time.
    data.validate()?;
    let wrong = || ArrowError::InvalidArgumentError("it is no UTF-8, or offsets are out of order".to_owned());
    let offsets = &data.buffers()[0].typed_data::<i32>()[data.offset()..=data.offset() + data.len()];
    if offsets.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err(wrong());
    }
    let (first, last) = (offsets[0], offsets[data.len()]);
    let range = usize::try_from(first).map_err(|_| wrong())?..usize::try_from(last).map_err(|_| wrong())?;
    let bytes = data.buffers()[1].get(range).ok_or_else(wrong)?;
    let text = simdutf8::basic::from_utf8(bytes).map_err(|_| wrong())?;
    let is_boundary = |offset: &i32| text.is_char_boundary((offset - first) as usize);
    if text.is_ascii() || offsets.iter().all(is_boundary) { Ok(()) } else { Err(wrong()) }
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

#[cfg(test)]
mod tests {
    use arrow::buffer::Buffer;

    use super::*;

    fn texts(offsets: &[i32], bytes: &[u8]) -> ArrayData {
        let builder = ArrayData::builder(DataType::Utf8).len(offsets.len() - 1);
        let builder = builder.add_buffer(Buffer::from_slice_ref(offsets)).add_buffer(Buffer::from_slice_ref(bytes));
        // SAFETY: it is looked at by nobody but what is tested here.
        unsafe { builder.build_unchecked() }
    }

    #[test]
    fn texts_that_are_none_are_refused() {
        let good = [texts(&[0, 1, 3], "aé".as_bytes()), texts(&[1, 1, 2], b"abc"), texts(&[0, 0], b"")];
        assert!(good.iter().all(|data| validate(data).is_ok()));
        let wrong = [
            texts(&[0, 2, 3], "aé".as_bytes()),
            texts(&[0, 2, 1], b"abc"),
            texts(&[0, 1, 9], b"abc"),
            texts(&[-1, 1, 2], b"abc"),
            texts(&[0, 1, 2], &[b'a', 0xFF]),
        ];
        assert!(wrong.iter().all(|data| validate(data).is_err()));
    }
}
