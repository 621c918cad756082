//! What functions of other databases, and of older KSQL, are called here.

/// Other name, and what to write instead.
const SYNONYMS: [(&str, &str); 82] = [
    ("ALL", "x IN (a, b), or ARRAY_CONTAINS(array, x)"),
    ("ANY", "x IN (a, b), or ARRAY_CONTAINS(array, x)"),
    ("APPROX_COUNT_DISTINCT", "COUNT_DISTINCT(value)"),
    ("ARRAY_AGG", "COLLECT_LIST(value)"),
    ("ARRAY_APPEND", "ARRAY_CONCAT(array, ARRAY[value])"),
    ("BOOL_AND", "MIN(CASE WHEN condition THEN 1 ELSE 0 END)"),
    ("BOOL_OR", "MAX(CASE WHEN condition THEN 1 ELSE 0 END)"),
    ("CARDINALITY", "ARRAY_LENGTH(array)"),
    ("CEILING", "CEIL(value)"),
    ("CHARACTER_LENGTH", "LEN(text)"),
    ("CHARINDEX", "INSTR(text, part)"),
    ("CHAR_LENGTH", "LEN(text)"),
    ("CORR", "CORRELATION(x, y)"),
    ("CURDATE", "FROM_DAYS(UNIX_DATE())"),
    ("CURRENT_DATE", "FROM_DAYS(UNIX_DATE())"),
    ("CURRENT_TIMESTAMP", "FROM_UNIXTIME(UNIX_TIMESTAMP())"),
    ("DATE_ADD", "DATEADD(DAYS, 1, date)"),
    ("DATE_FORMAT", "FORMAT_DATE(date, 'yyyy-MM-dd')"),
    ("DATE_SUB", "DATESUB(DAYS, 1, date)"),
    ("DATE_TRUNC", "FORMAT_TIMESTAMP and PARSE_TIMESTAMP with a shorter pattern"),
    ("DECODE", "CASE WHEN condition THEN a ELSE b END"),
    ("DENSE_RANK", "TOPK(value, n) for the greatest of a group: there are no functions over rows of a window"),
    ("FIRST", "EARLIEST_BY_OFFSET(value)"),
    ("FIRST_VALUE", "EARLIEST_BY_OFFSET(value)"),
    ("FLATTEN", "EXPLODE(array)"),
    ("GETDATE", "FROM_UNIXTIME(UNIX_TIMESTAMP())"),
    ("GETTIMESTAMP", "UNIX_TIMESTAMP()"),
    ("GET_JSON_OBJECT", "EXTRACTJSONFIELD(text, '$.path')"),
    ("GROUP_CONCAT", "COLLECT_LIST(value), and ARRAY_JOIN over the table that it fills"),
    ("HOP", "WINDOW HOPPING (SIZE 1 HOUR, ADVANCE BY 5 MINUTES) behind FROM"),
    ("IF", "CASE WHEN condition THEN a ELSE b END"),
    ("IIF", "CASE WHEN condition THEN a ELSE b END"),
    ("ISNULL", "IFNULL(value, otherwise), or value IS NULL"),
    ("JSON_EXTRACT", "EXTRACTJSONFIELD(text, '$.path')"),
    ("JSON_QUERY", "EXTRACTJSONFIELD(text, '$.path')"),
    ("JSON_VALUE", "EXTRACTJSONFIELD(text, '$.path')"),
    ("LAG", "EARLIEST_BY_OFFSET(value, 2) for the first of a group: there are no functions over rows of a window"),
    ("LAST", "LATEST_BY_OFFSET(value)"),
    ("LAST_VALUE", "LATEST_BY_OFFSET(value)"),
    ("LEAD", "LATEST_BY_OFFSET(value, 2) for the last of a group: there are no functions over rows of a window"),
    ("LEFT", "SUBSTRING(text, 1, length)"),
    ("LENGTH", "LEN(text)"),
    ("LISTAGG", "COLLECT_LIST(value), and ARRAY_JOIN over the table that it fills"),
    ("LOCATE", "INSTR(text, part)"),
    ("LOWER", "LCASE(text)"),
    ("LTRIM", "TRIM(text)"),
    ("MEAN", "AVG(value)"),
    ("MEDIAN", "COLLECT_LIST(value) and ARRAY_SORT over the table that it fills"),
    ("MID", "SUBSTRING(text, start, length)"),
    ("MOD", "value % divisor"),
    ("NDV", "COUNT_DISTINCT(value)"),
    ("NOW", "FROM_UNIXTIME(UNIX_TIMESTAMP())"),
    ("NVL", "IFNULL(value, otherwise)"),
    ("POSITION", "INSTR(text, part)"),
    ("POW", "POWER(base, exponent)"),
    ("RAND", "RANDOM()"),
    ("RANK", "TOPK(value, n) for the greatest of a group: there are no functions over rows of a window"),
    ("REGEXP_LIKE", "REGEXP_EXTRACT(pattern, text) IS NOT NULL"),
    ("REGEXP_MATCHES", "REGEXP_EXTRACT(pattern, text)"),
    ("REGEXP_SUBSTR", "REGEXP_EXTRACT(pattern, text)"),
    ("ROW_NUMBER", "TOPK(value, n) for the greatest of a group: there are no functions over rows of a window"),
    ("RTRIM", "TRIM(text)"),
    ("SIZE", "ARRAY_LENGTH(array)"),
    ("SOME", "x IN (a, b), or ARRAY_CONTAINS(array, x)"),
    ("SPLIT_PART", "SPLIT(text, separator)[n]"),
    ("STDDEV", "STDDEV_SAMPLE(value)"),
    ("STDEV", "STDDEV_SAMPLE(value)"),
    ("STRING_AGG", "COLLECT_LIST(value), and ARRAY_JOIN over the table that it fills"),
    ("STRING_TO_ARRAY", "SPLIT(text, separator)"),
    ("STRPOS", "INSTR(text, part)"),
    ("STR_TO_DATE", "PARSE_DATE(text, 'yyyy-MM-dd')"),
    ("SUBSTR", "SUBSTRING(text, start, length)"),
    ("SYSDATE", "FROM_UNIXTIME(UNIX_TIMESTAMP())"),
    ("TODAY", "FROM_DAYS(UNIX_DATE())"),
    ("TO_CHAR", "FORMAT_TIMESTAMP(time, 'yyyy-MM-dd HH:mm:ss')"),
    ("TO_DATE", "PARSE_DATE(text, 'yyyy-MM-dd')"),
    ("TO_TIMESTAMP", "PARSE_TIMESTAMP(text, 'yyyy-MM-dd HH:mm:ss')"),
    ("TRUNCATE", "TRUNC(value, places)"),
    ("TUMBLE", "WINDOW TUMBLING (SIZE 1 HOUR) behind FROM"),
    ("UNNEST", "EXPLODE(array)"),
    ("UPPER", "UCASE(text)"),
    ("VARIANCE", "STDDEV_SAMP(value)"),
];

/// What to write for the function that is called `name` elsewhere.
pub fn instead_of(name: &str) -> Option<&'static str> {
    let name = name.to_uppercase();
    let index = SYNONYMS.binary_search_by(|(other, _)| other.cmp(&name.as_str())).ok()?;
    Some(SYNONYMS[index].1)
}

#[cfg(test)]
mod tests {
    use super::super::Registry;
    use super::*;

    #[test]
    fn other_names_are_none_of_ours() {
        assert!(SYNONYMS.is_sorted());
        let registry = Registry::default();
        assert!(SYNONYMS.iter().all(|(name, _)| registry.get(name).is_none()));
        assert_eq!((instead_of("upper"), instead_of("ucase")), (Some("UCASE(text)"), None));
    }

    #[test]
    fn what_to_write_instead_is_there() {
        let registry = Registry::default();
        for (name, instead) in SYNONYMS {
            let function = instead.split(['(', ' ']).next().unwrap_or_default();
            let is_syntax = ["CASE", "WINDOW", "value", "x"].contains(&function);
            assert!(is_syntax || registry.get(function).is_some(), "{name}: {instead}");
        }
    }
}
