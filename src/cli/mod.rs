//! The commands of the binary: one module each, which reads its arguments, calls one layer and shows the outcome.
//!
//! Results go to standard output, everything about the work to standard error. A reader that closes standard output
//! early ends a command quietly.

pub mod topic;
