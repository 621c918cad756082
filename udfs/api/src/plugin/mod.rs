//! The plug-in's side of [`abi`](crate::abi).

mod aggregate;
mod columns;
mod scalar;

use std::ffi::c_void;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

pub(crate) use self::scalar::{evaluated, joined};
use super::abi::{Column, INVALID, MAGIC, NO_ROW, OK, PANICKED, Plugin, REFUSED, Report, VERSION};
use super::group::panicked;
use super::{Body, Configuration, Definition, describe};

/// The functions of a plug-in.
pub trait Functions: 'static {
    /// All of them.
    fn definitions() -> Vec<Definition>;

    /// The place where they are kept.
    fn kept() -> &'static OnceLock<Vec<Definition>>;
}

fn definitions<F: Functions>() -> &'static [Definition] {
    F::kept().get_or_init(F::definitions)
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
        open: open::<F>,
        close,
        evaluate: scalar::evaluate,
        begin: aggregate::begin,
        end: aggregate::end,
        grow: aggregate::grow,
        reset: aggregate::reset,
        update: aggregate::update,
        merge: aggregate::merge,
        results: aggregate::results,
        store: aggregate::store,
        load: aggregate::load,
        heap_bytes: aggregate::heap_bytes,
    };
}

/// Exports what the attributes of this crate stand at as a plug-in: `plugin![repeat, greeting::greet];`, once in a crate of the type
/// `cdylib`.
#[macro_export]
macro_rules! plugin {
    ($($function:path),* $(,)?) => {
        const _: () = {
            struct All;

            impl $crate::Functions for All {
                fn definitions() -> ::std::vec::Vec<$crate::Definition> {
                    $crate::functions![$($function),*]
                }

                fn kept() -> &'static ::std::sync::OnceLock<::std::vec::Vec<$crate::Definition>> {
                    static ALL: ::std::sync::OnceLock<::std::vec::Vec<$crate::Definition>> = ::std::sync::OnceLock::new();
                    &ALL
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

/// A function that is open.
struct Instance {
    name: &'static str,
    body: Body,
}

impl Report {
    /// Says what went wrong.
    ///
    /// # Safety
    /// Levada has given this for the call that runs.
    unsafe fn say(&self, row: u64, reason: &str) {
        // SAFETY: `take` takes the context of its call and any text.
        unsafe { (self.take)(self.context, row, reason.as_ptr(), reason.len()) };
    }
}

/// The code that `work` comes to; a panic is one.
fn code(work: impl FnOnce() -> Result<(), i32>) -> i32 {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => OK,
        Ok(Err(code)) => code,
        Err(_) => PANICKED,
    }
}

/// [`Plugin::describe`].
unsafe extern "C" fn describe_functions<F: Functions>(result: *mut Column) -> i32 {
    code(|| {
        let table = describe::table(definitions::<F>());
        // SAFETY: Levada gives a place for it, which holds nothing yet.
        unsafe { columns::give_typed(&table.into(), result) }
    })
}

/// [`Plugin::open`].
unsafe extern "C" fn open<F: Functions>(
    function: u32,
    properties: *mut Column,
    instance: *mut *mut c_void,
    report: *const Report,
) -> i32 {
    code(|| {
        let definition = definitions::<F>().get(function as usize).ok_or(INVALID)?;
        // SAFETY: Levada gives the array away.
        let properties = unsafe { columns::take(properties) }?;
        let configuration = Configuration::read(definition.about.name, &properties).ok_or(INVALID)?;
        let opened = catch_unwind(AssertUnwindSafe(|| (definition.open)(&configuration)));
        match opened.unwrap_or_else(|panic| Err(panicked(&*panic))) {
            Ok(body) => {
                let opened = Box::new(Instance { name: definition.about.name, body });
                // SAFETY: Levada gives a place for it.
                unsafe { instance.write(Box::into_raw(opened).cast()) };
                Ok(())
            }
            Err(reason) => {
                // SAFETY: Levada gives it for this call.
                unsafe { (*report).say(NO_ROW, &reason) };
                Err(REFUSED)
            }
        }
    })
}

/// [`Plugin::close`].
unsafe extern "C" fn close(instance: *mut c_void) {
    code(|| {
        // SAFETY: it comes from `open`, and Levada lets it go.
        drop(unsafe { Box::from_raw(instance.cast::<Instance>()) });
        Ok(())
    });
}
