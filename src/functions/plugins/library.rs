//! The library of a plug-in.

use std::ffi::c_void;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use levada_udf::Configuration;
use levada_udf::abi::{MAGIC, OK, Plugin, REFUSED, SYMBOL, VERSION};
use levada_udf::describe::{self, Described};

use super::columns::{self, Reports};

/// A loaded plug-in.
pub(super) struct Library {
    pub(super) plugin: &'static Plugin,
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
        let mut given = columns::empty();
        // SAFETY: the place is there for the call.
        let code = unsafe { (self.plugin.describe)(&raw mut given) };
        if code != OK {
            return Err("it cannot say what its functions are".to_owned());
        }
        let unreadable = |error| format!("what it says of its functions cannot be read: {error}");
        let table = columns::taken(given).map_err(unreadable)?;
        if !matches!(table.data_type(), DataType::Struct(_)) {
            return Err("what it says of its functions is no table".to_owned());
        }
        describe::read(table.as_struct())
    }
}

/// A function of a library, which is open.
pub(super) struct Instance {
    pub(super) library: &'static Library,
    pub(super) pointer: *mut c_void,
}

// SAFETY: the plug-in allows calls from several threads at once.
unsafe impl Send for Instance {}
// SAFETY: as above.
unsafe impl Sync for Instance {}

impl Instance {
    /// Opens the function with this number.
    ///
    /// # Errors
    /// What it says why it cannot be opened.
    pub(super) fn open(
        library: &'static Library,
        function: u32,
        configuration: &Configuration,
    ) -> Result<Self, String> {
        let table: ArrayRef = std::sync::Arc::new(configuration.table());
        let mut properties = columns::given(&table)?;
        let mut pointer = std::ptr::null_mut();
        let mut reports = Reports::default();
        let report = reports.report();
        // SAFETY: all places are there for the call.
        let code = unsafe { (library.plugin.open)(function, &raw mut properties, &raw mut pointer, &raw const report) };
        match code {
            OK => Ok(Self { library, pointer }),
            REFUSED => Err(reports.said()),
            other => Err(columns::failure(other, "opened the function")),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: it comes from `open`, and nobody has it any more.
        unsafe { (self.library.plugin.close)(self.pointer) };
    }
}
