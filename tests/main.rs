//! Integration tests of the whole.

mod front_ends;
