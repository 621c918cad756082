//! `EXPLODE(array)`: a row per element, NULLs included. NULL has none.

use crate::functions::{ScalarBody, TableBody};

pub(super) fn body() -> TableBody {
    let lists = ScalarBody::new(|arguments, rows, _| arguments[0].expanded(rows));
    TableBody { lists, rows_max: usize::MAX }
}
