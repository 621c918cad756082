//! `THROWING_UDTF`: fails if the argument is true.

use arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder, ListBuilder};
use levada_udf::{Batch, table};

/// Fails if the argument is true.
#[table(signature = "(fail BOOLEAN) -> BOOLEAN")]
pub(super) fn throwing_udtf(batch: &mut Batch<'_>) -> ArrayRef {
    let argument = batch.arguments()[0].expanded(batch.rows());
    let fails = argument.as_boolean();
    let mut lists = ListBuilder::new(BooleanBuilder::new());
    for row in 0..batch.rows() {
        if fails.is_valid(row) && !fails.value(row) {
            lists.values().append_value(false);
            lists.append(true);
        } else {
            batch.fail(row, "you asked me to throw");
            lists.append(false);
        }
    }
    std::sync::Arc::new(lists.finish())
}
