//! Arrays that cross the interface.

use arrow::array::{Array, ArrayData, ArrayRef};
use arrow::datatypes::DataType;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, to_ffi};

use crate::abi::{Column, INVALID};
use crate::interchange::{exported, imported};

/// The type that `schema` says.
///
/// # Safety
/// It points to a schema.
pub(super) unsafe fn data_type(schema: *const FFI_ArrowSchema) -> Result<DataType, i32> {
    // SAFETY: the caller's.
    let schema = unsafe { &*schema };
    // Those that most calls have, without looking through all names of types.
    match schema.format() {
        "l" if schema.dictionary().is_none() => Ok(DataType::Int64),
        "g" if schema.dictionary().is_none() => Ok(DataType::Float64),
        "u" if schema.dictionary().is_none() => Ok(DataType::Utf8),
        _ => DataType::try_from(schema).map_err(|_| INVALID),
    }
}

/// Takes the array at `array`, of the type that `schema` says.
///
/// # Safety
/// They point to an array that is ours to take, and to its type.
pub(super) unsafe fn take_typed(array: *mut FFI_ArrowArray, schema: *const FFI_ArrowSchema) -> Result<ArrayRef, i32> {
    // SAFETY: the caller's. Levada gives what it has made itself.
    let array = unsafe {
        let data_type = data_type(schema)?;
        imported(std::ptr::replace(array, FFI_ArrowArray::empty()), &data_type, None)
    };
    array.map_err(|_| INVALID)
}

/// Takes the array of `column`.
///
/// # Safety
/// It points to a column that is ours to take, whose array is of the type that its schema says.
pub(super) unsafe fn take(column: *mut Column) -> Result<ArrayRef, i32> {
    // SAFETY: the caller's.
    unsafe { take_typed(&raw mut (*column).array, &raw const (*column).schema) }
}

/// Takes the arrays of `count` columns.
///
/// # Safety
/// As [`take`], for each.
pub(super) unsafe fn take_all(columns: *mut Column, count: usize) -> Result<Vec<ArrayRef>, i32> {
    // SAFETY: the caller's.
    (0..count).map(|index| unsafe { take(columns.add(index)) }).collect()
}

/// Takes `count` arrays of these types.
///
/// # Safety
/// There are so many arrays that are ours to take, and as many types.
pub(super) unsafe fn take_arrays(
    arrays: *mut FFI_ArrowArray,
    types: *const FFI_ArrowSchema,
    count: usize,
) -> Result<Vec<ArrayRef>, i32> {
    // SAFETY: the caller's.
    (0..count).map(|index| unsafe { take_typed(arrays.add(index), types.add(index)) }).collect()
}

/// Gives `array` away, which has `rows` values of `data_type`.
///
/// # Safety
/// There is a place, which holds nothing yet.
pub(super) unsafe fn give(
    array: &ArrayRef,
    rows: usize,
    data_type: &DataType,
    place: *mut FFI_ArrowArray,
) -> Result<(), i32> {
    if array.len() != rows || array.data_type() != data_type {
        return Err(INVALID);
    }
    // SAFETY: the caller's.
    unsafe { place.write(exported(array)) };
    Ok(())
}

/// Gives `data` away with its type.
///
/// # Safety
/// There is a place, which holds nothing yet.
pub(super) unsafe fn give_typed(data: &ArrayData, place: *mut Column) -> Result<(), i32> {
    let (array, schema) = to_ffi(data).map_err(|_| INVALID)?;
    // SAFETY: the caller's.
    unsafe { place.write(Column { array, schema }) };
    Ok(())
}
