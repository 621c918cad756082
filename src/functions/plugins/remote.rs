//! A function in a library.

use std::ffi::c_void;

use arrow::array::{Array, ArrayRef, make_array, new_null_array};
use arrow::datatypes::DataType;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use levada_udf::abi::{Call, INVALID, OK, PANICKED};
use levada_udf::{Batch, Scalar};

use super::library::Library;

/// A scalar function in a library.
pub(super) struct RemoteScalar {
    library: &'static Library,
    function: u32,
    name: String,
}

impl RemoteScalar {
    pub(super) fn new(library: &'static Library, function: u32, name: &str) -> Self {
        Self { library, function, name: name.to_owned() }
    }

    fn called(&self, batch: &mut Batch<'_>) -> Result<ArrayRef, String> {
        let unspoken = |error| format!("the arguments cannot be handed over: {error}");
        let (operands, rows, result_type) = (batch.arguments(), batch.rows(), batch.result_type());
        let mut arrays: Vec<FFI_ArrowArray> =
            operands.iter().map(|operand| FFI_ArrowArray::new(&operand.array().to_data())).collect();
        let schema = |data_type: &DataType| FFI_ArrowSchema::try_from(data_type).map_err(unspoken);
        let schemas =
            operands.iter().map(|operand| schema(operand.array().data_type())).collect::<Result<Vec<_>, _>>()?;
        let constant: Vec<u8> = operands.iter().map(|operand| u8::from(operand.is_constant())).collect();
        let result_schema = schema(result_type)?;
        let mut result = FFI_ArrowArray::empty();
        let mut failures: Failures = Vec::new();
        let mut call = Call {
            size: size_of::<Call>() as u32,
            arguments: operands.len() as u32,
            rows: rows as u64,
            arrays: arrays.as_mut_ptr(),
            schemas: schemas.as_ptr(),
            constant: constant.as_ptr(),
            result_type: &raw const result_schema,
            result: &raw mut result,
            report,
            context: (&raw mut failures).cast(),
        };
        // SAFETY: everything that `call` points to lives until here.
        let code = unsafe { self.library.evaluate(self.function, &mut call) };
        if code != OK {
            return Err(match code {
                INVALID => format!("the plug-in has not given {result_type} for every row, as its signature says"),
                PANICKED => "the plug-in has panicked outside the function".to_owned(),
                other => format!("the plug-in has failed (code {other})"),
            });
        }
        // SAFETY: the result is of the type that it was asked for; its buffers are checked.
        let data = unsafe { from_ffi(result, &result_schema) }.map_err(|error| error.to_string())?;
        data.validate_full().map_err(|error| format!("the plug-in has given what is no {result_type}: {error}"))?;
        if data.len() != rows {
            return Err(format!("the plug-in has given {} values for {rows} rows", data.len()));
        }
        for (row, reason) in failures {
            if let Some(row) = usize::try_from(row).ok().filter(|row| *row < rows) {
                batch.fail(row, reason);
            }
        }
        Ok(make_array(data))
    }
}

impl Scalar for RemoteScalar {
    fn evaluate(&self, batch: &mut Batch<'_>) -> ArrayRef {
        self.called(batch).unwrap_or_else(|reason| {
            (0..batch.rows()).for_each(|row| batch.fail(row, format!("{}: {reason}", self.name)));
            new_null_array(batch.result_type(), batch.rows())
        })
    }
}

type Failures = Vec<(u64, String)>;

/// [`Call::report`].
unsafe extern "C" fn report(context: *mut c_void, row: u64, reason: *const u8, bytes: usize) {
    // SAFETY: the context is that of the call, which is waiting; the plug-in gives so many bytes.
    let (failures, reason) = unsafe { (&mut *context.cast::<Failures>(), std::slice::from_raw_parts(reason, bytes)) };
    failures.push((row, String::from_utf8_lossy(reason).into_owned()));
}
