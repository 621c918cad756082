//! A scalar function, or a table function, in a library.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::ffi::FFI_ArrowArray;
use levada_udf::abi::{Call, OK};
use levada_udf::{Batch, Operand, Scalar};

use super::super::columns::{self, CallTypes, KnownTypes, Reports};
use super::super::library::Instance;
use super::super::watch::{self, Watched};

/// A function in a library.
pub(in super::super) struct RemoteScalar {
    instance: Instance,
    watched: Arc<Watched>,
    types: KnownTypes,
}

impl RemoteScalar {
    pub(in super::super) fn new(instance: Instance, name: &str) -> Self {
        Self { instance, watched: watch::watched(name), types: KnownTypes::default() }
    }

    fn called(&self, batch: &mut Batch<'_>) -> Result<ArrayRef, String> {
        let arrays = batch.arguments().iter().map(Operand::array);
        let mut reports = Reports::default();
        let values = self.types.with(arrays, batch.result_type(), |types| self.answered(batch, types, &mut reports))?;
        reports.rows(batch.rows()).for_each(|(row, reason)| batch.fail(row, reason));
        Ok(values)
    }

    /// What the plug-in answers to `batch`.
    fn answered(&self, batch: &Batch<'_>, types: &CallTypes, reports: &mut Reports) -> Result<ArrayRef, String> {
        let (operands, rows, result_type) = (batch.arguments(), batch.rows(), batch.result_type());
        let mut given = columns::arrays_given(operands.iter().map(Operand::array));
        let constant = Flags::of(operands.iter().map(Operand::is_constant));
        let mut result = FFI_ArrowArray::empty();
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
        let values = columns::answered(result, rows, result_type)?;
        self.watched.gave(values.get_buffer_memory_size());
        Ok(values)
    }
}

/// A byte for each argument: 1 if it has one value for all rows.
enum Flags {
    /// As many as nearly all calls have at most.
    Few([u8; 8]),
    Many(Vec<u8>),
}

impl Flags {
    fn of(flags: impl ExactSizeIterator<Item = bool>) -> Self {
        let mut few = [0; 8];
        if flags.len() > few.len() {
            return Self::Many(flags.map(u8::from).collect());
        }
        few.iter_mut().zip(flags).for_each(|(place, flag)| *place = u8::from(flag));
        Self::Few(few)
    }

    fn as_ptr(&self) -> *const u8 {
        match self {
            Self::Few(flags) => flags.as_ptr(),
            Self::Many(flags) => flags.as_ptr(),
        }
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
