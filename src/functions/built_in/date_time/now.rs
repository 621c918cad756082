//! Functions whose answer is the time: they are told it by the clock of whoever runs statements.

use std::sync::Arc;

use levada_udf::arrow::array::{ArrayRef, Int32Array, Int64Array};
use levada_udf::{Batch, Scalar};

use super::super::super::ScalarBody;
use crate::types::ZoneClock;

/// Tells the milliseconds since 1970-01-01T00:00 UTC.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What is said where nobody tells the time.
pub(super) const NO_CLOCK: &str = "no clock tells the time here";

/// The functions whose variation without arguments `now` computes.
pub(in super::super::super) fn told_by(now: &Now) -> [(&'static str, ScalarBody); 2] {
    let (timestamp, today) = (UnixTimestamp(Arc::clone(now)), UnixDate(Arc::clone(now)));
    [("UNIX_TIMESTAMP", ScalarBody::new(timestamp)), ("UNIX_DATE", ScalarBody::new(today))]
}

struct UnixTimestamp(Now);

impl Scalar for UnixTimestamp {
    fn evaluate(&self, batch: &mut Batch<'_>) -> ArrayRef {
        Arc::new(Int64Array::from_value((self.0)(), batch.rows()))
    }
}

/// Days, by the zone of the machine.
struct UnixDate(Now);

impl Scalar for UnixDate {
    fn evaluate(&self, batch: &mut Batch<'_>) -> ArrayRef {
        let today = ZoneClock::system().to_local_ms((self.0)()).div_euclid(86_400_000);
        Arc::new(Int32Array::from_value(today as i32, batch.rows()))
    }
}
