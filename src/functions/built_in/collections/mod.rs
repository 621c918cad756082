//! Arrays and maps.

use super::{Function, scalar};

const ARRAY: &str = "ARRAY";
const MAP: &str = "MAP";

const OF_TWO: [&str; 1] = ["(left ARRAY<T>, right ARRAY<T>) -> ARRAY<T>"];
const ELEMENT: [&str; 1] = ["(array ARRAY<T>) -> T"];
const SAME: [&str; 1] = ["(array ARRAY<T>) -> ARRAY<T>"];

pub(super) fn functions() -> Vec<Function> {
    let mut functions = arrays();
    functions.extend(maps());
    functions
}

fn arrays() -> Vec<Function> {
    let function = |spelling, description, signatures: &[&str]| scalar(ARRAY, spelling, description, signatures);
    vec![
        function("array_concat", "The elements of one array after those of another.", &OF_TWO),
        function(
            "ARRAY_CONTAINS",
            "Whether a value is among the elements.",
            &["(array ARRAY<T>, element T) -> BOOLEAN"],
        ),
        function("array_distinct", "The elements without repetitions.", &SAME),
        function("array_except", "The elements of one array that are not in another.", &OF_TWO),
        function("array_intersect", "The elements that two arrays have in common.", &OF_TWO),
        function(
            "ARRAY_JOIN",
            "The elements as one text, with a comma or the given text in between.",
            &["(array ARRAY<T>) -> STRING", "(array ARRAY<T>, delimiter STRING) -> STRING"],
        ),
        function("ARRAY_LENGTH", "How many elements there are.", &["(array ARRAY<T>) -> INT"]),
        function("array_max", "The greatest element.", &ELEMENT),
        function("array_min", "The least element.", &ELEMENT),
        function(
            "array_remove",
            "The elements that do not equal a value.",
            &["(array ARRAY<T>, element T) -> ARRAY<T>"],
        ),
        function(
            "array_sort",
            "The elements in order, NULLs last; 'DESC' turns it around.",
            &[SAME[0], "(array ARRAY<T>, direction STRING) -> ARRAY<T>"],
        ),
        function("array_union", "The elements of two arrays without repetitions.", &OF_TWO),
        function(
            "ENTRIES",
            "The entries of a map as structs of key and value, in the order of keys if asked for.",
            &["INT BIGINT DOUBLE BOOLEAN STRING: (map MAP<STRING, %>, sorted BOOLEAN) -> ARRAY<STRUCT<K STRING, V %>>"],
        ),
        function(
            "GENERATE_SERIES",
            "The whole numbers from one to another, both included.",
            &["INT BIGINT: (start %, end %) -> ARRAY<%>", "INT BIGINT: (start %, end %, step INT) -> ARRAY<%>"],
        ),
        function(
            "slice",
            "The elements from one position to another, both included.",
            &["(array ARRAY<T>, from INT, to INT) -> ARRAY<T>"],
        ),
    ]
}

fn maps() -> Vec<Function> {
    let function = |spelling, description, signatures: &[&str]| scalar(MAP, spelling, description, signatures);
    vec![
        function(
            "AS_MAP",
            "A map of an array of keys and an array of values.",
            &["(keys ARRAY<STRING>, values ARRAY<T>) -> MAP<STRING, T>"],
        ),
        function("map_keys", "The keys.", &["(map MAP<STRING, T>) -> ARRAY<STRING>"]),
        function(
            "map_union",
            "The entries of two maps; where both have a key, that of the second.",
            &["(first MAP<STRING, T>, second MAP<STRING, T>) -> MAP<STRING, T>"],
        ),
        function("map_values", "The values.", &["(map MAP<STRING, T>) -> ARRAY<T>"]),
    ]
}
