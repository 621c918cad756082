//! The plug-in's side of [`abi`](crate::abi).

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::{Array, ArrayRef, make_array, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::DataType;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};

use super::abi::{Call, INVALID, MAGIC, OK, PANICKED, Plugin, VERSION};
use super::{Batch, Operand, Scalar, ScalarFunction, describe};

/// The functions of a plug-in.
pub trait Functions: 'static {
    /// All of them, the same at every call.
    fn scalars() -> &'static [ScalarFunction];
}

/// A plug-in of the functions of `F`.
#[derive(Debug)]
pub struct Exported<F>(PhantomData<F>);

impl<F: Functions> Exported<F> {
    /// The plug-in.
    pub const PLUGIN: Plugin = Plugin {
        magic: MAGIC,
        version: VERSION,
        size: size_of::<Plugin>() as u32,
        describe: describe_functions::<F>,
        evaluate: evaluate::<F>,
    };
}

/// Exports functions with the attribute [`scalar`](crate::scalar) as a plug-in: `plugin![repeat, greeting::greet];`, once in a crate of
/// the type `cdylib`.
#[macro_export]
macro_rules! plugin {
    ($($function:path),* $(,)?) => {
        const _: () = {
            struct All;

            impl $crate::Functions for All {
                fn scalars() -> &'static [$crate::ScalarFunction] {
                    static ALL: ::std::sync::OnceLock<::std::vec::Vec<$crate::ScalarFunction>> =
                        ::std::sync::OnceLock::new();
                    ALL.get_or_init(|| $crate::scalars![$($function),*])
                }
            }

            #[unsafe(no_mangle)]
            extern "C" fn levada_plugin() -> *const $crate::abi::Plugin {
                static PLUGIN: $crate::abi::Plugin = $crate::Exported::<All>::PLUGIN;
                &raw const PLUGIN
            }
        };
    };
}

/// [`Plugin::describe`].
unsafe extern "C" fn describe_functions<F: Functions>(array: *mut FFI_ArrowArray, schema: *mut FFI_ArrowSchema) -> i32 {
    let described = catch_unwind(|| to_ffi(&describe::table(F::scalars()).into()));
    match described {
        Ok(Ok((given, given_schema))) => {
            // SAFETY: Levada gives places for both, which hold nothing yet.
            unsafe {
                array.write(given);
                schema.write(given_schema);
            }
            OK
        }
        Ok(Err(_)) => INVALID,
        Err(_) => PANICKED,
    }
}

/// [`Plugin::evaluate`].
unsafe extern "C" fn evaluate<F: Functions>(function: u32, call: *mut Call) -> i32 {
    let evaluated = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: Levada gives a call that outlives this, and uses it meanwhile for nothing else.
        let call = unsafe { &mut *call };
        let Some(function) = F::scalars().get(function as usize) else { return INVALID };
        // SAFETY: as above, and what it points to.
        match unsafe { answer(&*function.body, call) } {
            Ok(()) => OK,
            Err(()) => INVALID,
        }
    }));
    evaluated.unwrap_or(PANICKED)
}

/// Reads the arguments of `call`, evaluates, and writes the result.
///
/// # Safety
/// All pointers of `call` are as documented there.
unsafe fn answer(scalar: &dyn Scalar, call: &mut Call) -> Result<(), ()> {
    let rows = usize::try_from(call.rows).map_err(drop)?;
    let mut arguments = Vec::with_capacity(call.arguments as usize);
    for index in 0..call.arguments as usize {
        // SAFETY: there are so many of each, and the array is ours to take.
        let (array, schema, is_constant) = unsafe {
            let array = std::ptr::replace(call.arrays.add(index), FFI_ArrowArray::empty());
            (array, &*call.schemas.add(index), *call.constant.add(index) != 0)
        };
        // SAFETY: the array is of the type that the schema says.
        let array = make_array(unsafe { from_ffi(array, schema) }.map_err(drop)?);
        arguments.push(if is_constant { Operand::Constant(array) } else { Operand::Column(array) });
    }
    // SAFETY: it points to a schema.
    let result_type = DataType::try_from(unsafe { &*call.result_type }).map_err(drop)?;
    let (report, context) = (call.report, call.context);
    let mut failures = |row: usize, reason: String| {
        // SAFETY: `report` takes the context of its call and any text.
        unsafe { report(context, row as u64, reason.as_ptr(), reason.len()) };
    };
    let result = evaluated(scalar, &arguments, rows, &result_type, &mut failures);
    if result.len() != rows || *result.data_type() != result_type {
        return Err(());
    }
    let (array, _) = to_ffi(&result.to_data()).map_err(drop)?;
    // SAFETY: there is a place, which holds nothing yet.
    unsafe { call.result.write(array) };
    Ok(())
}

/// What `scalar` gives. If it panics, each row is tried by itself, and those that panic are NULL.
fn evaluated(
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
        let of_row = |operand: &Operand| match operand {
            Operand::Column(array) => Operand::Column(array.slice(row, 1)),
            Operand::Constant(array) => Operand::Constant(array.clone()),
        };
        let arguments: Vec<Operand> = arguments.iter().map(of_row).collect();
        let mut note = |_: usize, reason: String| failures(row, reason);
        let value = caught(|| scalar.evaluate(&mut Batch::new(&arguments, 1, result, &mut note)));
        parts.push(value.unwrap_or_else(|panic| {
            failures(row, format!("the function panicked: {panic}"));
            new_null_array(result, 1)
        }));
    }
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    if parts.is_empty() {
        new_null_array(result, 0)
    } else {
        concat(&parts).unwrap_or_else(|_| new_null_array(result, 0))
    }
}

/// What `work` gives, or what it said when it panicked.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
    })
}
