//! The interactive front: reads statements, asks the engine of this process or a server, shows answers.
//!
//! ```text
//! Prompt (lines from a person) ─┐
//! standard input, -f, -e ───────┼─▶ Input ──▶ Interpreter ──▶ Backend ─┬─ Engine
//!                               │  statements       │ Answer           └─ RemoteBackend (HTTP)
//!                                  and commands     ▼
//!                                                 Screen (output/) ──▶ terminal, file, pipe
//!                                                 LiveLines ─────────▶ terminal: how far work is that takes time
//! ```

mod answer;
mod backend;
mod command;
mod editor;
mod input;
mod interpreter;
mod interrupt;
mod live;
mod named_sources;
mod output;
mod picture;
mod remote;
mod vocabulary;

pub use answer::{Answer, LineEvent, PrintedLines};
pub use backend::{Backend, Words};
pub use command::Keys;
pub use editor::{Prompt, read_password};
pub use interpreter::{Flow, Interpreter};
pub use interrupt::{Interrupt, Work};
pub use live::{BesideLive, LiveLines, time_left};
pub use output::{Layout, Limits, OutputFormat, Pager, Palette, Screen, Source, Spool, Spooled, Width, nested_json};
pub use remote::{Access, Advice, Certificates, Credentials, RemoteBackend, TokenRequest};
pub use vocabulary::{KnownFunction, KnownSource, Vocabulary};
