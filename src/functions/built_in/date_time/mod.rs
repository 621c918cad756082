//! Dates and times. Formats are the patterns of [`crate::types::time_pattern`], units the words of intervals.

mod by_pattern;
mod convert_tz;
mod dateadd;
mod datesub;
mod datetostring;
mod format_date;
mod format_time;
mod format_timestamp;
mod from_days;
mod from_unixtime;
mod now;
mod parse_date;
mod parse_time;
mod parse_timestamp;
mod stringtodate;
mod stringtotimestamp;
mod timeadd;
mod timestampadd;
mod timestampsub;
mod timestamptostring;
mod timesub;
mod unix_date;
mod unix_timestamp;

pub use now::Now;
pub(in super::super) use now::told_by;

use levada_udf::functions;

use super::{Function, listed};

const CATEGORY: &str = "DATE / TIME";

pub(super) fn functions() -> Vec<Function> {
    listed(
        CATEGORY,
        functions![
            convert_tz::convert_tz,
            dateadd::dateadd,
            datesub::datesub,
            format_date::format_date,
            format_time::format_time,
            format_timestamp::format_timestamp,
            from_days::from_days,
            from_unixtime::from_unixtime,
            parse_date::parse_date,
            parse_time::parse_time,
            parse_timestamp::parse_timestamp,
            timeadd::timeadd,
            timesub::timesub,
            timestampadd::timestampadd,
            timestampsub::timestampsub,
            unix_date::today,
            unix_date::unix_date,
            unix_timestamp::now,
            unix_timestamp::unix_timestamp,
            datetostring::datetostring,
            stringtodate::stringtodate,
            stringtotimestamp::stringtotimestamp,
            timestamptostring::timestamptostring,
        ],
    )
}
