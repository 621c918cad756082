//! What Levada and a plug-in say to each other: structures of C and Arrow's C Data Interface, so that they may be built by different
//! compilers and with different versions of Arrow. Authors need none of it: [`plugin`](crate::plugin) does the work.
//!
//! ```text
//! Levada                                plug-in
//!   │ levada_plugin() ─────────────────▶ │ Plugin: magic, version, size, functions of C
//!   │ Plugin::describe ────────────────▶ │ array of STRUCT, a row per signature
//!   │ Plugin::evaluate(function, Call) ▶ │ arrays in, one array out; Call::report for rows that fail
//! ```
//!
//! Whoever gives an array away sets its release callback, and whoever takes it calls that: nothing is freed by another allocator
//! than the one it came from.

use std::ffi::c_void;

use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};

/// The function that a plug-in exports: `extern "C" fn() -> *const Plugin`.
pub const SYMBOL: &str = "levada_plugin";

/// How every [`Plugin`] begins.
pub const MAGIC: [u8; 8] = *b"LEVADAUF";

/// The version of this interface. What is added at the ends of structures leaves it as it is; everything else makes it greater.
pub const VERSION: u32 = 1;

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
    /// Gives an array of STRUCT, a row per signature, of [`crate::describe::fields`]. Returns one of the codes below.
    pub describe: unsafe extern "C" fn(array: *mut FFI_ArrowArray, schema: *mut FFI_ArrowSchema) -> i32,
    /// Evaluates the function with a number that `describe` gave. Returns one of the codes below.
    pub evaluate: unsafe extern "C" fn(function: u32, call: *mut Call) -> i32,
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
    /// The arguments, which the plug-in takes.
    pub arrays: *mut FFI_ArrowArray,
    /// Their types, which it leaves.
    pub schemas: *const FFI_ArrowSchema,
    /// 1 for an argument of one value for all rows, otherwise 0.
    pub constant: *const u8,
    /// Type of the result.
    pub result_type: *const FFI_ArrowSchema,
    /// The result, which the plug-in gives.
    pub result: *mut FFI_ArrowArray,
    /// Takes a row that fails, and why as UTF-8.
    pub report: unsafe extern "C" fn(context: *mut c_void, row: u64, reason: *const u8, bytes: usize),
    /// First argument of `report`.
    pub context: *mut c_void,
}

/// There is a result.
pub const OK: i32 = 0;
/// There is none: the arguments are not what they should be.
pub const INVALID: i32 = 1;
/// There is none: the plug-in panicked outside its functions.
pub const PANICKED: i32 = 2;
