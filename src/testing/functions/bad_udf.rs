//! `BAD_UDF`: fails now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use levada_udf::{About, Batch, ScalarFunction, Signature, scalar};

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

/// Gives NULL on every other call, of those of one registry: no case calls it in two places.
pub(super) fn every_other() -> ScalarFunction {
    let calls = AtomicU64::new(0);
    let body = move |batch: &mut Batch<'_>| -> ArrayRef {
        let argument = batch.arguments()[0].expanded(batch.rows());
        let texts = argument.as_string::<i32>();
        let results = (0..batch.rows()).map(|row| {
            let is_second = calls.fetch_add(1, Ordering::Relaxed) % 2 == 1;
            (is_second && texts.is_valid(row)).then(|| texts.value(row))
        });
        Arc::new(results.collect::<StringArray>())
    };
    let signature = Signature { text: "(value STRING) -> STRING".to_owned(), parameters: Vec::new() };
    let about = About { name: "bad_udf", ..About::default() };
    ScalarFunction { about, signatures: vec![signature], body: Arc::new(body) }
}
