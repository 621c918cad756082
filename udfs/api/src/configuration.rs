//! What a function is told by the server's properties, and what it keeps open.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields};

/// The properties of a server that are meant for one function: `ksql.functions.<name>.*`, and `ksql.functions._global_.*`, which
/// are meant for all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configuration {
    function: String,
    properties: BTreeMap<String, String>,
}

const PREFIX: &str = "ksql.functions.";
const GLOBAL: &str = "ksql.functions._global_.";

impl Configuration {
    /// Those of `properties`, which have their full names, that are meant for the function called `name`.
    pub fn new<'p>(name: &str, properties: impl IntoIterator<Item = (&'p str, &'p str)>) -> Self {
        let function = format!("{PREFIX}{}.", name.to_lowercase());
        let is_meant = |property: &str| property.starts_with(&function) || property.starts_with(GLOBAL);
        let properties = properties.into_iter().filter(|(property, _)| is_meant(property));
        let properties = properties.map(|(property, value)| (property.to_owned(), value.to_owned())).collect();
        Self { function, properties }
    }

    /// The value of `ksql.functions.<name>.<property>`, or else of `ksql.functions._global_.<property>`.
    pub fn get(&self, property: &str) -> Option<&str> {
        let named = |prefix: &str| self.properties.get(&format!("{prefix}{property}"));
        named(&self.function).or_else(|| named(GLOBAL)).map(String::as_str)
    }

    /// As [`Configuration::get`], but it has to be there.
    ///
    /// # Errors
    /// Which property is missing.
    pub fn required(&self, property: &str) -> Result<&str, String> {
        self.get(property).ok_or_else(|| format!("the property {}{property} is missing", self.function))
    }

    /// The value of the property with this full name.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(name).map(String::as_str)
    }

    /// A table of full names and values.
    pub fn table(&self) -> StructArray {
        let column = |texts: Vec<&String>| Arc::new(StringArray::from_iter_values(texts)) as ArrayRef;
        let columns = vec![column(self.properties.keys().collect()), column(self.properties.values().collect())];
        let field = |name| Field::new(name, DataType::Utf8, false);
        StructArray::new(Fields::from(vec![field("name"), field("value")]), columns, None)
    }

    /// What the function called `name` is meant to see of a `table`; `None` if it is none of names and values.
    pub fn read(name: &str, table: &ArrayRef) -> Option<Self> {
        let table = table.as_struct_opt().filter(|table| table.num_columns() == 2)?;
        let [names, values] = [0, 1].map(|column| table.column(column).as_string_opt::<i32>());
        Some(Self::new(name, names?.iter().flatten().zip(values?.iter().flatten())))
    }

    /// All properties with their full names.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &str)> {
        self.properties.iter().map(|(property, value)| (property.as_str(), value.as_str()))
    }
}

/// What a function opens before its first call and keeps until it is forgotten: a file, a connection, a table that is built once.
/// It is a parameter with the attribute `resource`; what is to be closed is closed by `Drop`.
pub trait Resource: Send + Sync + Sized + 'static {
    /// Opens it. One serves all queries that call the function, on all threads.
    ///
    /// # Errors
    /// Why it cannot be opened; then the function cannot be used.
    fn open(configuration: &Configuration) -> Result<Self, String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_sees_its_own_properties_and_those_for_all() {
        let properties = [
            ("ksql.functions.greet.word", "Ahoy"),
            ("ksql.functions._global_.word", "Hello"),
            ("ksql.functions._global_.mark", "!"),
            ("ksql.functions.greeting.word", "Hm"),
            ("ksql.service.id", "secret"),
        ];
        let configuration = Configuration::new("GREET", properties);
        assert_eq!((configuration.get("word"), configuration.get("mark")), (Some("Ahoy"), Some("!")));
        assert_eq!(configuration.properties().count(), 3);
        let table: ArrayRef = Arc::new(configuration.table());
        assert_eq!(Configuration::read("greet", &table), Some(configuration.clone()));
        assert_eq!(configuration.required("file"), Err("the property ksql.functions.greet.file is missing".to_owned()));
    }
}
