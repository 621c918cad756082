//! A scalar function, or a table function, in a library.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::ffi::FFI_ArrowArray;
use levada_udf::abi::{Call, OK};
use levada_udf::{Batch, Operand, Scalar};

use super::super::columns::{self, LastTypes, Reports};
use super::super::library::Instance;
use super::super::watch::{self, Watched};

/// A function in a library.
pub(in super::super) struct RemoteScalar {
    instance: Instance,
    watched: Arc<Watched>,
    types: LastTypes,
}

impl RemoteScalar {
    pub(in super::super) fn new(instance: Instance, name: &str) -> Self {
        Self { instance, watched: watch::watched(name), types: LastTypes::default() }
    }

    fn called(&self, batch: &mut Batch<'_>) -> Result<ArrayRef, String> {
        let (operands, rows, result_type) = (batch.arguments(), batch.rows(), batch.result_type());
        let arrays = operands.iter().map(Operand::array);
        let types = self.types.of(&arrays, result_type)?;
        let mut given = columns::arrays_given(arrays);
        let constant: Vec<u8> = operands.iter().map(|operand| u8::from(operand.is_constant())).collect();
        let mut result = FFI_ArrowArray::empty();
        let mut reports = Reports::default();
        let mut call = Call {
            size: size_of::<Call>() as u32,
            arguments: operands.len() as u32,
            rows: rows as u64,
            arrays: given.as_mut_ptr(),
            types: types.schemas.as_ptr(),
            constant: constant.as_ptr(),
            result_type: &raw const types.result_schema,
            result: &raw mut result,
            report: reports.report(),
        };
        let running = self.watched.enter();
        // SAFETY: everything that `call` points to lives until here.
        let code = unsafe { (self.instance.library.plugin.evaluate)(self.instance.pointer, &raw mut call) };
        drop(running);
        if code != OK {
            return Err(columns::failure(code, &format!("given {result_type} for every row")));
        }
        let values = columns::answered(result, &types.result_schema, rows, result_type)?;
        self.watched.gave(values.get_buffer_memory_size());
        reports.rows(rows).for_each(|(row, reason)| batch.fail(row, reason));
        Ok(values)
    }
}

impl Scalar for RemoteScalar {
    fn evaluate(&self, batch: &mut Batch<'_>) -> ArrayRef {
        self.called(batch).unwrap_or_else(|reason| {
            (0..batch.rows()).for_each(|row| batch.fail(row, format!("{}: {reason}", self.watched.name())));
            new_null_array(batch.result_type(), batch.rows())
        })
    }
}
