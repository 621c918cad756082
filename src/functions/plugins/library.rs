//! The library of a plug-in.

use std::path::Path;

use arrow::array::{AsArray, make_array};
use arrow::datatypes::DataType;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use levada_udf::abi::{Call, MAGIC, OK, Plugin, SYMBOL, VERSION};
use levada_udf::describe::{self, Described};

/// A loaded plug-in.
pub(super) struct Library {
    plugin: &'static Plugin,
}

impl Library {
    /// Loads the file `path`, for as long as the process lives.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn open(path: &Path) -> Result<&'static Self, String> {
        // Without a folder the system would look elsewhere.
        let path = path.canonicalize().map_err(|error| error.to_string())?;
        // SAFETY: what runs when a library is loaded is up to its author, whom the owner of the extension folder trusts.
        let library =
            unsafe { libloading::Library::new(&path) }.map_err(|error| format!("it is no library: {error}"))?;
        let library: &'static libloading::Library = Box::leak(Box::new(library));
        // SAFETY: a symbol of this name is a function of this type.
        let symbol = unsafe { library.get::<unsafe extern "C" fn() -> *const Plugin>(SYMBOL.as_bytes()) };
        let symbol = symbol.map_err(|_| {
            format!("it is no plug-in: nothing in it is called {SYMBOL}, which levada_udf::plugin! makes")
        })?;
        // SAFETY: the function has no conditions.
        let library = unsafe { Self::of(symbol()) }?;
        Ok(Box::leak(Box::new(library)))
    }

    /// The plug-in at `plugin`.
    ///
    /// # Errors
    /// Why it cannot be used.
    ///
    /// # Safety
    /// `plugin` is null, or what is there begins as `Plugin` in every version, is as that says in this one, and stays.
    pub(super) unsafe fn of(plugin: *const Plugin) -> Result<Self, String> {
        // SAFETY: the caller's. What a version adds stands behind what is looked at before the version is known.
        let plugin = unsafe { plugin.as_ref() }.ok_or("it is no plug-in: it gives nothing")?;
        if plugin.magic != MAGIC {
            return Err("it is no plug-in: it begins otherwise".to_owned());
        }
        if plugin.version != VERSION || (plugin.size as usize) < size_of::<Plugin>() {
            return Err(format!(
                "it is built for version {} of the interface of plug-ins, and this server speaks version {VERSION}",
                plugin.version
            ));
        }
        Ok(Self { plugin })
    }

    /// What its functions are.
    ///
    /// # Errors
    /// It does not say it in a way that is understood.
    pub(super) fn functions(&self) -> Result<Vec<Described>, String> {
        let (mut array, mut schema) = (FFI_ArrowArray::empty(), FFI_ArrowSchema::empty());
        // SAFETY: both places are there for the call.
        let code = unsafe { (self.plugin.describe)(&raw mut array, &raw mut schema) };
        if code != OK {
            return Err("it cannot say what its functions are".to_owned());
        }
        let unreadable = |error| format!("what it says of its functions cannot be read: {error}");
        // SAFETY: the array is of the type that the schema says.
        let data = unsafe { from_ffi(array, &schema) }.map_err(unreadable)?;
        data.validate_full().map_err(unreadable)?;
        if !matches!(data.data_type(), DataType::Struct(_)) {
            return Err("what it says of its functions is no table".to_owned());
        }
        describe::read(make_array(data).as_struct())
    }

    /// Evaluates the function with this number.
    ///
    /// # Safety
    /// `call` is as documented there.
    pub(super) unsafe fn evaluate(&self, function: u32, call: &mut Call) -> i32 {
        // SAFETY: the caller's.
        unsafe { (self.plugin.evaluate)(function, call) }
    }
}
