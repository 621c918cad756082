//! Arrays as structures of Arrow's C Data Interface, and back. Arrays without children, which nearly all are, cross in a fraction of the
//! time that Arrow's own way takes: one allocation to give one away, and one for each of its buffers to take it. What is
//! unusual goes Arrow's way.
//!
//! This is what both sides of [`abi`](crate::abi) are made of; authors of functions need none of it.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BooleanArray, PrimitiveArray, StringArray, make_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int32Type, Int64Type, Time32MillisecondType, TimeUnit, TimestampMillisecondType,
};
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, from_ffi_and_data_type};

/// `array` as a structure, which keeps it until it is released.
pub fn exported(array: &ArrayRef) -> FFI_ArrowArray {
    buffers_of(array).map_or_else(|| FFI_ArrowArray::new(&array.to_data()), |buffers| kept(array, buffers))
}

/// Where the buffers of an array without children begin: validity, then one or two. `None`: it has others, or they begin within a byte.
fn buffers_of(array: &ArrayRef) -> Option<(usize, [*const c_void; 3])> {
    fn fixed<T: ArrowPrimitiveType>(array: &ArrayRef) -> (usize, *const c_void, *const c_void) {
        (2, array.as_primitive::<T>().values().as_ptr().cast(), std::ptr::null())
    }
    let (count, first, second) = match array.data_type() {
        DataType::Int32 => fixed::<Int32Type>(array),
        DataType::Int64 => fixed::<Int64Type>(array),
        DataType::Float64 => fixed::<Float64Type>(array),
        DataType::Date32 => fixed::<Date32Type>(array),
        DataType::Time32(TimeUnit::Millisecond) => fixed::<Time32MillisecondType>(array),
        DataType::Timestamp(TimeUnit::Millisecond, None) => fixed::<TimestampMillisecondType>(array),
        DataType::Boolean => {
            let bits = array.as_boolean().values();
            (2, first_byte(bits)?, std::ptr::null())
        }
        DataType::Utf8 => {
            let texts = array.as_string::<i32>();
            (3, texts.value_offsets().as_ptr().cast(), texts.values().as_ptr().cast())
        }
        DataType::Binary => {
            let bytes = array.as_binary::<i32>();
            (3, bytes.value_offsets().as_ptr().cast(), bytes.values().as_ptr().cast())
        }
        _ => return None,
    };
    let validity = array.nulls().map_or(Some(std::ptr::null()), |nulls| first_byte(nulls.inner()))?;
    Some((count, [validity, first, second]))
}

/// Where `bits` begin, if that is at the first bit of a byte.
fn first_byte(bits: &BooleanBuffer) -> Option<*const c_void> {
    let begins = bits.values().as_ptr().wrapping_add(bits.offset() / 8);
    bits.offset().is_multiple_of(8).then_some(begins.cast())
}

/// What a structure keeps.
struct Kept {
    buffers: [*const c_void; 3],
    _array: ArrayRef,
}

fn kept(array: &ArrayRef, (count, buffers): (usize, [*const c_void; 3])) -> FFI_ArrowArray {
    let (length, null_count) = (array.len(), array.null_count());
    let kept = Box::into_raw(Box::new(Kept { buffers, _array: Arc::clone(array) }));
    FFI_ArrowArray {
        length: length as i64,
        null_count: null_count as i64,
        offset: 0,
        n_buffers: count as i64,
        n_children: 0,
        // SAFETY: it has just been made.
        buffers: unsafe { (&raw mut (*kept).buffers).cast() },
        children: std::ptr::null_mut(),
        dictionary: std::ptr::null_mut(),
        release: Some(release),
        private_data: kept.cast(),
    }
}

/// Releases what [`kept`] has made.
unsafe extern "C" fn release(array: *mut FFI_ArrowArray) {
    // SAFETY: whoever has the array calls this, once, with what `kept` has made.
    unsafe {
        drop(Box::from_raw((*array).private_data.cast::<Kept>()));
        (*array).release = None;
    }
}

/// Whether offsets and bytes are texts: the offsets are one more than there are texts.
pub type Check = fn(offsets: &[i32], bytes: &[u8]) -> bool;

/// `array`, which is of the type `data_type`. With `check`, offsets and texts are looked at before they are used; without, they are trusted.
///
/// # Errors
/// It is not an array of that type, or `check` says no.
///
/// # Safety
/// Each buffer that the array has is as long as its type, length and offset say; children are as their types say. Without `check`, texts
/// are UTF-8 and offsets in order.
pub unsafe fn imported(
    array: FFI_ArrowArray,
    data_type: &DataType,
    check: Option<Check>,
) -> Result<ArrayRef, ArrowError> {
    // SAFETY: the caller's, here and below.
    unsafe {
        match data_type {
            DataType::Int32 => fixed::<Int32Type>(array, data_type),
            DataType::Int64 => fixed::<Int64Type>(array, data_type),
            DataType::Float64 => fixed::<Float64Type>(array, data_type),
            DataType::Date32 => fixed::<Date32Type>(array, data_type),
            DataType::Time32(TimeUnit::Millisecond) => fixed::<Time32MillisecondType>(array, data_type),
            DataType::Timestamp(TimeUnit::Millisecond, None) => fixed::<TimestampMillisecondType>(array, data_type),
            DataType::Boolean => bits(array),
            DataType::Utf8 => {
                let (offsets, bytes, nulls) = variable(array, check)?;
                Ok(Arc::new(StringArray::new_unchecked(offsets, bytes, nulls)))
            }
            DataType::Binary => {
                // Any bytes will do; their offsets are looked at.
                let check = check.map(|_| in_order as Check);
                let (offsets, bytes, nulls) = variable(array, check)?;
                Ok(Arc::new(BinaryArray::new_unchecked(offsets, bytes, nulls)))
            }
            _ => Ok(make_array(from_ffi_and_data_type(array, data_type.clone())?)),
        }
    }
}

/// Whether an array of this type is sound once it has been [`imported`] with a check: all bits are values of it, and what else it has
/// was looked at.
pub fn is_plain(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Boolean
            | DataType::Int32
            | DataType::Int64
            | DataType::Float64
            | DataType::Date32
            | DataType::Time32(TimeUnit::Millisecond)
            | DataType::Timestamp(TimeUnit::Millisecond, None)
            | DataType::Utf8
            | DataType::Binary
    )
}

/// Whether `offsets` point into `bytes`, each not before the one it follows.
pub fn in_order(offsets: &[i32], bytes: &[u8]) -> bool {
    // Without a way out in between, the loop is one over whole registers.
    let disorder = offsets.windows(2).map(|pair| u32::from(pair[0] > pair[1])).fold(0, std::ops::BitOr::bitor);
    let is_within = |offset: &i32| usize::try_from(*offset).is_ok_and(|offset| offset <= bytes.len());
    disorder == 0 && offsets.first().is_some_and(is_within) && offsets.last().is_some_and(is_within)
}

/// An array without children, whose buffers stay as long as one of them is used.
struct Flat {
    owner: Arc<FFI_ArrowArray>,
    length: usize,
    offset: usize,
}

impl Flat {
    /// `array`, if it has `count` buffers and no children.
    fn new(array: FFI_ArrowArray, count: usize) -> Result<Self, ArrowError> {
        let [length, offset] = [array.length, array.offset].map(usize::try_from);
        let (Ok(length), Ok(offset)) = (length, offset) else { return Err(malformed("its length is negative")) };
        let has_all = array.n_buffers == count as i64 && !array.buffers.is_null() && array.n_children == 0;
        // Nothing is so long that its bits cannot be counted.
        let is_short = length.checked_add(offset).is_some_and(|end| end <= (isize::MAX as usize) / 16);
        if array.release.is_none() || !has_all || !is_short {
            return Err(malformed("it has other buffers, or is too long"));
        }
        Ok(Self { owner: Arc::new(array), length, offset })
    }

    /// Where a buffer begins; `None` if it is not there.
    fn start(&self, index: usize) -> Option<NonNull<u8>> {
        // SAFETY: `new` has seen that there are so many.
        NonNull::new(unsafe { self.owner.buffers.add(index).read_unaligned() }.cast_mut().cast())
    }

    /// The bytes of a buffer from `first` on.
    ///
    /// # Safety
    /// It is so long.
    unsafe fn buffer(&self, index: usize, first: usize, bytes: usize) -> Result<Buffer, ArrowError> {
        if bytes == 0 {
            return Ok(Buffer::default());
        }
        let start = self.start(index).ok_or_else(|| malformed("a buffer is missing"))?;
        // SAFETY: the caller's.
        Ok(unsafe {
            Buffer::from_custom_allocation(start.add(first), bytes, Arc::<FFI_ArrowArray>::clone(&self.owner))
        })
    }

    /// The bits of a buffer.
    ///
    /// # Safety
    /// There is one for each value.
    unsafe fn bits(&self, index: usize) -> Result<BooleanBuffer, ArrowError> {
        // SAFETY: the caller's.
        let bytes = unsafe { self.buffer(index, self.offset / 8, (self.offset % 8 + self.length).div_ceil(8)) }?;
        Ok(BooleanBuffer::new(bytes, self.offset % 8, self.length))
    }

    /// Which values are NULL. They are counted: what the array says of their number is not relied on.
    ///
    /// # Safety
    /// There is a bit for each value.
    unsafe fn nulls(&self) -> Result<Option<NullBuffer>, ArrowError> {
        if self.owner.null_count == 0 || self.start(0).is_none() {
            return Ok(None);
        }
        // SAFETY: the caller's.
        let nulls = NullBuffer::new(unsafe { self.bits(0) }?);
        Ok(Some(nulls).filter(|nulls| nulls.null_count() > 0))
    }
}

fn malformed(why: &str) -> ArrowError {
    ArrowError::CDataInterface(why.to_owned())
}

/// # Safety
/// As [`imported`].
unsafe fn fixed<T: ArrowPrimitiveType>(array: FFI_ArrowArray, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    let flat = Flat::new(array, 2)?;
    let size = size_of::<T::Native>();
    if flat.start(1).is_some_and(|start| !start.cast::<T::Native>().is_aligned()) {
        let owned = Arc::try_unwrap(flat.owner).map_err(|_| malformed("it is used already"))?;
        // SAFETY: the caller's. Arrow copies what is not aligned.
        return Ok(make_array(unsafe { from_ffi_and_data_type(owned, data_type.clone()) }?));
    }
    // SAFETY: the caller's.
    let (nulls, values) = unsafe { (flat.nulls()?, flat.buffer(1, flat.offset * size, flat.length * size)?) };
    let values = ScalarBuffer::<T::Native>::new(values, 0, flat.length);
    Ok(Arc::new(PrimitiveArray::<T>::new(values, nulls)))
}

/// # Safety
/// As [`imported`].
unsafe fn bits(array: FFI_ArrowArray) -> Result<ArrayRef, ArrowError> {
    let flat = Flat::new(array, 2)?;
    // SAFETY: the caller's.
    let (nulls, bits) = unsafe { (flat.nulls()?, flat.bits(1)?) };
    Ok(Arc::new(BooleanArray::new(bits, nulls)))
}

/// Offsets, bytes and NULLs of values of any length.
type Variable = (OffsetBuffer<i32>, Buffer, Option<NullBuffer>);

/// # Safety
/// As [`imported`].
unsafe fn variable(array: FFI_ArrowArray, check: Option<Check>) -> Result<Variable, ArrowError> {
    const SIZE: usize = size_of::<i32>();
    let flat = Flat::new(array, 3)?;
    // SAFETY: the caller's.
    let nulls = unsafe { flat.nulls() }?;
    if flat.length == 0 {
        return Ok((OffsetBuffer::new_empty(), Buffer::default(), nulls));
    }
    let start = flat.start(1).ok_or_else(|| malformed("offsets are missing"))?;
    if !start.cast::<i32>().is_aligned() {
        return Err(malformed("offsets are not aligned"));
    }
    // SAFETY: the caller's; they are aligned.
    let offsets = unsafe { flat.buffer(1, flat.offset * SIZE, (flat.length + 1) * SIZE) }?;
    let offsets = ScalarBuffer::<i32>::new(offsets, 0, flat.length + 1);
    let end = usize::try_from(offsets[flat.length]).map_err(|_| malformed("offsets are out of order"))?;
    // SAFETY: the caller's.
    let bytes = unsafe { flat.buffer(2, 0, end) }?;
    if check.is_some_and(|check| !check(&offsets, &bytes)) {
        return Err(malformed("it is no UTF-8, or offsets are out of order"));
    }
    // SAFETY: they have been looked at, or are trusted.
    Ok((unsafe { OffsetBuffer::new_unchecked(offsets) }, bytes, nulls))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, ListBuilder, StringBuilder};

    use super::*;

    fn crossed(array: &ArrayRef) -> ArrayRef {
        // SAFETY: it is what `exported` gives.
        unsafe { imported(exported(array), array.data_type(), Some(in_order)) }.expect("it is an array")
    }

    fn all() -> Vec<ArrayRef> {
        let mut lists = ListBuilder::new(StringBuilder::new());
        lists.append_value([Some("a"), None]);
        lists.append_null();
        vec![
            Arc::new(Int64Array::from((0..40).map(|n| (n % 3 > 0).then_some(n)).collect::<Vec<_>>())),
            Arc::new(PrimitiveArray::<Date32Type>::from(vec![1; 40])),
            Arc::new(PrimitiveArray::<Time32MillisecondType>::from(vec![None, Some(5)])),
            Arc::new(PrimitiveArray::<TimestampMillisecondType>::from(vec![7, 8])),
            Arc::new(BooleanArray::from((0..40).map(|n| (n % 5 > 0).then_some(n % 2 == 0)).collect::<Vec<_>>())),
            Arc::new(StringArray::from((0..40).map(|n| (n % 7 > 0).then(|| "é".repeat(n))).collect::<Vec<_>>())),
            Arc::new(BinaryArray::from(vec![Some(&b"\xFF"[..]), None, Some(b"")])),
            Arc::new(StringArray::from(Vec::<&str>::new())),
            Arc::new(lists.finish()),
        ]
    }

    #[test]
    fn arrays_come_back_as_they_were() {
        for array in all() {
            assert_eq!(crossed(&array).to_data(), array.to_data(), "{}", array.data_type());
        }
    }

    #[test]
    fn parts_of_arrays_come_back_as_they_were() {
        for array in all() {
            for (first, length) in [(0, 0), (1, 9), (8, 20), (16, 3)] {
                let length = length.min(array.len().saturating_sub(first));
                let part = array.slice(first.min(array.len()), length);
                assert_eq!(crossed(&part).to_data(), part.to_data(), "{} {first}", array.data_type());
            }
        }
    }

    #[test]
    fn what_is_taken_outlives_what_gave_it() {
        let array: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let taken = crossed(&array).slice(1, 1);
        drop(array);
        assert_eq!(taken.as_string::<i32>().value(0), "b");
    }

    #[test]
    fn what_is_no_array_of_its_type_is_refused() {
        let texts = || exported(&(Arc::new(StringArray::from(vec!["a", "b"])) as ArrayRef));
        // SAFETY: what is read is there; the rest is what is tested.
        let refused = |array, data_type: &DataType| unsafe { imported(array, data_type, Some(in_order)) }.is_err();
        assert!(refused(texts(), &DataType::Int64), "other buffers");
        assert!(refused(FFI_ArrowArray::empty(), &DataType::Int64), "nothing");
        for change in [
            (|array: &mut FFI_ArrowArray| array.length = -1) as fn(&mut FFI_ArrowArray),
            |array| array.offset = i64::MAX,
            |array| array.n_children = 1,
            |array| array.buffers = std::ptr::null_mut(),
        ] {
            let mut array = texts();
            change(&mut array);
            assert!(refused(array, &DataType::Utf8));
        }
    }

    #[test]
    fn the_number_of_nulls_is_counted() {
        let array: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, None]));
        for said in [-1, 1, 7] {
            let mut given = exported(&array);
            given.null_count = said;
            // SAFETY: it is what `exported` gives.
            let taken = unsafe { imported(given, &DataType::Int64, None) }.expect("it is an array");
            assert_eq!(taken.null_count(), 2, "{said}");
        }
    }

    #[test]
    fn values_that_are_not_aligned_are_copied() {
        let mut bytes = [0_u8; 40];
        let first = (9 - bytes.as_ptr() as usize % 8) % 8;
        for (place, number) in bytes[first..].chunks_exact_mut(8).zip([1_i64, 2, 3]) {
            place.copy_from_slice(&number.to_ne_bytes());
        }
        let mut buffers = [std::ptr::null::<c_void>(), bytes[first..].as_ptr().cast()];
        let mut given = FFI_ArrowArray::empty();
        (given.length, given.n_buffers, given.buffers) = (3, 2, buffers.as_mut_ptr());
        given.release = Some(nothing_to_release);
        // SAFETY: there are three numbers.
        let taken = unsafe { imported(given, &DataType::Int64, None) }.expect("it is an array");
        assert_eq!(*taken.as_primitive::<Int64Type>(), Int64Array::from(vec![1, 2, 3]));
    }

    unsafe extern "C" fn nothing_to_release(array: *mut FFI_ArrowArray) {
        // SAFETY: whoever has the array calls this.
        unsafe { (*array).release = None };
    }

    #[test]
    fn offsets_are_looked_at() {
        let cases: [(&[i32], &[u8], bool); 6] = [
            (&[0, 1, 3], b"abc", true),
            (&[1, 1, 2], b"abc", true),
            (&[0, 2, 1], b"abc", false),
            (&[-1, 1], b"abc", false),
            (&[0, 9], b"abc", false),
            (&[], b"", false),
        ];
        for (offsets, bytes, expected) in cases {
            assert_eq!(in_order(offsets, bytes), expected, "{offsets:?}");
        }
    }
}
