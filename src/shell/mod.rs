//! The interactive front: reads statements, asks the engine, shows answers.
//!
//! ```text
//! Prompt (lines from a person) ─┐
//! standard input, -f, -e ───────┼─▶ Input ──▶ Interpreter ──▶ Backend (the engine)
//!                               │  statements       │ Response
//!                                  and commands     ▼
//!                                                 Screen (output/) ──▶ terminal, file, pipe
//! ```

mod backend;
mod command;
mod input;
mod interpreter;
mod interrupt;
mod output;
mod prompt;

pub use backend::Backend;
pub use interpreter::{Flow, Interpreter};
pub use interrupt::{Interrupt, Work};
pub use output::{Layout, OutputFormat, Palette, Screen, Source, Width};
pub use prompt::Prompt;
