//! `BAD_UDF`: fails now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use levada_udf::{Batch, Configuration, Resource, scalar};

/// Fails now and then.
#[scalar(name = "bad_udf")]
pub(super) fn int(value: i32) -> Result<String, String> {
    Err(format!("boom: {value}"))
}

/// Fails now and then.
#[scalar(name = "bad_udf")]
pub(super) fn boolean(value: bool) -> Result<i32, &'static str> {
    if value { Err("you asked me to throw") } else { Ok(0) }
}

/// Counts the calls of one registry: no case calls it in two places.
pub(super) struct Calls(AtomicU64);

impl Resource for Calls {
    fn open(_: &Configuration) -> Result<Self, String> {
        Ok(Self(AtomicU64::new(0)))
    }
}

/// Gives NULL on every other call.
#[scalar(name = "bad_udf", signature = "(value STRING) -> STRING")]
pub(super) fn every_other(#[resource] calls: &Calls, batch: &mut Batch<'_>) -> ArrayRef {
    let argument = batch.arguments()[0].expanded(batch.rows());
    let texts = argument.as_string::<i32>();
    let results = (0..batch.rows()).map(|row| {
        let is_second = calls.0.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        (is_second && texts.is_valid(row)).then(|| texts.value(row))
    });
    Arc::new(results.collect::<StringArray>())
}
