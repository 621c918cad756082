//! The functions that only ksqlDB's own cases have, as a plug-in: they are called through the same interface of C
//! as those of users, though nothing has to be loaded.

mod bad_udf;
mod collected;
mod lengths;
mod test_udaf;
mod test_udf;
mod test_udtf;
mod throwing_udtf;
mod to_struct;
mod when;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use levada_udf::abi::Plugin;
use levada_udf::{Definition, Exported, Functions, functions};

use crate::functions::{Registry, plugins};

struct Own;

impl Functions for Own {
    fn definitions() -> Vec<Definition> {
        functions![
            test_udf::int_string,
            test_udf::bigint_string,
            test_udf::bigint_bigint_string,
            test_udf::bigints,
            test_udf::field,
            test_udf::made,
            bad_udf::int,
            bad_udf::boolean,
            bad_udf::every_other,
            when::condition,
            when::result,
            to_struct::to_struct,
            test_udtf::texts,
            test_udtf::only,
            throwing_udtf::throwing_udtf,
            test_udaf::with_undo,
            test_udaf::without_undo,
            lengths::var_arg,
            lengths::mid_var_arg,
            lengths::multi_arg,
            lengths::four_arg,
            lengths::five_arg,
            collected::obj_col_arg,
            collected::generic_var_arg,
        ]
    }

    fn kept() -> &'static OnceLock<Vec<Definition>> {
        static ALL: OnceLock<Vec<Definition>> = OnceLock::new();
        &ALL
    }
}

/// The built-in functions and these.
///
/// # Errors
/// A signature that cannot be read.
pub fn registry() -> Result<Arc<Registry>, String> {
    static PLUGIN: Plugin = Exported::<Own>::PLUGIN;
    let mut registry = Registry::default();
    plugins::linked(&PLUGIN, &BTreeMap::new())?.into_iter().for_each(|function| registry.add(function));
    Ok(Arc::new(registry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::Variation;

    #[test]
    fn they_are_known_in_cases_only() {
        let (ours, theirs) = (Registry::default(), registry().expect("good signatures"));
        assert_eq!(theirs.functions().count(), ours.functions().count() + 15);
        assert!(ours.get("TEST_UDF").is_none() && theirs.get("Test_Udf").is_some());
        let names = ["TEST_UDF", "BAD_UDF", "TEST_UDTF", "TEST_UDAF"];
        let counts = names.map(|name| theirs.get(name).map_or(0, |function| function.variations.len()));
        assert_eq!(counts, [6, 3, 11, 5]);
        assert!(
            names.iter().all(|name| theirs
                .get(name)
                .is_some_and(|function| function.variations.iter().all(Variation::has_body)))
        );
    }
}
