//! What Levada and a plug-in say to each other: structures of C and Arrow's C Data Interface, so that they may be built by different
//! compilers and with different versions of Arrow. Authors need none of it: [`plugin`](crate::plugin) does the work.
//!
//! ```text
//! Levada                                 plug-in
//!   │ levada_plugin() ──────────────────▶ │ Plugin: magic, version, size, functions of C
//!   │ describe ─────────────────────────▶ │ array of STRUCT, a row per signature
//!   │ open(function, configuration) ────▶ │ instance: once while the function is known
//!   │ evaluate(instance, Call) ─────────▶ │ arrays in, one array out; Report for rows that fail
//!   │ begin(instance, Begin) ───────────▶ │ state of an aggregate function for all groups of a query's task
//!   │ update(state, Update) … end(state)▶ │
//!   │ close(instance) ──────────────────▶ │
//! ```
//!
//! Whoever gives an array away sets its release callback, and whoever takes it calls that: nothing is freed by another allocator
//! than the one it came from. A structure that points to arrays gives them away unless it says otherwise; a pointer to a place for
//! an array points to one that is empty. Functions return one of the codes below.

use std::ffi::c_void;

use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};

/// The function that a plug-in exports: `extern "C" fn() -> *const Plugin`.
pub const SYMBOL: &str = "levada_plugin";

/// How every [`Plugin`] begins.
pub const MAGIC: [u8; 8] = *b"LEVADAUF";

/// The version of this interface. What is added at the ends of structures leaves it as it is; everything else makes it greater.
pub const VERSION: u32 = 3;

/// What a plug-in is. It lives as long as the process.
#[repr(C)]
#[derive(Debug)]
pub struct Plugin {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// The [`VERSION`] it was built for.
    pub version: u32,
    /// Bytes of this structure.
    pub size: u32,
    /// Gives an array of STRUCT, a row per signature, of [`crate::describe::fields`].
    pub describe: unsafe extern "C" fn(result: *mut Column) -> i32,
    /// Opens the function with a number that `describe` gave. The array has rows of STRUCT: names and values of properties.
    pub open: unsafe extern "C" fn(
        function: u32,
        properties: *mut Column,
        instance: *mut *mut c_void,
        report: *const Report,
    ) -> i32,
    /// Closes it: nothing uses it any more.
    pub close: unsafe extern "C" fn(instance: *mut c_void),
    /// Evaluates a scalar function, or a table function, which gives an array for each row. From several threads at once.
    pub evaluate: unsafe extern "C" fn(instance: *mut c_void, call: *mut Call) -> i32,
    /// Makes the state of an aggregate function, for no group yet.
    pub begin: unsafe extern "C" fn(instance: *mut c_void, begin: *mut Begin) -> i32,
    /// Drops the state.
    pub end: unsafe extern "C" fn(state: *mut c_void),
    /// Makes room for groups; see [`crate::Accumulator::grow`].
    pub grow: unsafe extern "C" fn(state: *mut c_void, slots: u64) -> i32,
    /// See [`crate::Accumulator::reset`].
    pub reset: unsafe extern "C" fn(state: *mut c_void, slot: u32) -> i32,
    /// See [`crate::Accumulator::update`].
    pub update: unsafe extern "C" fn(state: *mut c_void, update: *mut Update) -> i32,
    /// See [`crate::Accumulator::merge`].
    pub merge: unsafe extern "C" fn(state: *mut c_void, into: u32, from: u32, report: *const Report) -> i32,
    /// See [`crate::Accumulator::results`].
    pub results:
        unsafe extern "C" fn(state: *mut c_void, slots: *const u32, count: u64, result: *mut FFI_ArrowArray) -> i32,
    /// See [`crate::Accumulator::state`]; gives an array of STRUCT.
    pub store: unsafe extern "C" fn(
        state: *mut c_void,
        slots: *const u32,
        count: u64,
        result: *mut FFI_ArrowArray,
        report: *const Report,
    ) -> i32,
    /// See [`crate::Accumulator::load`]; takes an array of STRUCT.
    pub load: unsafe extern "C" fn(
        state: *mut c_void,
        slots: *const u32,
        count: u64,
        column: *mut Column,
        report: *const Report,
    ) -> i32,
    /// Memory that groups take: [`crate::Accumulator::heap_bytes`].
    pub heap_bytes: unsafe extern "C" fn(state: *mut c_void) -> u64,
}

/// Takes what went wrong.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// Takes a row, or [`NO_ROW`], and a text in UTF-8 for people.
    pub take: unsafe extern "C" fn(context: *mut c_void, row: u64, reason: *const u8, bytes: usize),
    /// Its first argument.
    pub context: *mut c_void,
}

/// What is reported concerns no row.
pub const NO_ROW: u64 = u64::MAX;

/// An array and its type.
#[repr(C)]
#[derive(Debug)]
pub struct Column {
    /// The values.
    pub array: FFI_ArrowArray,
    /// Their type.
    pub schema: FFI_ArrowSchema,
}

/// Many calls of a function.
#[repr(C)]
#[derive(Debug)]
pub struct Call {
    /// Bytes of this structure.
    pub size: u32,
    /// Number of arguments.
    pub arguments: u32,
    /// Number of calls.
    pub rows: u64,
    /// The arguments.
    pub arrays: *mut FFI_ArrowArray,
    /// Their types, which stay Levada's.
    pub types: *const FFI_ArrowSchema,
    /// 1 for an argument of one value for all rows, otherwise 0.
    pub constant: *const u8,
    /// Type of the result; it stays Levada's.
    pub result_type: *const FFI_ArrowSchema,
    /// Place for the result.
    pub result: *mut FFI_ArrowArray,
    /// Takes rows that fail.
    pub report: Report,
}

/// A call of an aggregate function.
#[repr(C)]
#[derive(Debug)]
pub struct Begin {
    /// Bytes of this structure.
    pub size: u32,
    /// Number of arguments that come from rows.
    pub arguments: u32,
    /// Their types, which stay Levada's.
    pub types: *const FFI_ArrowSchema,
    /// Number of literals.
    pub literals: u64,
    /// The literals, arrays of one value.
    pub columns: *mut Column,
    /// Names and values of the properties that hold for the query, as for `open`.
    pub properties: *mut Column,
    /// Type of the result; it stays Levada's.
    pub result_type: *const FFI_ArrowSchema,
    /// Place for the state.
    pub state: *mut *mut c_void,
    /// Place for the type of what is stored: STRUCT.
    pub stored_type: *mut FFI_ArrowSchema,
    /// Place for the memory that a group takes whatever is in it.
    pub slot_bytes: *mut u64,
    /// Takes the reason why there is no state.
    pub report: Report,
}

/// Rows that are folded into states.
#[repr(C)]
#[derive(Debug)]
pub struct Update {
    /// Bytes of this structure.
    pub size: u32,
    /// Number of arguments.
    pub arguments: u32,
    /// Number of rows.
    pub rows: u64,
    /// Slot of each row.
    pub slots: *const u32,
    /// The arguments, a value per row.
    pub arrays: *mut FFI_ArrowArray,
    /// Their types, which stay Levada's.
    pub types: *const FFI_ArrowSchema,
    /// 1 for a row that is taken back, otherwise 0; null if there is none.
    pub undone: *const u8,
    /// Place for the result after each row; null if it is not wanted.
    pub result: *mut FFI_ArrowArray,
    /// Takes rows that cannot be folded.
    pub report: Report,
}

/// All is well.
pub const OK: i32 = 0;
/// Nothing was done: what was given is not what it should be.
pub const INVALID: i32 = 1;
/// The plug-in panicked outside its functions.
pub const PANICKED: i32 = 2;
/// Nothing was done, for the reason that was reported.
pub const REFUSED: i32 = 3;
