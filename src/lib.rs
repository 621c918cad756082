//! Levada.
