//! The library of a plug-in.

use std::collections::HashMap;
use std::ffi::c_void;
use std::fs::OpenOptions;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use levada_udf::Configuration;
use levada_udf::abi::{MAGIC, OK, Plugin, REFUSED, SYMBOL, VERSION};
use levada_udf::describe::{self, Described};

use super::columns::{self, Reports};

/// The loaded libraries, by length and hash of their files.
static LOADED: LazyLock<Mutex<HashMap<(usize, u64), &'static Library>>> = LazyLock::new(Mutex::default);

/// A copy of a library of its own, which is removed in the end. The system gives the library that it has loaded when it is asked for a
/// path again, whatever is there by then; and one that is overwritten while it is loaded ends the process.
struct Copy {
    path: PathBuf,
}

impl Copy {
    fn of(content: &[u8]) -> std::io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("levada-{}-{number}.{}", std::process::id(), std::env::consts::DLL_EXTENSION);
            let path = std::env::temp_dir().join(name);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    let copy = Self { path };
                    file.write_all(content)?;
                    return Ok(copy);
                }
                // Left behind by a process with the same number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!("the copy of a library, {}, cannot be removed: {error}", self.path.display());
        }
    }
}

/// A loaded plug-in.
pub(super) struct Library {
    pub(super) plugin: &'static Plugin,
}

impl Library {
    /// Loads the file `path` as it is now, for as long as the process lives. One with the same content that is loaded already is
    /// taken for it.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn open(path: &Path) -> Result<&'static Self, String> {
        let content = std::fs::read(path).map_err(|error| error.to_string())?;
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let identity = (content.len(), hasher.finish());
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = loaded.get(&identity) {
            return Ok(library);
        }
        let library = Self::load(path, &content)?;
        loaded.insert(identity, library);
        Ok(library)
    }

    /// Loads the file `path` with this content.
    fn load(path: &Path, content: &[u8]) -> Result<&'static Self, String> {
        let copy = Copy::of(content).map_err(|error| format!("it cannot be copied to be loaded: {error}"))?;
        // SAFETY: what runs when a library is loaded is up to its author, whom the owner of the extension folder trusts.
        let library = unsafe { libloading::Library::new(&copy.path) }.map_err(|error| {
            let error = error.to_string().replace(&copy.path.display().to_string(), &path.display().to_string());
            format!("it is no library: {error}")
        })?;
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
