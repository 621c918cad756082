//! Types that files use without bringing them along.

use super::Scalar;

/// A message that stands for a value of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WellKnown {
    /// `confluent.type.Decimal`
    Decimal,
    /// `google.type.Date`
    Date,
    /// `google.type.TimeOfDay`
    TimeOfDay,
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// `google.protobuf.Int32Value` and the like: a scalar that may be null.
    Wrapper(Scalar),
}

impl WellKnown {
    /// The one of this full name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "confluent.type.Decimal" => Self::Decimal,
            "google.type.Date" => Self::Date,
            "google.type.TimeOfDay" => Self::TimeOfDay,
            "google.protobuf.Timestamp" => Self::Timestamp,
            "google.protobuf.DoubleValue" => Self::Wrapper(Scalar::Double),
            "google.protobuf.FloatValue" => Self::Wrapper(Scalar::Float),
            "google.protobuf.Int64Value" => Self::Wrapper(Scalar::Int64),
            "google.protobuf.UInt64Value" => Self::Wrapper(Scalar::Uint64),
            "google.protobuf.Int32Value" => Self::Wrapper(Scalar::Int32),
            "google.protobuf.UInt32Value" => Self::Wrapper(Scalar::Uint32),
            "google.protobuf.BoolValue" => Self::Wrapper(Scalar::Bool),
            "google.protobuf.StringValue" => Self::Wrapper(Scalar::String),
            "google.protobuf.BytesValue" => Self::Wrapper(Scalar::Bytes),
            _ => return None,
        })
    }
}

/// What files may import from everywhere, as far as it is made of fields.
pub(super) const FILES: [&str; 2] = [
    "syntax = 'proto3'; package google.protobuf;
     message Any { string type_url = 1; bytes value = 2; }
     message Duration { int64 seconds = 1; int32 nanos = 2; }
     message Empty {}
     message FieldMask { repeated string paths = 1; }
     message Struct { map<string, Value> fields = 1; }
     message Value { oneof kind { NullValue null_value = 1; double number_value = 2; string string_value = 3;
       bool bool_value = 4; Struct struct_value = 5; ListValue list_value = 6; } }
     enum NullValue { NULL_VALUE = 0; }
     message ListValue { repeated Value values = 1; }",
    "syntax = 'proto3'; package google.type;
     message LatLng { double latitude = 1; double longitude = 2; }
     message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; }
     enum DayOfWeek { DAY_OF_WEEK_UNSPECIFIED = 0; MONDAY = 1; TUESDAY = 2; WEDNESDAY = 3; THURSDAY = 4; FRIDAY = 5;
       SATURDAY = 6; SUNDAY = 7; }",
];
