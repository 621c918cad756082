//! Schemas that are ready to be used, called as those of `ksql-datagen`.

/// A schema with the column that is the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quickstart {
    /// Its name.
    pub name: &'static str,
    /// The column that is the key.
    pub key: &'static str,
    /// The schema of Avro, with annotations.
    pub schema: &'static str,
}

macro_rules! quickstart {
    ($name:literal, $key:literal) => {
        Quickstart { name: $name, key: $key, schema: include_str!(concat!("quickstarts/", $name, ".avsc")) }
    };
}

impl Quickstart {
    /// All of them.
    pub const ALL: [Self; 8] = [
        quickstart!("clickstream", "ip"),
        quickstart!("clickstream_codes", "code"),
        quickstart!("clickstream_users", "user_id"),
        quickstart!("orders", "orderid"),
        quickstart!("pageviews", "viewtime"),
        quickstart!("ratings", "rating_id"),
        quickstart!("users", "userid"),
        quickstart!("users_", "userid"),
    ];

    /// The one called `name`, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quickstart| quickstart.name.eq_ignore_ascii_case(name))
    }
}
