//! What functions of other databases, and of older KSQL, are called here.

/// Other name, and what to write instead.
const SYNONYMS: [(&str, &str); 42] = [
    ("ARRAY_AGG", "COLLECT_LIST(value)"),
    ("ARRAY_APPEND", "ARRAY_CONCAT(array, ARRAY[value])"),
    ("BOOL_AND", "MIN(CASE WHEN condition THEN 1 ELSE 0 END)"),
    ("BOOL_OR", "MAX(CASE WHEN condition THEN 1 ELSE 0 END)"),
    ("CARDINALITY", "ARRAY_LENGTH(array)"),
    ("CHARACTER_LENGTH", "LEN(text)"),
    ("CHAR_LENGTH", "LEN(text)"),
    ("CORR", "CORRELATION(x, y)"),
    ("CURDATE", "FROM_DAYS(UNIX_DATE())"),
    ("CURRENT_DATE", "FROM_DAYS(UNIX_DATE())"),
    ("CURRENT_TIMESTAMP", "FROM_UNIXTIME(UNIX_TIMESTAMP())"),
    ("DATE_FORMAT", "FORMAT_DATE(date, 'yyyy-MM-dd')"),
    ("DATE_TRUNC", "FORMAT_TIMESTAMP and PARSE_TIMESTAMP with a shorter pattern"),
    ("FIRST_VALUE", "EARLIEST_BY_OFFSET(value)"),
    ("GETTIMESTAMP", "UNIX_TIMESTAMP()"),
    ("GET_JSON_OBJECT", "EXTRACTJSONFIELD(text, '$.path')"),
    ("GROUP_CONCAT", "COLLECT_LIST(value), and ARRAY_JOIN over the table that it fills"),
    ("JSON_EXTRACT", "EXTRACTJSONFIELD(text, '$.path')"),
    ("JSON_VALUE", "EXTRACTJSONFIELD(text, '$.path')"),
    ("LAST_VALUE", "LATEST_BY_OFFSET(value)"),
    ("LENGTH", "LEN(text)"),
    ("LOWER", "LCASE(text)"),
    ("LTRIM", "TRIM(text)"),
    ("MEAN", "AVG(value)"),
    ("MEDIAN", "COLLECT_LIST(value) and ARRAY_SORT over the table that it fills"),
    ("MOD", "value % divisor"),
    ("NOW", "FROM_UNIXTIME(UNIX_TIMESTAMP())"),
    ("NVL", "IFNULL(value, otherwise)"),
    ("POSITION", "INSTR(text, part)"),
    ("POW", "POWER(base, exponent)"),
    ("RAND", "RANDOM()"),
    ("REGEXP_MATCHES", "REGEXP_EXTRACT(pattern, text)"),
    ("RTRIM", "TRIM(text)"),
    ("STDDEV", "STDDEV_SAMPLE(value)"),
    ("STRING_AGG", "COLLECT_LIST(value), and ARRAY_JOIN over the table that it fills"),
    ("STRPOS", "INSTR(text, part)"),
    ("TO_CHAR", "FORMAT_TIMESTAMP(time, 'yyyy-MM-dd HH:mm:ss')"),
    ("TO_DATE", "PARSE_DATE(text, 'yyyy-MM-dd')"),
    ("TO_TIMESTAMP", "PARSE_TIMESTAMP(text, 'yyyy-MM-dd HH:mm:ss')"),
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
            assert!(registry.get(function).is_some() || name == "MOD", "{name}: {instead}");
        }
    }
}
