//! JSON_SR: JSON behind the id of its schema, in the forms of Kafka Connect's converter.
//!
//! As JSON, but for these:
//!
//! | column | reads | writes |
//! |---|---|---|
//! | DECIMAL | a number, or base64 where the writer's schema says `string` | what the schema says |
//! | MAP | an object, or an array of objects with `key` and `value` | what the schema says; by a schema of ksqlDB's own the array |
//! | STRUCT of `connect_union_field_0` … | the value, by itself | the member that is not NULL |

mod decode;
mod template;
#[cfg(test)]
mod tests;

pub(super) use decode::JsonSrDecoder;
pub(super) use template::encoder;
