//! Arrays that cross the interface, and what is said of them.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, to_ffi};
use levada_udf::abi::{Column, INVALID, NO_ROW, PANICKED, Report};
use levada_udf::interchange::{exported, imported, in_order, is_plain};

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
    arrays.into_iter().map(exported).collect()
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

impl CallTypes {
    fn new<'a>(arguments: impl Iterator<Item = &'a DataType> + Clone, result: &DataType) -> Result<Arc<Self>, String> {
        Ok(Arc::new(Self {
            known: arguments.clone().cloned().collect(),
            result: result.clone(),
            schemas: arguments.map(schema).collect::<Result<_, _>>()?,
            result_schema: schema(result)?,
        }))
    }

    fn are<'a>(&self, mut arguments: impl Iterator<Item = &'a DataType>, result: &DataType) -> bool {
        self.known.iter().all(|known| arguments.next() == Some(known))
            && arguments.next().is_none()
            && self.result == *result
    }
}

/// The types that a function was called with: those of the next call are the same, as a rule.
#[derive(Default)]
pub(super) struct KnownTypes {
    /// Those of the first call, which are found without waiting for anybody.
    first: OnceLock<Arc<CallTypes>>,
    /// Those of the last call that had others: a function may have several variations.
    last: Mutex<Option<Arc<CallTypes>>>,
}

impl KnownTypes {
    /// Does `call` with the types of arguments and result.
    ///
    /// # Errors
    /// One has no name in the interface; or what `call` says.
    pub(super) fn with<'a, T>(
        &self,
        arguments: impl Iterator<Item = &'a ArrayRef> + Clone,
        result: &DataType,
        call: impl FnOnce(&CallTypes) -> Result<T, String>,
    ) -> Result<T, String> {
        let types = arguments.map(Array::data_type);
        let first = match self.first.get() {
            Some(first) => first,
            None => {
                let new = CallTypes::new(types.clone(), result)?;
                self.first.get_or_init(|| new)
            }
        };
        if first.are(types.clone(), result) {
            return call(first);
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match &*last {
            Some(known) if known.are(types.clone(), result) => Arc::clone(known),
            _ => {
                let new = CallTypes::new(types, result)?;
                *last = Some(Arc::clone(&new));
                new
            }
        };
        drop(last);
        call(&known)
    }
}

/// What a plug-in has given, with the type that it says.
///
/// # Errors
/// It is no such array.
pub(super) fn taken(column: Column) -> Result<ArrayRef, String> {
    let Column { array, schema } = column;
    let data_type = DataType::try_from(&schema).map_err(|error| error.to_string())?;
    checked(array, &data_type)
}

/// What a plug-in has given for `rows` rows of `data_type`.
///
/// # Errors
/// It is something else.
pub(super) fn answered(array: FFI_ArrowArray, rows: usize, data_type: &DataType) -> Result<ArrayRef, String> {
    let values =
        checked(array, data_type).map_err(|error| format!("the plug-in has given what is no {data_type}: {error}"))?;
    if values.len() != rows {
        return Err(format!("the plug-in has given {} values for {rows} rows", values.len()));
    }
    Ok(values)
}

/// `array`, which should be of the type `data_type`: its buffers are looked at before they are used.
fn checked(array: FFI_ArrowArray, data_type: &DataType) -> Result<ArrayRef, String> {
    if array.is_released() {
        return Err("there is nothing".to_owned());
    }
    let import = || {
        // SAFETY: buffers are as long as the array says, which nobody can look at; what they hold is looked at, here or below.
        unsafe { imported(array, data_type, Some(are_texts)) }
    };
    // Too few buffers or children make Arrow panic.
    let imported = catch_unwind(AssertUnwindSafe(import)).map_err(|_| "it is malformed".to_owned())?;
    let imported = imported.map_err(|error| error.to_string())?;
    if !is_plain(data_type) {
        imported.to_data().validate_full().map_err(|error| error.to_string())?;
    }
    Ok(imported)
}

/// Whether texts stand between these offsets.
fn are_texts(offsets: &[i32], bytes: &[u8]) -> bool {
    if !in_order(offsets, bytes) {
        return false;
    }
    let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else { return false };
    // In order, and within the bytes.
    let used = &bytes[first as usize..last as usize];
    // Of ASCII, any part is a text.
    used.is_ascii()
        || simdutf8::basic::from_utf8(used)
            .is_ok_and(|text| offsets.iter().all(|offset| text.is_char_boundary((offset - first) as usize)))
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
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array, StringArray};

    use super::*;

    #[test]
    fn texts_that_are_none_are_refused() {
        let good: [(&[i32], &[u8]); 3] = [(&[0, 1, 3], "aé".as_bytes()), (&[1, 1, 2], b"abc"), (&[0, 0], b"")];
        assert!(good.iter().all(|(offsets, bytes)| are_texts(offsets, bytes)));
        let wrong: [(&[i32], &[u8]); 5] = [
            (&[0, 2, 3], "aé".as_bytes()),
            (&[0, 2, 1], b"abc"),
            (&[0, 1, 9], b"abc"),
            (&[-1, 1, 2], b"abc"),
            (&[0, 1, 2], &[b'a', 0xFF]),
        ];
        assert!(wrong.iter().all(|(offsets, bytes)| !are_texts(offsets, bytes)));
    }

    #[test]
    fn what_a_plug_in_gives_is_checked() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let taken = answered(exported(&numbers), 2, &DataType::Int64).expect("two numbers");
        assert_eq!(taken.as_primitive::<arrow::datatypes::Int64Type>().values(), &[1, 2]);
        let refused = |array: &ArrayRef, data_type: &DataType| answered(exported(array), 2, data_type).expect_err("no");
        assert_eq!(refused(&numbers.slice(0, 1), &DataType::Int64), "the plug-in has given 1 values for 2 rows");
        assert!(refused(&numbers, &DataType::Utf8).starts_with("the plug-in has given what is no Utf8: "));
        // Arrow panics at what has no children.
        assert!(refused(&numbers, &DataType::new_list(DataType::Int64, true)).ends_with("it is malformed"));
        let nothing = answered(FFI_ArrowArray::empty(), 2, &DataType::Int64).expect_err("nothing");
        assert!(nothing.ends_with("there is nothing"), "{nothing}");
    }

    #[test]
    fn types_are_found_again() {
        let known = KnownTypes::default();
        let [number, text]: [ArrayRef; 2] =
            [Arc::new(Int64Array::from(vec![1])), Arc::new(StringArray::from(vec!["a"]))];
        let names = |arguments: &[&ArrayRef]| {
            let names = |types: &CallTypes| Ok(types.schemas.iter().map(|schema| schema.format().to_owned()).collect());
            known.with(arguments.iter().copied(), &DataType::Int64, names).map(|names: Vec<String>| names.concat())
        };
        for _ in 0..2 {
            assert_eq!(names(&[&number]).as_deref(), Ok("l"));
            assert_eq!(names(&[&number, &text]).as_deref(), Ok("lu"));
            assert_eq!(names(&[]).as_deref(), Ok(""));
        }
    }
}
