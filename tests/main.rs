//! Integration tests of the whole.

mod conformance;
mod front_ends;
mod layers;
mod specs;
