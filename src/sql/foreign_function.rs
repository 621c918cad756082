//! Functions that other systems have under another name, or that are written in another way here.

/// What to write instead of a call of the function `name`, for names that there are not.
pub fn instead_of_function(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_uppercase().as_str() {
        "IF" | "IIF" | "DECODE" => "write CASE WHEN condition THEN a ELSE b END",
        "NVL" | "ISNULL" => "write IFNULL(x, y), COALESCE(x, y) or x IS NULL",
        "ANY" | "SOME" | "ALL" => "write x IN (a, b), or ARRAY_CONTAINS(list, x)",
        "MOD" => "write a % b",
        "POW" => "write POWER(a, b)",
        "CEILING" => "write CEIL(x)",
        "RAND" => "write RANDOM()",
        "TRUNCATE" => "write TRUNC(x)",
        "LENGTH" | "CHAR_LENGTH" | "CHARACTER_LENGTH" => "write LEN(x)",
        "UPPER" => "write UCASE(x)",
        "LOWER" => "write LCASE(x)",
        "POSITION" | "STRPOS" | "CHARINDEX" | "LOCATE" => "write INSTR(text, part)",
        "SUBSTR" | "MID" => "write SUBSTRING(text, start, length)",
        "LEFT" => "write SUBSTRING(text, 1, length)",
        "STRING_TO_ARRAY" | "SPLIT_PART" => "write SPLIT(text, separator), and [n] for one part",
        "REGEXP_LIKE" | "REGEXP_MATCHES" | "REGEXP_SUBSTR" => "write REGEXP_EXTRACT('pattern', text)",
        "STRING_AGG" | "GROUP_CONCAT" | "LISTAGG" => "write ARRAY_JOIN(COLLECT_LIST(x), ', ')",
        "ARRAY_AGG" => "write COLLECT_LIST(x), or COLLECT_SET(x)",
        "APPROX_COUNT_DISTINCT" | "NDV" => "write COUNT_DISTINCT(x)",
        "FIRST" | "FIRST_VALUE" => "write EARLIEST_BY_OFFSET(x)",
        "LAST" | "LAST_VALUE" => "write LATEST_BY_OFFSET(x)",
        "STDDEV" | "STDEV" => "write STDDEV_SAMP(x)",
        "CARDINALITY" | "SIZE" => "write ARRAY_LENGTH(x)",
        "UNNEST" | "FLATTEN" => "write EXPLODE(x) in the SELECT list",
        "JSON_VALUE" | "JSON_EXTRACT" | "GET_JSON_OBJECT" | "JSON_QUERY" => "write EXTRACTJSONFIELD(text, '$.a.b')",
        "NOW" | "GETDATE" | "SYSDATE" | "CURRENT_TIMESTAMP" => {
            "write FROM_UNIXTIME(UNIX_TIMESTAMP()); the time of a record is its ROWTIME"
        }
        "CURRENT_DATE" | "CURDATE" | "TODAY" => "write FROM_DAYS(UNIX_DATE())",
        "TO_CHAR" | "DATE_FORMAT" => "write FORMAT_TIMESTAMP(x, 'yyyy-MM-dd'), FORMAT_DATE or FORMAT_TIME",
        "TO_DATE" | "STR_TO_DATE" => "write PARSE_DATE(text, 'yyyy-MM-dd')",
        "TO_TIMESTAMP" => "write PARSE_TIMESTAMP(text, 'yyyy-MM-dd HH:mm:ss')",
        "DATE_ADD" => "write DATEADD(DAYS, 1, x)",
        "DATE_SUB" => "write DATESUB(DAYS, 1, x)",
        "WINDOWSTART" | "WINDOWEND" | "ROWTIME" => "write it without parentheses: WINDOWSTART, WINDOWEND, ROWTIME",
        "TUMBLE" | "HOP" => "windows stand after FROM: WINDOW TUMBLING (SIZE 1 HOUR)",
        "ROW_NUMBER" | "RANK" | "DENSE_RANK" | "LAG" | "LEAD" | "NTILE" => {
            "there are no window functions; TOPK keeps the greatest of a group, EARLIEST_BY_OFFSET and LATEST_BY_OFFSET \
             the first and last"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_case() {
        assert_eq!(instead_of_function("nvl"), instead_of_function("NVL"));
        assert_eq!(instead_of_function("If"), Some("write CASE WHEN condition THEN a ELSE b END"));
        assert_eq!(instead_of_function("LEN"), None);
    }
}
