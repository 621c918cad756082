//! The shell as people and scripts meet it: against a server, and in a terminal.

mod remote;
mod stand_in;
mod terminal;
mod tmux;
